"""/v1/agents/{agent_id}/trends and /v1/compare."""

from datetime import timedelta
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from tests.merit.scored import judge, scoring
from tests.query_api.build import NOW, Row, put, task

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def work(agent_id: str, first: int, ago: timedelta, succeeded: int, failed: int = 0, **more: object) -> list[Row]:
    """Tasks a second apart."""
    return [
        task(
            first + n,
            agent_id=agent_id,
            status="succeeded" if n < succeeded else "failed",
            started_at=NOW - ago + timedelta(seconds=n),
            **more,
        )
        for n in range(succeeded + failed)
    ]


def test_an_agents_work_is_a_series_of_hours_days_or_weeks(api: TestClient, tables: Store) -> None:
    rows = work("a", 0, 3 * DAY + HOUR, 3, 1) + work("a", 10, 3 * DAY, 2) + work("a", 20, timedelta(minutes=1), 1)
    put(tables, "tasks", rows + work("b", 30, 3 * DAY, 9))
    judge(tables, rows[0]["task_id"], 0.5)
    scoring(tables).catch_up()

    answer = api.get("/v1/agents/a/trends?period=hour").json()
    steps = [(step["started_at"], step["tasks"], step["success_rate"]) for step in answer["trends"]]
    assert steps == [
        ("2026-01-28T11:00:00Z", 4, 0.75),
        ("2026-01-28T12:00:00Z", 2, 1.0),
        ("2026-01-31T11:00:00Z", 1, 1.0),
    ]
    assert [step["quality"] for step in answer["trends"]] == [0.5, None, None]
    days = api.get("/v1/agents/a/trends").json()["trends"]
    assert [(step["started_at"], step["tasks"]) for step in days] == [("2026-01-28T00:00:00Z", 6), ("2026-01-31T00:00:00Z", 1)]
    (week,) = api.get("/v1/agents/a/trends?period=week").json()["trends"]
    assert (week["started_at"], week["tasks"], week["failed"]) == ("2026-01-26T00:00:00Z", 7, 1)
    assert api.get("/v1/agents/a/trends?since=2026-01-28T12:00:00Z&until=2026-01-29T00:00:00Z").json()["trends"][0]["tasks"] == 2


def test_a_change_of_model_is_an_event_with_a_before_and_an_after(api: TestClient, tables: Store) -> None:
    old = work("a", 0, 10 * DAY, 12, 8, models=["old"], cost_usd=Decimal("0.01"))
    new = work("a", 100, 5 * DAY, 18, 2, models=["new", "old"], cost_usd=Decimal("0.02"), duration_seconds=4.0)
    back = work("a", 200, 4 * DAY, 1, models=["old"])
    later = work("a", 300, 1 * DAY, 3, models=["newest"])
    put(tables, "tasks", old + new + back + later)
    judge(tables, new[0]["task_id"], 0.75)
    scoring(tables).catch_up()

    first, second = api.get("/v1/agents/a/trends").json()["model_changes"]
    assert (first["changed_at"], first["new_models"], first["models"]) == ("2026-01-26T12:00:00Z", ["new"], ["new", "old"])
    assert (second["new_models"], second["before"]["tasks"], second["after"]["tasks"]) == (["newest"], 41, 3)
    before, after = first["before"], first["after"]
    assert (before["tasks"], after["tasks"]) == (20, 21)
    assert (before["success_rate"]["value"], after["success_rate"]["value"]) == (0.6, pytest.approx(19 / 21))
    assert before["success_rate"]["low"] < 0.6 < before["success_rate"]["high"] < 0.8
    cent = pytest.approx(0.01)
    assert (before["cost_usd"]["value"], before["cost_usd"]["observations"]) == (cent, 20)
    assert 0.009 < before["cost_usd"]["low"] < before["cost_usd"]["high"] < 0.011, "20 tasks of one price leave little doubt"
    assert second["after"]["cost_usd"]["low"] < 0.9 * second["after"]["cost_usd"]["value"], "3 leave more"
    assert after["duration_seconds"]["low"] < after["duration_seconds"]["value"] < 4.0
    assert before["quality"] == {"value": None, "low": None, "high": None, "observations": 0}
    assert (after["quality"]["value"], after["quality"]["observations"]) == (0.75, 1)


def test_falling_back_to_another_model_now_and_then_is_no_change(api: TestClient, tables: Store) -> None:
    old = work("a", 0, 10 * DAY, 30, models=["old"])
    for n in (5, 6, 8, 25):  # two in a row at the most
        old[n] |= {"models": ["fallback", "old"]}
    new = work("a", 100, 5 * DAY, 12, models=["new"])
    new[4] |= {"models": ["fallback"]}
    put(tables, "tasks", old + new)
    scoring(tables).catch_up()

    (change,) = api.get("/v1/agents/a/trends").json()["model_changes"]
    assert (change["new_models"], change["models"], change["changed_at"]) == (["new"], ["new"], "2026-01-26T12:00:00Z")
    assert (change["before"]["tasks"], change["after"]["tasks"]) == (30, 12)


def test_an_agent_without_work_is_unknown(api: TestClient) -> None:
    assert api.get("/v1/agents/nobody/trends").status_code == 404


@pytest.mark.parametrize("query", ["period=month", "period=hour&window=52w", "profile=gold", "perod=day"])
def test_what_cannot_be_asked_is_refused(api: TestClient, query: str) -> None:
    answer = api.get(f"/v1/agents/a/trends?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.text


def test_agents_are_compared_by_every_score_as_in_the_ranking(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", work("a", 0, 9 * DAY, 18, 2) + work("b", 100, 9 * DAY, 5, 5) + work("c", 200, 9 * DAY, 7, 1))
    scoring(tables).catch_up()

    answer = api.get("/v1/compare?agent_id=b&agent_id=a").json()
    assert [one["agent_id"] for one in answer["agents"]] == ["b", "a"]
    for by in ("success_rate", "performance", "cost_per_success", "reliability"):
        ranked = {row["agent_id"]: row for row in api.get(f"/v1/rankings?by={by}").json()["rankings"]}
        for one in answer["agents"]:
            said, shown = one["scores"][by], ranked[one["agent_id"]]
            assert said["score_low"] == pytest.approx(shown["score_low"])
            assert said["score"] == pytest.approx(shown["score"])
    assert answer["agents"][0]["scores"]["quality"] == {"score": None, "score_low": None, "score_high": None, "observations": 0}


@pytest.mark.parametrize("query", ["", "agent_id=nobody", "agent_id=a&profile=gold"])
def test_a_comparison_needs_agents_that_there_are(api: TestClient, query: str) -> None:
    assert api.get(f"/v1/compare?{query}").status_code == 400
