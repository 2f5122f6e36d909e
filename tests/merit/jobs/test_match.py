"""Evaluations that come before their task find it, whatever it is called."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from exporters import evaluations
from exporters.store import Store
from merit.jobs.match import Matching
from merit.pipeline.pipeline import Pipeline
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from tests.builders import NOW, Clock, agent, chat, job, span, span_of, trace_of
from tests.merit.deriving import pipeline, send, work

TASK = f"{trace_of(1)}-{span_of(1)}"


@pytest.fixture
def it(tables: Store, clock: Clock) -> Pipeline:
    return pipeline(tables, clock)


@pytest.fixture
def matching(tables: Store, clock: Clock) -> Matching:
    return Matching(tables, clock)


@pytest.fixture
def api(tables: Store, clock: Clock) -> Iterator[TestClient]:
    with TestClient(create_app(tables, tables.insert, QueryApiSettings(), clock, Condition(dict))) as client:
        yield client


def rate(api: TestClient, target: str, rating: float = 4, **more: Any) -> int:
    code: int = api.post(f"/v1/tasks/{target}/feedback", json={"rating": rating, "user_id": "ann"} | more).status_code
    return code


def found(store: Store) -> list[tuple[str, str, float]]:
    """Task, step and score of what counts."""
    sql = "SELECT task_id, span_id, score FROM evaluations FINAL ORDER BY task_id, span_id, score"
    return store.query(sql).rows()


@pytest.mark.parametrize("target", [TASK, trace_of(1), "job-7"])
def test_a_rating_finds_its_task_under_any_name(
    api: TestClient, it: Pipeline, matching: Matching, tables: Store, clock: Clock, target: str
) -> None:
    assert rate(api, target) == 202
    assert matching.run() == 0
    send(it, [agent(1, 1, said={"merit.task.id": "job-7"}), chat(1, 2, 1)], clock)
    work(it, clock)

    assert [matching.run(), matching.run()] == [1, 0]
    assert found(tables) == [(TASK, "", 0.75)]


def test_what_was_said_before_and_after_under_different_names_is_one_rating(
    api: TestClient, it: Pipeline, matching: Matching, tables: Store, clock: Clock
) -> None:
    rate(api, "job-7", 1)
    clock.tick(1)
    rate(api, trace_of(1), 2)
    send(it, [agent(1, 1, said={"merit.task.id": "job-7"}), chat(1, 2, 1)], clock)
    work(it, clock)
    rate(api, TASK, 5)
    matching.run()

    assert found(tables) == [(TASK, "", 1.0)]


def test_a_rating_under_a_key_stays_one_when_its_task_comes(
    api: TestClient, it: Pipeline, matching: Matching, tables: Store, clock: Clock
) -> None:
    key = {"Idempotency-Key": "k"}
    body = {"rating": 3}
    assert api.post("/v1/tasks/job-7/feedback", json=body, headers=key).status_code == 202
    send(it, [agent(1, 1, said={"merit.task.id": "job-7"}), chat(1, 2, 1)], clock)
    work(it, clock)
    matching.run()
    clock.tick(60)
    again = api.post("/v1/tasks/job-7/feedback", json=body, headers=key)

    assert (again.status_code, again.json()["task_ids"]) == (200, [TASK])
    assert found(tables) == [(TASK, "", 0.5)]


def test_a_rating_of_a_trace_waits_until_the_trace_has_ended(
    api: TestClient, it: Pipeline, matching: Matching, tables: Store, clock: Clock
) -> None:
    rate(api, trace_of(1))
    whole = job(1)
    send(it, [row for row in whole if row["SpanId"] != span_of(1)], clock)
    work(it, clock)
    assert matching.run() == 0
    send(it, whole[:1], clock)
    work(it, clock)

    assert matching.run() == 1
    assert found(tables) == [(TASK, "", 0.75)]


def test_a_rating_of_a_trace_moves_to_the_task_at_its_top_that_came_late(
    api: TestClient, it: Pipeline, matching: Matching, tables: Store, clock: Clock
) -> None:
    whole = job(1)
    send(it, [row for row in whole if row["SpanId"] != span_of(1)], clock)
    work(it, clock, 1000)  # given up waiting for: the researcher stands at the top
    assert rate(api, trace_of(1)) == 200
    assert (f"{trace_of(1)}-{span_of(3)}", "", 0.75) in found(tables)
    send(it, whole[:1], clock)
    work(it, clock, 1000)
    for _ in range(3):
        matching.run()

    assert found(tables) == [(TASK, "", 0.75)]


def test_a_trace_with_several_tasks_at_the_top_is_rated_in_each(
    api: TestClient, it: Pipeline, matching: Matching, tables: Store, clock: Clock
) -> None:
    rate(api, trace_of(1))
    send(it, [span(1, 9), agent(1, 1, 9, "a"), chat(1, 2, 1), agent(1, 3, 9, "b"), chat(1, 4, 3)], clock)
    work(it, clock)
    matching.run()

    assert found(tables) == [(f"{trace_of(1)}-{span_of(n)}", "", 0.75) for n in (1, 3)]


def test_a_step_that_is_named_is_found_in_its_task(
    api: TestClient, it: Pipeline, matching: Matching, tables: Store, clock: Clock
) -> None:
    rate(api, f"{trace_of(1)}-{span_of(4)}")
    send(it, job(1), clock)
    work(it, clock)
    matching.run()

    assert found(tables) == [(f"{trace_of(1)}-{span_of(3)}", span_of(4), 0.75)]


def test_a_span_that_is_no_step_stands_for_the_task_around_it(
    api: TestClient, it: Pipeline, matching: Matching, tables: Store, clock: Clock
) -> None:
    rate(api, f"{trace_of(1)}-{span_of(6)}")  # an HTTP request inside a tool call of the researcher
    rate(api, f"{trace_of(2)}-{span_of(9)}", 1)  # what the service did, around the agent
    send(it, [*job(1), span(2, 9), agent(2, 1, 9), chat(2, 2, 1)], clock)
    work(it, clock)
    matching.run()

    assert found(tables) == [(f"{trace_of(1)}-{span_of(3)}", "", 0.75), (f"{trace_of(2)}-{span_of(1)}", "", 0.0)]


def test_a_task_that_is_given_up_gives_back_its_rating(
    api: TestClient, it: Pipeline, matching: Matching, tables: Store, clock: Clock
) -> None:
    inner = f"{trace_of(1)}-{span_of(2)}"
    send(it, [agent(1, 2, 1), chat(1, 3, 2)], clock)  # the outer span of the same agent has not come yet
    work(it, clock)
    assert rate(api, inner) == 200
    assert found(tables) == [(inner, "", 0.75)]
    send(it, [agent(1, 1)], clock)
    work(it, clock)
    for _ in range(2):
        matching.run()

    assert [(task, score) for task, _, score in found(tables)] == [(TASK, 0.75)]


def test_a_rating_waits_seven_days_and_is_then_reported(
    api: TestClient,
    it: Pipeline,
    matching: Matching,
    tables: Store,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rate(api, "job-7")
    matching.run()
    clock.tick(7 * 86_400 + 1)
    send(it, [agent(1, 1, said={"merit.task.id": "job-7"}), chat(1, 2, 1)], clock)
    work(it, clock)
    with caplog.at_level(logging.WARNING):
        assert [matching.run(), matching.run()] == [0, 0]

    assert found(tables) == [("", "", 0.75)]
    (record,) = [one for one in caplog.records if one.name == "merit.jobs.match"]
    assert record.getMessage().startswith("1 evaluations have waited 7 days")
    (row,) = api.get("/v1/evaluations?pending=true").json()["evaluations"]
    assert row["status"] == "expired"


def test_many_that_wait_are_looked_at_page_by_page(api: TestClient, tables: Store, clock: Clock) -> None:
    many = [{"task_id": f"job-{n}", "evaluator": "a", "evaluator_type": "code", "score": 1} for n in range(7)]
    api.post("/v1/evaluations", json={"evaluations": many})

    pages = list(evaluations.without_task(tables, clock.moment, at_once=3))

    assert [page.height for page in pages] == [3, 3, 1]


def judged(name: str, score: float) -> dict[str, list[Any]]:
    """An event on a span that says how good it was."""
    attributes = {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.value": str(score)}
    return {"Events.Name": ["gen_ai.evaluation.result"], "Events.Timestamp": [NOW], "Events.Attributes": [attributes]}


def test_what_spans_say_is_of_the_agents_task_or_of_a_step_in_it(
    it: Pipeline, matching: Matching, tables: Store, clock: Clock
) -> None:
    rows = [agent(1, 1, **judged("relevance", 0.5)), chat(1, 2, 1, **judged("relevance", 0.25)), chat(1, 3, 1)]
    verdict = {"openinference.span.kind": "EVALUATOR", "output.value": "0.75"}
    send(it, [*rows, span(1, 4, 1, said=verdict)], clock)
    work(it, clock)
    matching.run()

    assert found(tables) == [(TASK, "", 0.5), (TASK, "", 0.75), (TASK, span_of(2), 0.25)]


def test_the_same_spans_again_say_nothing_new(it: Pipeline, matching: Matching, tables: Store, clock: Clock) -> None:
    rows = [agent(1, 1, **judged("relevance", 0.5)), chat(1, 2, 1)]
    for _ in range(2):
        send(it, rows, clock)
        work(it, clock)
        matching.run()

    assert found(tables) == [(TASK, "", 0.5)]


def test_a_judgement_of_a_response_finds_the_call_that_received_it(
    api: TestClient, it: Pipeline, matching: Matching, tables: Store, clock: Clock
) -> None:
    said = {"task_id": "gen_ai.response.id=resp-7", "evaluator": "a", "evaluator_type": "code", "score": 1}
    api.post("/v1/evaluations", json={"evaluations": [said]})
    send(it, [agent(1, 1), chat(1, 2, 1, said={"gen_ai.response.id": "resp-7"})], clock)
    work(it, clock)
    matching.run()

    assert found(tables) == [(TASK, span_of(2), 1.0)]


def test_scores_that_cannot_be_taken_are_told_once_a_batch(
    it: Pipeline, tables: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    send(it, [agent(1, 1, **judged("relevance", 7)), agent(2, 1, **judged("relevance", 8))], clock)

    assert found(tables) == []
    assert [record.getMessage().split(" in ")[0] for record in caplog.records] == ["2 evaluations"]


def test_what_has_waited_long_is_looked_at_once_a_minute(
    api: TestClient, it: Pipeline, matching: Matching, tables: Store, clock: Clock
) -> None:
    rate(api, "job-7")
    clock.tick(3600)
    assert matching.run() == 0
    send(it, [agent(1, 1, said={"merit.task.id": "job-7"}), chat(1, 2, 1)], clock)
    work(it, clock)
    assert matching.run() == 0
    clock.tick(60)

    assert matching.run() == 1
    assert found(tables) == [(TASK, "", 0.75)]
