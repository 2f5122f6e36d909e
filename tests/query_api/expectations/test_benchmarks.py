"""/v1/benchmarks."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from tests.builders import benchmarks_as_shipped


@pytest.fixture(autouse=True)
def as_shipped(store: Store) -> Iterator[None]:
    with benchmarks_as_shipped(store):
        yield


def by_kind(api: TestClient) -> dict[tuple[str, int | None], dict[str, Any]]:
    return {(row["agent_type"], row["complexity"]): row for row in api.get("/v1/benchmarks").json()["benchmarks"]}


def test_durations_are_shipped_by_type_and_complexity(api: TestClient) -> None:
    expected = {key: row["expected_duration_seconds"] for key, row in by_kind(api).items()}
    assert [expected["cognitive", level] for level in (None, 1, 2, 3, 4, 5)] == [3, 1, 2, 3, 4, 5]
    assert [expected["orchestrator", level] for level in (None, 1, 5)] == [1.25, 0.5, 2]
    assert len(expected) == 18
    assert by_kind(api)["cognitive", 1] == {
        "agent_type": "cognitive",
        "complexity": 1,
        "expected_duration_seconds": 1.0,
        "expected_cost_usd": None,
        "shipped": True,
    }


def test_what_is_put_replaces_what_there_was_and_may_be_put_again(api: TestClient) -> None:
    ours = {"agent_type": "cognitive", "complexity": 2, "expected_duration_seconds": 7.5, "expected_cost_usd": 0.000000000001}
    any_clerk = {"agent_type": "clerk", "expected_cost_usd": 0.25}
    for _ in range(2):
        answer = api.put("/v1/benchmarks", json={"benchmarks": [ours, any_clerk]})
        assert answer.status_code == 200, answer.text
        assert answer.json() == api.get("/v1/benchmarks").json()
    assert by_kind(api) == {
        ("clerk", None): any_clerk | {"complexity": None, "expected_duration_seconds": None, "shipped": False},
        ("cognitive", 2): ours | {"shipped": False},
    }
    assert api.put("/v1/benchmarks", json={"benchmarks": []}).json()["benchmarks"] == []
    assert by_kind(api) == {}


@pytest.mark.parametrize(
    ("one", "parameter"),
    [
        ({}, "benchmarks.0"),
        ({"expected_duration_seconds": 0}, "benchmarks.0.expected_duration_seconds"),
        ({"expected_duration_seconds": "long"}, "benchmarks.0.expected_duration_seconds"),
        ({"expected_cost_usd": -1}, "benchmarks.0.expected_cost_usd"),
        ({"expected_cost_usd": 1e12}, "benchmarks.0.expected_cost_usd"),
        ({"expected_cost_usd": 1, "complexity": 6}, "benchmarks.0.complexity"),
        ({"expected_cost_usd": 1, "complexity": 0}, "benchmarks.0.complexity"),
        ({"expected_cost_usd": 1, "agent_type": ""}, "benchmarks.0.agent_type"),
        ({"expected_cost_usd": 1, "agent_typ": "x"}, "agent_typ"),
    ],
)
def test_what_cannot_be_expected_is_refused_and_nothing_is_kept(api: TestClient, one: dict[str, Any], parameter: str) -> None:
    before = api.get("/v1/benchmarks").json()
    answer = api.put("/v1/benchmarks", json={"benchmarks": [{"agent_type": "x"} | one]})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, parameter)
    assert api.get("/v1/benchmarks").json() == before


def test_a_number_that_is_none_is_refused(api: TestClient) -> None:
    sent = '{"benchmarks": [{"agent_type": "x", "expected_duration_seconds": NaN}]}'
    assert api.put("/v1/benchmarks", content=sent, headers={"Content-Type": "application/json"}).status_code == 400
    assert api.put("/v1/benchmarks", content=b"{").status_code == 400


def test_two_of_a_kind_are_refused(api: TestClient) -> None:
    one = {"agent_type": "x", "expected_cost_usd": 1}
    answer = api.put("/v1/benchmarks", json={"benchmarks": [one, one]})
    assert (answer.status_code, "'x' of complexity any" in answer.json()["detail"]) == (400, True)
