"""/v1/goals."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from processors.evaluations import EVALUATIONS
from tests.builders import Row, frame
from tests.query_api.build import NOW, put, task

DAY = timedelta(days=1)


def ago(number: int, days: float, **more: Any) -> Row:
    return task(number, started_at=NOW - days * DAY, **more)


def standing(api: TestClient) -> dict[str, tuple[Any, ...]]:
    goals = api.get("/v1/goals").json()["goals"]
    return {one["goal"]: (one["value"], one["before"], one["reached"], one["trend"]) for one in goals}


def want(api: TestClient, **targets: float) -> None:
    sent = [{"goal": name, "target": target} for name, target in targets.items()]
    assert api.put("/v1/goals", json={"goals": sent}).status_code == 200


def test_goals_stand_month_against_month(api: TestClient, tables: Store) -> None:
    """This month 10 s and 2 of 4 succeed, last month 8 s and 1 of 2, then 4 s and 1 of 1; a success costs 2, 1, 4 mills."""
    this = [ago(n, 1, duration_seconds=10.0, status="succeeded" if n < 2 else "failed") for n in range(4)]
    cheap = {"duration_seconds": 8.0, "cost_usd": Decimal("0.0005")}
    last = [ago(10, 31, **cheap), ago(11, 31, **cheap, status="failed")]
    before = [ago(20, 61, duration_seconds=4.0, cost_usd=Decimal("0.004"))]
    put(tables, "tasks", [*this, *last, *before, ago(30, 91, duration_seconds=999.0)])
    want(api, success_rate=0.6, duration_change=-0.1, cost_per_success_change=1.0, quality=0.8)
    assert standing(api) == {
        "success_rate": (0.5, 0.5, False, "stable"),
        "duration_change": (0.25, 1.0, False, "improving"),  # 10/8 - 1 after 8/4 - 1
        "cost_per_success_change": (1.0, -0.75, True, "worsening"),  # 2/1 - 1 after 1/4 - 1
        "quality": (None, None, None, None),
    }


@pytest.mark.parametrize(("unpriced", "value"), [(19, None), (1, 0.0)])
def test_work_whose_price_is_unknown_does_not_reach_a_goal_of_cost(
    api: TestClient, tables: Store, unpriced: int, value: float | None
) -> None:
    """The month before 1 mill for a success; this month as much, or of 19 of 20 tasks it is not known."""
    this = [ago(n, 1, **({"cost_usd": None, "unpriced_calls": 1} if n < unpriced else {})) for n in range(20)]
    put(tables, "tasks", [*this, *(ago(100 + n, 31) for n in range(20))])
    want(api, cost_per_success_change=-0.1)
    reached = None if value is None else False
    assert standing(api) == {"cost_per_success_change": (pytest.approx(value), None, reached, None)}


def test_rated_and_routed_tasks_are_counted(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [ago(1, 1, decision_id="d"), ago(2, 1, decision_id="e", status="failed"), ago(3, 31), ago(4, 31)])
    plain = {name: "" for name, kind in EVALUATIONS.items() if name.endswith("_id") or name in ("target", "source", "model")}
    row = plain | {"evaluator": "u", "evaluator_type": "user", "criterion": "", "comment": "", "score": 1.0, "rating": 5.0}
    row |= {"cost_usd": None, "evaluated_at": NOW, "received_at": NOW, "version": 1, "is_deleted": 0}
    tables.insert("evaluations", frame([row | {"evaluation_id": "e1", "task_id": task(1)["task_id"]}], EVALUATIONS))
    of_a_step = {"evaluation_id": "e2", "task_id": task(2)["task_id"], "span_id": "00000000000000ff"}
    tables.insert("evaluations", frame([row | of_a_step], EVALUATIONS))
    want(api, rated_share=0.5, routed_success_rate=0.4)
    assert standing(api) == {
        "rated_share": (0.5, 0.0, True, "improving"),
        "routed_success_rate": (0.5, None, True, None),
    }
    tables.command("TRUNCATE TABLE evaluations")


def test_departments_have_goals_of_their_own_and_the_overview_shows_them(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [ago(1, 1, department="sales"), ago(2, 1, status="failed")])
    sent = [{"goal": "success_rate", "target": 0.9}, {"goal": "success_rate", "target": 0.9, "department": "sales"}]
    answer = api.put("/v1/goals", json={"goals": sent}).json()
    stood = [(one["department"], one["value"], one["reached"]) for one in answer["goals"]]
    assert stood == [(None, 0.5, False), ("sales", 1.0, True)]
    assert answer == api.get("/v1/goals").json()
    assert api.get("/v1/overview?department=sales").json()["goals"] == answer["goals"]
    assert api.get("/v1/overview").json()["goals"] == answer["goals"][:1]


def test_what_is_put_replaces_what_there_was(api: TestClient) -> None:
    want(api, success_rate=0.9, quality=0.5)
    want(api, quality=0.6)
    assert list(standing(api)) == ["quality"]
    want(api)
    assert standing(api) == {}


@pytest.mark.parametrize(
    ("goal", "parameter"),
    [
        ({"goal": "world_peace", "target": 1}, "goals.0.goal"),
        ({"goal": "success_rate", "target": 1.1}, "goals.0.target"),
        ({"goal": "success_rate", "target": -0.1}, "goals.0"),
        ({"goal": "success_rate"}, "goals.0.target"),
        ({"goal": "success_rate", "target": 0.5, "department": ""}, "goals.0.department"),
    ],
)
def test_what_is_no_goal_is_refused(api: TestClient, goal: dict[str, Any], parameter: str) -> None:
    answer = api.put("/v1/goals", json={"goals": [goal]})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, parameter)
    assert standing(api) == {}


def test_two_of_a_kind_are_refused(api: TestClient) -> None:
    one = {"goal": "quality", "target": 0.5}
    assert "quality of all" in api.put("/v1/goals", json={"goals": [one, one]}).json()["detail"]
