"""What the stream is told by the pipeline, of alerts and of ranks."""

import json
from datetime import datetime
from typing import Any

import polars as pl

from exporters.store import Store
from merit.live import Alerts, Ranks, Tasks
from processors.alerts.frames import ALERT_EVENTS, ALERTS
from processors.frames import TASKS
from tests.builders import NOW, Clock, frame
from tests.query_api.build import task


class Told:
    """Everything that was published."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def __call__(self, events: pl.DataFrame) -> None:
        self.events += [json.loads(text) for text in events["event"]]


def alert(**more: Any) -> dict[str, Any]:
    """An alert about coding that fires; a row of ALERTS."""
    plain = {
        **dict.fromkeys((name for name, dtype in ALERTS.items() if dtype == pl.String), ""),
        **dict.fromkeys((name for name, dtype in ALERTS.items() if isinstance(dtype, pl.Datetime)), None),
        "alert_id": "a",
        "rule": "anomaly",
        "severity": "critical",
        "status": "firing",
        "agent_id": "researcher",
        "scope": '{"category":"coding"}',
        "evidence": "{}",
        "title": "slower",
        "started_at": NOW,
        "pending_at": NOW,
        "silenced": False,
        "version": 1,
        "is_deleted": 0,
    }
    return plain | more


def event(what: str, at: datetime = NOW, **more: Any) -> dict[str, Any]:
    """What happened to that alert; a row of ALERT_EVENTS."""
    plain = {"event_id": f"a-{what}", "alert_id": "a", "event": what, "status": "firing", "severity": "critical", "at": at}
    return plain | {"by": "merit", "note": "", "silenced": False} | more


def test_a_task_that_is_derived_again_is_told_once_until_it_stands_otherwise() -> None:
    told = Told()
    tell = Tasks(told)
    tell(frame([task(1, status="running"), task(2)], TASKS))
    tell(frame([task(1, status="running"), task(2)], TASKS))
    tell(frame([task(1), task(2)], TASKS))

    assert [(one["type"], one["status"]) for one in told.events] == [
        ("task.running", "running"),
        ("task.finished", "succeeded"),
        ("task.finished", "succeeded"),
    ]


def test_what_happens_to_alerts_is_told_once_and_not_what_was_before(tables: Store, clock: Clock) -> None:
    told = Told()
    alerts = Alerts(tables, told, clock)
    tables.insert("alerts", frame([alert()], ALERTS))
    tables.insert("alert_events", frame([event("fired")], ALERT_EVENTS))
    alerts.run()
    assert told.events == []

    clock.tick(60)
    tables.insert("alert_events", frame([event("acknowledged", clock()), event("escalated", NOW)], ALERT_EVENTS))
    assert alerts.run() == 2
    clock.tick(3600)
    assert alerts.run() == 0
    assert [(one["type"], one["event"], one["title"]) for one in told.events] == [
        ("alert.fired", "escalated", "slower"),
        ("alert.acknowledged", "acknowledged", "slower"),
    ]


def test_ranks_are_compared_with_those_of_the_run_before() -> None:
    told, rankings = Told(), [["a", "b"], ["a", "b"], ["b", "a"]]

    def ranking() -> pl.DataFrame:
        agents = rankings.pop(0)
        return pl.DataFrame({"agent_id": agents, "agent_name": agents, "rank": [1, 2], "score": [0.9, 0.8]})

    ranks = Ranks(ranking, told)
    assert [ranks.run() for _ in range(3)] == [0, 0, 2]
    assert [(one["agent_id"], one["rank"]) for one in told.events] == [("b", 1), ("a", 2)]
