"""Optimisation requests and the work that they go by, out of the store."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from exporters.alerts import milliseconds
from exporters.store import Store
from exporters.traces import question
from processors.frames import conform
from processors.optimizations.frames import OBSERVED, OPTIMIZATIONS
from processors.optimizations.settings import Optimizer

Row = dict[str, Any]

MOST = 100_000
PROFILE = "default"


def last_ones(store: Store) -> dict[tuple[str, str], Row]:
    """The last request, open or not, by optimizer and agent."""
    frame = conform(store.query(question("last_optimizations"), {"limit": MOST}), OPTIMIZATIONS)
    return {(row["optimizer"], row["agent_id"]): row for row in frame.iter_rows(named=True)}


def one(store: Store, optimization_id: str) -> Row:
    """A request as it stands now."""
    asked = {"optimization_id": optimization_id}
    return conform(store.query(question("optimization"), asked), OPTIMIZATIONS).row(0, named=True)


def finished(store: Store, optimizer: Optimizer, since: datetime, own: Mapping[str, datetime]) -> dict[str, int]:
    """How many tasks each agent of an optimizer has finished since a time, some of them since a time of `own`."""
    asked = {
        "since": since,
        "agent_id": list(optimizer.agent_id),
        "category": list(optimizer.category),
        "agents": list(own),
        "since_ms": [milliseconds(at) for at in own.values()],
        "limit": MOST,
    }
    return dict(store.query(question("finished_since"), asked).iter_rows())


def before(store: Store, optimizer: Optimizer, agent_id: str, until: datetime, back: timedelta) -> pl.DataFrame:
    """The last tasks before a time, as many as are measured; columns OBSERVED."""
    return tasks(store, optimizer, agent_id, until - back, until, last=True)


def after(store: Store, optimizer: Optimizer, agent_id: str, since: datetime, until: datetime) -> pl.DataFrame:
    """The first tasks since a time, as many as are measured; columns OBSERVED."""
    return tasks(store, optimizer, agent_id, since, until, last=False)


def tasks(store: Store, optimizer: Optimizer, agent_id: str, since: datetime, until: datetime, *, last: bool) -> pl.DataFrame:
    """Finished tasks of a stretch of time, as many as are measured, from one end or the other; columns OBSERVED."""
    asked = {"agent_id": agent_id, "category": list(optimizer.category), "since": since, "until": until, "last": last}
    found = store.query(question("tasks_to_compare"), asked | {"limit": optimizer.measured_tasks, "profile": PROFILE})
    return conform(found, OBSERVED)
