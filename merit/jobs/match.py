"""The job `match`: evaluations that came before their task find it.

The task may come under any of its names. A task that a later derivation gives up, e.g. because its agent turned out to be
part of another, gives back its evaluations, which look again.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from exporters import evaluations
from exporters.store import Store
from processors.evaluations import WAITING, placed, replaced, unplaced
from query_api.asking.questions import asker
from query_api.evaluations.targets import late_homes

log = logging.getLogger(__name__)

SECONDS = 30.0
"""How long one question may take."""
FRESH = timedelta(minutes=10)
"""Most tasks come soon: every run looks for those of evaluations that came this lately,"""
SELDOM = timedelta(minutes=1)
"""and after this long for those of all that wait."""
OVERLAP = timedelta(minutes=5)
"""How far a run looks back beyond the one before: clocks differ."""


class Matching:
    """Gives evaluations their tasks.

    Args:
        store: has both.
        now: what time it is.
    """

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now
        self._ask = asker(store, SECONDS)
        self._last: datetime | None = None
        self._last_of_all: datetime | None = None

    def run(self) -> int:
        """Place the evaluations whose task has come; how many they were. Raises Unavailable."""
        now = self._now()
        self._give_back(now)
        of_all = self._last_of_all is None or now - self._last_of_all >= SELDOM
        count = self._place(now - (WAITING if of_all else FRESH))
        self._report(now)
        self._last, self._last_of_all = now, now if of_all else self._last_of_all
        return count

    def _place(self, since: datetime) -> int:
        """Place what came since, if its task is there; how many they were."""
        count = 0
        for waiting in evaluations.without_task(self._store, since):
            if waiting.is_empty():
                continue
            oldest: datetime = waiting["evaluated_at"].min()  # type: ignore[assignment]  # a column of times has a first
            found = placed(waiting, late_homes(self._ask, waiting["target"], oldest))
            if not found.is_empty():
                evaluations.store_evaluations(self._store, replaced(waiting, found))
                count += found.height
        return count

    def _give_back(self, now: datetime) -> None:
        """Let evaluations of tasks that are no more look again."""
        orphans = evaluations.orphaned(self._store, (self._last or now) - OVERLAP, now - WAITING)
        if not orphans.is_empty():
            evaluations.store_evaluations(self._store, replaced(orphans, unplaced(orphans)))

    def _report(self, now: datetime) -> None:
        """Say how many have waited in vain since the last run."""
        until = now - WAITING
        since = self._last - WAITING if self._last else until - OVERLAP
        if since < until and (count := evaluations.expired(self._store, since, until)):
            log.warning(
                "%d evaluations have waited %d days for a task that did not come and are not scored: "
                "GET /v1/evaluations?pending=true lists them",
                count,
                WAITING.days,
            )
