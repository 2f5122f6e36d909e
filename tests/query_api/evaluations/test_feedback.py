"""Ratings and evaluations as they come in over HTTP."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import polars as pl
import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from processors.errors import Unavailable
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from query_api.web.server import ApiServer
from tests.builders import Clock
from tests.query_api.asking.test_problems import problem
from tests.query_api.build import NOW, node, put, span_of, task, trace_of, workflow
from tests.query_api.rating import CRITIC, STARS, TASK, judge, rate, stored


@pytest.fixture
def clocked(tables: Store, clock: Clock) -> Iterator[TestClient]:
    """The API over empty tables, at times that the test says."""
    with TestClient(
        create_app(tables, tables.insert, QueryApiSettings(), clock, Condition(dict)), raise_server_exceptions=False
    ) as client:
        yield client


def test_a_rating_becomes_a_score_of_the_whole(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1)])
    answer = rate(api, TASK, STARS | {"comment": "Naïve,\nbut true 👍"})

    assert (answer.status_code, answer.json()["status"], answer.json()["task_ids"]) == (200, "kept", [TASK])
    (row,) = stored(tables)
    assert (row["task_id"], row["trace_id"], row["rating"], row["score"], row["criterion"]) == (TASK, trace_of(1), 4, 0.75, "")
    assert (row["evaluator"], row["evaluator_type"], row["user_id"], row["source"]) == ("ann", "user", "ann", "api")
    assert (row["comment"], row["received_at"]) == ("Naïve,\nbut true 👍", NOW)
    assert (row["version"], row["evaluation_id"]) == (NOW.timestamp() * 1000, answer.json()["evaluation_ids"][0])


@pytest.mark.parametrize("sent", [b"", b"{", b"[]", b"4"])
def test_a_body_that_cannot_be_read_is_called_the_body(api: TestClient, sent: bytes) -> None:
    body = problem(api.post(f"/v1/tasks/{TASK}/feedback", content=sent, headers={"Content-Type": "application/json"}), 400)

    assert [error["parameter"] for error in body["errors"]] == ["body"]


@pytest.mark.parametrize("name", [TASK, TASK.upper(), trace_of(1), trace_of(1).upper(), "job-7", "a%2Fb%20c"])
def test_a_task_is_rated_under_any_of_its_names(api: TestClient, tables: Store, name: str) -> None:
    put(tables, "tasks", [task(1, external_id="job-7" if name == "job-7" else "a/b c")])

    assert rate(api, name, STARS).json()["task_ids"] == [TASK]


def test_a_trace_stands_for_its_top_level_tasks(api: TestClient, tables: Store) -> None:
    below = task(1, span_id=span_of(5), task_id=f"{trace_of(1)}-{span_of(5)}", parent_task_id=TASK)
    beside = task(1, span_id=span_of(9), task_id=f"{trace_of(1)}-{span_of(9)}")
    put(tables, "tasks", [task(1), below, beside])

    assert set(rate(api, trace_of(1), STARS).json()["task_ids"]) == {TASK, beside["task_id"]}
    assert {row["task_id"] for row in stored(tables)} == {TASK, beside["task_id"]}


def test_a_trace_that_runs_has_no_top_yet(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1)])
    put(tables, "workflows", [workflow(1, status="running")])

    assert rate(api, trace_of(1), STARS).status_code == 202
    assert rate(api, TASK, STARS).status_code == 200


def test_of_tasks_that_share_an_external_id_the_uppermost_is_meant(api: TestClient, tables: Store) -> None:
    below = task(1, span_id=span_of(5), task_id=f"{trace_of(1)}-{span_of(5)}", parent_task_id=TASK, external_id="job-7")
    put(tables, "tasks", [task(1, external_id="job-7"), below])

    assert rate(api, "job-7", STARS).json()["task_ids"] == [TASK]


def test_an_id_that_too_many_tasks_share_names_none(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(n, external_id="default") for n in range(101)])

    assert rate(api, "default", STARS).status_code == 202


def test_a_rating_of_a_task_that_is_not_there_is_kept_for_seven_days(api: TestClient, tables: Store) -> None:
    answer = rate(api, "job-8", STARS)

    assert (answer.status_code, answer.json()["pending"], answer.json()["task_ids"]) == (202, 1, [])
    assert answer.json()["pending_until"] == "2026-02-07T12:00:00Z"
    (row,) = stored(tables)
    assert (row["target"], row["task_id"]) == ("job-8", "")


def test_a_second_rating_of_a_user_replaces_the_first(clocked: TestClient, tables: Store, clock: Clock) -> None:
    put(tables, "tasks", [task(1, external_id="job-7")])
    rate(clocked, "job-7", STARS)
    clock.tick(1)
    rate(clocked, trace_of(1), STARS | {"rating": 1})
    rate(clocked, TASK, {"rating": 5, "user_id": "bob"})

    assert [(row["user_id"], row["rating"]) for row in stored(tables)] == [("ann", 1), ("bob", 5)]


def test_the_same_request_under_the_same_key_changes_nothing(clocked: TestClient, tables: Store, clock: Clock) -> None:
    put(tables, "tasks", [task(1)])
    first = rate(clocked, TASK, STARS, key="k1")
    clock.tick(60)
    again = rate(clocked, TASK, STARS, key="k1")

    assert (again.status_code, again.json()) == (200, first.json())
    (row,) = stored(tables)
    assert row["received_at"] == NOW


def test_each_key_is_a_rating_of_its_own(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1)])
    rate(api, TASK, {"rating": 4}, key="k1")
    rate(api, TASK, {"rating": 4}, key="k2")

    assert len(stored(tables)) == 2


@pytest.mark.parametrize("other", [{"rating": 5}, {"user_id": "bob"}, {"comment": "hm"}])
def test_a_key_that_was_used_for_something_else_is_refused(api: TestClient, tables: Store, other: dict[str, Any]) -> None:
    rate(api, "job-8", STARS, key="k1")
    body = problem(rate(api, "job-8", STARS | other, key="k1"), 422)
    problem(rate(api, "job-9", STARS, key="k1"), 422)

    assert "Idempotency-Key" in body["detail"]
    assert len(stored(tables)) == 1


def test_of_many_at_once_under_one_key_one_is_kept(tables: Store) -> None:
    free = QueryApiSettings(endpoint="127.0.0.1:0")
    server = ApiServer(create_app(tables, tables.insert, free, lambda: NOW, Condition(dict)), free)
    server.start()
    url, key = f"{server.url}/v1/tasks/job-8/feedback", {"Idempotency-Key": "k"}
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda n: httpx.post(url, json={"rating": n % 4 + 1}, headers=key).status_code, range(8)))
    server.stop()

    assert sorted(codes) == [202, 202, *[422] * 6]
    assert len(stored(tables)) == 1


def test_of_ratings_without_user_and_key_equal_ones_count_once(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1), task(2)])
    for said in ({"rating": 4}, {"rating": 4}, {"rating": 5}, {"rating": 4, "comment": "good"}):
        rate(api, TASK, said)
    rate(api, trace_of(2), {"rating": 4})

    assert sorted((row["rating"], row["comment"]) for row in stored(tables)) == [(4, ""), (4, ""), (4, "good"), (5, "")]


def test_an_evaluation_is_a_row_a_criterion(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1)])
    said = {
        "score": 0.5,
        "criteria": {"Accuracy": 0.25, "Intent Resolution": 1},
        "comment": "why",
        "model": "m",
        "cost_usd": 1e-5,
    }
    answer = judge(api, TASK, said | {"evaluated_at": "2026-01-30T10:00:00+01:00"})

    assert answer.json()["evaluations"] == 3
    rows = stored(tables)
    assert {row["criterion"]: row["score"] for row in rows} == {"": 0.5, "accuracy": 0.25, "intent_resolution": 1}
    assert {(row["evaluator"], row["evaluator_type"], row["model"]) for row in rows} == {("critic", "llm", "m")}
    assert {row["evaluated_at"].isoformat() for row in rows} == {"2026-01-30T09:00:00+00:00"}
    assert [row["comment"] for row in rows] == ["why", "", ""]
    assert sum(row["cost_usd"] for row in rows if row["cost_usd"]) == pytest.approx(pl.Series([1e-5]).cast(pl.Decimal(18, 12))[0])


def test_a_second_evaluation_replaces_the_criteria_that_it_scores(clocked: TestClient, tables: Store, clock: Clock) -> None:
    put(tables, "tasks", [task(1)])
    judge(clocked, TASK, {"criteria": {"accuracy": 0.1, "depth": 0.2}})
    clock.tick(1)
    judge(clocked, TASK, {"criteria": {"accuracy": 0.9}})
    judge(clocked, TASK, {"evaluator": "other", "score": 1})

    assert sorted((r["evaluator"], r["criterion"], r["score"]) for r in stored(tables)) == [
        ("critic", "accuracy", 0.9),
        ("critic", "depth", 0.2),
        ("other", "", 1),
    ]


def test_stars_may_stand_for_a_score(api: TestClient, tables: Store) -> None:
    judge(api, "job-8", {"rating": 2})

    assert [(row["rating"], row["score"]) for row in stored(tables)] == [(2, 0.25)]


def test_a_step_is_judged_by_its_span_or_as_the_target(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1)])
    put(tables, "nodes", [node(1), node(1, 3)])
    judge(api, TASK, {"score": 0.2, "span_id": span_of(2)})
    judge(api, f"{trace_of(1)}-{span_of(3)}", {"score": 0.3})

    assert sorted((row["task_id"], row["span_id"]) for row in stored(tables)) == [(TASK, span_of(2)), (TASK, span_of(3))]


def test_many_are_judged_at_once(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(n) for n in range(1, 4)])
    many = [CRITIC | {"task_id": trace_of(n), "score": n / 10} for n in range(1, 5)]
    answer = api.post("/v1/evaluations", json={"evaluations": many})

    assert (answer.status_code, answer.json()["evaluations"], answer.json()["pending"]) == (202, 4, 1)
    assert [row["score"] for row in stored(tables)] == [0.1, 0.2, 0.3, 0.4]


def test_many_may_come_a_line_each(api: TestClient, tables: Store) -> None:
    lines = [json.dumps(CRITIC | {"task_id": f"job-{n}", "score": 1}) for n in range(3)]
    answer = api.post("/v1/evaluations", content="\n".join(lines) + "\n\n", headers={"content-type": "application/x-ndjson"})

    assert answer.json()["evaluations"] == 3
    assert {row["source"] for row in stored(tables)} == {"import"}


def test_of_many_all_are_kept_or_none(api: TestClient, tables: Store) -> None:
    good, bad = CRITIC | {"task_id": "a", "score": 1}, CRITIC | {"task_id": "b", "score": 2}
    body = problem(api.post("/v1/evaluations", json={"evaluations": [good, bad, good]}), 400)
    lines = "\n".join(json.dumps(one) for one in (good, good, bad))
    other = problem(api.post("/v1/evaluations", content=lines, headers={"content-type": "application/x-ndjson"}), 400)

    assert body["errors"][0]["parameter"] == "evaluations.1.score"
    assert other["errors"][0]["parameter"] == "2.score"
    assert stored(tables) == []


class Away:
    """A store that answers nothing."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None, *, seconds: float | None = None) -> pl.DataFrame:  # noqa: ARG002
        raise Unavailable("away")

    def ping(self) -> None:
        raise Unavailable("away")


