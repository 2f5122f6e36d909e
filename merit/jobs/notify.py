"""The job `notify`: tells the routes of the settings what happens to alerts, at least once.

All that it knows it reads from the store in each round, so that a restart forgets nothing. What is to be sent is written down
before it is sent, with the key under which it is sent; so what is sent twice has one key.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event, Lock
from typing import Any

from exporters.notifications import states
from exporters.notifications.carriers import Carry, carrier
from exporters.notifications.messages import preview
from exporters.notifications.reach import why_unreachable
from exporters.notifications.settings import NotificationSettings, Route
from exporters.store import Store
from merit.jobs.outage import Outage
from processors.errors import MeritError, NotTaken, Unavailable
from processors.notifications import REPORT, batch, delivered, failed, fits, outdated, reminders, sent, taken_up

log = logging.getLogger(__name__)

Row = dict[str, Any]

NEWS = timedelta(hours=24)
"""What happened longer ago is no news, for a route that was not told of it."""
AT_ONCE = 8
"""Routes that are told at the same time."""


class Notifying:
    """Tells routes.

    Args:
        store: may still be closed.
        settings: who is told of what.
        now: what time it is.
    """

    def __init__(self, store: Store, settings: NotificationSettings, now: Callable[[], datetime]) -> None:
        self._store, self._settings, self._now = store, settings, now
        self._carriers: dict[str, Carry] = {route.name: carrier(route, settings.timeout_seconds) for route in settings.routes}
        self._outage = Outage(settings.routes, self._carriers)
        self._hurried = Event()
        self._running = Lock()
        self._looked = False

    def run(self) -> int:
        """One round; how much was delivered, counted once for each route.

        Raises:
            Unavailable: the store is away. What was delivered meanwhile is delivered again, under the same key.
        """
        with self._running:
            if not self._looked:
                self._looked = True
                self._warn_of_unreachable()
            try:
                told = self._round(self._now())
            except Unavailable as error:
                self._outage.goes_on(str(error), self._now())
                raise
            self._outage.is_over(self._now())
            return told

    def _round(self, now: datetime) -> int:
        happened = self._happened(now)
        states_by_route = self._states(happened, now)
        events = {one["event_id"]: one for one in happened}

        def tell(route: Route) -> int:
            return self._tell(route, states_by_route[route.name], events)

        with ThreadPoolExecutor(AT_ONCE, "notify") as pool:
            return sum(pool.map(tell, self._settings.routes))

    def hurry(self) -> None:
        """Begin no further message, for good: the program stops."""
        self._hurried.set()

    def _warn_of_unreachable(self) -> None:
        """Say once who cannot be reached: better now than when there is something to tell."""

        def look(route: Route) -> str:
            return why_unreachable(route, self._settings.timeout_seconds)

        with ThreadPoolExecutor(AT_ONCE, "notify") as pool:
            for route, why in zip(self._settings.routes, pool.map(look, self._settings.routes), strict=True):
                if why:
                    log.warning("route %s cannot be reached: %s; mend its address, or try merit alerts test", route.name, why)

    def _happened(self, now: datetime) -> list[Row]:
        """What a route may have to be told of, now or still."""
        every = timedelta(seconds=self._settings.repeat_seconds)
        back = max(NEWS, timedelta(seconds=self._settings.give_up_seconds)) + NEWS
        found = states.told_of(self._store, now - back)
        return found + (reminders(states.firing(self._store, now - every), every, now) if every else [])

    def _states(self, happened: list[Row], now: datetime) -> dict[str, list[Row]]:
        """What is not delivered yet, by route, with what is new written down."""
        since = min([now - 2 * NEWS, *(one["at"] for one in happened)])
        known = [row for row in states.notifications(self._store, since) if row["event"] != REPORT]
        told = {(row["route"], row["event_id"]) for row in known}
        due = now + timedelta(seconds=self._settings.group_seconds)
        news = [one for one in happened if now - one["at"] < NEWS or one["event"] == "reminder"]
        new = []
        for route in self._settings.routes:
            wanted = (one for one in news if fits(one, route.severities, route.events, route.scope))
            new += taken_up(route.name, wanted, told, due)
        open_rows = [row for row in known if row["status"] in ("waiting", "sending")]
        every = open_rows + states.write_down(self._store, new, now)
        return {route.name: [row for row in every if row["route"] == route.name] for route in self._settings.routes}

    def _tell(self, route: Route, rows: list[Row], events: dict[str, Row]) -> int:
        """Send what is due to one route; how much it was."""
        states.write_down(self._store, outdated([row for row in rows if row["event_id"] not in events]), self._now())
        due = batch([row for row in rows if row["event_id"] in events], self._now())
        if not due or self._hurried.is_set():
            return 0
        due = states.write_down(self._store, sent(due), self._now())
        try:
            self._carriers[route.name]([events[row["event_id"]] for row in due], due[0]["key"], self._now())
        except Unavailable as error:
            self._note_failure(route, due, error)
            return 0
        states.write_down(self._store, delivered(due, self._now()), self._now())
        return len(due)

    def _note_failure(self, route: Route, due: list[Row], error: Unavailable) -> None:
        now, give_up = self._now(), timedelta(seconds=self._settings.give_up_seconds)
        perhaps = not isinstance(error, NotTaken)
        rows = failed(due, str(error), error.retry_after, perhaps=perhaps, give_up=give_up, now=now)
        after = states.write_down(self._store, rows, now)
        given_up = sum(row["status"] == "given_up" for row in after)
        if given_up or after[0]["tries"] == 1:
            told = f"{given_up} notifications are given up" if given_up else "it is tried again, and told in one message"
            log.warning("route %s: %s; %s", route.name, error, told)


def try_out(settings: NotificationSettings, name: str, now: datetime) -> str:
    """Send a preview to the route of this name; what went wrong, or nothing."""
    route = next(each for each in settings.routes if each.name == name)
    event = preview(now)
    try:
        carrier(route, settings.timeout_seconds)([event], event["event_id"], now)
    except MeritError as error:
        return str(error)
    return ""
