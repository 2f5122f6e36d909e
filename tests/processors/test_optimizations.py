"""What an optimisation has changed, and how its request lives."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from processors.frames import conform
from processors.optimizations.effect import effect, summary
from processors.optimizations.frames import OBSERVED
from processors.optimizations.life import begun, failed, may_open, opened, postponed
from processors.optimizations.settings import OptimizationSettings, Optimizer
from tests.builders import NOW


def tasks(seed: int, many: int = 50, fails: float = 0.2, quality: float = 0.6, usd: float = 0.02) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    values = {
        "succeeded": (random.random(many) >= fails).astype(float),
        "quality": random.normal(quality, 0.15, many),
        "cost_usd": usd * np.exp(random.normal(0, 0.3, many)),
        "duration_seconds": random.gamma(4, 2, many),
    }
    return conform(pl.DataFrame(values), OBSERVED)


def optimizer(**more: object) -> Optimizer:
    return Optimizer.model_validate({"name": "gepa", "command": ["true"]} | more)


def test_a_change_is_told_with_its_interval() -> None:
    found = effect(tasks(1), tasks(2, quality=0.75), "quality")

    assert found["improved"] is True
    assert found["quality"]["low"] < 0.15 < found["quality"]["high"]
    assert found["certainty"] > 0.99
    assert found["success_rate"]["low"] < 0 < found["success_rate"]["high"]


def test_less_is_better_of_cost() -> None:
    cheaper = effect(tasks(1), tasks(2, usd=0.01), "cost_usd")
    dearer = effect(tasks(1), tasks(2, usd=0.04), "cost_usd")

    assert (cheaper["improved"], dearer["improved"]) == (True, False)
    assert cheaper["cost_usd"]["high"] < 0


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """90 % of 400, where nothing has changed; and what is said to be better or worse is at most one in ten of them."""
    found = [effect(tasks(n), tasks(10_000 + n), "success_rate") for n in range(400)]
    held = sum(one["success_rate"]["low"] < 0 < one["success_rate"]["high"] for one in found)

    assert 345 <= held <= 385
    assert sum(one["improved"] is not None for one in found) == 400 - held


def test_of_too_few_tasks_nothing_is_known() -> None:
    found = effect(tasks(1), tasks(2, many=4), "quality")

    assert (found["improved"], found["quality"]["change"]) == (None, None)
    assert effect(tasks(1), tasks(2).with_columns(quality=pl.lit(None, dtype=pl.Float64)), "quality")["improved"] is None
    assert summary(tasks(1, many=0)) == summary(tasks(2, many=0))


def test_a_request_is_the_same_whoever_opens_it_after_the_same_one() -> None:
    first = opened(optimizer(), "writer", "", "12 tasks", "merit", NOW)
    later = opened(optimizer(), "writer", "", "13 tasks", "merit", NOW + timedelta(seconds=1))

    assert first["optimization_id"] == later["optimization_id"]
    assert (
        opened(optimizer(), "writer", first["optimization_id"], "", "merit", NOW)["optimization_id"] != first["optimization_id"]
    )
    assert (first["status"], opened(optimizer(approval=False), "a", "", "", "merit", NOW)["status"]) == ("waiting", "approved")


def test_a_run_that_cannot_begin_is_given_up_after_a_day() -> None:
    row = begun(opened(optimizer(), "writer", "", "", "merit", NOW), {}, NOW)
    soon = postponed(row, "refused", timedelta(0), NOW + timedelta(hours=1))

    assert (soon["status"], soon["next_at"]) == ("running", NOW + timedelta(hours=1, minutes=1))
    assert postponed(row, "refused", timedelta(0), NOW + timedelta(hours=24))["status"] == "failed"


def test_another_request_may_be_opened_when_the_last_is_over_and_some_time_has_passed() -> None:
    row = opened(optimizer(), "writer", "", "", "merit", NOW)
    over = failed(row, "x", NOW)
    tomorrow = NOW + timedelta(hours=24)

    assert [may_open(*each) for each in ((None, optimizer(), NOW), (row, optimizer(), tomorrow))] == [True, False]
    assert [may_open(over, optimizer(), at) for at in (NOW, tomorrow)] == [False, True]


def test_thresholds_are_as_said_or_go_by_approval() -> None:
    assert [optimizer(**said).threshold for said in ({}, {"approval": False}, {"after_tasks": 7})] == [20, 10, 7]


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ({"command": []}, "needs one way to be run"),
        ({"webhook": {"url": "https://h/x", "secret": "a secret of sixteen"}}, "needs one way to be run"),
        ({"command": [" "]}, "begins with the program"),
        ({"command": [], "webhook": {"url": "ftp://h", "secret": "a secret of sixteen"}}, "is no address"),
        ({"measure": "charm"}, "success_rate"),
        ({"nmae": "x"}, "nmae"),
    ],
)
def test_wrong_optimizers_are_refused(wrong: dict[str, object], advice: str) -> None:
    with pytest.raises(ValidationError, match=advice):
        optimizer(**wrong)


def test_two_optimizers_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="two optimizers are called 'gepa'"):
        OptimizationSettings(optimizers=(optimizer(), optimizer()))
