"""What a task's scores are, worked by hand."""

from typing import Any

import polars as pl
import polars.testing
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.scoring.points import itemised
from processors.scoring.settings import Profile, shipped
from tests.processors.scoring.build import one, said, scored, stars, task, usual


def test_a_star_rating_counts_as_a_share_of_four_and_stands_in_for_what_is_not_judged_by_itself() -> None:
    row = one(scored(task(), stars(4), said("accuracy", 0.9)))

    assert (row["accuracy"], row["completeness"], row["relevance"]) == (0.9, 0.75, 0.75)
    assert (row["user_rating"], row["judgements"]) == (4, 2)
    # (0.40 · 0.9 + 0.25 · 0.75 + 0.20 · 0.75) / 0.85, and nothing usual is known
    assert (row["quality"], row["overall"]) == (pytest.approx(0.6975 / 0.85), pytest.approx(0.6975 / 0.85))


def test_a_criterion_is_the_mean_of_those_who_judged_it() -> None:
    row = one(scored(task(), said("accuracy", 0.6, "llm"), said("accuracy", 1.0, "peer"), said("depth", 0.1)))

    assert (row["accuracy"], row["completeness"], row["relevance"]) == (pytest.approx(0.8), None, None)
    assert (row["quality"], row["peer_score"]) == (pytest.approx(0.8), pytest.approx(0.8))


def test_an_agent_is_no_peer_of_its_own_work() -> None:
    own = said(score=1.0, by="peer", evaluator="writer")
    alone, beside = one(scored(task(), own)), one(scored(task(), own, said(score=0.5, by="peer", evaluator="critic")))

    assert (alone["quality"], alone["peer_score"], alone["judgements"]) == (None, None, 0)
    assert (beside["quality"], beside["peer_score"], beside["judgements"]) == (0.5, 0.5, 1)
    named_alike = one(scored(task(), said(score=1.0, by="llm", evaluator="writer")))
    assert named_alike["peer_score"] == 1.0, "a judge may be called as an agent is"


def test_a_criterion_that_no_profile_names_makes_no_quality() -> None:
    row = one(scored(task(), said("depth", 1.0)))

    assert (row["quality"], row["overall"], row["judgements"]) == (None, None, 1)


def test_a_profile_may_name_criteria_of_its_own() -> None:
    deep = Profile.model_validate({"overall": {"criteria": {"depth": 3, "accuracy": 1}, "efficiency": 0}})
    row = one(scored(task(), said("depth", 1.0), said("accuracy", 0.0), profiles={"deep": deep}), "deep")

    assert row["quality"] == row["overall"] == 0.75


@pytest.mark.parametrize(
    ("more", "usuals", "efficiency", "speed", "thrift"),
    [
        ({}, [usual()], 0.5, 0.5, 0.5),
        ({"duration_seconds": 30.0}, [usual()], 1 / 3, 0.25, 0.5),  # 1 / (1 + ½ (1 + 3))
        ({"cost_usd": 0}, [usual()], 2 / 3, 0.5, 1.0),
        ({"cost_usd": None}, [usual()], 0.5, 0.5, None),
        ({"cost_usd": 0.000001, "llm_calls": 10, "unpriced_calls": 9}, [usual()], 0.5, 0.5, None),
        ({"cost_usd": 0.3, "llm_calls": 20, "unpriced_calls": 1}, [usual()], 1 / 3, 0.5, 0.25),  # 5 %: as good as known
        ({}, [usual(seconds=0.0)], 0.5, None, 0.5),
        ({}, [usual(dollars=None)], 0.5, 0.5, None),
        ({"cost_usd": 0}, [usual(dollars=0.0)], 0.5, 0.5, 0.5),  # free where it is usual to be
        ({"cost_usd": 0.0001}, [usual(dollars=0.0)], 0.0, 0.5, 0.0),  # infinitely more than is usual
        ({"cost_usd": None}, [usual(dollars=0.0)], 0.5, 0.5, None),
        ({}, [], None, None, None),
        ({}, [usual(category="coding")], None, None, None),
        ({"status": "failed"}, [usual()], 0.0, 0.0, 0.0),
        ({"status": "failed"}, [], None, None, None),
        ({"status": "running"}, [usual()], None, None, None),
    ],
)
def test_cost_and_duration_against_the_usual(
    more: dict[str, Any], usuals: list[Any], efficiency: float | None, speed: float | None, thrift: float | None
) -> None:
    row = one(scored(task(**more), usuals=usuals))

    assert [row[name] for name in ("efficiency", "speed", "thrift")] == [
        value if value is None else pytest.approx(value) for value in (efficiency, speed, thrift)
    ]


def test_what_is_expected_of_an_agents_type_stands_in_for_the_usual() -> None:
    expected = [
        {"agent_type": "cognitive", "complexity": 0, "expected_duration_seconds": 20.0, "expected_cost_usd": None},
        {"agent_type": "cognitive", "complexity": 3, "expected_duration_seconds": 30.0, "expected_cost_usd": 0.3},
    ]
    tasks = [
        task("plain", agent_type="cognitive", complexity=3),
        task("said", agent_type="cognitive", complexity=3, complexity_said=True),
        task("other", agent_type="writer"),
        task("usual", agent_type="cognitive", category="coding"),
    ]
    rows = scored(tasks, usuals=[usual(seconds=5.0, dollars=None, category="coding")], expected=expected)

    assert rows["usual_duration_seconds"].to_list() == [20.0, 30.0, None, 5.0]
    assert rows["usual_cost_usd"].to_list() == [None, 0.3, None, None]


def test_overall_is_quality_and_efficiency_by_their_weights() -> None:
    row = one(scored(task(), said("accuracy", 1.0), usuals=[usual()]))

    # (0.40 · 1 + 0.15 · 0.5) / 0.55
    assert row["overall"] == pytest.approx(0.475 / 0.55)
    assert row["quality"] == 1.0


