"""Every error is a problem document that says what was found and what to change."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from processors.errors import Rejected, Unavailable
from query_api.asking import cursors
from query_api.settings import QueryApiSettings
from query_api.tasks.tasks import TaskQuestion
from query_api.web.app import create_app
from query_api.web.health import Condition
from tests.query_api.build import NOW

LISTS = ("tasks", "nodes", "workflows", "costs", "agents", "agents/a/nodes", "rankings", "models", "providers", "departments")
SINGLE = ("tasks/a", "agents/a", "traces/a")
WHOLE = ("overview", "goals", "benchmarks", "export/rankings", "export/tasks", "export/nodes", "export/costs")


class Broken:
    """A store that fails with `error` whatever it is asked."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None, *, seconds: float | None = None) -> pl.DataFrame:  # noqa: ARG002
        raise self.error

    def insert(self, table: str, rows: pl.DataFrame) -> None:  # noqa: ARG002
        raise self.error

    def ping(self) -> None:
        raise self.error


def over(error: Exception, ready: Mapping[str, str] | None = None) -> Iterator[TestClient]:
    app = create_app(Broken(error), Broken(error).insert, QueryApiSettings(), lambda: NOW, Condition(lambda: ready or {}))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def api(refusing: TestClient) -> TestClient:
    return refusing


@pytest.fixture(scope="module")
def away() -> Iterator[TestClient]:
    yield from over(Unavailable("insert into 10.0.0.7: Code: 210", retry_after=timedelta(seconds=4.2)), {"receiver": "ok"})


@pytest.fixture(scope="module")
def broken() -> Iterator[TestClient]:
    yield from over(Rejected("Code: 47. Unknown identifier secret_column"))


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "status", "detail", "instance"} <= set(body)
    assert body["status"] == status
    return body


@pytest.mark.parametrize("route", LISTS + SINGLE)
def test_an_unknown_parameter_is_refused_by_every_route(api: TestClient, route: str) -> None:
    body = problem(api.get(f"/v1/{route}?windw=3d"), 400)
    assert body["errors"][0]["parameter"] == "windw"
    assert ("did you mean window?" in body["detail"]) is (route in LISTS)


