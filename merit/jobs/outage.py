"""Tells routes that the store is away, of which no alert can: alerts are kept there. What is known of it is in memory alone."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from exporters.notifications.carriers import Carry
from exporters.notifications.settings import Route
from processors.alerts.frames import MERIT
from processors.errors import MeritError
from processors.notifications import fits

log = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=60)
"""A store that is away for less is no news: it may be restarted."""
RULE = "store-away"
WHAT_TO_DO = "See whether it runs and its disk has room (GET /readyz); what is received waits in the journal meanwhile."


class Outage:
    """Since when the store is away, and who has been told.

    Args:
        carriers: how each route is told, by its name.
        routes: who wants to know of what.
    """

    def __init__(self, routes: tuple[Route, ...], carriers: Mapping[str, Carry]) -> None:
        self._routes, self._carriers = routes, carriers
        self._since: datetime | None = None
        self._told: set[str] = set()

    def goes_on(self, why: str, now: datetime) -> None:
        """The store is away; tell once whoever wants to know, if it has been for long enough."""
        self._since = self._since or now
        if now - self._since < PATIENCE:
            return
        for route in self._routes:
            if route.name not in self._told and self._tell(route, happened("fired", self._since, now, why), now):
                self._told.add(route.name)

    def is_over(self, now: datetime) -> None:
        """The store is there; tell those who were told otherwise. Whoever cannot be reached now is told no more."""
        if self._since is not None:
            for route in self._routes:
                if route.name in self._told:
                    self._tell(route, happened("resolved", self._since, now, ""), now)
        self._since, self._told = None, set()

    def _tell(self, route: Route, event: dict[str, Any], now: datetime) -> bool:
        if not fits(event, route.severities, route.events, route.scope):
            return False
        try:
            self._carriers[route.name]([event], event["event_id"], now)
        except MeritError as error:
            log.warning("route %s cannot be told that the store is away: %s", route.name, error)
            return False
        return True


def happened(what: str, since: datetime, now: datetime, why: str) -> dict[str, Any]:
    """What is told, in the shape of what happens to alerts."""
    alert_id = f"{RULE}-{since:%Y%m%dT%H%M%S}"
    is_over = what == "resolved"
    said = {
        "title": "Merit: the store is there again" if is_over else "Merit: the store does not answer",
        "recommended_action": "" if is_over else WHAT_TO_DO,
        "cause": why,
    }
    about = {"alert_id": alert_id, "rule": RULE, "severity": "critical", "status": "resolved" if is_over else "firing"}
    rest = {"event": what, "at": now, "started_at": since, "by": MERIT, "note": "", "agent_id": "", "silenced": False}
    return said | about | rest | {"event_id": f"{alert_id}-{what}", "scope": {}, "evidence": {}}
