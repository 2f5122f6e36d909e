"""/v1/overview: the window against the one before."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from processors.routing.frames import DECISIONS, OUTCOMES
from tests.builders import Row, frame, trace_of
from tests.merit.scored import work_out
from tests.query_api.build import NOW, node, put, span_of, task, tool, workflow

YESTERDAY = NOW - timedelta(days=1, hours=1)


def told(value: float | None, before: float | None) -> Any:
    """A measure, worked out by hand."""
    change = None if value is None or before is None else value - before
    ratio = change / before if change is not None and before else None
    return pytest.approx({"value": value, "before": before, "change": change, "change_ratio": ratio})


def test_every_number_is_held_against_the_day_before(api: TestClient, tables: Store) -> None:
    """Today 4 tasks, 2 succeed, 1 fails, 1 runs; yesterday 1 succeeds."""
    today = [
        task(1, cost_usd=Decimal("0.004"), files_created=2, files_modified=1),
        task(2, agent_id="b", duration_seconds=4.0, user_id="u"),
        task(3, agent_id="b", status="failed", duration_seconds=6.0, unpriced_calls=1, cost_usd=None),
        task(4, status="running"),
    ]
    put(tables, "tasks", [*today, task(5, started_at=YESTERDAY, files_created=4)])
    work_out(tables)
    answer = api.get("/v1/overview").json()
    assert (answer["since"], answer["until"]) == ("2026-01-30T12:00:00Z", "2026-01-31T12:00:00Z")
    expected = {
        "tasks": told(4, 1),
        "running": told(1, 0),
        "success_rate": told(2 / 3, 1),
        "avg_duration_seconds": told((2 + 4 + 6) / 3, 2),
        "throughput_per_hour": told(3 / 24, 1 / 24),
        "cost_usd": told(0.006, 0.001),
        "rated_tasks": told(0, 0),
        "quality": told(None, None),
        "cost_per_quality_point": told(None, None),
        "unpriced_calls": told(1, 0),
        "total_tokens": told(440, 110),
        "files_created": told(2, 4),
        "files_modified": told(1, 0),
        "users": told(1, 0),
        "active_agents": told(2, 1),
        "healthy_agents": told(2, 1),
        "queue_length": told(None, None),
        "open_decisions": told(0, 0),
        "multi_agent_workflows": told(0, 0),
        "multi_agent_success_rate": told(None, None),
    }
    assert {name: answer[name] for name in expected} == expected
    assert answer["points"]["value"] > answer["points"]["before"] > 0
    assert answer["goals"] == []


def test_nothing_at_all_is_no_error(api: TestClient) -> None:
    answer = api.get("/v1/overview?window=1h").json()
    assert (answer["tasks"], answer["success_rate"]) == (told(0, 0), told(None, None))
    assert answer["messages"]["messages"] == told(0, 0)


def test_an_agent_of_which_too_much_failed_is_not_healthy(api: TestClient, tables: Store) -> None:
    ill = [task(n, status="failed" if n < 2 else "succeeded") for n in range(6)]  # 2 of 6 failed
    well = [task(10 + n, agent_id="well", status="failed" if n < 1 else "succeeded") for n in range(5)]  # 1 of 5: not over 20 %
    few = [task(20 + n, agent_id="few", status="failed") for n in range(4)]
    put(tables, "tasks", [*ill, *well, *few])
    work_out(tables)
    answer = api.get("/v1/overview").json()
    assert (answer["active_agents"]["value"], answer["healthy_agents"]["value"]) == (3, 2)


def test_messages_are_calls_and_handoffs_and_an_answered_handoff_is_one(api: TestClient, tables: Store) -> None:
    """A planner calls a writer (3 s, well) and, by a handoff of 6 s, a critic (5 s, fails), and hands over to nobody."""
    top = {"trace_id": task(1)["trace_id"], "parent_task_id": task(1)["task_id"]}
    put(
        tables,
        "tasks",
        [
            task(1, agent_id="planner"),
            task(2, **top, span_id=span_of(2), agent_id="writer", duration_seconds=3.0),
            task(3, **top, span_id=span_of(3), agent_id="critic", duration_seconds=5.0, status="failed"),
            task(4, **top, span_id=span_of(4), agent_id="planner"),  # itself: nothing passes between agents
            task(5, **top, span_id=span_of(5), agent_id="slow", status="running"),
        ],
    )
    put(
        tables,
        "nodes",
        [
            tool(1, 12, operation="handoff", agent_id="planner", started_at=task(3)["started_at"], duration_seconds=6.0),
            tool(1, 13, operation="handoff", agent_id="planner", started_at=task(1)["started_at"], duration_seconds=0.5),
        ],
    )
    messages = api.get("/v1/overview").json()["messages"]
    assert {name: one["value"] for name, one in messages.items()} == {
        "messages": 4,
        "calls": 3,
        "handoffs": 1,
        "success_rate": pytest.approx(2 / 3),  # of the writer, the critic and the handoff to nobody
        "avg_response_seconds": pytest.approx((3 + 5 + 0.5) / 3),
    }


def test_of_a_handoff_that_was_told_twice_the_newest_word_counts(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1), task(2), task(3)])
    handoff = {"operation": "handoff", "success": True}
    put(tables, "nodes", [tool(1, 9, **handoff), tool(2, 9, **handoff), tool(3, 9, operation="execute_tool")])
    second = [tool(1, 9, version=2), tool(2, 9, **handoff | {"success": False}, version=2), tool(3, 9, **handoff, version=2)]
    put(tables, "nodes", second)
    messages = api.get("/v1/overview").json()["messages"]
    assert (messages["handoffs"]["value"], messages["success_rate"]["value"]) == (2, 0.5)


def test_jobs_of_several_agents_are_counted(api: TestClient, tables: Store) -> None:
    several = {"agents": ["a", "b"]}
    put(tables, "workflows", [workflow(1, **several), workflow(2, **several, status="failed"), workflow(3)])
    answer = api.get("/v1/overview").json()
    assert (answer["multi_agent_workflows"]["value"], answer["multi_agent_success_rate"]["value"]) == (2, 0.5)


def decision(number: int, minutes_ago: float, **more: Any) -> Row:
    plain: Row = {name: [] if isinstance(kind, pl.List) else "" if kind == pl.String else 0 for name, kind in DECISIONS.items()}
    begun = {"decision_id": f"d{number}", "decided_at": NOW - timedelta(minutes=minutes_ago), "version": 1}
    return plain | {"max_cost_usd": None, "max_duration_seconds": None} | begun | more


def test_decisions_are_open_until_something_comes_back_or_a_quarter_of_an_hour_has_passed(api: TestClient, tables: Store) -> None:
    """Open are 1 and 2; of 3 a task came back, of 4 an outcome, 5 is too old; an hour ago 5 was open, and 6 has since ended."""
    decided = [decision(n, 5, agent_id="a" if n == 1 else "b") for n in range(1, 5)]
    before = [decision(5, 61, agent_id="b"), decision(6, 62, agent_id="b")]
    tables.insert("routing_decisions", frame([*decided, *before], DECISIONS))
    put(tables, "tasks", [task(3, decision_id="d3"), task(2, decision_id="d2", status="running")])
    put(tables, "tasks", [task(6, decision_id="d6", started_at=NOW - timedelta(minutes=59))])
    came = {"decision_id": "d4", "success": 1.0, "received_at": NOW - timedelta(minutes=1), "version": 1, "is_deleted": 0}
    nothing = dict.fromkeys(OUTCOMES)
    tables.insert("routing_outcomes", frame([nothing | came], OUTCOMES))
    assert api.get("/v1/overview?window=1h").json()["open_decisions"] == told(2, 2)
    assert api.get("/v1/overview?window=1h&agent_id=a").json()["open_decisions"] == told(1, 0)
    assert api.get("/v1/overview?window=1h&department=x").json()["open_decisions"] == told(None, None)


def test_who_named_nobody_waits_for_nothing_and_a_task_in_the_trace_closes_the_oldest(api: TestClient, tables: Store) -> None:
    traced = {"agent_id": "a", "kind": "agent", "trace_id": trace_of(7)}
    named = [decision(n, 5 - n, **traced) for n in range(1, 4)]
    tables.insert("routing_decisions", frame([*named, decision(4, 5), decision(5, 5)], DECISIONS))
    same = {"agent_id": "a", "started_at": NOW - timedelta(minutes=1)}
    put(tables, "tasks", [task(7, **same), task(7, span_id=span_of(2), decision_id="d2", **same)])
    put(tables, "tasks", [task(7, span_id=span_of(3), status="running", **same)])
    assert api.get("/v1/overview?window=1h").json()["open_decisions"] == told(1, 0)


def gauge(
    store: Store, minutes_ago: float, value: float, service: str = "app", name: str = "merit.queue.length", flags: int = 0
) -> None:
    store.command(
        "INSERT INTO otel_metrics_gauge (ServiceName, MetricName, TimeUnix, Value, Flags) VALUES"
        " ({service:String}, {name:String}, {at:DateTime64(9)}, {value:Float64}, {flags:UInt32})",
        {"service": service, "name": name, "at": NOW - timedelta(minutes=minutes_ago), "value": value, "flags": flags},
    )


def test_queues_are_as_long_as_was_said_last_of_each(api: TestClient, tables: Store) -> None:
    tables.command("TRUNCATE TABLE otel_metrics_gauge")
    gauge(tables, 9, 100)
    gauge(tables, 2, 7)
    gauge(tables, 1, 5, service="web")
    gauge(tables, 40, 50, service="gone")
    gauge(tables, 1, 999, name="another")
    gauge(tables, 61, 3)
    gauge(tables, 1, 0, flags=1)  # the series has ended
    assert api.get("/v1/overview?window=1h").json()["queue_length"] == told(12, 3)
    assert api.get("/v1/overview?window=1h&service=web").json()["queue_length"] == told(5, None)
    tables.command("TRUNCATE TABLE otel_metrics_gauge")


@pytest.mark.parametrize(
    "query", ["agent_id=b", "category=coding", "model=gpt-5", "provider=aws", "department=sales", "service=web", "user_id=u"]
)
def test_filters_choose(api: TestClient, tables: Store, query: str) -> None:
    other = {"agent_id": "b", "category": "coding", "department": "sales", "service_name": "web", "user_id": "u"}
    put(tables, "tasks", [task(1), task(2, models=["gpt-5"], **other)])
    put(tables, "nodes", [node(2, model="gpt-5", provider="aws", **other)])
    put(tables, "workflows", [workflow(1, agents=["a", "b"]), workflow(2, agents=["a", "b"], services=["web"])])
    work_out(tables)
    answer = api.get(f"/v1/overview?{query}").json()
    assert (answer["tasks"]["value"], answer["active_agents"]["value"], answer["multi_agent_workflows"]["value"]) == (1, 1, 1)


@pytest.mark.parametrize("query", ["since=2027-01-01T00:00:00Z", "window=0h", "limit=3", "since=2026-01-02T00:00:00Z&window=1h"])
def test_what_makes_no_window_is_refused(api: TestClient, query: str) -> None:
    assert api.get(f"/v1/overview?{query}").status_code == 400


def test_a_window_of_centuries_is_none_too_long(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1)])
    work_out(tables)
    assert api.get("/v1/overview?until=9999-12-31T00:00:00Z").status_code == 400
    for query in ("window=99999w", "since=0001-01-01T00:00:00Z", "since=2026-01-01T00:00:00Z&until=9999-12-31T00:00:00Z"):
        assert api.get(f"/v1/overview?{query}").json()["tasks"]["value"] == 1, query
