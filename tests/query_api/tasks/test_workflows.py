"""/v1/workflows."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from query_api.asking.filters import bound
from tests.builders import Row
from tests.query_api.build import NOW, node, put, span_of, task, tool, trace_of, workflow


def test_a_workflow_has_the_fields_of_the_contract(api: TestClient, tables: Store) -> None:
    put(tables, "workflows", [workflow(1, agents=["a", "b"], services=["app", "web"])])
    assert api.get("/v1/workflows").json()["workflows"] == [
        {
            "trace_id": trace_of(1),
            "name": "job",
            "status": "succeeded",
            "root_agent_id": "researcher",
            "agents": ["a", "b"],
            "services": ["app", "web"],
            "tasks": 1,
            "spans": 2,
            "started_at": "2026-01-31T11:00:01Z",
            "duration_seconds": 2.0,
            "input_tokens": 100,
            "output_tokens": 10,
            "total_tokens": 110,
            "cost_usd": 0.001,
            "unpriced_calls": 0,
        }
    ]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [3, 2, 1]),
        ("agent_id=b", [2]),
        ("agent_id=b&category=coding", []),
        ("category=coding", [3]),
        ("provider=anthropic", [3]),
        ("service=web", [3]),
        ("status=failed", [2]),
        ("window=60m&until=2026-01-31T11:00:02Z", [1]),
        (f"trace_id={trace_of(1)}&trace_id={trace_of(3)}", [3, 1]),
    ],
)
def test_filters_choose(api: TestClient, tables: Store, query: str, numbers: list[int]) -> None:
    put(tables, "workflows", [workflow(1), workflow(2, status="failed"), workflow(3, services=["app", "web"])])
    put(tables, "tasks", [task(1), task(2, agent_id="b"), task(3, category="coding")])
    put(tables, "nodes", [node(1), node(3, provider="anthropic")])
    assert [int(row["trace_id"], 16) for row in api.get(f"/v1/workflows?{query}").json()["workflows"]] == numbers


def test_a_trace_without_tasks_is_no_workflow(api: TestClient, tables: Store) -> None:
    put(tables, "workflows", [workflow(1, is_deleted=1)])
    answer = api.get("/v1/workflows").json()
    assert (answer["workflows"], answer["summary"]["workflows"], answer["next_cursor"]) == ([], 0, None)


def test_pages_joined_are_the_whole_list(api: TestClient, tables: Store) -> None:
    put(tables, "workflows", [workflow(n) for n in range(5)])
    first = api.get("/v1/workflows?limit=3").json()
    second = api.get("/v1/workflows", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [int(row["trace_id"], 16) for row in first["workflows"] + second["workflows"]] == [4, 3, 2, 1, 0]
    assert second["next_cursor"] is None
    assert (first["summary"]["workflows"], second["summary"]) == (5, None)
    assert api.get("/v1/workflows?summary=false").json()["summary"] is None


def called(number: int, by: str, who: str, **more: Any) -> Row:
    """A task in trace 1 that works for the task of `by`."""
    caller = task(1, span_id=span_of(ord(by[0])), agent_id=by)
    return task(
        number,
        **{"trace_id": trace_of(1), "span_id": span_of(number), "parent_task_id": caller["task_id"], "agent_id": who} | more,
    )


def test_who_called_whom_is_added_up_with_what_came_of_it(api: TestClient, tables: Store) -> None:
    """A planner calls a writer three times (1, 3 and 5 s, one fails), who calls a critic (still at it); it hands over once."""
    planner = task(1, span_id=span_of(ord("p")), agent_id="planner")
    writer = called(ord("w"), "planner", "writer", duration_seconds=1.0)
    critic = called(7, "writer", "critic", status="running")
    more = [
        called(5, "planner", "writer", duration_seconds=3.0),
        called(6, "planner", "writer", duration_seconds=5.0, status="failed"),
    ]
    put(tables, "tasks", [planner, writer, critic, *more, task(2)])
    put(tables, "nodes", [tool(1, 9, operation="handoff", agent_id="planner", node_name="transfer_to_desk", success=False)])
    put(tables, "workflows", [workflow(1, agents=["planner", "writer", "critic"], status="failed"), workflow(2)])

    summary = api.get("/v1/workflows").json()["summary"]

    pairs = {(one["from_agent_id"], one["to_agent_id"]): one for one in summary["who_called_whom"]}
    assert pairs["planner", "writer"] == {
        "from_agent_id": "planner",
        "to_agent_id": "writer",
        "messages": 3,
        "calls": 3,
        "handoffs": 0,
        "success_rate": pytest.approx(2 / 3),
        "avg_response_seconds": 3.0,
        "p95_response_seconds": pytest.approx(4.8),
    }
    assert (pairs["writer", "critic"]["messages"], pairs["writer", "critic"]["success_rate"]) == (1, None)
    assert (pairs["planner", "transfer_to_desk"]["handoffs"], pairs["planner", "transfer_to_desk"]["success_rate"]) == (1, 0)
    assert {name: summary["messages"][name] for name in ("messages", "calls", "handoffs")} == {
        "messages": 5,
        "calls": 4,
        "handoffs": 1,
    }
    assert (summary["workflows"], summary["success_rate"]) == (2, 0.5)
    assert (summary["multi_agent_workflows"], summary["multi_agent_success_rate"]) == (1, 0)

    for query, count in (("agent_id=critic", 1), ("status=succeeded", 0), (f"trace_id={trace_of(1)}", 5), ("user_id=nobody", 0)):
        assert api.get(f"/v1/workflows?{query}").json()["summary"]["messages"]["messages"] == count, query


def test_a_trace_of_30_000_agents_harms_no_list(api: TestClient, tables: Store) -> None:
    """Each works for the one before; all of them once for each call were some 40 GB."""
    tables.command(
        """INSERT INTO tasks (trace_id, span_id, task_id, parent_task_id, agent_id, status, started_at, duration_seconds, version)
        SELECT
            {trace:String} AS trace_id, leftPad(toString(number), 16, '0') AS span_id, concat(trace_id, '-', span_id) AS task_id,
            if(number = 0, '', concat(trace_id, '-', leftPad(toString(number - 1), 16, '0'))), concat('a', toString(number % 3)),
            'succeeded', {at:DateTime64(9)}, 2, 1
        FROM numbers(30000)""",
        {"trace": trace_of(1), "at": bound(NOW - timedelta(hours=1))},
    )
    put(tables, "workflows", [workflow(1)])

    assert api.get("/v1/workflows").json()["summary"]["messages"]["calls"] == 29_999
    assert api.get("/v1/overview").json()["messages"]["calls"]["value"] == 29_999
