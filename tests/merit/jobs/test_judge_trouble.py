"""The job `judge` where its endpoint refuses, fails, is slow, or says what cannot be read."""

import json
import time

import pytest

from exporters.store import Store
from tests.builders import Clock
from tests.merit import endpoint as model
from tests.merit.endpoint import Endpoint
from tests.merit.judging import COST, evaluations, judge, judgements, outcomes, work
from tests.query_api.build import put

REFUSALS = {
    "refusal": model.says(None, refusal="I cannot help with that"),
    "filtered": model.says("", finish="content_filter"),
    "filtered before": model.fails(400, "content_filter"),
}


@pytest.mark.parametrize("how", REFUSALS)
def test_a_refusal_is_recorded_and_not_scored(tables: Store, endpoint: Endpoint, clock: Clock, how: str) -> None:
    put(tables, "tasks", [work(1)])
    endpoint.will.append(REFUSALS[how])
    it = judge(tables, endpoint, clock)

    assert (it.run(), it.run()) == (1, 0)
    assert (outcomes(tables), evaluations(tables)) == (["refused"], [])
    assert judgements(tables)[0]["comment"]


GOOD = {name: {"reasoning": "r", "score": 3} for name in ("accuracy", "depth", "clarity")}
MALFORMED = {
    "no json": "I would give it a 4.",
    "empty": "",
    "cut": '{"criteria": {"accuracy": {"reas',
    "a list": "[]",
    "score too high": json.dumps({"criteria": GOOD | {"depth": {"reasoning": "r", "score": 6}}, "summary": ""}),
    "score a text": json.dumps({"criteria": GOOD | {"depth": {"reasoning": "r", "score": "5"}}, "summary": ""}),
    "score between": json.dumps({"criteria": GOOD | {"depth": {"reasoning": "r", "score": 4.5}}, "summary": ""}),
    "score not a number": '{"criteria": {"accuracy": {"reasoning": "r", "score": NaN}}, "summary": ""}',
    "criterion missing": json.dumps({"criteria": {"accuracy": GOOD["accuracy"]}, "summary": ""}),
    "criterion made up": json.dumps({"criteria": GOOD | {"beauty": {"reasoning": "r", "score": 5}}, "summary": ""}),
    "more than asked": json.dumps({"criteria": GOOD, "summary": "", "overall": 5}),
}


@pytest.mark.parametrize("how", MALFORMED)
def test_an_answer_that_cannot_be_read_is_asked_for_once_more(tables: Store, endpoint: Endpoint, clock: Clock, how: str) -> None:
    put(tables, "tasks", [work(1)])
    endpoint.will.append(model.says(MALFORMED[how]))

    judge(tables, endpoint, clock).run()

    assert outcomes(tables) == ["judged"]
    assert [message["role"] for message in endpoint.asked[1]["messages"]] == ["system", "user", "assistant", "user"]
    assert (judgements(tables)[0]["calls"], judgements(tables)[0]["cost_usd"]) == (2, 2 * COST)


def test_a_second_answer_that_cannot_be_read_ends_it(tables: Store, endpoint: Endpoint, clock: Clock) -> None:
    put(tables, "tasks", [work(1)])
    endpoint.will.extend([model.says("4/5"), model.says("Sorry: 4/5")])
    it = judge(tables, endpoint, clock)

    assert (it.run(), it.run()) == (1, 0)
    assert (outcomes(tables), evaluations(tables), len(endpoint.asked)) == (["malformed"], [], 2)
    assert judgements(tables)[0]["cost_usd"] == 2 * COST


def test_an_answer_that_was_cut_off_is_not_taken_for_whole(tables: Store, endpoint: Endpoint, clock: Clock) -> None:
    put(tables, "tasks", [work(1)])
    endpoint.will.extend([model.says(json.dumps({"criteria": GOOD, "summary": ""}), finish="length")])

    judge(tables, endpoint, clock).run()

    assert (outcomes(tables), judgements(tables)[0]["calls"]) == (["judged"], 2)


def test_an_answer_in_a_fence_is_read(tables: Store, endpoint: Endpoint, clock: Clock) -> None:
    put(tables, "tasks", [work(1)])
    endpoint.will.append(model.says("```json\n" + json.dumps({"criteria": GOOD, "summary": ""}) + "\n```"))

    judge(tables, endpoint, clock).run()

    assert ([one["score"] for one in evaluations(tables)], judgements(tables)[0]["calls"]) == ([0.5] * 3, 1)


