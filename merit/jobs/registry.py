"""Keeps the registry of agents: what their tasks say of them outlives the tasks."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

import polars as pl

from exporters import agents
from exporters.looks import ALL, Looks
from exporters.store import Store
from exporters.traces import EPOCH
from processors.agents import changed, correct, grow
from processors.errors import MeritError
from processors.versions import version_at

OVERLAP = timedelta(seconds=5)
"""An insert may be stamped this long before it can be read; what takes longer is found when all is worked out again."""
ANEW = timedelta(minutes=10)
"""How often everything is worked out again, for what was derived differently since."""


class Registry:
    """Brings the table `agents` up to date.

    Most runs look at the tasks stored since the run before, and add. The first run of a process and one every ten minutes
    read all tasks, and take back what is no longer so; therefore nothing need be remembered across a restart.

    Args:
        store: may still be closed.
        retention_days: how long tasks are kept; what is known from before cannot be worked out again and stays.
        now: what time it is.
    """

    def __init__(self, store: Store, retention_days: int, now: Callable[[], datetime]) -> None:
        self._store = store
        self._retention = timedelta(days=retention_days)
        self._now = now
        self._refreshing = Lock()
        self._worked_out: datetime | None = None
        self._stored, self._looks = EPOCH, Looks(store, OVERLAP)

    def refresh(self) -> int:
        """Take in what is new; how many agents' rows changed."""
        with self._refreshing:
            now = self._now()
            anew = self._worked_out is None or not timedelta(0) <= now - self._worked_out < ANEW
            return self._work_out(now) if anew else self._grow(now)

    def _work_out(self, now: datetime) -> int:
        stored, known = agents.last_stored(self._store, self._stored), agents.known_agents(self._store, [])
        after = correct(known, agents.sightings(self._store, None), now - self._retention)
        count = self._keep(changed(known, after, version_at(now)))
        self._worked_out, self._stored = now, stored
        return count

    def _grow(self, now: datetime) -> int:
        look = self._looks.next("tasks", self._stored, ALL)
        if look is None:
            return 0
        try:
            count = self._take_in(agents.sightings(self._store, look), now)
        except MeritError:
            self._looks.forget()  # what was found has not been taken in
            raise
        self._stored = look.until
        return count

    def _take_in(self, seen: pl.DataFrame, now: datetime) -> int:
        if seen.is_empty():
            return 0
        known = agents.known_agents(self._store, seen["agent_id"].unique().to_list())
        return self._keep(changed(known, grow(known, seen), version_at(now)))

    def _keep(self, rows: pl.DataFrame) -> int:
        self._store.insert("agents", rows)
        return rows.height
