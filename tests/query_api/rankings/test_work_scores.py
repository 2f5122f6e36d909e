"""How good work was judged, in the answers about agents, departments, models, providers, the whole and its goals."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from tests.merit.scored import judge, rate, scoring
from tests.query_api.build import NOW, node, put, task


@pytest.fixture(autouse=True)
def judged(tables: Store) -> None:
    """Three tasks judged as a whole, 0.8 and 0.4 and (by a user) five stars, and one that nobody judged; 2 s and 0.001 $ each.

    No usual is known, so there is no efficiency, and overall is the judgement. Points of the first: 10 for succeeding, 50 · 0.8,
    20 for taking less than 10 s, 25 · 0.8 by the judge: 90. Of the second 10 + 20 + 20 + 10 = 60; of the third, which has
    stars and no judge, 10 + 50 + 20 + 40 = 120; of the fourth 30.
    """
    sales = {"agent_id": "b", "department": "sales", "models": ["gpt-5"]}
    put(tables, "tasks", [task(1), task(2), task(3, **sales), task(4, category="coding")])
    put(tables, "nodes", [node(1), node(1, 3), node(2, model="gpt-5"), node(3, model="gpt-5", provider="aws"), node(4)])
    judge(tables, task(1)["task_id"], 0.8)
    judge(tables, task(2)["task_id"], 0.4)
    rate(tables, task(3)["task_id"], 5)
    scoring(tables).catch_up()


def by(rows: list[dict[str, Any]], name: str) -> dict[str | None, dict[str, Any]]:
    return {row[name]: row for row in rows}


def test_agents_are_shown_with_what_their_work_was_judged_and_is_worth(api: TestClient) -> None:
    agents = by(api.get("/v1/agents").json()["agents"], "agent_id")
    names = ("rated_tasks", "quality", "points", "points_per_task", "avg_user_rating", "efficiency", "cost_per_quality_point")
    assert {name: agents["researcher"][name] for name in names} == {
        "rated_tasks": 2,
        "quality": pytest.approx(0.6),
        "points": pytest.approx(90 + 60 + 30),
        "points_per_task": pytest.approx(60),
        "avg_user_rating": None,
        "efficiency": None,
        "cost_per_quality_point": pytest.approx(0.002 / 1.2),
    }
    assert (agents["b"]["quality"], agents["b"]["points"], agents["b"]["avg_user_rating"]) == (1.0, pytest.approx(120), 5.0)
    (general,) = api.get("/v1/agents?category=general&agent_id=researcher").json()["agents"]
    assert general["points"] == pytest.approx(150)


def test_a_profile_tells_the_place_among_all_and_in_each_category(api: TestClient) -> None:
    profile = api.get("/v1/agents/researcher").json()
    ranking = by(api.get("/v1/rankings?by=performance").json()["rankings"], "agent_id")
    assert profile["standing"] == ranking["researcher"]
    categories = by(profile["by_category"], "category")
    assert (categories["general"]["quality"], categories["coding"]["quality"]) == (pytest.approx(0.6), None)
    general = by(api.get("/v1/rankings?by=performance&category=general").json()["rankings"], "agent_id")["researcher"]
    told = categories["general"]
    shown = {"rank": told["rank"], "score": told["performance"], "score_low": told["performance_low"]}
    assert shown == {name: general[name] for name in shown}
    assert categories["coding"]["rank"] == 1


def test_an_agent_of_whom_nothing_is_scored_has_no_place(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(9, agent_id="new")])
    profile = api.get("/v1/agents/new").json()
    (category,) = profile["by_category"]
    assert (profile["standing"], profile["quality"], profile["rated_tasks"], category["rank"]) == (None, None, 0, None)


def test_departments_have_the_quality_of_their_tasks(api: TestClient) -> None:
    departments = by(api.get("/v1/departments").json()["departments"], "department")
    assert (departments["sales"]["quality"], departments["sales"]["points"]) == (1.0, pytest.approx(120))
    assert (departments[None]["quality"], departments[None]["rated_tasks"]) == (pytest.approx(0.6), 2)
    assert api.get("/v1/departments?window=1m").json()["departments"] == []


def test_models_and_providers_have_the_quality_of_the_tasks_they_were_called_in(api: TestClient) -> None:
    models = by(api.get("/v1/models").json()["models"], "model")
    told = {name: (model["quality"], model["rated_tasks"]) for name, model in models.items()}
    assert told == {"gpt-4o-mini": (pytest.approx(0.8), 1), "gpt-5": (pytest.approx(0.7), 2)}, "called twice is one task"
    providers = by(api.get("/v1/providers").json()["providers"], "provider")
    assert (providers["aws"]["quality"], providers["openai"]["quality"]) == (1.0, pytest.approx(0.6))


def test_the_overview_has_the_quality_of_the_window_and_of_the_one_before(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(9, started_at=NOW - timedelta(hours=30))])
    judge(tables, task(9)["task_id"], 0.2)
    scoring(tables).catch_up()
    answer = api.get("/v1/overview").json()
    told = {name: (answer[name]["value"], answer[name]["before"]) for name in ("rated_tasks", "quality", "points")}
    assert told == {
        "rated_tasks": (3, 1),
        "quality": (pytest.approx(2.2 / 3), pytest.approx(0.2)),
        "points": (pytest.approx(300), pytest.approx(10 + 10 + 20 + 5)),
    }
    assert answer["cost_per_quality_point"]["value"] == pytest.approx(0.003 / 2.2)
    assert api.get("/v1/overview?agent_id=b").json()["quality"]["value"] == 1.0


def test_goals_of_quality_stand(api: TestClient) -> None:
    goals = [{"goal": "quality", "target": 0.7}, {"goal": "quality", "target": 0.9, "department": "sales"}]
    stood = api.put("/v1/goals", json={"goals": goals}).json()["goals"]
    assert [(one["value"], one["reached"]) for one in stood] == [(pytest.approx(2.2 / 3), True), (1.0, True)]
