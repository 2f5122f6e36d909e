"""Ranks: worked by hand, and what must hold of any history."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, get_args

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincinv

from processors.scoring.measures import score_means
from processors.scoring.ranking import By
from processors.scoring.settings import Profile
from tests.processors.scoring.histories import SETTINGS, costing, judged, ranking, statistics, work


def test_two_agents_are_each_drawn_to_the_other_by_ten_pseudo_observations() -> None:
    ranked = ranking(work("a", 18, 2), work("b", 5, 5))
    # with a tenth of an agent of which nothing is known, 0.5, beside the other, which counts n / (n + 10):
    # a: (18 + 10 · 0.5) / (20 + 10); b: (5 + 10 · (0.9 · 20/30 + 0.5 · 0.1) / (20/30 + 0.1)) / (10 + 10)
    assert ranked["a"]["score"] == pytest.approx(23 / 30)
    assert ranked["b"]["score"] == pytest.approx((5 + 10 * (0.6 + 0.05) / (2 / 3 + 0.1)) / 20)
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


def test_of_two_agents_the_lucky_newcomer_stays_below_the_proven_one() -> None:
    assert list(ranking(work("proven", 95, 5), work("lucky", 3, 0))) == ["proven", "lucky"]
    for others in range(4):
        crowd = [work(f"other-{n}", 30, 10) for n in range(others)]
        assert next(iter(ranking(work("proven", 95, 5), work("lucky", 3, 0), *crowd))) == "proven"


def test_equal_scores_share_a_rank_and_the_next_one_is_left_out() -> None:
    ranked = ranking(work("a", 18, 2), work("b", 18, 2), work("c", 4, 16))
    assert [(name, row["rank"], row["badge"]) for name, row in ranked.items()] == [
        ("a", 1, "gold"),
        ("b", 1, "gold"),
        ("c", 3, "bronze"),
    ]


def test_of_equal_scores_the_one_with_more_observations_comes_first() -> None:
    costs = [costing("a", 0.0, 10, 0), costing("b", 0.0, 30, 0), costing("c", 0.0, 20, 0)]
    ranked = ranking(*costs, by="cost_per_success")
    assert list(ranked) == ["b", "c", "a"]
    assert {row["rank"] for row in ranked.values()} == {1}


def test_a_single_agent_is_drawn_to_nobody_and_its_interval_is_its_own_posterior() -> None:
    (row,) = ranking(work("only", 12, 4)).values()
    assert row["score"] == pytest.approx(0.75)
    # Beta(12 + ½, 4 + ½): nobody else says anything
    assert row["score_low"] == pytest.approx(betaincinv(12.5, 4.5, 0.05), abs=0.01)
    assert row["score_high"] == pytest.approx(betaincinv(12.5, 4.5, 0.95), abs=0.01)


def test_an_agent_alone_in_its_category_is_drawn_to_the_others_elsewhere() -> None:
    ranked = ranking(work("a", 10, 0, "writing"), work("b", 10, 10, "coding"))
    # both are far from each other: a is drawn to b, (0.5 · 20/30 + 0.5 · 0.1) / (20/30 + 0.1) = 0.5, b to a, which counts ½
    assert ranked["a"]["score"] == pytest.approx(0.75)
    others = (0.5 + 0.05) / 0.6
    assert ranked["b"]["score"] == pytest.approx((10 + 10 * others) / 30)


def test_nobody_leads_by_picking_easy_work() -> None:
    easy = [work(f"easy-{i}", 90, 10, "easy") for i in range(3)]
    hard = [work(f"hard-{i}", 40, 60, "hard") for i in range(3)]
    ranked = ranking(*easy, *hard, work("picker", 88, 12, "easy"), work("solver", 60, 40, "hard"))
    assert next(iter(ranked)) == "solver"
    assert ranked["picker"]["score"] < ranked["easy-0"]["score"]


@pytest.mark.parametrize("by", ["success_rate", "performance", "points", "cost_per_success"])
def test_nobody_leads_by_picking_work_that_is_said_to_be_simple(by: str) -> None:
    for said, best in (((1, 5), "solver"), ((0, 0), "picker")):
        tallies = tuple(zip(said, ((90, 10), (40, 60)), strict=True))
        both = [work(f"both-{i}", *tally, complexity=level) for i in range(3) for level, tally in tallies]
        simple, hard = work("picker", 88, 12, complexity=said[0]), work("solver", 60, 40, complexity=said[1])
        assert next(iter(ranking(*both, simple, hard, by=by))) == best


def test_who_is_better_at_each_kind_of_work_is_better_at_all() -> None:
    others = [work(name, *tally) for name in "bc" for tally in ((20, 80, "hard"), (95, 5, "easy"))]
    better = [work("a", 80, 20, "hard"), work("a", 1980, 20, "easy")]
    worse = [work("z", 60, 40, "hard"), work("z", 9, 1, "easy")]
    for by in ("success_rate", "performance", "points"):
        ranked = ranking(*others, *better, *worse, by=by)
        assert list(ranked)[:2] == ["a", "z"], by
    assert ranking(*others, *better, *worse)["z"]["score_low"] < 0.85


def test_easy_work_done_well_does_not_lower_who_is_better_at_the_hard() -> None:
    others = [work(name, *tally) for name in "bc" for tally in ((20, 80, "hard"), (95, 5, "easy"))]
    history = [*others, work("z", 40, 60, "hard"), work("z", 99, 1, "easy"), work("a", 70, 30, "hard")]
    for more in ([], [work("a", 20, 0, "easy")], [work("a", 2000, 0, "easy")]):
        assert next(iter(ranking(*history, *more))) == "a"


def test_work_that_nobody_else_does_raises_nobody_and_lowers_nobody() -> None:
    hard = [work(name, 60, 40, "hard") for name in "bcdef"]
    worst = work("a", 40, 60, "hard")
    easy = [work(name, 95, 5, "easy") for name in "bcdef"]
    best = work("a", 99, 1, "easy")

    assert list(ranking(*hard, worst, work("a", 1000, 0, "of its own")))[-1] == "a"
    assert next(iter(ranking(*easy, best, work("a", 500, 300, "of its own")))) == "a"
    alone = ranking(work("a", 7, 0), work("b", 11, 0), work("a", 0, 6, "of its own"))
    assert alone["b"]["score"] == ranking(work("a", 7, 0), work("b", 11, 0))["b"]["score"]


def test_a_category_that_nobody_judged_says_nothing_of_quality() -> None:
    research = [judged(name, 60, 0.9, 57, category="research") for name in "ab"]
    chat = [work("b", 513, 27, "chat"), work("c", 475, 25, "chat")]

    quality = ranking(*research, *chat, by="quality")
    assert quality["a"]["score"] == pytest.approx(quality["b"]["score"])
    before = ranking(*research, *chat, by="performance")["a"]["score"]
    after = ranking(*research, *chat, judged("c", 1, 0.9, category="chat"), by="performance")["a"]["score"]
    assert after == pytest.approx(before, abs=1)


rates = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=3, max_size=3)


@settings(max_examples=60)
@given(rates, rates, st.lists(st.integers(0, 10), min_size=3, max_size=3))
def test_of_two_with_as_many_tasks_of_each_kind_the_better_at_each_is_not_lower(
    others: list[Any], tallies: list[Any], more: list[int]
) -> None:
    kinds = list(zip("xyz", others, tallies, more, strict=True))
    rows = [work("o", *other, kind) for kind, other, _, _ in kinds]
    rows += [work("worse", s, f + m, kind) for kind, _, (s, f), m in kinds]
    rows += [work("better", s + m, f, kind) for kind, _, (s, f), m in kinds]

    ranked = ranking(*rows)

    if ranked["worse"]["score"] is not None:
        assert ranked["better"]["score"] >= ranked["worse"]["score"] - 1e-9


def test_an_agent_without_finished_tasks_has_no_score_and_no_rank_and_comes_last() -> None:
    ranked = ranking(work("idle", 0, 0, tasks=3), work("bad", 0, 12))
    assert list(ranked) == ["bad", "idle"]
    assert ranked["idle"] | {"score": None, "rank": None, "success_rate": None, "tasks": 3, "probation": True} == ranked["idle"]


def test_no_history_makes_an_empty_ranking() -> None:
    for by in get_args(By):
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
    # with 10 pseudo-tasks as the other's, by factors: 0.01^(20/30) · 0.05^(10/30), all succeeded
    assert ranked["cheap"]["score"] == pytest.approx(0.01 ** (2 / 3) * 0.05 ** (1 / 3), rel=1e-3)
    assert ranked["cheap"]["cost_per_success_usd"] == pytest.approx(0.01)
    assert ranked["cheap"]["score_low"] <= ranked["cheap"]["score"] <= ranked["cheap"]["score_high"]


@pytest.mark.parametrize("each", [0.01, 0.0])
def test_an_agent_that_never_succeeded_has_no_cost_per_success_and_no_rank(each: float) -> None:
    often = costing("often", 0.01, 20, 0), costing("mostly", 0.02, 18, 2)
    ranked = ranking(costing("never", each, 0, 50), *often, by="cost_per_success")
    assert list(ranked) == ["often", "mostly", "never"]
    assert ranked["never"]["cost_per_success_usd"] is ranked["never"]["score"] is ranked["never"]["rank"] is None
    assert ranked["often"]["score"] == ranking(*often, by="cost_per_success")["often"]["score"]


def test_what_is_spent_where_nobody_succeeds_counts() -> None:
    both = costing("both", 0.01, 50, 0), costing("both", 10.0, 0, 50) | {"category": "hard"}
    ranked = ranking(*both, costing("other", 0.02, 50, 0), by="cost_per_success")
    assert list(ranked) == ["other", "both"]
    assert ranked["both"]["cost_per_success_usd"] == pytest.approx(10.01)
    # ten dollars for each success, with 10 of 60 tasks as the other's
    price = 10.01 ** (50 / 60) * 0.02 ** (10 / 60)
    assert ranked["both"]["score"] == pytest.approx(price, rel=1e-3)


def test_where_nobody_succeeds_there_is_no_cost_per_success() -> None:
    assert ranking(costing("never", 0.01, 0, 20), by="cost_per_success")["never"]["score"] is None


def test_unknown_prices_never_rank_cheapest() -> None:
    free = costing("free?", 0.0001, 20, 0) | {"unpriced_calls": 2}  # 2 of 20 calls: over 5 %
    nothing = {"cost_sum": 0.0, "cost_squares": 0.0, "total_cost_usd": Decimal(0)}
    unpriced = work("unpriced", 20, 0, cost_n=0, cost_succeeded=0, unpriced_calls=20, **nothing)
    nearly = costing("nearly", 0.02, 20, 0) | {"unpriced_calls": 1}  # 1 of 20: 5 %, still known
    ranked = ranking(free, unpriced, nearly, costing("known", 0.01, 20, 0), by="cost_per_success")
    assert list(ranked) == ["known", "nearly", "free?", "unpriced"]
    for name in ("free?", "unpriced"):
        costs = ("score", "score_low", "score_high", "rank", "avg_cost_usd", "cost_per_success_usd")
        assert {ranked[name][column] for column in costs} == {None}
    assert ranked["unpriced"]["total_cost_usd"] is None


def test_an_agent_that_costs_nothing_is_first_and_does_not_make_the_others_look_cheap() -> None:
    dear = costing("dear", 1.0, 20, 0), costing("dearer", 2.0, 20, 0)
    ranked = ranking(costing("free", 0.0, 20, 0), *dear, by="cost_per_success")
    alone = ranking(*dear, by="cost_per_success")
    assert [(name, row["rank"], row["score"]) for name, row in ranked.items()] == [
        ("free", 1, 0.0),
        *((name, number, alone[name]["score"]) for number, name in ((2, "dear"), (3, "dearer"))),
    ]
    # with 10 pseudo-tasks as the other's, by factors
    assert [alone[name]["score"] for name in ("dear", "dearer")] == [pytest.approx(2 ** (1 / 3)), pytest.approx(2 ** (2 / 3))]
    assert (ranked["free"]["score_low"], ranked["free"]["score_high"], ranked["free"]["observations"]) == (None, None, 20)


def test_what_costs_one_agent_nothing_in_one_category_does_not_make_the_others_look_cheap() -> None:
    partly = costing("partly", 0.0, 20, 0), costing("partly", 1.0, 20, 0) | {"category": "hard"}
    ranked = ranking(*partly, costing("dear", 1.0, 20, 0), costing("dearer", 2.0, 20, 0), by="cost_per_success")
    assert list(ranked) == ["partly", "dear", "dearer"]
    # by factors: drawn by a third to the mean of a tenth of a dollar, as which the free work counts, and of two
    assert ranked["dear"]["score"] == pytest.approx((0.1 * 2) ** (1 / 2 / 3), rel=1e-3)


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
    st.sampled_from(get_args(By)),
)
def test_the_order_of_rows_does_not_matter(tallies: list[tuple[int, int]], random: Any, by: str) -> None:
    rows = [work(f"agent-{i % 5}", s, f, category=f"c{i // 5}") for i, (s, f) in enumerate(tallies)]
    shuffled = random.sample(rows, len(rows))
    assert ranking(*rows, by=by) == ranking(*shuffled, by=by)


@settings(max_examples=50)
@given(st.lists(counts, min_size=1, max_size=8))
def test_every_score_lies_in_its_interval_and_within_zero_and_one(tallies: list[tuple[int, int]]) -> None:
    for by in ("success_rate", "speed", "reliability"):
        for row in ranking(*(work(f"agent-{i}", s, f) for i, (s, f) in enumerate(tallies)), by=by).values():
            if row["score"] is None:
                assert row["succeeded"] + row["failed"] == 0
            else:
                assert 0 <= row["score_low"] <= row["score"] <= row["score_high"] <= 1


@pytest.mark.parametrize("by", [by for by in get_args(By) if by != "total_points"])
@pytest.mark.parametrize("tasks", [1, 2])
def test_a_few_tasks_leave_doubt_however_alike_they_are(by: str, tasks: int) -> None:
    alone, together = judged("a", tasks, 0.8), judged("b", tasks, 0.8)
    for rows in ([alone], [alone, together]):
        row = ranking(*rows, by=by)["a"]
        assert row["score_high"] - row["score_low"] > 0.1 * row["score"], row


def test_where_nobody_was_judged_quality_is_as_elsewhere_but_very_doubtful() -> None:
    known = [judged(f"known-{n}", 40, 0.7, category="research") for n in range(5)]
    ranked = ranking(*known, work("new", 40, 0, "coding"), work("other", 40, 0, "coding"), by="performance")
    # as good as the others elsewhere: 100 · (0.4 · 0.7 + 0.3 · 1 + 0.3 · 0.5)
    assert ranked["new"]["score"] == pytest.approx(73, abs=0.5)
    # a uniform doubt about quality, 0.4 · 100 / √12 = 11.5 points to either side, by 1.64
    assert ranked["new"]["score_high"] - ranked["new"]["score_low"] == pytest.approx(2 * 1.64 * 11.5, rel=0.15)
    assert ranked["known-0"]["score_high"] - ranked["known-0"]["score_low"] < 15


def test_unseen_an_agent_is_believed_to_be_as_the_others_and_with_many_tasks_as_it_was_seen() -> None:
    others = [judged(f"other-{n}", 50, 0.6) for n in range(6)]

    def believed(n: int) -> float:
        frame = statistics(*others, judged("new", n, 0.9, n) if n else work("new", 30, 0))
        means = score_means(frame, ["quality"], SETTINGS, None)
        return float(means.filter(pl.col("agent_id") == "new")["score"].item())

    assert believed(0) == pytest.approx(0.6)
    # the others are all alike, so κ is as large as it may be, 50
    assert [believed(n) for n in (1, 10, 100)] == [pytest.approx((n * 0.9 + 50 * 0.6) / (n + 50)) for n in (1, 10, 100)]
    assert believed(1_000_000) == pytest.approx(0.9, abs=1e-3)


def test_performance_is_the_weighted_sum_of_its_shrunk_parts() -> None:
    ranked = ranking(judged("a", 20, 0.9), judged("b", 20, 0.5), by="performance")
    # each is drawn by a third to the other, which counts 20/30, and to the unknown agent
    quality = (20 * 0.9 + 10 * (0.5 * 20 / 30 + 0.05) / (20 / 30 + 0.1)) / 30
    success = (20 + 10 * (20 / 30 + 0.05) / (20 / 30 + 0.1)) / 30
    assert ranked["a"]["score"] == pytest.approx(100 * (0.4 * quality + 0.3 * success + 0.3 * 0.5))
    assert ranked["a"]["performance"] == pytest.approx(ranked["a"]["score"])
    assert ranked["a"]["score_low"] <= ranked["a"]["score"] < ranked["a"]["score_high"] < 100


def test_a_missing_part_takes_the_others_mean_and_is_not_weighed_away() -> None:
    good, bad = (ranking(judged("judged", 40, quality), work("unjudged", 40, 0), by="performance") for quality in (0.9, 0.2))
    assert good["unjudged"]["quality"] is None
    assert good["unjudged"]["performance"] > bad["unjudged"]["performance"] + 10


def test_without_any_evaluation_quality_is_the_middle_for_all_and_moves_no_rank() -> None:
    ranked = ranking(work("a", 20, 0), work("b", 10, 10), by="performance")
    assert list(ranked) == ["a", "b"]
    assert ranked["a"]["performance"] == pytest.approx(
        100 * (0.4 * 0.5 + 0.3 * ranking(work("a", 20, 0), work("b", 10, 10))["a"]["score"] + 0.15 * 2 * 0.4782608), abs=2
    )
    assert ranking(work("a", 20, 0), by="quality")["a"]["score"] is None


def test_points_rank_by_the_shrunk_mean_and_total_points_by_the_sum() -> None:
    rows = [
        work("steady", 50, 0, points_sum=1000.0, points_squares=2e4),
        work("star", 10, 0, points_sum=400.0, points_squares=1.6e4),
    ]
    ranked, total = ranking(*rows, by="points"), ranking(*rows, by="total_points")
    # (10 · 40 + 10 · 20) / 20 and (50 · 20 + 10 · 40) / 60
    assert [(name, row["points"], row["points_per_task"]) for name, row in ranked.items()] == [
        ("star", 400.0, pytest.approx(30.0)),
        ("steady", 1000.0, pytest.approx(1400 / 60)),
    ]
    assert list(total) == ["steady", "star"]


def spent(agent_id: str, tasks: int, points: float, lost: float = 0.0) -> dict[str, Any]:
    """A row of statistics of tasks of about so many points each, the last of which has lost so many."""
    return work(
        agent_id,
        tasks,
        0,
        points_sum=points * tasks - lost,
        points_squares=(points**2 + 400) * tasks - 2 * points * lost + lost**2,
    )


@pytest.mark.parametrize("others", [1, 2, 4, 9])
@pytest.mark.parametrize("tasks", [1, 20])
def test_a_task_that_runs_away_is_its_agents_and_draws_nobody_elses_points(others: int, tasks: int) -> None:
    crowd = [spent(f"other-{n}", 50, 60.0) for n in range(others)]
    calm, beside = (
        ranking(*crowd, spent("new", 3, 80.0), spent("a", tasks, 60.0, lost), by="points") for lost in (0.0, 50_000.0)
    )
    for name in ("other-0", "new"):
        assert beside[name]["score"] == pytest.approx(calm[name]["score"], abs=12)
    assert beside["other-0"]["score_low"] > 30
    assert list(beside)[-1] == "a"
    assert beside["a"]["score"] < -500
    assert beside["a"]["points"] == 60.0 * tasks - 50_000, "what was seen is told as it was"


def test_reliability_is_success_and_consistency() -> None:
    # durations of ½ and 1½ of the usual, half each: a deviation of 0.5 on a mean of 1
    uneven = work("uneven", 20, 0, ratio_sum=20.0, ratio_squares=25.0)
    few = work("few", 4, 0)
    ranked = ranking(uneven, work("even", 20, 0), few, by="reliability")
    assert ranked["uneven"]["consistency"] == pytest.approx(0.5)
    assert ranked["uneven"]["reliability"] == pytest.approx(0.7 + 0.3 * 0.5)
    assert ranked["few"]["consistency"] is None
    assert ranked["few"]["reliability"] == pytest.approx(0.7 + 0.3 * 0.75)
    assert next(iter(ranked)) == "even"


def test_cost_per_quality_point_ranks_the_cheapest_quality_first() -> None:
    ranked = ranking(judged("good", 20, 0.8), judged("poor", 20, 0.2), by="cost_per_quality_point")
    assert list(ranked) == ["good", "poor"]
    assert ranked["good"]["cost_per_quality_point"] == pytest.approx(0.0125)


def test_an_agent_that_is_absurdly_dear_does_not_make_the_others_look_so() -> None:
    crowd = [costing(f"{n}", 0.01, 30, 0) for n in range(4)]
    calm = ranking(*crowd, costing("usual", 0.01, 30, 0), by="cost_per_success")
    beside = ranking(*crowd, costing("absurd", 1000.0, 30, 0), by="cost_per_success")
    assert calm["0"]["score"] == pytest.approx(0.01, rel=1e-3)
    assert beside["0"]["score"] < 0.05
    assert list(beside)[-1] == "absurd"


@pytest.mark.parametrize("each", [1e-7, 50.0])
def test_an_agent_that_costs_next_to_nothing_or_absurdly_much_leaves_the_others_where_they_are(each: float) -> None:
    others = [*(costing(f"{n}", 0.05, 45, 5) for n in range(4)), costing("new", 0.04, 3, 0)]
    calm = ranking(*others, costing("a", 0.05, 45, 5), by="cost_per_success")
    beside = ranking(*others, costing("a", each, 45, 5), by="cost_per_success")
    assert beside["0"]["score"] == pytest.approx(calm["0"]["score"], rel=0.05)
    assert beside["new"]["score"] == pytest.approx(calm["new"]["score"], rel=0.4)


def test_profiles_weigh_differently() -> None:
    rows = [
        judged("good", 40, 0.95, thrift_sum=8.0, thrift_squares=1.6),
        judged("cheap", 40, 0.5, thrift_sum=34.0, thrift_squares=29.0),
    ]
    assert next(iter(ranking(*rows, by="performance", profile="quality"))) == "good"
    assert next(iter(ranking(*rows, by="performance", profile="cost"))) == "cheap"


def test_a_share_is_not_lowered_by_weights_that_do_not_add_up_to_one() -> None:
    doubled = Profile.model_validate({"performance": {"quality": 0.8, "success_rate": 0.6, "speed": 0.3, "thrift": 0.3}})
    rows = [judged("a", 20, 0.9), judged("b", 20, 0.5)]
    assert ranking(*rows, by="performance", profile=doubled) == ranking(*rows, by="performance")


def test_agents_with_fewer_tasks_than_asked_are_left_out_but_still_count() -> None:
    rows = [work("a", 20, 0), work("b", 10, 10), work("c", 2, 1)]
    assert list(ranking(*rows, least_tasks=10)) == ["a", "b"]
    assert ranking(*rows, least_tasks=10)["a"]["score"] == ranking(*rows)["a"]["score"]


tallies = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from(["x", "y"])), min_size=1, max_size=8)


@settings(max_examples=60)
@given(tallies, st.integers(0, 7), st.sampled_from(["success_rate", "reliability", "performance", "quality", "points"]))
def test_a_better_record_never_lowers_the_score(tallies: list[Any], which: int, by: str) -> None:
    which %= len(tallies)
    good, bad, category = tallies[which]
    if not bad:
        return

    def history(better: int) -> list[dict[str, Any]]:
        rows = [[s, f, c] for s, f, c in tallies]
        rows[which] = [good + better, bad - better, category]
        return [
            judged(f"agent-{n % 4}", s + f, s / max(s + f, 1), s, category=c, quality_squares=float(s), quality_of_succeeded=s)
            for n, (s, f, c) in enumerate(rows)
        ]

    before, after = (ranking(*history(better), by=by)[f"agent-{which % 4}"]["score"] for better in (0, 1))
    assert after >= before - 1e-9
