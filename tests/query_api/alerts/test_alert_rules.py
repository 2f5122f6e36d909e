"""/v1/alert-rules and /v1/silences."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from processors.alerts.rules import from_rows, shipped

MINE = {
    "name": "mine",
    "metric": "success_rate",
    "below": {"critical": 0.7},
    "by": ["agent_id"],
    "scope": {"category": ["coding"]},
}


def rules(api: TestClient) -> dict[str, Any]:
    return {one["name"]: one for one in api.get("/v1/alert-rules").json()["alert_rules"]}


def test_the_shipped_rules_are_listed_with_what_can_be_measured(api: TestClient) -> None:
    answer = api.get("/v1/alert-rules").json()

    assert [one["name"] for one in answer["alert_rules"]] == sorted(rule.name for rule in shipped())
    assert {one["source"] for one in answer["alert_rules"]} == {"shipped"}
    assert {"metric": "cpu", "about": "CPU in use", "by": ["service"]} in answer["metrics"]


def test_a_rule_is_added_replaced_and_forgotten(api: TestClient, tables: Store) -> None:
    answer = api.post("/v1/alert-rules", json=MINE).json()
    assert answer == api.get("/v1/alert-rules").json()
    assert (rules(api)["mine"]["source"], rules(api)["mine"]["updated_at"]) == ("api", "2026-01-31T12:00:00Z")
    api.post("/v1/alert-rules", json=MINE | {"below": {"critical": 0.6}})
    assert rules(api)["mine"]["below"] == {"critical": 0.6}
    assert [rule.name for rule in from_rows(tables.query("SELECT * FROM alert_rules FINAL"))] == ["mine"]

    api.delete("/v1/alert-rules/mine")
    assert "mine" not in rules(api)
    assert api.delete("/v1/alert-rules/mine").status_code == 404


def test_a_shipped_rule_is_switched_on_and_as_it_was_again(api: TestClient) -> None:
    preset = {name: value for name, value in rules(api)["success-rate"].items() if name not in ("source", "updated_at")}
    api.post("/v1/alert-rules", json=preset | {"enabled": True})
    assert rules(api)["success-rate"]["enabled"] is True

    api.delete("/v1/alert-rules/success-rate")
    assert rules(api)["success-rate"]["enabled"] is False


def test_what_is_put_replaces_all(api: TestClient) -> None:
    api.post("/v1/alert-rules", json=MINE | {"name": "other"})

    answer = api.put("/v1/alert-rules", json={"alert_rules": [MINE]}).json()

    assert answer == api.get("/v1/alert-rules").json()
    assert [name for name, one in rules(api).items() if one["enabled"]] == ["mine"]
    assert "other" not in rules(api)
    assert api.put("/v1/alert-rules", json={"alert_rules": [MINE, MINE]}).status_code == 400


@pytest.mark.parametrize(
    ("change", "parameter", "mend"),
    [
        ({"metric": "sucess_rate"}, "metric", "did you mean success_rate"),
        ({"below": {"critical": 70}}, "", "between 0 and 1"),
        ({"below": {"warning": 0.7, "critical": 0.8}}, "", "further below"),
        ({"below": None}, "", "either above or below"),
        ({"above": {"warning": 0.5}}, "", "either above or below"),
        ({"below": {"warning": -1}}, "", "never be reached"),
        ({"below": {"fatal": 0.5}}, "below", "one of its names"),
        ({"by": ["provider"]}, "", "not known by provider, but by agent_id"),
        ({"window": "5"}, "window", "15m"),
        ({"window": "90d"}, "window", "32 days"),
        ({"compare": "budget"}, "", "cost_usd"),
        ({"metric": "success_change"}, "", "has no level"),
        ({"metric": "tasks", "below": {"warning": 5}, "window": "day"}, "", "say 24h"),
        ({"metric": "cost_usd", "below": None, "above": {"warning": 3}, "compare": "past", "window": "day"}, "", "say 24h"),
        ({"metric": "max_cost_usd", "below": {"warning": 0.5}, "compare": "past"}, "", "say above"),
        ({"metric": "cpu", "by": [], "scope": {}, "below": {"warning": 0.5}, "compare": "past"}, "", "has no past"),
        ({"treshold": 1}, "treshold", "no such field"),
        ({"name": "a/b"}, "name", ""),
    ],
)
def test_a_wrong_rule_is_refused_with_what_to_change(api: TestClient, change: dict[str, Any], parameter: str, mend: str) -> None:
    answer = api.post("/v1/alert-rules", json=MINE | change)

    assert answer.status_code == 400
    assert mend in answer.json()["detail"] + str(answer.json()["errors"])
    assert parameter in answer.json()["errors"][0]["parameter"]
    assert "mine" not in rules(api)


def test_a_silence_begins_and_ends(api: TestClient) -> None:
    wanted = {"scope": {"agent_id": ["writer"]}, "ends_at": "2026-01-31T14:00:00Z", "by": "ann", "note": "release"}
    silence = api.post("/v1/silences", json=wanted).json()
    assert (silence["starts_at"], silence["scope"]) == ("2026-01-31T12:00:00Z", {"agent_id": ["writer"]})
    assert api.post("/v1/silences", json=wanted).json() == silence
    assert api.get("/v1/silences").json() == {"silences": [silence], "next_cursor": None}

    assert api.delete(f"/v1/silences/{silence['silence_id']}").json()["silences"] == []
    assert api.get("/v1/silences").json()["silences"] == []
    assert api.delete(f"/v1/silences/{silence['silence_id']}").status_code == 404


@pytest.mark.parametrize(
    "wanted",
    [
        {"ends_at": "2026-01-31T11:00:00Z"},
        {"ends_at": "2028-01-31T11:00:00Z"},
        {"starts_at": "2026-02-02T00:00:00Z", "ends_at": "2026-02-01T00:00:00Z"},
        {"ends_at": "2026-02-01T00:00:00Z", "scope": {"colour": ["red"]}},
        {},
    ],
)
def test_a_wrong_silence_is_refused(api: TestClient, wanted: dict[str, Any]) -> None:
    assert api.post("/v1/silences", json=wanted).status_code == 400
