"""The job `optimize`: opens optimisation requests, has those that are approved run, and measures what came of them.

What it knows it reads from the store in each round. That a run begins is written down before it does; a run of which nobody
knows how it ended is begun again under the same key, which the program is told.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Lock
from typing import Any

from exporters import optimizations as stored
from exporters import optimizers
from exporters.store import Store
from processors.alerts.frames import MERIT
from processors.errors import Rejected, Unavailable
from processors.optimizations.effect import effect, summary
from processors.optimizations.frames import OPEN
from processors.optimizations.life import (
    MOST_TRIES,
    begun,
    closed,
    document,
    ended,
    failed,
    is_due,
    may_open,
    opened,
    postponed,
    rows_of,
)
from processors.optimizations.settings import OptimizationSettings, Optimizer
from processors.versions import to_the_millisecond
from query_api.asking.questions import Keep

log = logging.getLogger(__name__)

Row = dict[str, Any]

BACK = timedelta(days=30)
"""Older work says little of how an agent does."""


class Optimizing:
    """Opens requests, runs and measures.

    Args:
        store: may still be closed.
        keep: writes rows, masked.
        settings: what makes whom better.
        now: what time it is.
    """

    def __init__(self, store: Store, keep: Keep, settings: OptimizationSettings, now: Callable[[], datetime]) -> None:
        self._store, self._keep, self._now = store, keep, now
        self._optimizers = {one.name: one for one in settings.optimizers}
        self._hurried = Event()
        self._running = Lock()

    def run(self) -> int:
        """One round; how many requests changed. Raises Unavailable."""
        with self._running:
            last = stored.last_ones(self._store)
            changed = sum(self._open(one, last) for one in self._optimizers.values())
            for row in stored.last_ones(self._store).values():
                if row["status"] in OPEN and not self._hurried.is_set():
                    changed += self._go_on(row)
            return changed

    def hurry(self) -> None:
        """End what runs, and begin nothing more: the program stops."""
        self._hurried.set()

    def _open(self, optimizer: Optimizer, last: dict[tuple[str, str], Row]) -> int:
        """Open a request for each agent that has done enough since the last one."""
        now = self._moment()
        mine = {agent: row for (name, agent), row in last.items() if name == optimizer.name}
        own = {agent: row["closed_at"] for agent, row in mine.items() if row["closed_at"]}
        done = stored.finished(self._store, optimizer, now - BACK, own)
        rows = []
        for agent, count in done.items():
            before = mine.get(agent)
            if count >= optimizer.threshold and may_open(before, optimizer, now):
                since = "since the last request" if before else f"in the last {BACK.days} days"
                previous = before["optimization_id"] if before else ""
                rows.append(opened(optimizer, agent, previous, f"{count} finished tasks {since}", MERIT, now))
        self._write(rows)
        return len(rows)

    def _go_on(self, row: Row) -> int:
        """Run or measure a request, if it is time to; 1 if it changed."""
        optimizer = self._optimizers.get(row["optimizer"])
        now = self._moment()
        if optimizer is None:
            self._write([failed(row, "no optimizer of the settings is called so any more", now)])
            return 1
        if is_due(row, now):
            self._carry_out(row, optimizer)
            return 1
        return self._measure(row, optimizer, now) if row["status"] == "measuring" else 0

    def _carry_out(self, row: Row, optimizer: Optimizer) -> None:
        if row["tries"] >= MOST_TRIES and optimizer.command:
            self._write([failed(row, f"begun {row['tries']} times, and never came to its end", self._moment())])
            return
        now = self._moment()
        row = stored.one(self._store, row["optimization_id"])
        if not is_due(row, now):
            return
        past = stored.before(self._store, optimizer, row["agent_id"], row["started_at"] or now, BACK)
        row = self._write([begun(row, summary(past), now)])[0]
        try:
            result = optimizers.run(optimizer, document(row, optimizer), now, self._hurried.is_set)
        except Unavailable as error:
            after = postponed(row, str(error), error.retry_after, self._moment())
        except Rejected as error:
            after = failed(row, str(error), self._moment())
        else:
            after = ended(row, result, self._moment())
        if after["status"] != "measuring":
            log.warning(
                "optimisation %s of %s by %s: %s", row["optimization_id"], row["agent_id"], optimizer.name, after["error"]
            )
        self._write([after])

    def _measure(self, row: Row, optimizer: Optimizer, now: datetime) -> int:
        """Close a request when enough has been done since its run, or enough time has passed."""
        since = stored.after(self._store, optimizer, row["agent_id"], row["ended_at"], now)
        late = now - row["ended_at"] >= timedelta(days=optimizer.measured_days)
        if since.height < optimizer.measured_tasks and not late:
            return 0
        past = stored.before(self._store, optimizer, row["agent_id"], row["started_at"], BACK)
        self._write([closed(row, summary(since), effect(past, since, row["measure"]), now)])
        return 1

    def _moment(self) -> datetime:
        return to_the_millisecond(self._now())

    def _write(self, rows: list[Row]) -> list[Row]:
        """Store rows, newer than they were; the rows as they are then."""
        if not rows:
            return []
        frame = rows_of(rows, self._now())
        self._keep("optimizations", frame)
        return frame.to_dicts()