@pytest.mark.parametrize("when", ["30", "Sat, 31 Jan 2026 12:00:30 GMT"])
def test_a_rate_limit_is_waited_for_and_counts_for_no_task(tables: Store, endpoint: Endpoint, clock: Clock, when: str) -> None:
    put(tables, "tasks", [work(1)])
    endpoint.will.append(model.fails(429, "rate_limit_exceeded", Retry_After=when))
    it = judge(tables, endpoint, clock)

    assert it.run() == 0
    clock.tick(29)
    it.run()
    assert (len(endpoint.asked), judgements(tables)) == (1, [])

    clock.tick(2)
    assert it.run() == 1
    assert (len(endpoint.asked), outcomes(tables)) == (2, ["judged"])


def test_a_long_wait_that_is_asked_for_is_kept_to(tables: Store, endpoint: Endpoint, clock: Clock) -> None:
    put(tables, "tasks", [work(1)])
    endpoint.will.append(model.fails(429, Retry_After="600"))
    it = judge(tables, endpoint, clock)

    it.run()
    clock.tick(599)
    it.run()
    assert len(endpoint.asked) == 1
    clock.tick(2)
    assert it.run() == 1


ILL = {
    "500": model.fails(500),
    "502 of a proxy": model.raw(b"<html>bad gateway</html>", 502, **{"Content-Type": "text/html"}),
    "503": model.fails(503, Retry_After="1"),
    "408": model.fails(408),
    "400": model.fails(400),
    "no completion": model.raw(b'{"hello": "world"}'),
    "no choices": model.raw(b'{"choices": []}'),
    "no json": model.raw(b"OK", **{"Content-Type": "text/plain"}),
    "usage below zero": model.raw(b'{"choices": [{"message": {}}], "usage": {"prompt_tokens": -5}}'),
}


@pytest.mark.parametrize("how", ILL)
def test_an_endpoint_that_fails_is_asked_again_later_and_less_often_each_time(
    tables: Store, endpoint: Endpoint, clock: Clock, how: str
) -> None:
    put(tables, "tasks", [work(1)])
    endpoint.will.extend([ILL[how]] * 2)
    it = judge(tables, endpoint, clock)
    asked = []

    for _ in range(5):
        it.run()
        asked.append(len(endpoint.asked))
        clock.tick(31)

    assert asked == [1, 2, 2, 3, 3]  # after 30 s, then after 60 s
    assert (outcomes(tables), judgements(tables)[0]["attempts"]) == (["judged"], 3)


def test_a_task_that_never_gets_an_answer_is_given_up(tables: Store, endpoint: Endpoint, clock: Clock) -> None:
    put(tables, "tasks", [work(1)])
    endpoint.always = model.fails(500)
    it = judge(tables, endpoint, clock, max_attempts=2)

    for _ in range(6):
        it.run()
        clock.tick(3601)

    assert len(endpoint.asked) == 2
    assert [(one["outcome"], one["attempts"], one["cost_usd"]) for one in judgements(tables)] == [("failed", 2, None)]


def test_a_slow_endpoint_is_given_up_in_time(tables: Store, endpoint: Endpoint, clock: Clock) -> None:
    put(tables, "tasks", [work(1)])
    endpoint.will.append(model.slowly(2))

    began = time.monotonic()
    judge(tables, endpoint, clock, timeout_seconds=0.2).run()

    assert time.monotonic() - began < 1.5
    assert (outcomes(tables), judgements(tables)[0]["comment"]) == (["failed"], "the endpoint did not answer in time")


def test_an_endpoint_that_is_not_there_does_no_harm(tables: Store, endpoint: Endpoint, clock: Clock) -> None:
    put(tables, "tasks", [work(1)])

    judge(tables, endpoint, clock, {"base_url": "http://127.0.0.1:9/v1"}).run()

    assert outcomes(tables) == ["failed"]


@pytest.mark.parametrize(
    ("wrong", "why"), [({"api_key": "sk-wrong"}, "refuses the key"), ({"model": "gpt-4o"}, "knows no model 'gpt-4o'")]
)
def test_a_wrong_key_or_model_is_said_and_counts_for_no_task(
    tables: Store, endpoint: Endpoint, clock: Clock, wrong: dict[str, str], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    put(tables, "tasks", [work(1)])
    it = judge(tables, endpoint, clock, wrong)

    it.run()
    clock.tick(599)
    it.run()

    assert judgements(tables) == []
    assert caplog.text.count(why) == 1  # it rests for ten minutes
    assert "sk-" not in caplog.text
