"""Tasks of agents in the store, scored, and rounds of alerting over them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from exporters.store import Store
from merit.jobs.alerts import Alerting
from processors.alerts.rules import AlertSettings
from tests.builders import NOW, Clock, Row, span_of, trace_of
from tests.merit.scored import scoring
from tests.query_api.build import node, put, task, tool

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def alerting(store: Store, clock: Clock, itself: dict[str, float] | None = None, **settings: Any) -> Alerting:
    return Alerting(store, AlertSettings.model_validate(settings), clock, lambda: itself or {})


def work(agent: str, first: int, times: Iterable[datetime], fails: float = 0.02, **more: Any) -> list[Row]:
    """Tasks numbered from `first` on that begin at `times`; every n-th fails, 8 s long more or less."""
    random = np.random.default_rng(first)
    made = []
    for i, at in enumerate(times):
        failed = random.random() < fails
        seconds = more.get("seconds", 8.0) * float(np.exp(random.normal(0, 0.3)))
        cost = Decimal(f"{0.01 * float(np.exp(random.normal(0, 0.3))):.6f}")
        plain = {"status": "failed" if failed else "succeeded", "duration_seconds": seconds, "cost_usd": cost}
        plain |= {"agent_id": agent, "agent_name": agent, "span_id": span_of(1), "started_at": at}
        made.append(task(first + i, **plain | {name: value for name, value in more.items() if name != "seconds"}))
    return made


def every(step: timedelta, since: datetime, until: datetime) -> list[datetime]:
    return [since + i * step for i in range(int((until - since) / step))]


def steps(tasks: Iterable[Row], model: str = "gpt-4o", broken: str = "") -> list[Row]:
    """A model call and a tool call of each task; the tool `broken` fails with its task."""
    made = []
    for one in tasks:
        same = {name: one[name] for name in ("trace_id", "task_id", "agent_id", "started_at", "category")}
        made.append(node(0, 2, **same, model=model, duration_seconds=one["duration_seconds"] * 0.8))
        fails = broken and one["status"] == "failed"
        made.append(tool(0, 3, **same, node_name=broken or "search", success=not fails, duration_seconds=0.1))
    return made


def store_work(store: Store, tasks: list[Row], nodes: list[Row] = []) -> None:  # noqa: B006
    put(store, "tasks", tasks)
    put(store, "nodes", nodes)
    scoring(store, Clock(NOW)).catch_up()


def alerts(store: Store) -> list[Row]:
    return store.query("SELECT * FROM alerts FINAL ORDER BY started_at, title").rows(named=True)


def events(store: Store) -> list[str]:
    return store.query("SELECT event FROM alert_events FINAL ORDER BY at, event_id")["event"].to_list()


__all__ = ["trace_of"]
