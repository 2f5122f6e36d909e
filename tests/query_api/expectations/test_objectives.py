"""/v1/objectives."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from processors.objectives.objectives import MOST, Objective, shipped, to_rows
from tests.examples import blocks
from tests.query_api.asking.test_problems import problem

LEGAL = {"keywords": ["contract", "clause"], "description": "Law", "criteria": ["accuracy"], "recommended_agents": ["finance/eu"]}


@pytest.fixture(autouse=True)
def as_shipped(store: Store) -> Iterator[None]:
    """Whatever a test sets is gone after it."""
    yield
    store.command("TRUNCATE TABLE objectives")


def by_category(api: TestClient) -> dict[str, dict[str, Any]]:
    return {one["category"]: one for one in api.get("/v1/objectives").json()["objectives"]}


def classified(api: TestClient, text: str) -> dict[str, Any]:
    answer = api.post("/v1/objectives/classify", json={"text": text})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_those_shipped_are_there(api: TestClient) -> None:
    found = by_category(api)

    assert set(found) == {one.category for one in shipped()}
    assert {one["source"] for one in found.values()} == {"shipped"}
    assert "refactor" in found["coding"]["keywords"]
    assert found["coding"]["updated_at"] is None


def test_no_more_are_set_than_are_read(api: TestClient, store: Store) -> None:
    own = [Objective(category=f"own-{n}") for n in range(MOST - len(shipped()))]
    store.insert("objectives", to_rows(own, 1))
    assert api.put("/v1/objectives/own-0", json=LEGAL).status_code == 200

    assert "delete some first" in problem(api.put("/v1/objectives/legal", json=LEGAL), 409)["detail"]
    all_but_shipped = [{"category": f"own-{n}"} for n in range(MOST)]
    problem(api.put("/v1/objectives", json={"objectives": all_but_shipped}), 409)
    assert len(by_category(api)) == MOST


def test_one_of_your_own_is_set_used_and_forgotten(api: TestClient) -> None:
    answer = api.put("/v1/objectives/legal", json=LEGAL)
    assert answer.status_code == 200, answer.text
    assert answer.json() == api.get("/v1/objectives").json()
    assert by_category(api)["legal"] == LEGAL | {
        "category": "legal", "examples": [], "enabled": True, "source": "api", "updated_at": "2026-01-31T12:00:00Z",
    }  # fmt: skip
    assert classified(api, "Check the contract")["category"] == "legal"

    gone = api.delete("/v1/objectives/legal")

    assert gone.json() == api.get("/v1/objectives").json()
    assert "legal" not in by_category(api)
    assert classified(api, "Check the contract")["category"] == "general"
    assert api.delete("/v1/objectives/legal").status_code == 404


def test_a_shipped_one_may_be_changed_and_is_as_it_was_when_that_is_forgotten(api: TestClient) -> None:
    before = by_category(api)["coding"]
    for keywords in (["frobnicate"], ["frobnicate", "quux"]):
        api.put("/v1/objectives/coding", json={"category": "coding", "keywords": keywords})
        assert (by_category(api)["coding"]["keywords"], by_category(api)["coding"]["source"]) == (keywords, "api")

    api.delete("/v1/objectives/coding")

    assert by_category(api)["coding"] == before


def test_a_category_with_a_slash_is_one_segment(api: TestClient) -> None:
    api.put("/v1/objectives/finance%2Feu", json=LEGAL)

    assert "finance/eu" in by_category(api)
    assert api.delete("/v1/objectives/finance%2Feu").status_code == 200


def test_putting_all_replaces_all_and_may_be_done_again(api: TestClient) -> None:
    api.put("/v1/objectives/own", json=LEGAL)
    for _ in range(2):
        answer = api.put("/v1/objectives", json={"objectives": [LEGAL | {"category": "legal"}]})
        assert answer.status_code == 200, answer.text
        assert answer.json() == api.get("/v1/objectives").json()

    found = by_category(api)
    assert "own" not in found
    assert {category for category, one in found.items() if one["enabled"]} == {"legal"}
    assert classified(api, "Fix the bug in this function")["category"] == "general"


@pytest.mark.parametrize(
    "sent",
    [
        {"objectives": [{"category": "general"}]},
        {"objectives": [{"category": "a"}, {"category": "a"}]},
        {"objectives": [{"category": "a", "keyword": ["b"]}]},
        {"objectives": [{"category": "a", "keywords": ["x" * 81]}]},
        {"objectives": [{"category": "a", "keywords": ["mi*grate"]}]},
        {"objectives": [{"category": "a", "keywords": ["*"]}]},
        {"objectives": [{"category": ""}]},
        {"objectives": "all"},
        {},
    ],
)
def test_what_cannot_be_objectives_is_refused_and_nothing_is_kept(api: TestClient, sent: Any) -> None:
    before = api.get("/v1/objectives").json()

    answer = api.put("/v1/objectives", json=sent)

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert api.get("/v1/objectives").json() == before


@pytest.mark.parametrize("path", ["general", "%20", "x" * 200])
def test_what_cannot_be_a_category_is_refused(api: TestClient, path: str) -> None:
    assert api.put(f"/v1/objectives/{path}", json=LEGAL).status_code == 400


def test_path_and_body_must_not_disagree(api: TestClient) -> None:
    assert api.put("/v1/objectives/legal", json=LEGAL | {"category": "law"}).json()["errors"][0]["parameter"] == "category"


def test_the_example_in_the_documents_is_what_is_answered(api: TestClient) -> None:
    (example,) = blocks("docs/objectives.md", "json")
    assert classified(api, "Refactor the login module") == json.loads(example)


def test_a_classification_is_explained(api: TestClient) -> None:
    found = classified(api, "Refactor the login module and write unit tests")

    assert (found["category"], found["threshold"]) == ("coding", 0.4)
    assert found["sure"] == found["candidates"][0]["sure"] > 0.4
    assert {"word": "refactor", "weight": pytest.approx(1.5)} in found["candidates"][0]["words"]
    assert classified(api, "") == {"category": "general", "sure": 0, "threshold": 0.4, "candidates": []}


@pytest.mark.parametrize("sent", [{}, {"text": 1}, {"text": "x" * 100_001}, {"text": "a", "lang": "en"}])
def test_what_is_no_text_is_refused(api: TestClient, sent: Any) -> None:
    assert api.post("/v1/objectives/classify", json=sent).status_code == 400
