"""Tasks, alerts and ranks as events."""

import json
from datetime import timedelta
from decimal import Decimal

import polars as pl

from processors.events import EVENTS, of_alerts, of_ranks, of_tasks
from processors.frames import TASKS
from tests.builders import NOW, frame
from tests.query_api.build import task


def told(events: pl.DataFrame) -> list[dict[str, object]]:
    return [json.loads(text) for text in events["event"]]


def test_a_task_that_runs_and_one_that_failed_are_told_apart() -> None:
    rows = [task(1, status="running", cost_usd=None), task(2, status="failed", category="writing", cost_usd=Decimal("0.002"))]
    events = of_tasks(frame(rows, TASKS))

    assert dict(events.schema) == dict(EVENTS)
    assert events["type"].to_list() == ["task.running", "task.finished"]
    assert events["category"].to_list() == ["general", "writing"]
    first, second = told(events)
    assert first["cost_usd"] is None
    assert (second["status"], second["cost_usd"], second["type"]) == ("failed", 0.002, "task.finished")
    assert second["started_at"] == "2026-01-31T11:00:02.000000Z"
    assert "input" not in second


def test_whatever_stands_in_a_name_an_event_is_one_line() -> None:
    events = of_tasks(frame([task(1, name='a "b"\r\nc\u2028', agent_id="é/\0")], TASKS))

    assert len(events["event"].item().split("\n")) == len(events["event"].item().split("\r")) == 1
    assert told(events)[0]["name"] == 'a "b"\r\nc\u2028'


def happened(event: str, **more: object) -> dict[str, object]:
    """What happened to an alert, as the store tells it."""
    plain = {
        "event_id": f"a-{event}",
        "event": event,
        "status": "firing",
        "severity": "critical",
        "at": NOW,
        "by": "merit",
        "note": "",
    }
    about = {"alert_id": "a", "rule": "anomaly", "agent_id": "researcher", "scope": '{"category":"coding"}', "title": "slower"}
    rest = {
        "evidence": '{"n":12}',
        "recommended_action": "",
        "cause": "",
        "started_at": NOW - timedelta(hours=1),
        "silenced": False,
    }
    return plain | about | rest | more


def test_what_happens_to_an_alert_carries_what_the_alert_is_about() -> None:
    events = of_alerts([happened("fired"), happened("escalated"), happened("resolved", severity="warning")])

    assert events["type"].to_list() == ["alert.fired", "alert.fired", "alert.resolved"]
    assert events["severity"].to_list() == ["critical", "critical", "warning"]
    assert events["category"].to_list() == ["coding"] * 3
    assert told(events)[0]["evidence"] == {"n": 12}
    assert told(events)[1]["event"] == "escalated"
    assert of_alerts([]).is_empty()


def ranking(**ranks: int | None) -> pl.DataFrame:
    rows = [{"agent_id": agent, "agent_name": agent.upper(), "rank": rank, "score": 0.5} for agent, rank in ranks.items()]
    return pl.DataFrame(rows, schema={"agent_id": pl.String, "agent_name": pl.String, "rank": pl.UInt32, "score": pl.Float64})


def test_only_ranks_that_change_are_told() -> None:
    events = of_ranks(ranking(a=1, b=2, c=3, gone=4), ranking(b=1, a=2, c=3, new=4), "performance")

    assert [(one["agent_id"], one["rank_before"], one["rank"]) for one in told(events)] == [
        ("b", 2, 1),
        ("a", 1, 2),
        ("new", None, 4),
        ("gone", 4, None),
    ]
    assert told(events)[0]["by"] == "performance"
    assert of_ranks(ranking(a=1), ranking(a=1), "performance").is_empty()
