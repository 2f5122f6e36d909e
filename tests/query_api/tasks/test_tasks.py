"""/v1/tasks and /v1/tasks/{task_id}."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from query_api.asking.answers import Task
from tests.merit.scored import work_out
from tests.query_api.build import NOW, node, put, span_of, task, tool, trace_of

FIELDS = {
    "task_id",
    "external_id",
    "trace_id",
    "span_id",
    "parent_task_id",
    "agent_id",
    "agent_name",
    "agent_type",
    "department",
    "service_name",
    "name",
    "category",
    "complexity",
    "status",
    "error_type",
    "error_message",
    "started_at",
    "ended_at",
    "duration_seconds",
    "nodes",
    "llm_calls",
    "tool_calls",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "total_tokens",
    "cost_usd",
    "unpriced_calls",
    "files_created",
    "files_modified",
    "models",
    "temperature",
    "conversation_id",
    "user_id",
    "input",
    "output",
    "scores",
    "user_rating",
    "points",
}


def test_a_task_has_the_fields_of_the_contract(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1)])
    (row,) = api.get("/v1/tasks").json()["tasks"]
    assert set(row) == FIELDS == set(Task.model_fields)
    assert row["started_at"] == "2026-01-31T11:00:01Z"
    assert (row["cost_usd"], row["total_tokens"], row["duration_seconds"]) == (0.001, 110, 2.0)


def test_what_is_unknown_is_null_and_not_empty(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1, cost_usd=None, unpriced_calls=1)])
    (row,) = api.get("/v1/tasks").json()["tasks"]
    unknown = (
        "parent_task_id",
        "external_id",
        "user_id",
        "conversation_id",
        "error_type",
        "temperature",
        "cost_usd",
        "scores",
        "user_rating",
    )
    assert {row[name] for name in unknown} == {None}


def test_times_are_as_exact_as_they_were_stored(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1, started_at=NOW - timedelta(microseconds=1))])
    assert api.get("/v1/tasks").json()["tasks"][0]["started_at"] == "2026-01-31T11:59:59.999999Z"


def test_the_newest_version_of_a_task_is_the_only_one(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1, status="running"), task(2)])
    put(tables, "tasks", [task(1, status="failed", agent_id="b", version=2), task(2, is_deleted=1, version=2)])
    assert [(row["status"], row["agent_id"]) for row in api.get("/v1/tasks").json()["tasks"]] == [("failed", "b")]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("agent_id=b", [2]),
        ("agent_id=b&agent_id=c", [3, 2]),
        ("category=coding", [2]),
        ("model=gpt-5", [3]),
        ("model=", [2]),
        ("model=gpt-5&model=", [3, 2]),
        ("provider=anthropic", [3]),
        ("department=sales", [2]),
        ("department=", [3, 1]),
        ("service=web", [3]),
        ("user_id=u1", [2]),
        ("status=failed", [3]),
        ("status=failed&status=running", [3, 2]),
        ("agent_id=b&status=failed", []),
        (f"trace_id={trace_of(1)}", [1]),
        ("since=2026-01-31T11:00:02Z", [3, 2]),
        ("since=2026-01-31T12:00:02%2B01:00", [3, 2]),
        ("until=2026-01-31T11:00:02Z", [1]),
        ("window=60m", [3, 2, 1]),
        ("window=59m", []),
        ("window=1m&until=2026-01-31T11:00:03Z", [2, 1]),
    ],
)
def test_filters_choose(api: TestClient, tables: Store, query: str, numbers: list[int]) -> None:
    put(
        tables,
        "tasks",
        [
            task(1),
            task(2, agent_id="b", category="coding", department="sales", user_id="u1", status="running", models=[]),
            task(3, agent_id="c", models=["gpt-4o-mini", "gpt-5"], service_name="web", status="failed"),
        ],
    )
    put(tables, "nodes", [node(1), node(2), node(3, provider="anthropic")])
    rows = api.get(f"/v1/tasks?{query}").json()["tasks"]
    assert [int(row["trace_id"], 16) for row in rows] == numbers


def test_what_a_provider_did_is_known_when_the_steps_are_gone(api: TestClient, tables: Store) -> None:
    ago = NOW - timedelta(days=60)
    put(tables, "tasks", [task(1, started_at=ago), task(2, started_at=ago, agent_id="b")])
    put(tables, "nodes", [node(1, 2, started_at=ago, provider="aws"), node(2, 2, started_at=ago, agent_id="b")])
    work_out(tables)
    tables.command("TRUNCATE TABLE nodes")  # as if they had expired

    window = "provider=aws&window=90d"
    (agent,) = api.get(f"/v1/agents?{window}").json()["agents"]
    assert (agent["tasks"], agent["points"] is not None) == (1, True)
    assert [row["trace_id"] for row in api.get(f"/v1/tasks?{window}").json()["tasks"]] == [trace_of(1)]


def test_without_a_window_thirty_days_are_searched_and_everything_for_a_trace(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1, started_at=NOW - timedelta(days=31)), task(2, started_at=NOW - timedelta(days=29))])
    assert [row["trace_id"] for row in api.get("/v1/tasks").json()["tasks"]] == [trace_of(2)]
    assert len(api.get(f"/v1/tasks?trace_id={trace_of(1)}").json()["tasks"]) == 1


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_joined_are_the_whole_list(api: TestClient, tables: Store, limit: int) -> None:
    put(tables, "tasks", [task(n // 3, span_id=span_of(n), started_at=NOW - timedelta(seconds=n // 2)) for n in range(10)])
    whole = [row["task_id"] for row in api.get("/v1/tasks").json()["tasks"]]
    seen, cursor = [], None
    while True:
        page = api.get("/v1/tasks", params={"limit": limit} | ({"cursor": cursor} if cursor else {})).json()
        seen += [row["task_id"] for row in page["tasks"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == whole
    assert len(set(whole)) == 10


def test_rows_that_arrive_between_two_pages_move_nothing(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(n) for n in range(4)])
    first = api.get("/v1/tasks?limit=2").json()
    put(tables, "tasks", [task(9)])
    second = api.get("/v1/tasks", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [int(row["trace_id"], 16) for row in first["tasks"] + second["tasks"]] == [3, 2, 1, 0]
    assert second["next_cursor"] is None


def test_a_single_task_comes_with_its_nodes_in_order(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1, external_id="ticket/7 é", nodes=2)])
    put(tables, "nodes", [tool(1, success=False, error_type="Timeout"), node(1), node(2)])
    task_id = f"{trace_of(1)}-{span_of(1)}"
    one = api.get(f"/v1/tasks/{task_id}").json()
    assert one["task_id"] == task_id
    assert [(n["node_name"], n["success"]) for n in one["nodes"]] == [("gpt-4o-mini", True), ("search", False)]
    assert one["nodes_cut"] is False
    for other_name in (task_id.upper(), trace_of(1), quote("ticket/7 é", safe="")):
        assert api.get(f"/v1/tasks/{other_name}").json() == one, other_name


def test_a_trace_id_with_several_top_level_tasks_gives_them_all_and_no_inner_one(api: TestClient, tables: Store) -> None:
    top = {"trace_id": trace_of(1)}
    inner = task(3, **top, span_id=span_of(30), parent_task_id=f"{trace_of(1)}-{span_of(10)}")
    put(tables, "tasks", [task(1, **top, span_id=span_of(10)), task(2, **top, span_id=span_of(20)), inner])
    put(tables, "nodes", [node(1, task_id=f"{trace_of(1)}-{span_of(20)}", parent_span_id=span_of(20))])
    answer = api.get(f"/v1/tasks/{trace_of(1)}").json()
    assert [(one["span_id"], len(one["nodes"])) for one in answer["tasks"]] == [(span_of(10), 0), (span_of(20), 1)]
    assert answer["next_cursor"] is None


def test_an_unknown_task_is_not_found_by_name(api: TestClient) -> None:
    answer = api.get("/v1/tasks/a%2Fb%20c")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "'a/b c'" in answer.json()["detail"]


@pytest.mark.parametrize("text", ["' OR 1=1 --", "\\'; DROP TABLE tasks; --", "{since:String}", "a\tb\nc\0d", "%s%(x)s", "🎈"])
def test_what_looks_like_sql_is_just_a_value(api: TestClient, tables: Store, text: str) -> None:
    put(tables, "tasks", [task(1), task(2, agent_id=text, external_id=text)])
    assert [row["agent_id"] for row in api.get("/v1/tasks", params={"agent_id": text}).json()["tasks"]] == [text]
    assert api.get(f"/v1/tasks/{quote(text, safe='')}").json()["agent_id"] == text
    for name in ("category", "model", "provider", "department", "service", "user_id", "trace_id"):
        assert api.get("/v1/tasks", params={name: text}).json() == {"tasks": [], "next_cursor": None}


def test_money_is_a_number_that_adds_up(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1, cost_usd=Decimal("0.000000000001")), task(2, cost_usd=Decimal("123456.123456789012"))])
    assert [row["cost_usd"] for row in api.get("/v1/tasks").json()["tasks"]] == [123456.123456789012, 1e-12]