@pytest.mark.parametrize("route", LISTS)
@pytest.mark.parametrize(
    ("query", "parameter", "word"),
    [
        ("limit=0", "limit", "greater"),
        ("limit=1001", "limit", "1000"),
        ("limit=ten", "limit", "integer"),
        ("window=3", "window", "30d"),
        ("window=0d", "window", "30d"),
        ("window=-3d", "window", "30d"),
        ("window=٣d", "window", "30d"),
        ("since=yesterday", "since", "2026-01-31T08:00:00Z"),
        ("since=2026-01-31T08:00:00", "since", "2026-01-31T08:00:00Z"),
        ("since=2026-01-31T08:00:00+01:00", "since", "%2B"),
        ("until=NaN", "until", "2026"),
        ("since=2026-01-31T08:00:00Z&window=3d", "query", "leave one out"),
        ("since=2026-01-31T08:00:00Z&until=2026-01-30T08:00:00Z", "query", "swap"),
        ("cursor=", "cursor", "next_cursor"),
        ("cursor=abc", "cursor", "next_cursor"),
        ("cursor=W10", "cursor", "next_cursor"),
        ("cursor=%F0%9F%8E%88", "cursor", "next_cursor"),
        ("category=" + "x" * 1025, "category.0", "1024"),
        ("&".join(["category=x"] * 101), "category", "100"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_what_to_change(
    api: TestClient, route: str, query: str, parameter: str, word: str
) -> None:
    body = problem(api.get(f"/v1/{route}?{query}"), 400)
    assert body["errors"][0]["parameter"] == parameter
    assert word in body["errors"][0]["message"]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("costs?group_by=colour", "'agent'"),
        ("rankings?by=luck", "'success_rate'"),
        ("rankings?by=charm", "'performance', 'quality'"),
        ("rankings?profile=mine", "known are default"),
        ("nodes?success=perhaps", "boolean"),
        ("tasks?status=failure", "'succeeded'"),
        ("workflows?status=failed&status=", "'interrupted'"),
        ("traces/a?limit=20001", "20000"),
    ],
)
def test_a_choice_that_does_not_exist_is_refused_with_those_that_do(api: TestClient, query: str, word: str) -> None:
    assert word in problem(api.get(f"/v1/{query}"), 400)["detail"]


def test_a_cursor_of_another_list_or_other_filters_is_refused(api: TestClient) -> None:
    cursor = cursors.issue("tasks", TaskQuestion(limit=5), ("2026-01-01 00:00:00.0", 1, "a", "b"))
    assert api.get("/v1/tasks", params={"cursor": cursor, "limit": 7}).status_code == 200
    problem(api.get("/v1/tasks", params={"cursor": cursor, "agent_id": "a"}), 400)
    problem(api.get("/v1/nodes", params={"cursor": cursor}), 400)
    problem(api.get("/v1/tasks", params={"cursor": cursor[:-3] + "AAA"}), 400)
    forged = cursors.issue("tasks", TaskQuestion(), ("now()", "1", 2, None))
    problem(api.get("/v1/tasks", params={"cursor": forged}), 400)


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/task", "/v1/agents/finance/eu/nodes/x", "/v1/tasks/", "/v2/tasks", "/%00"])
def test_an_unknown_path_is_not_found(api: TestClient, path: str) -> None:
    assert path in problem(api.get(path), 404)["detail"]


def test_the_nearest_path_is_named(api: TestClient) -> None:
    assert "did you mean /v1/tasks?" in problem(api.get("/v1/task"), 404)["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_wrong_method_is_refused(api: TestClient, method: str) -> None:
    answer = api.request(method, "/v1/tasks")
    problem(answer, 405)
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("route", LISTS + SINGLE + WHOLE)
def test_without_the_store_every_route_says_when_to_come_back(away: TestClient, route: str) -> None:
    answer = away.get(f"/v1/{route}")
    body = problem(answer, 503)
    assert answer.headers["retry-after"] == "5"
    assert "10.0.0.7" not in answer.text
    assert "try again in 5 s" in body["detail"]


@pytest.mark.parametrize("route", LISTS + SINGLE + WHOLE)
def test_a_fault_of_ours_shows_nothing_of_our_insides(broken: TestClient, route: str) -> None:
    answer = broken.get(f"/v1/{route}")
    problem(answer, 500)
    assert "secret_column" not in answer.text


def test_health_needs_nothing_but_the_process(away: TestClient) -> None:
    assert away.get("/healthz").json() == {"status": "ok"}


def test_readiness_names_the_part_that_is_not_ready(away: TestClient, api: TestClient) -> None:
    body = problem(away.get("/readyz"), 503)
    assert body["parts"] == {"store": "does not answer", "receiver": "ok"}
    assert "store: does not answer" in body["detail"]
    assert api.get("/readyz").json() == {"status": "ok", "parts": {"store": "ok", "receiver": "ok"}}


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("path", ["tasks/a/feedback", "tasks/a/evaluations", "evaluations", "route", "silences", "alert-rules"])
@pytest.mark.parametrize("body", [b'{"\\ud800": 1}', b'{"profile": {"\\udfff": 1}, "scope": {"\\udfff": [1]}, "rating": 3}'])
def test_half_a_character_in_a_name_is_refused(broken: TestClient, path: str, body: bytes) -> None:
    problem(broken.post(f"/v1/{path}", content=body, headers=JSON), 400)


@pytest.mark.parametrize("content", [{"category": "a\ud800"}, {"category": "\udfff", "keywords": ["x"]}])
def test_half_a_character_that_is_kept_is_refused(api: TestClient, content: dict[str, Any]) -> None:
    sent = json.dumps({"objectives": [content]})
    assert "half a character" in problem(api.put("/v1/objectives", content=sent, headers=JSON), 400)["detail"]


def wrong_things(member: Any, number: int) -> dict[str, Any]:
    return {"list": [member] * number, "object": {str(n): member for n in range(number)}}


BODIES = {
    "POST tasks/a/evaluations": ("criteria",),
    "POST evaluations": ("evaluations", "evaluations.criteria"),
    "POST route": ("candidates", "profile"),
    "PATCH agents/a": ("capabilities",),
    "PUT benchmarks": ("benchmarks",),
    "PUT goals": ("goals",),
    "PUT objectives": ("objectives", "objectives.keywords", "objectives.examples", "objectives.recommended_agents"),
    "PUT objectives/a": ("keywords", "criteria"),
    "PUT alert-rules": ("alert_rules", "alert_rules.scope", "alert_rules.by"),
    "POST alert-rules": ("scope", "above", "by"),
    "POST silences": ("scope",),
}
"""Routes, and which members of their bodies have members."""


@pytest.mark.parametrize(("method", "path", "way"), [(*route.split(), way) for route, ways in BODIES.items() for way in ways])
@pytest.mark.parametrize("of", ["list", "object"])
@pytest.mark.parametrize("member", [1, {"zzz": 1}], ids=str)
def test_a_body_full_of_errors_is_told_in_no_time(
    broken: TestClient, method: str, path: str, way: str, of: str, member: Any
) -> None:
    outer, _, inner = way.partition(".")
    things = wrong_things(member, 20_000)[of] if not inner else [{inner: wrong_things(member, 2_000)[of]}] * 10
    detail = problem(broken.request(method, f"/v1/{path}", json={outer: things}), 400)["detail"]
    *_, last = detail.split("; ")
    more = int(last.split()[1]) if last.startswith("and ") else 0
    assert more < 3_100


def test_no_answer_repeats_all_that_was_sent(broken: TestClient) -> None:
    answer = broken.post("/v1/alert-rules", json={"name": "a", "metric": "x" * 900_000})
    assert len(problem(answer, 400)["detail"]) < 5_000
