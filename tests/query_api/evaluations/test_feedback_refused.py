"""Ratings and evaluations that are none, over HTTP: what is told, and that nothing is kept."""

import json
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters.store import Store
from query_api.evaluations.bodies import MOST
from query_api.evaluations.sent import EvaluationOfTask
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from query_api.web.server import ApiServer
from tests.query_api.asking.test_problems import problem
from tests.query_api.build import NOW, put, task, trace_of
from tests.query_api.rating import CRITIC, STARS, TASK, judge, rate, stored


def test_a_body_of_many_is_bounded(api: TestClient, tables: Store) -> None:
    one = json.dumps(CRITIC | {"task_id": "a", "score": 1})
    ndjson = {"content-type": "application/x-ndjson"}
    problem(api.post("/v1/evaluations", content="\n".join([one] * (MOST + 1)), headers=ndjson), 400)
    problem(api.post("/v1/evaluations", content=f'{{"evaluations": [{",".join([one] * (MOST + 1))}]}}'), 400)
    problem(api.post("/v1/evaluations", content=b" " * (17 << 20)), 413)
    problem(api.post("/v1/evaluations", content=b""), 400)
    problem(api.post("/v1/evaluations", content=b"\n", headers=ndjson), 400)

    assert stored(tables) == []


@pytest.mark.parametrize("rating", [0, 6, -1, 5.0001, "five", "4", None, True, float("nan"), float("inf"), [4], {}])
def test_a_rating_that_is_none_is_refused(api: TestClient, tables: Store, rating: Any) -> None:
    sent = json.dumps({"rating": rating}).encode()
    body = problem(api.post(f"/v1/tasks/{TASK}/feedback", content=sent, headers={"content-type": "application/json"}), 400)

    assert body["errors"][0]["parameter"] == "rating"
    assert stored(tables) == []


@pytest.mark.parametrize(
    ("body", "kind", "words", "found"),
    [
        (b"rating=3", "application/x-www-form-urlencoded", "header Content-Type: application/json", "rating=3"),
        (b"[]", "application/json", "must be a JSON object", "[]"),
        (b'{"rating": 3', "application/json", "is not JSON: Expecting", None),
        (b"{}", "application/json", "is missing", None),
        (b'{"rating": 3, "user_id": ""}', "application/json", "is too short: at least 1", ""),
    ],
)
def test_what_is_no_rating_at_all_is_told_what_to_send(api: TestClient, body: bytes, kind: str, words: str, found: Any) -> None:
    answer = api.post("/v1/tasks/t/feedback", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert words in error["message"]
    assert error.get("found") == found


@pytest.mark.parametrize(
    ("said", "parameter"),
    [
        ({"score": 1.01}, "score"),
        ({"score": -0.01}, "score"),
        ({"score": "0.5"}, "score"),
        ({"score": float("nan")}, "score"),
        ({"criteria": {"accuracy": 2}}, "criteria.accuracy"),
        ({"criteria": {"accuracy": None}}, "criteria.accuracy"),
        ({"criteria": {"": 1}}, "criteria"),
        ({"criteria": {"--": 1}}, "criteria"),
        ({"criteria": {"Depth": 1, "depth": 0}}, "criteria"),
        ({"criteria": {f"c{n}": 1 for n in range(51)}}, "criteria"),
        ({"criteria": {f"c{n}": 1 for n in range(60_000)}}, "criteria"),
        ({"criteria": {f"c{n}": 7 for n in range(60_000)}}, "criteria.c0"),
        ({}, "body"),
        ({"score": 1, "rating": 5}, "body"),
        ({"score": 1, "evaluator": ""}, "evaluator"),
        ({"score": 1, "evaluator": "x" * 257}, "evaluator"),
        ({"score": 1, "evaluator": "a\x00b"}, "evaluator"),
        ({"score": 1, "evaluator_type": "god"}, "evaluator_type"),
        ({"score": 1, "span_id": "xyz"}, "span_id"),
        ({"score": 1, "cost_usd": -1}, "cost_usd"),
        ({"score": 1, "evaluated_at": "2026-02-02T12:00:00Z"}, "evaluated_at"),
        ({"score": 1, "evaluated_at": "1969-02-02T12:00:00Z"}, "evaluated_at"),
        ({"score": 1, "evaluated_at": "2026-01-30T10:00:00"}, "evaluated_at"),
        ({"score": 1, "comment": "x" * 1_000_000}, "comment"),
        ({"score": 1, "comment": "bell \x07"}, "comment"),
        ({"score": 1, "comment": "\ud800"}, "comment"),
        ({"score": 1, "scor": 1}, "scor"),
    ],
)
def test_an_evaluation_that_is_none_is_refused(api: TestClient, tables: Store, said: dict[str, Any], parameter: str) -> None:
    sent, kind = json.dumps(CRITIC | said).encode(), {"content-type": "application/json"}
    body = problem(api.post(f"/v1/tasks/{TASK}/evaluations", content=sent, headers=kind), 400)

    assert body["errors"][0]["parameter"] == parameter
    assert len(json.dumps(body)) < 20_000
    assert stored(tables) == []


def test_an_agent_is_refused_as_a_peer_of_its_own_work(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1, agent_id="writer", external_id="job-7"), task(2, agent_id="critic")])
    own = {"evaluator": "writer", "evaluator_type": "peer", "score": 1.0}
    for name in (TASK, trace_of(1), "job-7"):
        (error,) = problem(judge(api, name, own), 400)["errors"]
        assert (error["parameter"], error["found"]) == ("evaluator", "writer")
        assert "a peer is another agent" in error["message"]
    many = {"evaluations": [own | {"task_id": trace_of(2)}, own | {"task_id": trace_of(1)}]}
    (error,) = problem(api.post("/v1/evaluations", json=many), 400)["errors"]
    assert error["parameter"] == "1.evaluator"
    assert stored(tables) == []

    for said in (own | {"evaluator": "critic"}, own | {"evaluator_type": "llm"}):
        assert judge(api, TASK, said).status_code == 200
    assert judge(api, trace_of(3), own).status_code == 202, "nobody knows yet who does it"


