"""PATCH /v1/agents/{agent_id}."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from tests.merit.scored import judge, scoring
from tests.query_api.build import known_agent, put, task

PATH = "/v1/agents/finance%2Feu"
SHOWN = ("nickname", "agent_type", "department", "capabilities", "edited")


@pytest.fixture(autouse=True)
def seen(tables: Store) -> None:
    put(tables, "agents", [known_agent("finance/eu", agent_type="clerk", department="sales", capabilities=["writing"])])


def shown(api: TestClient) -> dict[str, Any]:
    agent = api.get(PATH).json()
    assert agent in [{**one, **{name: agent[name] for name in agent.keys() - one.keys()}} for one in listed(api)]
    return {name: agent[name] for name in SHOWN}


def listed(api: TestClient) -> list[dict[str, Any]]:
    agents: list[dict[str, Any]] = api.get("/v1/agents").json()["agents"]
    return agents


def test_what_a_person_sets_goes_before_what_spans_say_and_null_takes_it_back(api: TestClient) -> None:
    said = {"nickname": None, "agent_type": "clerk", "department": "sales", "capabilities": ["writing"], "edited": []}
    ours = {"nickname": "Fin", "agent_type": "cognitive", "department": "finance", "capabilities": ["analysis", "data"]}
    assert shown(api) == said

    answer = api.patch(PATH, json=ours)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in ours} == ours
    assert shown(api) == ours | {"edited": sorted(ours)}

    assert api.patch(PATH, json={"department": None, "capabilities": []}).status_code == 200
    now = ours | {"department": "sales", "capabilities": [], "edited": ["agent_type", "capabilities", "nickname"]}
    assert shown(api) == now

    api.patch(PATH, json=dict.fromkeys(ours))
    assert shown(api) == said


def test_what_is_set_later_counts_though_the_clock_was_set_back(api: TestClient, tables: Store) -> None:
    ahead = {"agent_id": "finance/eu", "field": "nickname", "value": ["Old"], "version": 2**42, "is_deleted": False}
    put(tables, "agent_edits", [ahead])
    assert shown(api)["nickname"] == "Old"

    assert api.patch(PATH, json={"nickname": "New"}).json()["nickname"] == "New"


def test_agents_are_found_by_the_department_that_a_person_gave_them(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1, agent_id="finance/eu", department="sales"), task(2)])
    api.patch(PATH, json={"department": "finance"})
    (agent,) = api.get("/v1/agents?department=finance").json()["agents"]
    assert (agent["agent_id"], agent["department"], agent["tasks"]) == ("finance/eu", "finance", 1)


def test_work_stays_with_the_department_that_it_was_done_for(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1, agent_id="finance/eu", department="sales")])
    scoring(tables).catch_up()
    api.patch(PATH, json={"department": "finance"})
    put(tables, "tasks", [task(2, agent_id="finance/eu", department="finance")])
    scoring(tables).catch_up()

    for department in ("sales", "finance"):
        (agent,) = api.get(f"/v1/rankings?department={department}").json()["rankings"]
        assert (agent["agent_id"], agent["tasks"]) == ("finance/eu", 1)
    departments = api.get("/v1/departments").json()["departments"]
    assert {one["department"]: one["tasks"] for one in departments} == {"sales": 1, "finance": 1}


def test_agents_of_a_department_are_scored_by_the_tasks_that_are_counted(api: TestClient, tables: Store) -> None:
    put(tables, "agents", [known_agent("guest", department="sales")])
    rows = [task(1, agent_id="finance/eu", department="sales"), task(2, agent_id="guest", department="finance")]
    put(tables, "tasks", [*rows, task(3, agent_id="guest", department="sales")])
    for row in rows:
        judge(tables, row["task_id"], 0.5)
    scoring(tables).catch_up()
    api.patch(PATH, json={"department": "finance"})

    agents = api.get("/v1/agents?department=finance").json()["agents"]
    told = [(agent["agent_id"], agent["tasks"], agent["rated_tasks"], agent["quality"]) for agent in agents]
    assert sorted(told) == [("finance/eu", 1, 1, 0.5), ("guest", 1, 1, 0.5)]
    assert all(agent["points"] == agent["points_per_task"] is not None for agent in agents)


@pytest.mark.parametrize(
    ("sent", "parameter"),
    [
        ({}, "body"),
        ({"nickname": ""}, "nickname"),
        ({"nickname": "x" * 201}, "nickname"),
        ({"nickname": 3}, "nickname"),
        ({"nick": "x"}, "nick"),
        ({"capabilities": "research"}, "capabilities"),
        ({"capabilities": [""]}, "capabilities.0"),
        ({"capabilities": ["x"] * 101}, "capabilities"),
    ],
)
def test_what_cannot_be_set_is_refused(api: TestClient, sent: dict[str, Any], parameter: str) -> None:
    answer = api.patch(PATH, json=sent)
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, parameter)
    assert shown(api)["edited"] == []


def test_nobody_can_describe_an_agent_that_is_not_in_the_registry(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1, agent_id="nobody")])
    answer = api.patch("/v1/agents/nobody", json={"nickname": "x"})
    assert (answer.status_code, "'nobody'" in answer.json()["detail"]) == (404, True)
