"""Scores and ranks: worked by hand, and what must hold of any history."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincinv

from processors.frames import conform, empty
from processors.scores import AGENTS, STATISTICS, rank
from processors.shrinkage import shrunk, with_kappa, with_others

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def work(
    agent_id: str, succeeded: int, failed: int, category: str = "general", recent: bool = True, **more: Any
) -> dict[str, Any]:
    """A row of statistics: tasks of 1 s and one model call each, 0.01 dollars each."""
    n = succeeded + failed
    return {
        "agent_id": agent_id,
        "category": category,
        "recent": recent,
        "tasks": n,
        "succeeded": succeeded,
        "failed": failed,
        "duration_sum": float(n),
        "speed_n": n,
        "speed_sum": 0.5 * succeeded,
        "speed_squares": 0.25 * succeeded,
        "cost_n": n,
        "cost_succeeded": succeeded,
        "cost_sum": 0.01 * n,
        "cost_squares": 0.0001 * n,
        "cost_of_succeeded": 0.01 * succeeded,
        "total_cost_usd": Decimal("0.01") * n,
        "llm_calls": n,
        "unpriced_calls": 0,
    } | more


def costing(agent_id: str, each: float, succeeded: int, failed: int) -> dict[str, Any]:
    """A row of statistics whose tasks cost `each` dollars."""
    n = succeeded + failed
    money = {"cost_sum": each * n, "cost_squares": each**2 * n, "cost_of_succeeded": each * succeeded}
    return work(agent_id, succeeded, failed, **money, total_cost_usd=Decimal(str(each)) * n)


def statistics(*rows: dict[str, Any]) -> pl.DataFrame:
    return conform(pl.DataFrame(list(rows)), STATISTICS) if rows else empty(STATISTICS)


def agents(frame: pl.DataFrame, age: timedelta = timedelta(days=60)) -> pl.DataFrame:
    return conform(
        frame.select(pl.col("agent_id").unique().sort()).with_columns(
            agent_name="agent_id",
            first_seen=pl.lit(NOW - age),
            last_seen=pl.lit(NOW),
            days_active=pl.lit(5),
            p95_duration_seconds=pl.lit(1.0),
        ),
        AGENTS,
    )


def ranking(*rows: dict[str, Any], by: Any = "success_rate", **more: Any) -> dict[str, dict[str, Any]]:
    """The ranking by agent, in its order."""
    frame = statistics(*rows)
    age = more.pop("age", timedelta(days=60))
    return {row["agent_id"]: row for row in rank(frame, agents(frame, age), by, NOW, **more).to_dicts()}


def test_two_agents_are_each_drawn_to_the_other_by_ten_pseudo_observations() -> None:
    ranked = ranking(work("a", 18, 2), work("b", 5, 5))
    # a: (18 + 10 · 5/10) / (20 + 10); b: (5 + 10 · 18/20) / (10 + 10)
    assert ranked["a"]["score"] == pytest.approx(23 / 30)
    assert ranked["b"]["score"] == pytest.approx(14 / 20)
    assert [row["rank"] for row in ranked.values()] == [1, 2]
    assert ranked["a"]["success_rate"] == 0.9, "the plain share is shown as it was seen"


def test_a_lucky_newcomer_stays_below_a_proven_agent_and_gets_no_badge() -> None:
    others = [work(f"other-{i}", 26 + i, 14 - i) for i in range(4)]
    ranked = ranking(work("proven", 95, 5), work("lucky", 3, 0), *others)
    assert list(ranked)[:2] == ["proven", "lucky"]
    assert ranked["lucky"]["success_rate"] == 1.0 > ranked["lucky"]["score"]
    assert ranked["lucky"]["probation"]
    assert ranked["lucky"]["badge"] is None
    assert ranked["proven"]["badge"] == "gold"
    widths = {name: row["score_high"] - row["score_low"] for name, row in ranked.items()}
    assert widths["lucky"] > 2 * widths["proven"]


def test_equal_scores_share_a_rank_and_the_next_one_is_left_out() -> None:
    ranked = ranking(work("a", 18, 2), work("b", 18, 2), work("c", 4, 16))
    assert [(name, row["rank"], row["badge"]) for name, row in ranked.items()] == [
        ("a", 1, "gold"),
        ("b", 1, "gold"),
        ("c", 3, "bronze"),
    ]


def test_of_equal_scores_the_one_with_more_observations_comes_first() -> None:
    ranked = ranking(work("a", 10, 0), work("b", 30, 0), work("c", 20, 0))
    assert list(ranked) == ["b", "c", "a"]
    assert {row["rank"] for row in ranked.values()} == {1}


def test_a_single_agent_is_drawn_to_nobody_and_its_interval_is_its_own_posterior() -> None:
    (row,) = ranking(work("only", 12, 4)).values()
    assert row["score"] == pytest.approx(0.75)
    # Beta(12 + ½, 4 + ½): nobody else says anything
    assert row["score_low"] == pytest.approx(betaincinv(12.5, 4.5, 0.05))
    assert row["score_high"] == pytest.approx(betaincinv(12.5, 4.5, 0.95))


def test_an_agent_alone_in_its_category_is_drawn_to_the_others_elsewhere() -> None:
    ranked = ranking(work("a", 10, 0, "writing"), work("b", 10, 10, "coding"))
    # a in writing: (10 + 10 · 0.5) / 20 = 0.75 against a category mean of 1; b in coding: (10 + 10 · 1) / 30 = 2/3 against 0.5;
    # the global mean: (10 · 1 + 20 · 0.5) / 30 = 2/3
    assert ranked["a"]["score"] == pytest.approx(2 / 3 - 0.25)
    assert ranked["b"]["score"] == pytest.approx(2 / 3 + 1 / 6)


def test_nobody_leads_by_picking_easy_work() -> None:
    easy = [work(f"easy-{i}", 90, 10, "easy") for i in range(3)]
    hard = [work(f"hard-{i}", 40, 60, "hard") for i in range(3)]
    ranked = ranking(*easy, *hard, work("picker", 88, 12, "easy"), work("solver", 60, 40, "hard"))
    assert next(iter(ranked)) == "solver"
    assert ranked["picker"]["score"] < ranked["easy-0"]["score"]


def test_an_agent_without_finished_tasks_has_no_score_and_no_rank_and_comes_last() -> None:
    ranked = ranking(work("idle", 0, 0, tasks=3), work("bad", 0, 12))
    assert list(ranked) == ["bad", "idle"]
    assert ranked["idle"] | {"score": None, "rank": None, "success_rate": None, "tasks": 3, "probation": True} == ranked["idle"]


def test_no_history_makes_an_empty_ranking() -> None:
    for by in ("success_rate", "speed", "cost_per_success"):
        assert ranking(by=by) == {}


@pytest.mark.parametrize(("tasks", "age", "probation"), [(9, 60, True), (10, 60, False), (10, 6.9, True), (10, 7, False)])
def test_probation_ends_with_ten_tasks_and_seven_days(tasks: int, age: float, probation: bool) -> None:
    (row,) = ranking(work("a", tasks, 0), age=timedelta(days=age)).values()
    assert row["probation"] is probation
    assert row["badge"] == (None if probation else "gold")


def test_speed_is_null_where_no_usual_duration_is_known() -> None:
    unknown = {"speed_n": 0, "speed_sum": 0.0, "speed_squares": 0.0}
    ranked = ranking(work("a", 9, 1, **unknown), work("b", 9, 1), by="speed")
    assert list(ranked) == ["b", "a"]
    assert ranked["a"]["speed"] is ranked["a"]["score"] is ranked["a"]["rank"] is None
    assert 0 < ranked["b"]["score_low"] <= ranked["b"]["score"] <= ranked["b"]["score_high"] < 1


def test_the_cheapest_success_ranks_first() -> None:
    ranked = ranking(costing("dear", 0.05, 20, 0), costing("cheap", 0.01, 20, 0), by="cost_per_success")
    assert list(ranked) == ["cheap", "dear"]
    # with 10 pseudo-tasks as the other's: (20 · 0.01 + 10 · 0.05) / 30, all succeeded
    assert ranked["cheap"]["score"] == pytest.approx(0.7 / 30)
    assert ranked["cheap"]["cost_per_success_usd"] == pytest.approx(0.01)
    assert ranked["cheap"]["score_low"] < ranked["cheap"]["score"] < ranked["cheap"]["score_high"]


def test_an_agent_that_never_succeeded_has_no_cost_per_success_but_ranks_as_dear() -> None:
    ranked = ranking(costing("never", 0.01, 0, 20), costing("often", 0.01, 20, 0), by="cost_per_success")
    assert list(ranked) == ["often", "never"]
    assert ranked["never"]["cost_per_success_usd"] is None
    # 20 tasks of its own and 10 as the other's: 30 · 0.01 for 10 successes
    assert ranked["never"]["score"] == pytest.approx(0.03)


def test_where_nobody_succeeds_there_is_no_cost_per_success() -> None:
    assert ranking(costing("never", 0.01, 0, 20), by="cost_per_success")["never"]["score"] is None


def test_unknown_prices_never_rank_cheapest() -> None:
    free = costing("free?", 0.0001, 20, 0) | {"unpriced_calls": 2}  # 2 of 20 calls: over 5 %
    unpriced = work("unpriced", 20, 0, cost_n=0, cost_succeeded=0, cost_sum=0.0, cost_squares=0.0, unpriced_calls=20)
    nearly = costing("nearly", 0.02, 20, 0) | {"unpriced_calls": 1}  # 1 of 20: 5 %, still known
    ranked = ranking(free, unpriced, nearly, costing("known", 0.01, 20, 0), by="cost_per_success")
    assert list(ranked) == ["known", "nearly", "free?", "unpriced"]
    for name in ("free?", "unpriced"):
        costs = ("score", "score_low", "score_high", "rank", "avg_cost_usd", "cost_per_success_usd")
        assert {ranked[name][column] for column in costs} == {None}
    assert ranked["unpriced"]["total_cost_usd"] is None


def test_work_that_costs_nothing_scores_zero() -> None:
    ranked = ranking(costing("local", 0.0, 20, 0), costing("other", 0.0, 10, 5), by="cost_per_success")
    assert [row["score"] for row in ranked.values()] == [0.0, 0.0]


def test_recent_work_weighs_more_unless_a_window_was_asked_for() -> None:
    # 10 recent of 100: their share is 0.1, but at least 0.7 · 10 / 20 = 0.35
    history = [work("a", 0, 90, recent=False), work("a", 10, 0, recent=True)]
    (weighted,) = ranking(*history).values()
    (plain,) = ranking(*history, favour_recent=False).values()
    assert weighted["score"] == pytest.approx(0.35)
    assert plain["score"] == pytest.approx(0.10)
    assert weighted["score_high"] - weighted["score_low"] > plain["score_high"] - plain["score_low"], "weights cost certainty"


counts = st.tuples(st.integers(0, 40), st.integers(0, 40))


@settings(max_examples=50)
@given(
    st.lists(counts, min_size=1, max_size=8),
    st.randoms(use_true_random=False),
    st.sampled_from(["success_rate", "cost_per_success"]),
)
def test_the_order_of_rows_does_not_matter(tallies: list[tuple[int, int]], random: Any, by: str) -> None:
    rows = [work(f"agent-{i % 5}", s, f, category=f"c{i // 5}") for i, (s, f) in enumerate(tallies)]
    shuffled = random.sample(rows, len(rows))
    assert ranking(*rows, by=by) == ranking(*shuffled, by=by)


@settings(max_examples=50)
@given(st.lists(counts, min_size=1, max_size=8))
def test_every_score_lies_in_its_interval_and_within_zero_and_one(tallies: list[tuple[int, int]]) -> None:
    for by in ("success_rate", "speed"):
        for row in ranking(*(work(f"agent-{i}", s, f) for i, (s, f) in enumerate(tallies)), by=by).values():
            if row["score"] is None:
                assert row["succeeded"] + row["failed"] == 0
            else:
                assert 0 <= row["score_low"] <= row["score"] <= row["score_high"] <= 1


def groups(*tallies: tuple[int, float]) -> pl.DataFrame:
    """One category: n and mean of each agent."""
    n, mean = zip(*tallies, strict=True)
    frame = pl.DataFrame({"agent_id": [f"a{i}" for i in range(len(n))], "n": n, "mean": mean})
    return frame.with_columns(category=pl.lit("c"), square=pl.col("mean"), n=pl.col("n").cast(pl.Float64))


def believed(*tallies: tuple[int, float]) -> list[float]:
    return with_others(with_kappa(groups(*tallies)), "mean").select(score=shrunk("mean"))["score"].to_list()


def test_without_observations_an_agent_is_what_the_others_are() -> None:
    # each of the others counts by n / (n + 10)
    weights = 20 / 30, 5 / 15
    assert believed((0, 0.0), (20, 0.9), (5, 0.3))[0] == pytest.approx((0.9 * weights[0] + 0.3 * weights[1]) / sum(weights))


def test_with_many_observations_an_agent_is_its_own_mean() -> None:
    distance = [abs(believed((n, 0.2), (20, 0.9), (5, 0.3))[0] - 0.2) for n in (1, 10, 100, 10_000, 1_000_000)]
    assert distance == sorted(distance, reverse=True)
    assert distance[-1] < 1e-4


def test_a_better_record_never_lowers_the_score() -> None:
    scores = [ranking(work("a", s, 20 - s), work("b", 15, 5), work("c", 10, 10))["a"]["score"] for s in range(21)]
    assert scores == sorted(scores)


def kappa(*tallies: tuple[int, float]) -> float:
    return float(with_kappa(groups(*tallies))["kappa"][0])


def test_kappa_is_large_where_agents_are_alike_and_small_where_they_differ() -> None:
    assert kappa(*[(20, 0.5)] * 6) == 50
    assert kappa(*[(20, 0.0), (20, 1.0)] * 3) == 2
    # analysis of variance over five agents of 10 observations: κ = σ² / τ², τ² = (MSB − MSW) / 10
    means = (0.1, 0.3, 0.5, 0.7, 0.9)
    within = sum(10 * m * (1 - m) for m in means) / 45
    between = sum(10 * (m - 0.5) ** 2 for m in means) / 4
    assert kappa(*((10, m) for m in means)) == pytest.approx(max(2, within / ((between - within) / 10)))


def test_kappa_is_ten_below_five_agents() -> None:
    assert kappa((20, 0.1), (20, 0.9), (20, 0.5), (20, 0.4), (0, 0.0)) == 10


@pytest.mark.parametrize("shape", ["narrow", "wide", "two-humped"])
def test_nine_in_ten_intervals_hold_the_truth(shape: str) -> None:
    random = np.random.default_rng(7)
    humps = np.where(random.random(2000) < 0.5, random.normal(0.3, 0.05, 2000), random.normal(0.85, 0.04, 2000))
    truths = {"narrow": random.normal(0.8, 0.03, 2000), "wide": random.uniform(0.1, 0.95, 2000), "two-humped": humps}[shape].clip(
        0, 1
    )
    n = random.integers(5, 100, truths.size)
    wins = random.binomial(n, truths)
    ranked = ranking(*(work(f"a{i}", int(s), int(t - s)) for i, (s, t) in enumerate(zip(wins, n, strict=True))))
    held = [ranked[f"a{i}"]["score_low"] <= truth <= ranked[f"a{i}"]["score_high"] for i, truth in enumerate(truths)]
    # κ is at most 50: where agents are more alike than that (narrow), intervals are wider than they need be
    assert 0.87 <= np.mean(held) <= (0.975 if shape == "narrow" else 0.93)


def test_cost_intervals_hold_the_truth_too() -> None:
    random = np.random.default_rng(11)
    rows, truths = [], []
    for i in range(400):
        p, level, n = random.uniform(0.5, 0.95), random.lognormal(-4, 0.5), int(random.integers(20, 100))
        cost, ok = random.lognormal(np.log(level), 0.6, n), random.random(n) < p
        truths.append(level * np.exp(0.18) / p)  # the mean of a log-normal is level · exp(σ²/2)
        money = {"cost_sum": cost.sum(), "cost_squares": (cost**2).sum(), "cost_of_succeeded": cost[ok].sum()}
        rows.append(work(f"a{i}", int(ok.sum()), int(n - ok.sum()), **money))
    ranked = ranking(*rows, by="cost_per_success")
    held = [ranked[f"a{i}"]["score_low"] <= truth <= ranked[f"a{i}"]["score_high"] for i, truth in enumerate(truths)]
    assert 0.87 <= np.mean(held) <= 0.93
