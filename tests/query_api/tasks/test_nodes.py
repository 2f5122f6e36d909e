"""/v1/nodes and /v1/agents/{agent_id}/nodes."""

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from tests.query_api.build import node, put, span_of, task, tool, trace_of

FIELDS = {
    *(
        "task_id",
        "trace_id",
        "span_id",
        "parent_span_id",
        "agent_id",
        "node_name",
        "operation",
        "provider",
        "model",
        "request_model",
        "response_model",
        "started_at",
    ),
    *("duration_seconds", "input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens"),
    *("cost_usd", "success", "error_type", "error_message", "quality"),
}


def test_a_node_has_the_fields_of_the_contract_and_null_where_it_counts_nothing(api: TestClient, tables: Store) -> None:
    put(tables, "nodes", [tool(1)])
    (row,) = api.get("/v1/nodes").json()["nodes"]
    assert set(row) == FIELDS
    nothing = ("input_tokens", "output_tokens", "cached_input_tokens", "cost_usd", "model", "provider", "error_type", "quality")
    assert {row[name] for name in nothing} == {None}
    assert row["success"] is True


@pytest.mark.parametrize(
    ("query", "spans"),
    [
        ("", [5, 4, 3, 2]),
        ("operation=execute_tool", [5, 4]),
        ("success=false", [5]),
        ("success=false&success=true", [5, 4, 3, 2]),
        ("model=gpt-5", [3]),
        ("provider=anthropic", [3]),
        ("agent_id=b", [5]),
        (f"task_id={trace_of(1)}-{span_of(1)}", [4, 3, 2]),
        (f"trace_id={trace_of(2)}", [5]),
    ],
)
def test_filters_choose(api: TestClient, tables: Store, query: str, spans: list[int]) -> None:
    steps = [node(1, 2), node(1, 3, model="gpt-5", provider="anthropic"), tool(1, 4), tool(2, 5, success=False, agent_id="b")]
    put(tables, "nodes", steps)
    assert [int(row["span_id"], 16) for row in api.get(f"/v1/nodes?{query}").json()["nodes"]] == spans


def test_pages_joined_are_the_whole_list(api: TestClient, tables: Store) -> None:
    put(tables, "nodes", [node(1, n) for n in range(7)])
    url, seen = "/v1/nodes?limit=3", []
    while url:
        page = api.get(url).json()
        seen += [int(row["span_id"], 16) for row in page["nodes"]]
        url = page["next_cursor"] and f"/v1/nodes?limit=3&cursor={page['next_cursor']}"
    assert seen == [6, 5, 4, 3, 2, 1, 0]


def test_the_steps_of_an_agent_are_added_up_by_name(api: TestClient, tables: Store) -> None:
    mine = {"agent_id": "finance/eu"}
    put(tables, "tasks", [task(1, **mine)])
    searches = [tool(1, 10 + n, **mine, duration_seconds=float(n), success=n != 1) for n in range(1, 5)]
    put(tables, "nodes", [node(1, **mine), *searches, node(2)])
    search, chat = api.get("/v1/agents/finance%2Feu/nodes").json()["nodes"]
    assert search == {
        "node_name": "search",
        "operation": "execute_tool",
        "calls": 4,
        "succeeded": 3,
        "success_rate": 0.75,
        "p50_duration_seconds": 2.5,
        "p95_duration_seconds": pytest.approx(3.85),
        "input_tokens": None,
        "output_tokens": None,
        "cost_usd": None,
        "unpriced_calls": 0,
    }
    assert (chat["calls"], chat["input_tokens"], chat["cost_usd"]) == (1, 100, 0.001)


def test_an_agent_without_steps_has_an_empty_list_and_an_unknown_one_none(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1)])
    assert api.get("/v1/agents/researcher/nodes").json() == {"nodes": [], "next_cursor": None}
    assert api.get("/v1/agents/nobody/nodes").status_code == 404
