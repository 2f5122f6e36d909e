"""/v1/agents and /v1/agents/{agent_id}."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from query_api.rankings.work_scores import Scored
from tests.query_api.build import NOW, START, known_agent, node, put, task, tool


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
    nothing = dict.fromkeys(Scored.model_fields) | {"rated_tasks": 0}
    unscored = nothing | dict.fromkeys(("rank", "performance", "performance_low", "performance_high"))
    assert agent["by_category"] == [
        unscored
        | {
            "category": "general",
            "tasks": 2,
            "succeeded": 2,
            "failed": 0,
            "success_rate": 1.0,
            "avg_duration_seconds": 2.0,
            "total_cost_usd": 0.002,
            "unpriced_calls": 0,
        },
        unscored
        | {
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


@pytest.mark.parametrize("below", ["", "/nodes", "/trends"])
@pytest.mark.parametrize("length", [1_024, 1_025, 3_072])
def test_an_agent_with_a_long_id_is_found_or_not_as_any_other(api: TestClient, tables: Store, length: int, below: str) -> None:
    put(tables, "tasks", [task(1, agent_id="x" * length)])
    answers = [api.get(f"/v1/agents/{letter * length}{below}") for letter in "xy"]
    assert [answer.status_code for answer in answers] == [200, 404]


def test_pages_joined_are_the_whole_list_and_tied_to_the_agent(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(n, agent_id=f"agent-{n}") for n in range(3)])
    first = api.get("/v1/agents?limit=2").json()
    second = api.get("/v1/agents", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["agent_id"] for row in first["agents"] + second["agents"]] == ["agent-2", "agent-1", "agent-0"]
    assert api.get("/v1/agents/agent-1/nodes", params={"cursor": first["next_cursor"]}).status_code == 400


def test_agents_of_whom_no_task_is_kept_are_shown_until_tasks_are_asked_for(api: TestClient, tables: Store) -> None:
    put(tables, "agents", [known_agent("retired", department="sales", services=["web"], agent_type="cognitive")])
    (agent,) = api.get("/v1/agents").json()["agents"]
    assert (agent["tasks"], agent["success_rate"], agent["department"], agent["agent_type"]) == (0, None, "sales", "cognitive")
    assert (agent["first_seen"], agent["last_seen"]) == ("2026-01-21T11:00:00Z", "2026-01-31T11:00:00Z")
    assert len(api.get("/v1/agents?department=sales&agent_id=retired").json()["agents"]) == 1
    for query in ("department=legal", "agent_id=b", "category=general", "window=30d", "service=web", "user_id=u"):
        assert api.get(f"/v1/agents?{query}").json()["agents"] == [], query
    assert api.get("/v1/agents/retired").json()["by_category"] == []
    assert api.get("/v1/agents/retired/nodes").json()["nodes"] == []


def test_an_agent_is_as_old_as_the_registry_says_whatever_the_window(api: TestClient, tables: Store) -> None:
    put(tables, "agents", [known_agent("researcher")])
    put(tables, "tasks", [task(1), task(2)])
    (agent,) = api.get("/v1/agents?window=2h").json()["agents"]
    assert (agent["tasks"], agent["days_active"]) == (2, 1)
    assert (agent["first_seen"], agent["last_seen"]) == ("2026-01-21T11:00:00Z", "2026-01-31T11:00:02Z")


@pytest.mark.parametrize(
    ("failed", "succeeded", "status"), [(0, 4, None), (1, 4, "healthy"), (2, 4, "degraded"), (3, 4, "failing"), (5, 0, "failing")]
)
def test_health_is_how_the_tasks_of_the_last_hour_ended(
    api: TestClient, tables: Store, failed: int, succeeded: int, status: str | None
) -> None:
    recent = [task(n, status="failed" if n < failed else "succeeded") for n in range(failed + succeeded)]
    long_ago = [task(100 + n, status="failed", started_at=NOW - timedelta(hours=3)) for n in range(9)]
    put(tables, "tasks", [*recent, *long_ago, task(50, status="running")])
    assert api.get("/v1/agents/researcher").json()["health"] == {
        "status": status,
        "error_rate": failed / (failed + succeeded),
        "finished": failed + succeeded,
        "failed": failed,
    }


def test_models_are_known_since_before_what_is_kept_and_their_calls_are_counted(api: TestClient, tables: Store) -> None:
    long_ago = START - timedelta(days=9)
    models = {"models.model": ["gpt-3", "gpt-4o-mini"], "models.since": [long_ago] * 2, "models.last_seen": [long_ago] * 2}
    put(tables, "agents", [known_agent("researcher", **models)])
    put(tables, "tasks", [task(1)])
    put(tables, "nodes", [node(1), node(1, 4, success=False, duration_seconds=3.0), tool(1, 5)])
    profile = api.get("/v1/agents/researcher").json()
    mini, old = profile["models"]
    assert mini == {
        "model": "gpt-4o-mini",
        "since": "2026-01-22T11:00:00Z",
        "last_seen": "2026-01-31T11:00:01Z",
        "tasks": 1,
        "calls": 2,
        "success_rate": 0.5,
        "p50_duration_seconds": 2.0,
        "p95_duration_seconds": 2.9,
        "input_tokens": 200,
        "output_tokens": 20,
        "cost_usd": 0.002,
        "unpriced_calls": 0,
    }
    assert (old["model"], old["tasks"], old["calls"], old["success_rate"]) == ("gpt-3", 0, 0, None)
    assert [(row["node_name"], row["calls"]) for row in profile["by_node"]] == [("gpt-4o-mini", 2), ("search", 1)]


def test_steps_are_those_of_their_newest_word_whoever_asks(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1), task(2)])
    put(
        tables, "nodes", [node(1), node(1, 3, node_name="b", model="b", cost_usd=None), node(2), node(2, 3, model=""), tool(2, 4)]
    )
    put(tables, "nodes", [node(2, agent_id="other", version=2), node(1, 3, node_name="c", model="c", version=2)])
    profile = api.get("/v1/agents/researcher").json()
    assert profile["by_node"] == api.get("/v1/agents/researcher/nodes").json()["nodes"]
    assert [(row["node_name"], row["calls"]) for row in profile["by_node"]] == [("gpt-4o-mini", 2), ("c", 1), ("search", 1)]
    assert {row["model"]: (row["tasks"], row["calls"]) for row in profile["models"]} == {"gpt-4o-mini": (2, 1), "c": (0, 1)}
