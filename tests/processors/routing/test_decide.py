import numpy as np
import polars as pl
import pytest

from processors.routing.decide import Assignment, Decision, Standing, decide
from processors.routing.evidence import OBSERVATIONS, Evidence
from processors.routing.features import FEATURES
from processors.routing.policies import policy
from processors.routing.settings import RoutingSettings

SETTINGS = RoutingSettings()


def learnt(*observations: dict[str, object]) -> Evidence:
    evidence = Evidence(SETTINGS.change_threshold)
    evidence.learn(pl.DataFrame([{**dict.fromkeys(OBSERVATIONS), **each} for each in observations], OBSERVATIONS))
    return evidence.frozen()


def done(agent: str, category: str, times: int, **seen: float) -> list[dict[str, object]]:
    return [{"agent_id": agent, "category": category, **seen} for _ in range(times)]


def decided(evidence: Evidence, category: str, names: list[str], profile: str = "quality", **limits: float) -> Decision:
    nothing = np.zeros(len(names))
    task = Assignment(category, np.full(FEATURES, np.nan), **limits)
    numbers = np.array([evidence.cells.agents[name] for name in names])
    standing = Standing(nothing, nothing > 0, nothing > 0)
    return decide(evidence, task, numbers, standing, policy(SETTINGS, "greedy", profile), SETTINGS)


def test_one_extreme_quality_is_not_expected_of_everybody():
    work = [
        *done("ada", "coding", 56, success=1.0),
        *done("ada", "coding", 4, success=0.0),
        *done("bob", "coding", 24, success=1.0),
        *done("bob", "coding", 36, success=0.0),
    ]

    found = decided(learnt(*work, *done("zed", "poems", 1, quality=0.0)), "coding", ["ada", "bob"])

    assert found.expected.quality is not None
    assert (found.expected.quality.mean > 0.25).all()
    assert found.score[0] > found.score[1] + 0.1
    assert found.probability.tolist() == [1.0, 0.0]


def test_what_many_show_outweighs_what_was_believed_beforehand():
    seen = [each for n in range(20) for each in done(f"agent-{n}", "coding", 30, success=1.0)]

    newcomer = learnt(*seen).success.estimate("coding", np.full(FEATURES, np.nan)).mean[-1]

    assert newcomer == pytest.approx(1.0, abs=0.03)


def test_tasks_that_are_free_do_not_make_others_look_dear():
    paid = [each for n in range(60) for each in (*done("paid", "x", 1, cost_usd=0.0125), *done("free", "x", 1, cost_usd=0.0))]
    mixed = [each for n in range(30) for each in (*done("mixed", "x", 1, cost_usd=0.0125), *done("mixed", "x", 1, cost_usd=0.0))]

    found = decided(learnt(*paid, *mixed), "x", ["paid", "free", "mixed"], max_cost_usd=0.02).expected

    assert found.cost_usd is not None
    assert found.cost_usd[0] == pytest.approx(0.0125, rel=0.15)
    assert found.cost_usd[1] < 0.0003
    assert found.cost_usd[2] == pytest.approx(0.00625, rel=0.15)
    assert (found.within_cost > 0.9).all()


def test_where_all_is_free_all_stays_within_any_limit():
    found = decided(learnt(*done("a", "x", 5, cost_usd=0.0)), "x", ["a"], max_cost_usd=0.0).expected

    assert found.cost_usd is not None
    assert found.cost_usd.tolist() == [0.0]
    assert found.within_cost.tolist() == [1.0]
    assert found.cost_share.tolist() == [0.0]


def test_half_of_what_is_free_stays_within_no_money_at_all():
    work = [each for _ in range(50) for each in (*done("a", "x", 1, cost_usd=0.0), *done("a", "x", 1, cost_usd=1.0))]

    assert decided(learnt(*work), "x", ["a"], max_cost_usd=0.0).expected.within_cost[0] == pytest.approx(0.5, abs=0.02)


def test_who_is_dear_elsewhere_does_not_make_this_work_cheap():
    here = [
        *done("careful", "k", 70, success=1.0, cost_usd=0.01),
        *done("careful", "k", 30, success=0.0, cost_usd=0.01),
        *done("best", "k", 90, success=1.0, cost_usd=0.02),
        *done("best", "k", 10, success=0.0, cost_usd=0.02),
    ]
    dear = [each for name in ("x", "y", "z") for each in done(name, "elsewhere", 40, success=1.0, cost_usd=1.0)]

    before = decided(learnt(*here), "k", ["careful", "best"], "cost")
    after = decided(learnt(*here, *dear), "k", ["careful", "best"], "cost")

    assert after.expected.cost_share == pytest.approx(before.expected.cost_share, abs=0.1)
    assert before.probability.tolist() == after.probability.tolist() == [1.0, 0.0]
