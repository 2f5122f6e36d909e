"""The job `reports`: sends the reports that are due to the routes that want them, at least once.

As with alerts it knows from the store alone what it has sent, so that a restart sends nothing twice; and what is to be sent is
written down, with its key, before it is sent.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import cache
from threading import Event, Lock
from typing import Any, cast

from exporters.notifications import states
from exporters.notifications.letters import Letter, Send, sender
from exporters.notifications.settings import Route
from exporters.store import Store
from merit.settings import Settings
from processors.errors import NotTaken, Unavailable
from processors.notifications import REPORT, batch, delivered, failed, outdated, sent, taken_up
from processors.reports import render
from processors.reports.periods import KINDS, Kind, Period, last_due, period
from query_api.asking.questions import asker
from query_api.insights.finding import finder
from query_api.insights.recommendations import advice
from query_api.reports.composing import report

log = logging.getLogger(__name__)

Row = dict[str, Any]

NEWS = timedelta(hours=18)
"""A report that should have been sent longer ago is not sent any more; the API has it."""
BETWEEN = "-report-"


class Reporting:
    """Sends reports.

    Args:
        store: may still be closed.
        settings: all of them: routes, time zone, time of day, how work is scored.
        now: what time it is.
    """

    def __init__(self, store: Store, settings: Settings, now: Callable[[], datetime]) -> None:
        self._store, self._settings, self._now = store, settings, now
        self._told = settings.exporters.notifications
        self._reports = settings.processors.reports
        self._routes = {route.name: route for route in self._told.routes if route.reports}
        self._send: dict[str, Send] = {name: sender(route, self._told.timeout_seconds) for name, route in self._routes.items()}
        self._hurried = Event()
        self._running = Lock()

    def run(self) -> int:
        """One round; how many reports were delivered. Raises Unavailable."""
        with self._running:
            now = self._now()
            compose = cache(self._compose)
            return sum(self._deliver(row, compose) for row in self._open(now) if not self._hurried.is_set())

    def hurry(self) -> None:
        """Begin no further report, for good: the program stops."""
        self._hurried.set()

    def _open(self, now: datetime) -> list[Row]:
        """What is not delivered yet, with what has become due written down."""
        back = NEWS + timedelta(seconds=self._told.give_up_seconds)
        known = [row for row in states.notifications(self._store, now - back - NEWS) if row["event"] == REPORT]
        told = {(row["route"], row["event_id"]) for row in known}
        new = [row for route in self._routes.values() for row in taken_up(route.name, self._due(route, now), told, now)]
        waiting = [row for row in known if row["status"] in ("waiting", "sending")]
        gone = [row for row in waiting if row["route"] not in self._routes]
        states.write_down(self._store, outdated(gone), now)
        return [row for row in waiting if row not in gone] + states.write_down(self._store, new, now)

    def _due(self, route: Route, now: datetime) -> Iterator[Row]:
        for kind in KINDS:
            found, since = last_due(kind, now, self._reports.zone, self._reports.sent_at)
            if kind in route.reports and now - since < NEWS:
                yield {"event_id": event_id(found), "alert_id": "", "event": REPORT, "at": now}

    def _deliver(self, row: Row, compose: Callable[[str], Letter]) -> int:
        """Send one report to one route, if it is time to; 1 if it was delivered."""
        due = batch([row], self._now())
        if not due:
            return 0
        letter = compose(row["event_id"])
        due = states.write_down(self._store, sent(due), self._now())
        try:
            self._send[row["route"]](letter, due[0]["key"], self._now())
        except Unavailable as error:
            self._note_failure(due, error)
            return 0
        states.write_down(self._store, delivered(due, self._now()), self._now())
        return 1

    def _note_failure(self, due: list[Row], error: Unavailable) -> None:
        give_up = timedelta(seconds=self._told.give_up_seconds)
        perhaps = not isinstance(error, NotTaken)
        rows = failed(due, str(error), error.retry_after, perhaps=perhaps, give_up=give_up, now=self._now())
        (after,) = states.write_down(self._store, rows, self._now())
        if after["status"] == "given_up" or after["tries"] == 1:
            told = "it is given up" if after["status"] == "given_up" else "it is tried again"
            log.warning("route %s does not take %s: %s; %s", after["route"], after["event_id"], error, told)

    def _compose(self, which: str) -> Letter:
        ask = asker(self._store, self._settings.exporters.clickhouse.query_seconds)
        found = of_event(which, self._reports.zone)
        recommend = advice(finder(ask, self._settings.processors.cost))
        made = report(ask, found, self._reports.time_zone, self._settings.processors.scoring, self._now(), recommend)
        return Letter(render.title(made), render.html(made), render.markdown(made), made)


def event_id(found: Period) -> str:
    """What the report about a period is remembered as."""
    return f"{found.kind}{BETWEEN}{found.first.isoformat()}"


def of_event(which: str, zone: Any) -> Period:
    """The period that is remembered so."""
    kind, _, first = which.partition(BETWEEN)
    return period(cast(Kind, kind), date.fromisoformat(first), zone)