def test_100_000_criteria_are_refused(api: TestClient, tables: Store) -> None:
    said = CRITIC | {"criteria": {f"c{n}": 1 for n in range(100_000)}}
    problem(judge(api, TASK, said), 413)
    problem(api.post("/v1/evaluations", json={"evaluations": [said | {"task_id": TASK}]}), 400)

    assert stored(tables) == []


@pytest.mark.parametrize(
    "body", [b'{"rating": 4, "comment": "\xff"}', b"{", b"[" * 50_000, b"", b"null", b"[4]", b'"4"', b"\xff\xfe"]
)
def test_a_body_that_is_no_json_object_is_refused(api: TestClient, tables: Store, body: bytes) -> None:
    for route in (f"tasks/{TASK}/feedback", f"tasks/{TASK}/evaluations", "evaluations"):
        problem(api.post(f"/v1/{route}", content=body, headers={"content-type": "application/json"}), 400)

    assert stored(tables) == []


def test_an_unknown_field_is_refused_with_the_nearest_known_one(api: TestClient, tables: Store) -> None:
    body = problem(rate(api, TASK, {"rating": 4, "coment": "typo"}), 400)

    assert "did you mean comment?" in body["detail"]
    assert stored(tables) == []


@pytest.mark.parametrize("target", ["%FF", "a%00b", "a%0Ab"])
def test_a_target_that_is_no_text_is_refused(api: TestClient, tables: Store, target: str) -> None:
    problem(rate(api, target, STARS), 400)

    assert stored(tables) == []


@pytest.mark.parametrize("key", ["x" * 256, "a\tb"])
def test_a_key_that_is_none_is_refused(api: TestClient, tables: Store, key: str) -> None:
    problem(rate(api, TASK, STARS, key=key), 400)

    assert stored(tables) == []


def test_a_comment_of_a_megabyte_is_refused_over_the_wire(tables: Store) -> None:
    free = QueryApiSettings(endpoint="127.0.0.1:0")
    server = ApiServer(create_app(tables, tables.insert, free, lambda: NOW, Condition(dict)), free)
    server.start()
    url = f"{server.url}/v1/tasks/{TASK}/feedback"
    answers = [httpx.post(url, json={"rating": 4, "comment": "x" * size}, timeout=30) for size in (1_000_000, 1 << 20, 8 << 20)]
    server.stop()

    assert [answer.status_code for answer in answers] == [400, 413, 413]
    assert stored(tables) == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
FIELDS = st.sampled_from([*EvaluationOfTask.model_fields, "evaluations", "user_id", "x"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.dictionaries(FIELDS, ANYTHING) | ANYTHING,
    route=st.sampled_from(["tasks/a/feedback", "tasks/a/evaluations", "evaluations"]),
)
def test_no_body_is_a_fault_of_ours(api: TestClient, body: Any, route: str) -> None:
    sent, kind = json.dumps(body).encode(), {"content-type": "application/json"}

    assert api.post(f"/v1/{route}", content=sent, headers=kind).status_code in (200, 202, 400)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), kind=st.sampled_from(["application/json", "application/x-ndjson", "text/plain", ""]))
def test_no_bytes_are_a_fault_of_ours(api: TestClient, body: bytes, kind: str) -> None:
    for route in ("tasks/a/feedback", "evaluations"):
        assert api.post(f"/v1/{route}", content=body, headers={"content-type": kind}).status_code == 400
