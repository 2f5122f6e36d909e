"""/v1/insights over stored work in which something is planted, and over work in which nothing is."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from merit.jobs.opportunities import Opportunities
from merit.settings import Settings
from query_api.asking.filters import Period
from query_api.asking.questions import asker
from query_api.insights.finding import finder
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from tests.builders import NOW, Row, truncate
from tests.merit.scored import work_out
from tests.query_api.build import evaluation, node, put, span, task, tool

TASKS = 400


def work(agent: str, first: int, seed: int, **more: Any) -> Iterator[Row]:
    """Tasks of an agent over the last 20 days."""
    random = np.random.default_rng(seed)
    many = more.pop("many", TASKS)
    quality, fails, usd = more.pop("quality", 0.8), more.pop("fails", 0.04), more.pop("usd", 0.02)
    for n in range(first, first + many):
        yield task(
            n,
            agent_id=agent,
            agent_name=agent,
            started_at=NOW - timedelta(days=20 * float(random.random())),
            status="failed" if random.random() < fails else "succeeded",
            cost_usd=Decimal(f"{usd * float(np.exp(random.normal(0, 0.3))):.6f}"),
            **more,
        ) | {"score": float(np.clip(random.normal(quality, 0.15), 0, 1))}


def stored(store: Store, tasks: list[Row], nodes: list[Row], spans: list[Row] = []) -> None:  # noqa: B006
    put(store, "tasks", tasks)
    put(store, "nodes", nodes)
    put(store, "otel_traces", spans)
    put(store, "evaluations", [evaluation(int(one["trace_id"], 16), "judge", score=one["score"]) for one in tasks])
    work_out(store)


def of(one: Row) -> dict[str, Any]:
    return {name: one[name] for name in ("trace_id", "task_id", "agent_id", "agent_name", "category", "started_at")}


def calls_of(tasks: list[Row], **more: Any) -> list[Row]:
    return [node(0, 2, **of(one), model=one["models"][0], node_name=one["models"][0], **more) for one in tasks]


@pytest.fixture(scope="module")
def planted(keeper: Store) -> Iterator[list[Row]]:
    """What is said of a store in which one of each is hidden."""
    truncate(keeper)
    dear = list(work("writer", 1, 1, models=["gpt-4o"], usd=0.05))
    cheap = list(work("writer", 1001, 2, models=["gpt-4o-mini"], usd=0.01))
    looping = list(work("looper", 2001, 3, many=100, category="data"))
    searching = list(work("searcher", 3001, 4, category="research", duration_seconds=10.0, fails=0.0))
    random = np.random.default_rng(5)
    tools, chats, spans = [], [], []
    for n, one in enumerate(searching):
        breaks = bool(random.random() < 0.3)
        one["status"] = "failed" if breaks and random.random() < 0.8 else "succeeded"
        tools.append(tool(0, 3, **of(one), node_name="web_search", duration_seconds=7.0, success=not breaks))
        fails = random.random() < (0.15 if n % 2 else 0.01)
        provider = "azure" if n % 2 else "openai"
        chats.append(node(0, 2, **of(one), model="gpt-4o", provider=provider, success=not fails))
    for n, one in enumerate(looping):
        for k in range(5):
            growing = {"input_tokens": 5000 + 900 * k, "model": "gpt-4o", "node_name": "gpt-4o"}
            at = {"started_at": one["started_at"] + timedelta(seconds=k)}
            chats.append(node(0, 10 + k, **of(one) | at, **growing))
            if n % 4 == 0:
                tools.append(tool(0, 20 + k, **of(one), node_name="read_file"))
                said = {"gen_ai.tool.call.arguments": '{"path": "a"}', "gen_ai.tool.call.result": "no such file"}
                where = {"Timestamp": NOW - timedelta(hours=n / 3), "Operation": "execute_tool", "SpanAttributes": said}
                spans.append(span(0, 20 + k, TraceId=one["trace_id"], **where))
        one["started_at"] = NOW - timedelta(hours=n / 3, seconds=1)
        one["llm_calls"] = 5 if n % 8 else 2
    for row in tools:
        if row["node_name"] == "read_file":
            row["started_at"] = next(one["started_at"] for one in looping if one["trace_id"] == row["trace_id"])
    stored(keeper, [*dear, *cheap, *looping, *searching], [*tools, *chats, *calls_of(dear), *calls_of(cheap)], spans)
    yield asked(keeper)["insights"]
    truncate(keeper)


def asked(store: Store, query: str = "") -> Any:
    app = create_app(store, store.insert, QueryApiSettings(), lambda: NOW, Condition())
    with TestClient(app) as client:
        return client.get(f"/v1/insights{query}").raise_for_status().json()


def test_everything_that_is_hidden_is_found_and_nothing_else(planted: list[Row]) -> None:
    found = {(one["kind"], *one["subject"].values()) for one in planted}

    assert found == {
        ("cheaper_model", "writer", "general", "gpt-4o", "gpt-4o-mini"),
        ("prompt_caching", "looper", "gpt-4o", "openai"),
        ("loop", "looper", "data", "read_file", "execute_tool"),
        ("failing_node", "searcher", "web_search", "execute_tool"),
        ("slow_node", "searcher", "web_search", "execute_tool"),
        ("provider_weight", "gpt-4o", "azure", "openai"),
    }


def test_each_says_what_is_to_be_expected_and_how_sure_it_is(planted: list[Row]) -> None:
    by_kind = {one["kind"]: one for one in planted}
    model, failing = by_kind["cheaper_model"], by_kind["failing_node"]

    # 400 tasks in 30 days, each 0.04 dollars dearer; exp(N(0, 0.3)) has the mean 1.046
    assert model["effects"][0]["low"] < -400 * 0.04 * 1.046 < model["effects"][0]["high"]
    assert model["evidence"]["tasks"] == 400
    assert all(one["certainty"] > 0.99 and one["advice"] for one in planted)
    assert all(effect["low"] <= effect["value"] <= effect["high"] for one in planted for effect in one["effects"])
    assert failing["effects"][0]["low"] < 0.3 * 0.8 < failing["effects"][0]["high"]
    assert len(failing["task_ids"]) == 6
    # 24 of 100 tasks (and one that is of this very moment) call it five times alike, 4 times too many: half of them with 5 model
    # calls, at a fifth of 110 tokens, and half with 2, of which one at most was wasted: 12 · 4 · 22 + 12 · 1 · 55
    assert by_kind["loop"]["evidence"] == {"tasks": 100, "looping": 24, "repeats": 96, "wasted_tokens": 1716}
    # 4 of 5 calls begin with the one before: 500 · 4 · 6,350 tokens at 1.25 dollars less a million
    assert by_kind["prompt_caching"]["effects"][0]["low"] == pytest.approx(-100 * 4 * 6350 * 1.25e-6, rel=0.01)


def test_of_too_many_steps_those_of_some_traces_are_told_and_it_is_said(keeper: Store, planted: list[Row]) -> None:
    find = finder(asker(keeper, 30), Settings().processors.cost, most_steps=1200)
    found, notes = find(Period(NOW - timedelta(days=30), NOW))

    assert notes == ["steps, providers, prompts: one trace in 2 was looked at, for there are too many steps"]
    (whole,), (half,) = ([one for one in told if one["kind"] == "failing_node"] for told in (planted, found))
    assert half["evidence"]["calls"] < whole["evidence"]["calls"]
    assert half["evidence"]["error_rate"]["low"] < 0.3 < half["evidence"]["error_rate"]["high"]
    saved = [one["effects"][0]["value"] for told in (planted, found) for one in told if one["kind"] == "prompt_caching"]
    assert saved[1] == pytest.approx(saved[0], rel=0.5)  # of half of the calls, twice as much


def test_insights_are_chosen_by_kind_agent_and_category(keeper: Store, planted: list[Row]) -> None:
    assert len(planted) == 6
    assert {one["kind"] for one in asked(keeper, "?kind=loop&kind=slow_node")["insights"]} == {"loop", "slow_node"}
    assert [one["kind"] for one in asked(keeper, "?agent_id=writer")["insights"]] == ["cheaper_model"]
    assert asked(keeper, "?category=support")["insights"] == []
    assert len(asked(keeper, "?limit=2")["insights"]) == 2


def test_the_job_counts_what_there_is_of_each_agent(keeper: Store, planted: list[Row]) -> None:
    job = Opportunities(keeper, Settings(), lambda: NOW)
    assert job().is_empty()
    assert job.run() == len(planted)
    assert dict(job().select("agent_id", "value").iter_rows()) == {"looper": 2, "searcher": 2, "writer": 1}


def test_of_work_in_which_nothing_is_hidden_nothing_is_said(tables: Store) -> None:
    """Two agents and two models that are alike, tools that work, calls that do not repeat; and few tasks of a third."""
    random = np.random.default_rng(7)
    tasks = [
        *work("a", 1, 8, models=["gpt-4o"]),
        *work("a", 1001, 9, models=["gpt-4o-mini"]),
        *work("b", 2001, 10, models=["gpt-4o"]),
        *work("c", 3001, 11, many=20, models=["gpt-4o"], usd=0.0001, quality=0.95),
    ]
    nodes = [
        row
        for one in tasks
        for row in (
            *(node(0, 2 + k, **of(one), model=one["models"][0], input_tokens=int(random.integers(2000, 9000))) for k in range(4)),
            tool(0, 9, **of(one), success=bool(random.random() > 0.03), duration_seconds=0.5),
        )
    ]
    stored(tables, tasks, nodes)

    assert asked(tables) == {
        "since": "2026-01-01T12:00:00Z",
        "until": "2026-01-31T12:00:00Z",
        "insights": [],
        "notes": [],
        "next_cursor": None,
    }


@pytest.mark.parametrize(
    ("begins", "lasts", "seconds"),
    [
        ([1] * 10, 2.5, None),  # ten at the same time: a quarter of the task
        ([1] * 10, 7.0, 7.0),
        ([0, 2, 4], 4.0, 8.0),  # each begins while the one before still runs
        ([0, 4], 3.5, 7.0),  # one after the other
        ([0], 30.0, 10.0),  # it goes on when its task is over
    ],
)
def test_a_step_takes_no_longer_than_somebody_waits_for_it(
    tables: Store, begins: list[int], lasts: float, seconds: float | None
) -> None:
    tasks = list(work("writer", 1, 12, many=200, duration_seconds=10.0))
    calls = [
        tool(0, 10 + k, **of(one) | {"started_at": one["started_at"] + timedelta(seconds=at)}, duration_seconds=lasts)
        for one in tasks
        for k, at in enumerate(begins)
    ]
    stored(tables, tasks, calls)

    found = asked(tables, "?kind=slow_node")["insights"]

    said = [(one["evidence"]["share_of_time"]["value"], one["effects"][0]["value"]) for one in found]
    assert said == ([] if seconds is None else [(pytest.approx(seconds / 10), pytest.approx(-seconds / 2))])


@pytest.mark.parametrize("query", ["?window=1000d", "?since=2027-01-01T00:00:00Z", "?kind=magic", "?model=x"])
def test_what_cannot_be_looked_at_is_refused(api: TestClient, query: str) -> None:
    assert api.get(f"/v1/insights{query}").status_code == 400


def test_an_empty_store_has_no_insights(api: TestClient) -> None:
    assert api.get("/v1/insights").json()["insights"] == []