POINTS: list[tuple[str, dict[str, Any], list[Any], float]] = [
    # 10 for succeeding + 20 · min(1, 10 / 10) + 30 · 0.5
    ("completion, speed and cost", {}, [], 10 + 20 + 15),
    # 20 · 10 / 40 and 1 / (1 + ½ (1 + 4)) = 2/7
    ("slower", {"duration_seconds": 40.0}, [], 10 + 5 + 30 * 2 / 7),
    # quality 1: overall (0.85 · 1 + 0.15 · 0.5) / 1 = 0.925; user 40 · 5 / 5
    ("quality and user", {}, [stars(5)], 10 + 20 + 15 + 50 * 0.925 + 40),
    # all three criteria stand in at 0.6: overall 0.85 · 0.6 + 0.075 = 0.585; peers 25 · 0.6
    ("peers", {}, [said(score=0.5, by="llm"), said(score=0.7, by="peer")], 10 + 20 + 15 + 50 * 0.585 + 25 * 0.6),
    # no completion, efficiency 0, less 30
    ("failed", {"status": "failed"}, [], 20 - 30),
    # 1.10 dollars: 0.60 over, less 60; 1 / (1 + ½ (11 + 1)) = 1/7
    ("expensive", {"cost_usd": 1.10}, [], 10 + 20 + 30 / 7 - 60),
    # 170 s: 50 over, less 5; speed 20 · 10 / 170; 1 / (1 + ½ (1 + 17)) = 0.1
    ("slow", {"duration_seconds": 170.0}, [], 10 + 200 / 170 + 3 - 5),
    # 1 star: quality 0, overall 0.075, user 40 / 5, 2 stars under 3: less 30
    ("low rating", {}, [stars(1)], 10 + 20 + 15 + 50 * 0.075 + 8 - 30),
    ("nothing is known", {"cost_usd": None, "duration_seconds": 0.0, "category": "other"}, [], 10 + 20),
]


@pytest.mark.parametrize(("more", "judgements", "expected"), [case[1:] for case in POINTS], ids=[case[0] for case in POINTS])
def test_points_by_hand(more: dict[str, Any], judgements: list[Any], expected: float) -> None:
    frame = scored(task(**more), *judgements, usuals=[usual()])

    assert one(frame)["points"] == pytest.approx(expected)
    (parts,) = itemised(frame, "default", shipped()["default"].points)
    assert sum(part["contribution"] for part in parts) == pytest.approx(expected)


def test_points_say_how_they_came_about() -> None:
    frame = scored(task(status="failed", duration_seconds=170.0), stars(2), usuals=[usual()])

    (parts,) = itemised(frame, "default", shipped()["default"].points)
    by_name = {part["part"]: (part["value"], part["weight"], part["contribution"]) for part in parts}
    assert by_name["completion"] == (0, 10, 0)
    assert by_name["failed"] == (1, -30, -30)
    assert str(by_name["expensive"][2]) == "0.0", "not -0.0"
    assert by_name["slow"] == (5, -1, -5)
    assert by_name["low_rating"] == (1, -15, -15)
    assert by_name["user"] == (0.4, 40, 16)
    assert by_name["peers"] == (None, 25, 0)


def test_unfinished_tasks_have_no_points() -> None:
    frame = scored(task(status="running"), stars(5), usuals=[usual()])

    assert one(frame)["points"] is one(frame)["overall"] is None
    assert itemised(frame, "default", shipped()["default"].points) == [[]]


def test_the_seed_profile_rewards_completion_of_failed_tasks_and_cuts_each_part_to_a_whole_number() -> None:
    frame = scored(task(status="failed", duration_seconds=30.0), stars(4), usuals=[usual()])

    # completion 10, quality 50 · 0.85 · 0.75 = 31.875 → 31, speed 20 / 3 → 6, user 32, less 30
    assert one(frame, "seed")["points"] == 10 + 31 + 6 + 32 - 30


def test_tasks_without_judgements_and_without_rows_are_scored_too() -> None:
    assert scored([]).height == 0
    assert scored([task("a"), task("b")], stars(3, "b"))["judgements"].to_list() == [0, 1]


good = st.floats(0, 1)
kinds = st.sampled_from(["user", "llm", "peer", "code"])
names = st.sampled_from(["", "accuracy", "completeness", "relevance", "depth"])


@given(
    st.lists(st.tuples(names, good, kinds), min_size=1, max_size=6), st.integers(0, 5), good, st.sampled_from(sorted(shipped()))
)
def test_a_better_evaluation_never_lowers_a_score(said_of: list[Any], which: int, better: float, profile: str) -> None:
    which %= len(said_of)
    criterion, before, kind = said_of[which]
    improved = [*said_of]
    improved[which] = (criterion, max(before, better), kind)

    old, new = (one(scored(task(), *(said(*it) for it in many), usuals=[usual()]), profile) for many in (said_of, improved))

    for name in ("accuracy", "completeness", "relevance", "peer_score", "quality", "overall", "points"):
        assert (old[name] is None) == (new[name] is None)
        assert old[name] is None or new[name] >= old[name] - 1e-9


@given(st.lists(st.tuples(names, good, kinds), max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_evaluations_does_not_matter(said_of: list[Any], random: Any) -> None:
    rows = [said(*it) for it in said_of]

    assert_same(scored(task(), *rows, usuals=[usual()]), scored(task(), *random.sample(rows, len(rows)), usuals=[usual()]))


def assert_same(left: pl.DataFrame, right: pl.DataFrame) -> None:
    pl.testing.assert_frame_equal(left, right, abs_tol=1e-9)