def test_while_the_store_is_away_what_is_kept_finds_its_task_later() -> None:
    kept: list[pl.DataFrame] = []
    app = create_app(Away(), lambda _, rows: kept.append(rows), QueryApiSettings(), lambda: NOW, Condition(dict))
    with TestClient(app) as client:
        assert rate(client, TASK, STARS).status_code == 202
        assert rate(client, TASK, STARS, key="k1").status_code == 202

    assert [frame["target"].to_list() for frame in kept] == [[TASK], [TASK]]


def test_what_cannot_be_kept_is_not_acknowledged(tables: Store) -> None:
    def full(_table: str, _rows: pl.DataFrame) -> None:
        raise Unavailable("no room")

    with TestClient(create_app(tables, full, QueryApiSettings(), lambda: NOW, Condition(dict))) as client:
        assert rate(client, TASK, STARS).status_code == 503


def test_a_comment_that_is_masked_when_it_is_kept_is_still_the_same_request(tables: Store) -> None:
    def masked(table: str, rows: pl.DataFrame) -> None:
        tables.insert(table, rows.with_columns(comment=pl.lit("***")))

    with TestClient(create_app(tables, masked, QueryApiSettings(), lambda: NOW, Condition(dict))) as client:
        codes = [rate(client, "job-8", STARS | {"comment": text}, key="k1").status_code for text in ("sk-1", "sk-1", "sk-2")]

    assert codes == [202, 202, 422]
    assert [row["comment"] for row in stored(tables)] == ["***"]
