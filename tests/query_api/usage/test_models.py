"""/v1/models, /v1/providers and /v1/departments: the same measures by each."""

from datetime import timedelta
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from query_api.rankings.work_scores import Scored
from tests.builders import Row
from tests.query_api.build import NOW, node, put, put_calls, task, tool


def test_a_model_is_measured_over_its_calls_whatever_the_task(api: TestClient, tables: Store) -> None:
    """Three calls of one model in two tasks, one of which calls another model too."""
    mini = [
        node(1, 2, duration_seconds=1.0),
        node(1, 3, duration_seconds=2.0, success=False, provider="azure", cost_usd=None, unpriced=True),
        node(2, 2, duration_seconds=4.0, agent_id="b", cached_input_tokens=40, reasoning_tokens=3),
    ]
    put_calls(tables, [*mini, node(2, 3, model="gpt-5", cost_usd=Decimal("0.02")), tool(1, 9)])
    answer = api.get("/v1/models").json()
    assert [row["model"] for row in answer["models"]] == ["gpt-4o-mini", "gpt-5"]
    assert answer["models"][0] == {
        "rated_tasks": 0,
        "quality": None,
        "model": "gpt-4o-mini",
        "providers": ["azure", "openai"],
        "agents": 2,
        "tasks": 2,
        "calls": 3,
        "succeeded": 2,
        "failed": 1,
        "success_rate": pytest.approx(2 / 3),
        "p50_duration_seconds": pytest.approx(2.0, rel=0.005),
        "p95_duration_seconds": 4.0,  # nineteen in twenty of three are all three
        "input_tokens": 300,
        "output_tokens": 30,
        "cached_input_tokens": 40,
        "reasoning_tokens": 3,
        "cost_usd": 0.002,
        "unpriced_calls": 1,
        "first_seen": "2026-01-31T11:00:01.002Z",
        "last_seen": "2026-01-31T11:00:02.002Z",
        "health": {"status": None, "error_rate": None, "finished": 0, "failed": 0},
    }
    assert answer["next_cursor"] is None


def lately(first: int, count: int, failed: int, **more: str) -> list[Row]:
    """Calls of the last minute."""
    begun = {"started_at": NOW - timedelta(minutes=1)}
    return [node(first + n, success=n >= failed, **begun, **more) for n in range(count)]


def test_a_provider_is_told_by_its_calls_of_the_last_minutes(api: TestClient, tables: Store) -> None:
    """Long ago all were well; now azure fails 9 of 20 calls, aws 5 of 20, openai none, and of google there are too few."""
    well = [
        node(1000 + 100 * n + i, provider=name) for n, name in enumerate(("openai", "azure", "aws", "google")) for i in range(80)
    ]
    now = [
        *lately(100, 20, 0, provider="openai"),
        *lately(200, 20, 9, provider="azure"),
        *lately(300, 20, 5, provider="aws"),
        *lately(400, 19, 19, provider="google"),
    ]
    put_calls(tables, [*well, *now])
    found = {row["provider"]: row for row in api.get("/v1/providers").json()["providers"]}
    health = {name: (row["health"]["status"], row["health"]["error_rate"]) for name, row in found.items()}
    assert health == {"openai": ("healthy", 0), "azure": ("failing", 0.45), "aws": ("degraded", 0.25), "google": (None, 1.0)}
    weights = {name: row["recommended_weight"] for name, row in found.items()}
    assert (weights["azure"], sum(weights.values())) == (0, pytest.approx(1))
    assert weights["openai"] > weights["google"] > weights["aws"] > 0
    assert found["openai"]["models"] == ["gpt-4o-mini"]


def test_weights_are_those_of_all_providers_on_every_page(api: TestClient, tables: Store) -> None:
    put_calls(tables, [node(n, provider=f"p{n}") for n in range(4)])
    first = api.get("/v1/providers?limit=3").json()
    second = api.get("/v1/providers", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    rows = first["providers"] + second["providers"]
    assert [(row["provider"], row["recommended_weight"]) for row in rows] == [(f"p{n}", 0.25) for n in range(4)]


def test_a_department_is_measured_over_its_tasks(api: TestClient, tables: Store) -> None:
    sales = [
        task(1, department="sales", duration_seconds=1.0, llm_calls=3, user_id="u"),
        task(2, department="sales", duration_seconds=3.0, status="failed", agent_id="b", cost_usd=None, unpriced_calls=2),
        task(3, department="sales", duration_seconds=9.0, status="running"),
    ]
    put(tables, "tasks", [*sales, task(4)])
    ours, nobodys = api.get("/v1/departments").json()["departments"]
    assert (nobodys["department"], nobodys["tasks"]) == (None, 1)
    assert ours == dict.fromkeys(Scored.model_fields) | {"rated_tasks": 0} | {
        "department": "sales",
        "users": 1,
        "agents": 2,
        "tasks": 3,
        "calls": 5,
        "succeeded": 1,
        "failed": 1,
        "success_rate": 0.5,
        "p50_duration_seconds": 2.0,
        "p95_duration_seconds": pytest.approx(2.9),
        "input_tokens": 300,
        "output_tokens": 30,
        "cached_input_tokens": 0,
        "reasoning_tokens": 0,
        "cost_usd": 0.002,
        "unpriced_calls": 2,
        "first_seen": "2026-01-31T11:00:01Z",
        "last_seen": "2026-01-31T11:00:03Z",
    }


@pytest.mark.parametrize("route", ["models", "providers", "departments"])
@pytest.mark.parametrize(
    "query",
    ["agent_id=b", "category=coding", "model=gpt-5", "provider=aws", "department=sales", "service=web", "user_id=u", "window=1h"],
)
def test_filters_choose(api: TestClient, tables: Store, route: str, query: str) -> None:
    other = {"agent_id": "b", "category": "coding", "department": "sales", "service_name": "web", "user_id": "u"}
    put_calls(tables, [node(1, started_at=NOW - timedelta(hours=2)), node(2, model="gpt-5", provider="aws", **other)])
    put(tables, "tasks", [task(1, started_at=NOW - timedelta(hours=2)), task(2, models=["gpt-5"], **other)])
    (row,) = api.get(f"/v1/{route}?{query}").json()[route]
    assert row["tasks"] == 1
    assert row[route[:-1]] in ("gpt-5", "aws", "sales")
    assert api.get(f"/v1/{route}?{query}x").status_code in (200, 400)


@pytest.mark.parametrize("route", ["models", "providers", "departments"])
def test_nothing_is_an_empty_list(api: TestClient, route: str) -> None:
    assert api.get(f"/v1/{route}").json() == {route: [], "next_cursor": None}
