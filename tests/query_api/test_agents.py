"""/v1/agents and /v1/agents/{agent_id}."""

from datetime import timedelta

from fastapi.testclient import TestClient

from exporters.store import Store
from tests.query_api.build import NOW, put, task


def test_agents_are_counted_over_the_tasks_that_match_the_last_active_first(api: TestClient, tables: Store) -> None:
    put(
        tables,
        "tasks",
        [
            task(1, agent_name="Old name"),
            task(2, status="failed"),
            task(3, status="running"),
            task(4, agent_id="b", category="coding", department="sales"),
        ],
    )
    other, researcher = api.get("/v1/agents").json()["agents"]
    assert (other["agent_id"], other["department"], other["success_rate"]) == ("b", "sales", 1.0)
    counted = {name: researcher[name] for name in ("tasks", "running", "interrupted", "succeeded", "failed", "success_rate")}
    assert counted == {"tasks": 3, "running": 1, "interrupted": 0, "succeeded": 1, "failed": 1, "success_rate": 0.5}
    assert (researcher["agent_name"], researcher["department"], researcher["services"]) == ("Researcher", None, ["app"])
    assert (researcher["first_seen"], researcher["last_seen"]) == ("2026-01-31T11:00:01Z", "2026-01-31T11:00:03Z")
    assert [row["agent_id"] for row in api.get("/v1/agents?category=coding").json()["agents"]] == ["b"]


def test_without_a_window_agents_are_known_from_long_ago(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1, started_at=NOW - timedelta(days=300))])
    assert len(api.get("/v1/agents").json()["agents"]) == 1
    assert api.get("/v1/agents?window=30d").json()["agents"] == []


def test_an_agent_is_shown_with_its_categories_and_models(api: TestClient, tables: Store) -> None:
    me = {"agent_id": "finance/eu"}
    put(
        tables,
        "tasks",
        [
            task(1, **me, models=["gpt-4"]),
            task(2, **me, models=["gpt-4", "gpt-5"], status="failed", category="coding", cost_usd=None, unpriced_calls=1),
            task(3, **me, models=["gpt-5"]),
            task(4),
        ],
    )
    agent = api.get("/v1/agents/finance%2Feu").json()
    assert (agent["agent_id"], agent["tasks"], agent["total_cost_usd"]) == ("finance/eu", 3, 0.002)
    assert agent["by_category"] == [
        {
            "category": "general",
            "tasks": 2,
            "succeeded": 2,
            "failed": 0,
            "success_rate": 1.0,
            "avg_duration_seconds": 2.0,
            "total_cost_usd": 0.002,
            "unpriced_calls": 0,
        },
        {
            "category": "coding",
            "tasks": 1,
            "succeeded": 0,
            "failed": 1,
            "success_rate": 0.0,
            "avg_duration_seconds": 2.0,
            "total_cost_usd": None,
            "unpriced_calls": 1,
        },
    ]
    since = {row["model"]: (row["since"], row["last_seen"], row["tasks"]) for row in agent["models"]}
    assert since == {
        "gpt-4": ("2026-01-31T11:00:01Z", "2026-01-31T11:00:02Z", 2),
        "gpt-5": ("2026-01-31T11:00:02Z", "2026-01-31T11:00:03Z", 2),
    }


def test_an_agent_that_never_finished_a_task_has_no_rates(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1, status="interrupted")])
    agent = api.get("/v1/agents/researcher").json()
    assert (agent["interrupted"], agent["success_rate"], agent["avg_duration_seconds"]) == (1, None, None)


def test_an_unknown_agent_is_not_found_by_name(api: TestClient) -> None:
    answer = api.get("/v1/agents/finance%2Feu")
    assert answer.status_code == 404
    assert "'finance/eu'" in answer.json()["detail"]


def test_pages_joined_are_the_whole_list_and_tied_to_the_agent(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(n, agent_id=f"agent-{n}") for n in range(3)])
    first = api.get("/v1/agents?limit=2").json()
    second = api.get("/v1/agents", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["agent_id"] for row in first["agents"] + second["agents"]] == ["agent-2", "agent-1", "agent-0"]
    assert api.get("/v1/agents/agent-1/nodes", params={"cursor": first["next_cursor"]}).status_code == 400
