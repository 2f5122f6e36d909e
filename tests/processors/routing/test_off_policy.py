import numpy as np
import polars as pl
import pytest

from processors.routing.choice import draw
from processors.routing.off_policy import redecided, what_if
from processors.routing.policies import policy
from processors.routing.settings import RoutingSettings

SETTINGS = RoutingSettings(floor=0.0)
TRUE = np.array([0.9, 0.6])
BELIEVED = np.array([0.7, 0.7])
"""What was expected of the two: the doubly robust estimate must not need it to be right."""


def logged(count: int, seed: int = 0) -> pl.DataFrame:
    """Decisions of a policy that took the first with 30 %, the second with 70 %."""
    random = np.random.default_rng(seed)
    chance = np.array([0.3, 0.7])
    chosen = [draw(chance, random.random()) for _ in range(count)]
    return pl.DataFrame(
        {
            "agent_id": ["ab"[one] for one in chosen],
            "probability": chance[chosen],
            "candidates": [["a", "b"]] * count,
            "worths": [[0.8, 0.5]] * count if seed else [BELIEVED.tolist()] * count,
            "deviations": [[0.01, 0.01]] * count,
            "cost_shares": [[0.0, 1.0]] * count,
            "duration_shares": [[0.0, 0.0]] * count,
            "load_penalties": [[0.0, 0.0]] * count,
            "barred_by": [["", ""]] * count,
            "on_probation": [[]] * count,
            "success": (random.random(count) < TRUE[chosen]).astype(float),
            "quality": [None] * count,
            "cost_usd": np.where(np.array(chosen) == 0, 0.01, 0.05),
        },
        schema_overrides={"quality": pl.Float64},
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_all_three_estimates_find_what_always_taking_the_first_would_have_come_to(seed):
    thrifty = policy(SETTINGS, "greedy", "cost")  # the second is dear: the first is always taken

    found = what_if(logged(4000, seed), thrifty, SETTINGS)

    assert found.observed.value == pytest.approx(0.69, abs=0.02)
    for estimate in (found.inverse_propensity, found.self_normalised, found.doubly_robust):
        assert estimate.value == pytest.approx(0.9, abs=0.06)
        assert estimate.low < 0.9 < estimate.high + 0.03
    assert found.cost_usd == pytest.approx(0.01)
    assert found.agreement == pytest.approx(0.3, abs=0.02)
    assert found.effective == pytest.approx(1200, abs=80)


def test_the_intervals_hold_the_truth_nine_times_in_ten():
    thrifty = policy(SETTINGS, "greedy", "cost")
    found = [what_if(logged(400, seed), thrifty, SETTINGS).doubly_robust for seed in range(1, 61)]

    assert 0.8 <= np.mean([one.low <= 0.9 <= one.high for one in found]) <= 0.98


def test_without_outcomes_there_is_no_judgement():
    nothing = logged(10).with_columns(success=pl.lit(None, pl.Float64))

    assert what_if(nothing, policy(SETTINGS, None, None), SETTINGS) is None


def test_who_was_on_probation_gets_no_more_than_was_to_be_had():
    made = logged(1, seed=1).with_columns(on_probation=pl.lit([True, False])).row(0, named=True)

    chance, _ = redecided(made, policy(SETTINGS, "greedy", None), SETTINGS)

    assert chance == pytest.approx([0.2, 0.8])


def test_of_decisions_of_before_it_is_not_known_who_was_new_and_nobody_is_held_back():
    made = logged(1, seed=1).row(0, named=True)

    chance, _ = redecided(made, policy(SETTINGS, "greedy", None), SETTINGS)

    assert chance.tolist() == [1, 0]
