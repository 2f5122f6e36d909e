"""/v1/route/decisions and /v1/route/quality."""

from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest

from processors.frames import conform
from processors.routing.frames import DECISIONS
from tests.builders import NOW
from tests.query_api.build import evaluation, put, task


def decide(api, **question) -> str:
    return api.post("/v1/route", json={"category": "research", "candidates": ["a", "b"]} | question).json()["decision_id"]


def decisions(api, query: str = "") -> list[dict]:
    answer = api.get(f"/v1/route/decisions{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["decisions"]


def test_a_decision_is_listed_with_its_candidates_and_no_outcome_yet(api):
    decision = decide(api)

    (found,) = decisions(api)

    assert found["decision_id"] == decision
    assert {one["agent_id"] for one in found["ranked"]} == {"a", "b"}
    assert sum(one["probability"] for one in found["ranked"]) == pytest.approx(1, abs=1e-6)
    assert (found["success"], found["task_id"], found["cost_usd"]) == (None, None, None)


def test_its_outcome_is_found_by_its_id_by_its_trace_or_as_it_was_reported(api, tables):
    by_id, by_trace = decide(api, candidates=["a"]), decide(api, candidates=["b"], trace_id=f"{77:032x}")
    reported = decide(api)
    put(
        tables,
        "tasks",
        [
            task(1, agent_id="a", decision_id=by_id, status="failed", started_at=NOW),
            task(77, agent_id="b", started_at=NOW),
        ],
    )
    put(tables, "evaluations", [evaluation(77, "reader", score=0.75, evaluated_at=NOW)])
    api.post(f"/v1/route/decisions/{reported}/outcome", json={"success": True, "quality": 0.5, "cost_usd": 3})

    found = {one["decision_id"]: one for one in decisions(api)}

    assert (found[by_id]["success"], found[by_id]["cost_usd"]) == (False, pytest.approx(0.001))
    assert (found[by_trace]["success"], found[by_trace]["quality"]) == (True, 0.75)
    assert found[by_trace]["task_id"].startswith(f"{77:032x}")
    assert (found[reported]["success"], found[reported]["quality"], found[reported]["cost_usd"]) == (True, 0.5, 3)


def test_decisions_and_tasks_of_one_trace_and_agent_are_paired_in_order_of_time(api, tables):
    trace = {"trace_id": f"{77:032x}"}
    first, named, second = (decide(api, candidates=["a"], **trace) for _ in range(3))
    same = {"agent_id": "a", "category": "research", **trace}
    put(
        tables,
        "tasks",
        [
            task(
                77, **same, span_id=f"{2:016x}", status="failed", cost_usd=Decimal("0.02"), started_at=NOW + timedelta(seconds=2)
            ),
            task(77, **same, span_id=f"{3:016x}", decision_id=named, started_at=NOW),
            task(77, **same, span_id=f"{4:016x}", cost_usd=Decimal("0.005"), started_at=NOW + timedelta(seconds=1)),
        ],
    )
    order = sorted((first, second))  # they were made at the same moment

    found = {one["decision_id"]: one for one in decisions(api)}
    sums = api.get("/v1/route/quality").json()

    assert [(found[one]["success"], found[one]["cost_usd"]) for one in order] == [(True, 0.005), (False, 0.02)]
    assert found[named]["task_id"].endswith(f"{3:016x}")
    assert len({one["task_id"] for one in found.values()}) == 3
    assert (sums["success_rate"], sums["cost_usd"]) == (pytest.approx(2 / 3), pytest.approx(0.026))


def test_in_a_trace_of_days_they_are_paired_from_its_beginning(api, tables):
    trace = {"trace_id": f"{78:032x}"}
    now = decide(api, candidates=["a"], **trace)
    stored = tables.query("SELECT * FROM routing_decisions FINAL WHERE decision_id = {id:String}", {"id": now})
    before = stored.with_columns(decision_id=pl.lit("0before"), decided_at=pl.col("decided_at") - pl.duration(days=3))
    tables.insert("routing_decisions", before)
    same = {"agent_id": "a", "category": "research", **trace}
    times = {2: NOW - timedelta(days=3), 3: NOW}
    put(tables, "tasks", [task(78, **same, span_id=f"{span:016x}", started_at=at) for span, at in times.items()])

    (found,) = [one for one in decisions(api, "?window=1h") if one["decision_id"] == now]
    assert found["task_id"].endswith(f"{3:016x}")


def test_pages_go_on_where_the_one_before_ended(api):
    made = {decide(api) for _ in range(5)}
    first = api.get("/v1/route/decisions?limit=3").json()
    second = api.get(f"/v1/route/decisions?limit=3&cursor={first['next_cursor']}").json()

    assert {one["decision_id"] for one in first["decisions"] + second["decisions"]} == made
    assert second["next_cursor"] is None


def test_decisions_can_be_chosen(api):
    decide(api, candidates=["a"])
    decide(api, category="writing", candidates=["b"])
    decide(api, kind="model", candidates=["gpt"])
    decide(api, candidates=[])

    assert [one["agent_id"] for one in decisions(api, "?agent_id=a")] == ["a"]
    assert [one["agent_id"] for one in decisions(api, "?category=writing")] == ["b"]
    assert [one["agent_id"] for one in decisions(api, "?kind=model")] == ["gpt"]
    assert [one["agent_id"] for one in decisions(api, "?agent_id=")] == [None]
    assert decisions(api, "?until=2025-01-01T00:00:00Z") == []


def test_quality_says_success_coverage_and_regret_against_the_best_in_hindsight(api, tables):
    made = [decide(api, candidates=["a"]) for _ in range(10)]
    decide(api, candidates=[])
    rows = [
        task(n, agent_id="a", category="research", decision_id=made[n], status="failed" if n < 4 else "succeeded", started_at=NOW)
        for n in range(8)
    ]
    best = [task(100 + n, agent_id="b", category="research", started_at=NOW) for n in range(12)]
    luck = [task(200 + n, agent_id="c", category="research", started_at=NOW) for n in range(3)]
    put(tables, "tasks", rows + best + luck)

    found = api.get("/v1/route/quality").json()

    assert (found["decisions"], found["unanswered"], found["known"]) == (11, 1, 8)
    assert found["coverage"] == pytest.approx(0.8)
    assert found["success_rate"] == pytest.approx(0.5)
    assert (found["best_success_rate"], found["regret"], found["total_regret"]) == (1, 0.5, 4)
    assert found["routed_share"] == pytest.approx(8 / 23)
    assert found["cost_usd"] == pytest.approx(0.008)
    assert [one["decisions"] for one in found["series"]] == [11]
    assert found["series"][0]["period"].startswith("2026-01-31T00:00:00")


def test_what_is_linked_by_trace_or_only_reported_counts_as_routed_and_known_by_category(api, tables):
    made = {n: decide(api, candidates=["a"], trace_id=f"{n:032x}") for n in range(1, 4)}
    told, good = decide(api, candidates=["a"]), decide(api, candidates=["a"])
    decide(api, category="writing", candidates=["a"])
    put(tables, "tasks", [task(n, agent_id="a", category="research", started_at=NOW) for n in (*made, 50, 51, 52)])
    put(tables, "tasks", [task(60, agent_id="a", category="writing", started_at=NOW)])
    api.post(f"/v1/route/decisions/{told}/outcome", json={"success": True})
    api.post(f"/v1/route/decisions/{good}/outcome", json={"quality": 0.9})

    found = api.get("/v1/route/quality?category=research").json()

    assert (found["known"], found["coverage"], found["success_rate"]) == (5, 1, 1)
    assert found["routed_share"] == pytest.approx(5 / 8)
    assert api.get("/v1/route/quality").json()["routed_share"] == pytest.approx(5 / 9)
    assert api.get("/v1/route/quality?category=writing").json()["routed_share"] == 0


def test_explored_is_the_share_of_choices_that_were_not_the_likeliest_candidates(api, tables):
    for _ in range(4):
        decide(api, candidates=["a"])
    decided = tables.query("SELECT * FROM routing_decisions LIMIT 1")
    fair = {"candidates": [["a", "b"]], "probabilities": [[0.3, 0.7]], "probability": [0.3], "decision_id": ["explored"]}
    drawn = decided.with_columns(**{name: pl.Series(value) for name, value in fair.items()})
    tables.insert("routing_decisions", conform(drawn, DECISIONS))

    assert api.get("/v1/route/quality").json()["explored"] == pytest.approx(0.2)


def test_quality_without_decisions_is_null_and_no_error(api):
    found = api.get("/v1/route/quality?every=hour").json()

    assert (found["decisions"], found["success_rate"], found["series"]) == (0, None, [])


def test_cost_saved_is_against_a_candidate_at_random(api, tables):
    put(tables, "tasks", [task(1, agent_id="a", decision_id=decide(api), started_at=NOW + timedelta(seconds=1))])

    assert api.get("/v1/route/quality").json()["cost_saved_usd"] is None  # nobody's cost was known when it was decided


def test_nobody_is_said_to_score_higher_or_to_meet_a_limit_of_which_nothing_is_known(api):
    answer = api.post("/v1/route", json={"candidates": ["a", "b"], "max_cost_usd": 0.1}).json()

    assert "the best score of 2" in answer["explanation"]
    assert "max_cost_usd excludes nobody: nothing of the kind was ever seen" in answer["ranked"][0]["reasons"]
