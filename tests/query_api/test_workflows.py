"""/v1/workflows."""

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from tests.query_api.build import node, put, task, trace_of, workflow


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
    assert api.get("/v1/workflows").json() == {"workflows": [], "next_cursor": None}


def test_pages_joined_are_the_whole_list(api: TestClient, tables: Store) -> None:
    put(tables, "workflows", [workflow(n) for n in range(5)])
    first = api.get("/v1/workflows?limit=3").json()
    second = api.get("/v1/workflows", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [int(row["trace_id"], 16) for row in first["workflows"] + second["workflows"]] == [4, 3, 2, 1, 0]
    assert second["next_cursor"] is None
