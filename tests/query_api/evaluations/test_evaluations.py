"""/v1/evaluations, and the evaluations of a task."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from tests.query_api.asking.test_problems import problem
from tests.query_api.build import NOW, evaluation, node, put, span_of, task, trace_of


@pytest.fixture(autouse=True)
def judged(tables: Store) -> None:
    """Two agents' tasks: ann and the critic judge the first, the critic alone the second; of a third nobody knows."""
    put(tables, "tasks", [task(1), task(2, agent_id="writer", category="writing")])
    put(tables, "nodes", [node(1)])
    put(
        tables,
        "evaluations",
        [
            evaluation(1, "ann", score=0.75, rating=4.0, evaluator_type="user", user_id="ann", comment="good"),
            evaluation(1, "critic", score=0.25, evaluated_at=NOW - timedelta(hours=1)),
            evaluation(1, "critic", criterion="accuracy", score=0.5, evaluated_at=NOW - timedelta(hours=2), span_id=span_of(2)),
            evaluation(2, "critic", score=0.5, evaluated_at=NOW - timedelta(days=2)),
            evaluation(3, "ann", score=0.0, task_id="", trace_id="", evaluated_at=NOW - timedelta(days=3)),
            evaluation(4, "ann", score=0.0, task_id="", trace_id="", received_at=NOW - timedelta(days=8)),
        ],
    )


def listed(api: TestClient, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = api.get(f"/v1/evaluations?{query}").raise_for_status().json()["evaluations"]
    return rows


def test_an_evaluation_is_listed_with_whose_work_it_is_of(api: TestClient) -> None:
    (row,) = listed(api, "evaluator=ann&pending=false")

    assert (row["agent_id"], row["category"], row["task_id"]) == ("researcher", "general", f"{trace_of(1)}-{span_of(1)}")
    assert (row["score"], row["rating"], row["comment"], row["status"]) == (0.75, 4.0, "good", "kept")
    assert (row["criterion"], row["span_id"], row["cost_usd"]) == (None, None, None)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 6),
        ("evaluator=critic", 3),
        ("evaluator=critic&evaluator=ann", 6),
        ("evaluator_type=user", 1),
        ("criterion=accuracy", 1),
        ("criterion=", 5),
        ("agent_id=writer", 1),
        ("category=writing&category=general", 4),
        (f"task_id={trace_of(1)}-{span_of(1)}", 3),
        ("task_id=job-3", 1),
        (f"trace_id={trace_of(2)}", 1),
        ("window=1d", 4),
        ("until=2026-01-30T00:00:00Z", 2),
        ("pending=true", 2),
        ("pending=false", 4),
        ("agent_id=nobody", 0),
        ("model=gpt-4o-mini&service=app&user_id=&department=", 4),
        ("model=gpt-5", 0),
        ("provider=openai", 3),
        ("department=sales", 0),
        ("service=web", 0),
        ("user_id=nobody", 0),
    ],
)
def test_evaluations_are_filtered(api: TestClient, query: str, count: int) -> None:
    assert len(listed(api, query)) == count


def test_those_whose_task_did_not_come_are_told_apart(api: TestClient) -> None:
    assert {row["target"]: row["status"] for row in listed(api, "pending=true")} == {"job-3": "pending", "job-4": "expired"}


def test_the_newest_come_first_page_by_page(api: TestClient) -> None:
    whole = listed(api)
    pages, query = [], "limit=2"
    while True:
        body = api.get(f"/v1/evaluations?{query}").json()
        pages += body["evaluations"]
        if not body["next_cursor"]:
            break
        query = f"limit=2&cursor={body['next_cursor']}"

    assert pages == whole
    assert [row["evaluated_at"] for row in whole] == sorted((row["evaluated_at"] for row in whole), reverse=True)


def test_the_matrix_says_who_judges_whom_and_how_it_differs_from_others(api: TestClient) -> None:
    rows = listed(api, "group_by=evaluator,evaluated")

    found = {(row["evaluator"], row["agent_id"]): row for row in rows}
    assert set(found) == {("ann", "researcher"), ("critic", "researcher"), ("critic", "writer")}
    # of the whole of the first task ann says 0.75 and the critic 0.25; of its step only the critic speaks
    assert (found["ann", "researcher"]["difference"], found["critic", "researcher"]["difference"]) == (0.5, -0.5)
    critic = found["critic", "researcher"]
    assert (critic["evaluations"], critic["compared"], critic["tasks"], critic["mean_score"]) == (2, 1, 1, 0.375)
    assert found["critic", "writer"]["difference"] is None


def test_a_difference_counts_others_whom_the_filter_leaves_out(api: TestClient) -> None:
    (row,) = listed(api, "group_by=evaluator&evaluator=ann")

    assert (row["agent_id"], row["difference"], row["evaluations"]) == (None, 0.5, 1)


def test_evaluations_are_grouped_by_the_evaluated(api: TestClient) -> None:
    rows = listed(api, "group_by=evaluated")

    assert [(row["evaluator"], row["agent_id"], row["evaluations"]) for row in rows] == [
        (None, "researcher", 3),
        (None, "writer", 1),
    ]


def test_the_matrix_has_pages(api: TestClient) -> None:
    first = api.get("/v1/evaluations?group_by=evaluator,evaluated&limit=2").json()
    rest = listed(api, f"group_by=evaluator,evaluated&limit=2&cursor={first['next_cursor']}")

    assert len(first["evaluations"] + rest) == 3


@pytest.mark.parametrize("query", ["group_by=agent", "evaluator_type=god", "pending=maybe", "group_by=evaluator&pending=true"])
def test_a_question_that_makes_no_sense_is_refused(api: TestClient, query: str) -> None:
    problem(api.get(f"/v1/evaluations?{query}"), 400)


def test_a_task_shows_how_it_was_judged(api: TestClient) -> None:
    task = api.get(f"/v1/tasks/{trace_of(1)}").json()

    assert [(row["evaluator"], row["criterion"], row["score"]) for row in task["evaluations"]] == [
        ("ann", None, 0.75),
        ("critic", None, 0.25),
        ("critic", "accuracy", 0.5),
    ]
    assert api.get(f"/v1/tasks/{trace_of(2)}").json()["evaluations"][0]["comment"] is None
