"""Who is to be told of what, and when: what the job `notify` goes by. Pure: what was, what happened, and now make what is.

A row of state stands for one thing that happened, told to one route. It waits, so that things that happen together are told
together; it is being sent, under a key that is written down before; it is delivered, or given up. As long as it is not known
whether a message has arrived, it is sent again as it was, under the same key. What certainly did not arrive joins whatever
has happened since: a receiver that was away gets one digest.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import polars as pl

from processors.frames import MILLIS, STRING, Columns

Row = dict[str, Any]

NOTIFICATIONS: Columns = {
    "route": STRING,
    "event_id": STRING,
    "alert_id": STRING,
    "event": STRING,
    "at": MILLIS,
    "status": STRING,
    "key": STRING,
    "tries": pl.UInt32(),
    "next_at": MILLIS,
    "delivered_at": MILLIS,
    "error": STRING,
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""What became of telling a route of something. `at`: when it happened; `key`: of the message that told it, or tries to;
`next_at`: when it is tried next; `status`: waiting, sending, delivered, given_up."""

REPORT = "report"
"""The `event` of a report, which is no alert's; its `event_id` says which: `daily-report-2026-01-30`."""

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=5)


def taken_up(route: str, happened: Iterable[Row], known: set[tuple[str, str]], due: datetime) -> list[Row]:
    """Rows for what has happened that a route is to be told of and that it does not have yet; due at a time."""
    new = {"route": route, "status": "waiting", "key": "", "tries": 0, "next_at": due, "delivered_at": None, "error": ""}
    return [
        new | {name: one[name] for name in ("event_id", "alert_id", "event", "at")} | {"version": 0, "is_deleted": 0}
        for one in happened
        if (route, one["event_id"]) not in known
    ]


def reminders(firing: Iterable[Row], every: timedelta, now: datetime) -> list[Row]:
    """What to remind of: alerts that fire on and on, each as often as it might have been; the last time alone counts."""
    found = []
    for alert in firing:
        number = (now - alert["fired_at"]) // every
        if number >= 1:
            at = alert["fired_at"] + number * every
            about = {"event_id": f"{alert['alert_id']}-reminder-{number}", "event": "reminder", "at": at}
            found.append(alert | about | {"by": "merit", "note": ""})
    return found


def batch(rows: Sequence[Row], now: datetime) -> list[Row]:
    """What to send to one route now, of its rows that are not delivered: nothing, one or several.

    What is being sent goes first and alone, as it was. Else everything that waits, once something of it is due; a route that
    did not take something is left alone until that is tried again.
    """
    sending = [row for row in rows if row["status"] == "sending"]
    waiting = sorted((row for row in rows if row["status"] == "waiting"), key=lambda row: (row["at"], row["event_id"]))
    if sending:
        return sending if all(row["next_at"] <= now for row in sending) else []
    refused = [row["next_at"] for row in waiting if row["tries"]]
    due = max(refused) if refused else min((row["next_at"] for row in waiting), default=now)
    return waiting if due <= now else []


def sent(rows: Sequence[Row]) -> list[Row]:
    """Rows as they are written down before they are sent: with the key of their message."""
    key = rows[0]["key"] or key_of([row["event_id"] for row in rows])
    return [row | {"status": "sending", "key": key} for row in rows]


def delivered(rows: Sequence[Row], now: datetime) -> list[Row]:
    """Rows that have arrived."""
    return [row | {"status": "delivered", "delivered_at": now, "tries": row["tries"] + 1, "error": ""} for row in rows]


def failed(rows: Sequence[Row], why: str, pause: timedelta, *, perhaps: bool, give_up: timedelta, now: datetime) -> list[Row]:
    """Rows that have not arrived, or `perhaps` have: tried again after a while, longer each time; too old, given up."""
    changed = []
    for row in rows:
        wait = max(pause, min(FIRST_PAUSE * 2 ** min(row["tries"], 10), LONGEST_PAUSE))
        again = {"tries": row["tries"] + 1, "next_at": now + wait, "error": why}
        status = {"status": "sending"} if perhaps else {"status": "waiting", "key": ""}
        old = now - row["at"] >= give_up
        changed.append(row | again | ({"status": "given_up"} if old else status))
    return changed


def outdated(rows: Sequence[Row]) -> list[Row]:
    """Rows of which nothing is to be told any more: a reminder of what is over, or of what there is a newer one of."""
    return [row | {"status": "given_up", "error": "no longer so"} for row in rows]


def key_of(event_ids: Sequence[str]) -> str:
    """The idempotency key of a message: the event's id, of several a hash of theirs."""
    return event_ids[0] if len(event_ids) == 1 else sha256("\n".join(event_ids).encode()).hexdigest()[:32]


def fits(happened: Row, severities: Sequence[str], events: Sequence[str], scope: Mapping[Any, Sequence[str]]) -> bool:
    """Whether a route wants to know of this: nobody does of what is silenced."""
    about = {**happened["scope"], "agent_id": happened["agent_id"] or happened["scope"].get("agent_id", "")}
    chosen = all(about.get(name, "") in values for name, values in scope.items())
    kind = "fired" if happened["event"] in ("escalated", "unsilenced") else happened["event"]
    return not happened["silenced"] and chosen and happened["severity"] in severities and kind in events
