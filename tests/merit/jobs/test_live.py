"""What the stream is told by the pipeline, of alerts and of ranks."""

import json
import subprocess
import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from exporters.store import Store
from merit.jobs.live import Alerts, Ranks, Tasks
from processors.alerts.frames import ALERT_EVENTS, ALERTS
from processors.frames import TASKS
from tests.builders import NOW, Clock, frame
from tests.examples import blocks
from tests.query_api.build import task
from tests.running import serving


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


def test_a_running_merit_tells_of_a_task_and_stops_though_somebody_listens(tmp_path: Path) -> None:
    with ExitStack() as afterwards, serving(tmp_path) as merit:
        question = f"{merit.api}/v1/stream?type=task.finished"
        lines = afterwards.enter_context(httpx.stream("GET", question, timeout=30)).iter_lines()
        assert any(line == "event: stream.opened" for line in lines)
        (source,) = blocks("README.md", "python")
        subprocess.run([sys.executable, "-c", source.replace("127.0.0.1:4317", merit.grpc)], check=True, timeout=60)
        told = json.loads(next(line for line in lines if "task.finished" in line and line.startswith("data: "))[6:])

    assert (told["agent_id"], told["status"], told["cost_usd"]) == ("editor", "succeeded", 0.00021)
