"""/v1/costs."""

from decimal import Decimal

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters.store import Store
from tests.query_api.build import NOW, node, put_calls, tool


@pytest.mark.parametrize(
    ("group_by", "groups"),
    [
        ("agent", {"b": 0.02, "researcher": 0.001}),
        ("model", {"gpt-5": 0.02, "gpt-4o-mini": 0.001}),
        ("provider", {"anthropic": 0.02, "openai": 0.001}),
        ("category", {"coding": 0.02, "general": 0.001}),
        ("department", {"sales": 0.02, None: 0.001}),
        ("service", {"web": 0.02, "app": 0.001}),
        ("user", {"u1": 0.02, None: 0.001}),
        ("day", {"2026-01-31": 0.001, "2026-01-30": 0.02}),
    ],
)
def test_costs_add_up_by(api: TestClient, tables: Store, group_by: str, groups: dict[str, float]) -> None:
    other = {"agent_id": "b", "model": "gpt-5", "provider": "anthropic", "category": "coding", "department": "sales"}
    yesterday = NOW.replace(day=30)
    dear = node(2, **other, service_name="web", user_id="u1", started_at=yesterday, cost_usd=Decimal("0.02"))
    put_calls(tables, [node(1), tool(1), dear])
    answer = api.get(f"/v1/costs?group_by={group_by}").json()
    assert {row["group"]: row["cost_usd"] for row in answer["costs"]} == groups
    assert [row["group"] for row in answer["costs"]] == list(groups), "the dearest first, days the newest first"
    assert answer["total"]["cost_usd"] == 0.021
    assert answer["total"]["calls"] == 2, "a tool call is no model call"


def test_unpriced_calls_are_counted_and_not_taken_for_free(api: TestClient, tables: Store) -> None:
    put_calls(tables, [node(1, cost_usd=None, unpriced=True, cached_input_tokens=40, reasoning_tokens=3)])
    (row,) = api.get("/v1/costs").json()["costs"]
    assert row == {
        "group": "researcher",
        "cost_usd": None,
        "calls": 1,
        "input_tokens": 100,
        "output_tokens": 10,
        "cached_input_tokens": 40,
        "cache_write_tokens": 0,
        "reasoning_tokens": 3,
        "unpriced_calls": 1,
    }


def test_an_agent_span_that_carries_the_total_counts_its_tokens_but_is_no_call(api: TestClient, tables: Store) -> None:
    put_calls(tables, [node(1, operation="invoke_agent")])
    total = api.get("/v1/costs").json()["total"]
    assert (total["calls"], total["input_tokens"], total["cost_usd"]) == (0, 100, 0.001)


def test_no_costs_are_a_total_of_nothing(api: TestClient) -> None:
    answer = api.get("/v1/costs?window=1h").json()
    assert answer["costs"] == []
    assert (answer["total"]["calls"], answer["total"]["cost_usd"]) == (0, None)


def test_the_total_covers_all_pages(api: TestClient, tables: Store) -> None:
    put_calls(tables, [node(n, agent_id=f"agent-{n}") for n in range(5)])
    seen, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/v1/costs?limit=2{cursor}").json()
        assert page["total"]["calls"] == 5
        seen += [row["group"] for row in page["costs"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert seen == [f"agent-{n}" for n in range(5)]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.decimals("0", "900", places=12), min_size=1, max_size=30))
def test_money_adds_up_exactly(api: TestClient, tables: Store, prices: list[Decimal]) -> None:
    for table in ("nodes", "task_calls"):
        tables.command("TRUNCATE TABLE {table:Identifier}", {"table": table})
    put_calls(tables, [node(n, agent_id=f"agent-{n % 3}", cost_usd=price) for n, price in enumerate(prices)])
    assert api.get("/v1/costs").json()["total"]["cost_usd"] == float(sum(prices))
