"""The life of an alert: pending, firing, acknowledged, resolved. Pure: what was, what was found, and now make what is.

What people did is read from the events, which nobody overwrites: should this round and a person write the row of an alert at
the same moment, the next round sees to it that the person's word counts.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Set
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from processors.alerts.frames import ALERT_EVENTS, ALERTS, MERIT, SEVERITIES, Event, alert_id_of, event_id_of
from processors.frames import empty
from processors.versions import version_at

Row = dict[str, Any]
Fault = tuple[str, ...]
"""Agent, category and measure of a change; rule and scope of a level."""

UNKNOWN_FOR = timedelta(hours=24)
"""An alert of which too little is seen to tell, neither good nor bad, is resolved after this long."""
LONGEST_REST = timedelta(days=7)
"""No alert rests for longer after it was resolved."""
RENEWED = timedelta(minutes=5)
"""The evidence of an open alert is written anew at most this often."""


class Round(NamedTuple):
    """What a round writes."""

    alerts: pl.DataFrame
    events: pl.DataFrame


def advance(
    alerts: pl.DataFrame,
    by_people: pl.DataFrame,
    findings: pl.DataFrame,
    silenced: Callable[[Row], bool],
    now: datetime,
    well: Set[str] = frozenset(),
    dropped: Set[str] = frozenset(),
) -> Round:
    """The alerts that change, and what happened to them.

    Args:
        alerts: columns ALERTS: all that are open, those resolved within `LONGEST_REST`, and those that people accept.
        by_people: columns ALERT_EVENTS: what people did to these.
        findings: columns FINDINGS, at most one a key, without what people accept.
        silenced: whether nobody is to be told of an alert.
        now: what time it is.
        well: ids of alerts that people had accepted, and that are over now.
        dropped: names of rules that are off, or there no more: what they told of is over.
    """
    said = as_people_say(alerts, by_people).sort("started_at", "version").iter_rows(named=True)
    rows = [row | ({"clear_since": now} if row["alert_id"] in well else {}) for row in said]
    latest = {row["key"]: row for row in rows}
    found = {row["key"]: row for row in findings.iter_rows(named=True)}
    before = {row["alert_id"]: row for row in alerts.iter_rows(named=True)}
    steps = [step(latest.get(key), found.get(key), now, dropped) for key in sorted(latest.keys() | found.keys())]
    changed = {row["alert_id"]: row for row in rows if differs(row, before[row["alert_id"]])}
    events = []
    for row, happened, note in (one for one in steps if one is not None):
        told = told_of(row, silenced, happened)
        events += [event(row, what, now, note) for what in told]
        if told or differs(row, before.get(row["alert_id"])):
            changed[row["alert_id"]] = row
    written = [row | {"version": version_at(now, row["version"])} for row in changed.values()]
    return Round(as_frame(written, ALERTS), as_frame(events, ALERT_EVENTS))


Step = tuple[Row, list[Event], str] | None
"""How the row is now, what happened, and why."""


def step(alert: Row | None, finding: Row | None, now: datetime, dropped: Set[str] = frozenset()) -> Step:
    """One key goes on."""
    if alert is None or alert["status"] == "resolved":
        return opened(alert, finding, now)
    if finding is None and alert["rule"] in dropped and alert["status"] != "pending":
        return over(alert, now, now, "its rule is off, or there no more")
    if finding is None or finding["state"] == "clear":
        return clearing(alert, finding, now)
    return going_on(alert, finding, now)


def opened(last: Row | None, finding: Row | None, now: datetime) -> Step:
    """A new alert, if there is to be one."""
    if finding is None or finding["state"] != "raised" or (last is not None and rests(last, finding, now)):
        return None if last is None else (last, [], "")
    # Another alert than the last one, and so with another id, though it may have begun before that was resolved.
    began = finding["started_at"] if last is None else max(finding["started_at"], last["resolved_at"])
    return born(finding | {"started_at": began}, now)


def rests(last: Row, finding: Row, now: datetime) -> bool:
    """Whether it is too soon after the alert `last` was resolved to tell the same again."""
    is_soon: bool = now - last["resolved_at"] < timedelta(seconds=finding["cooldown_seconds"])
    return is_soon and faults_of(finding) <= faults_of(last)


def faults_of(row: Row) -> set[Fault]:
    """What an alert or a finding tells of."""
    return changes_of(row) or {(row["rule"], row["scope"])}


def changes_of(row: Row) -> set[Fault]:
    """The changes that an alert or a finding tells of."""
    return {(one["agent_id"], one["category"], one["measure"]) for one in json.loads(row["evidence"]).get("changes", [])}


def born(finding: Row, now: datetime) -> Step:
    """The alert of a finding: pending, or firing at once if it need not last."""
    alert = {name: finding[name] for name in ALERTS if name in finding} | {
        "alert_id": alert_id_of(finding["rule"], finding["scope"], finding["started_at"]),
        "status": "pending",
        "pending_at": now,
        **dict.fromkeys(("fired_at", "acknowledged_at", "clear_since", "resolved_at")),
        **dict.fromkeys(("acknowledged_by", "resolved_by"), ""),
        "silenced": False,
        "version": 0,
        "is_deleted": 0,
    }
    return going_on(alert, finding, now)


def going_on(alert: Row, finding: Row, now: datetime) -> Step:
    """An open alert whose condition holds."""
    worse = SEVERITIES.index(finding["severity"]) > SEVERITIES.index(alert["severity"]) and finding["state"] == "raised"
    if worse or others(alert, finding) or now - version_time(alert, now) >= RENEWED:
        alert = alert | {name: finding[name] for name in RENEWING}
    alert = alert | {"clear_since": None, "severity": finding["severity"] if worse else alert["severity"]}
    if alert["status"] == "pending":
        if now - alert["pending_at"] < timedelta(seconds=finding["for_seconds"]):
            return alert, [], ""
        return alert | {"status": "firing", "fired_at": now}, ["fired"], ""
    return alert, ["escalated"] if worse else [], ""


RENEWING = ("agent_id", "scope", "title", "evidence", "recommended_action", "cause")
"""What of an alert is told anew while it goes on."""


def others(alert: Row, finding: Row) -> bool:
    """Whether other agents are concerned than the alert says."""
    said, found = (json.loads(one["evidence"]).get("agents", []) for one in (alert, finding))
    return bool(set(found) - set(said))


def clearing(alert: Row, finding: Row | None, now: datetime) -> Step:
    """An open alert whose condition does not hold, or of which nothing is known."""
    if alert["status"] == "pending":
        return alert | {"is_deleted": 1}, [], ""
    since: datetime = alert["clear_since"] or now
    patience = timedelta(seconds=finding["clear_seconds"]) if finding else UNKNOWN_FOR
    if now - since < patience:
        return alert | {"clear_since": since}, [], ""
    note = "" if finding else f"for {UNKNOWN_FOR // timedelta(hours=1)} h too little has been seen of it to tell"
    return over(alert, since, now, note)


def over(alert: Row, since: datetime, now: datetime, note: str) -> Step:
    """An alert that Merit resolves, `since` when it was well."""
    return alert | {"status": "resolved", "clear_since": since, "resolved_at": now, "resolved_by": MERIT}, ["resolved"], note


def told_of(row: Row, silenced: Callable[[Row], bool], happened: list[Event]) -> list[Event]:
    """What is to be told; sets whether the row is silenced. That a silence ends, while it goes on, is told too.

    What is over stays as it was told.
    """
    if row["status"] == "resolved" and not happened:
        return []
    was, row["silenced"] = row["silenced"], silenced(row)
    ended = was and not row["silenced"] and row["status"] == "firing" and "fired" not in happened
    return [*happened, "unsilenced"] if ended else happened


def as_people_say(alerts: pl.DataFrame, by_people: pl.DataFrame) -> pl.DataFrame:
    """Alerts, columns ALERTS, with what people did to them."""
    done = {(row["alert_id"], row["event"]): row for row in by_people.iter_rows(named=True)}
    return as_frame([with_what_people_did(row, done) for row in alerts.iter_rows(named=True)], ALERTS)


def with_what_people_did(alert: Row, done: Mapping[tuple[str, str], Row]) -> Row:
    """The row of an alert with the acknowledgement and the resolution that a person has sent."""
    if (said := done.get((alert["alert_id"], "acknowledged"))) and alert["status"] == "firing":
        alert = acknowledged(alert, said["by"], said["at"])
    if (said := done.get((alert["alert_id"], "resolved"))) and alert["resolved_by"] in ("", MERIT):
        alert = resolved(alert, said["by"], said["at"])
    return alert


def acknowledged(alert: Row, by: str, at: datetime) -> Row:
    """The row of an alert that somebody has seen."""
    return alert | {"status": "acknowledged", "acknowledged_at": at, "acknowledged_by": by}


def resolved(alert: Row, by: str, at: datetime) -> Row:
    """The row of an alert that somebody says is over, whatever is found."""
    return alert | {"status": "resolved", "resolved_at": at, "resolved_by": by, "clear_since": None}


def event(row: Row, what: Event, now: datetime, note: str = "", by: str = MERIT) -> Row:
    """What happened to an alert, whose row is as it is afterwards."""
    which = {"escalated": row["severity"], "unsilenced": now.strftime("%Y%m%dT%H%M")}.get(what, "")
    same = {name: row[name] for name in ("alert_id", "status", "severity", "silenced")}
    return same | {"event_id": event_id_of(row["alert_id"], what, which), "event": what, "at": now, "by": by, "note": note}


def differs(row: Row, before: Row | None) -> bool:
    """Whether the row is to be written."""
    return before is None or any(row[name] != before[name] for name in ALERTS if name != "version")


def version_time(row: Row, now: datetime) -> datetime:
    """When the row was written."""
    return datetime.fromtimestamp(row["version"] / 1000, now.tzinfo) if row["version"] else now


def as_frame(rows: Iterable[Row], columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Rows as a frame of `columns`."""
    return pl.DataFrame(list(rows), schema=dict(columns), orient="row") if rows else empty(columns)
