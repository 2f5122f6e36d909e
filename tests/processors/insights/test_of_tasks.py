"""What is planted in simulated work is found, and where nothing is to be found nothing is said."""

import pytest

from processors.insights.of_tasks import better_settings, cheaper_models, reassigned
from tests.processors.insights.work import Side, work

DAYS = 14.0
DEAR = Side(dollars=0.05)


def test_a_cheaper_model_that_is_as_good_is_found_with_what_it_saves() -> None:
    (found,) = cheaper_models(work({"dear": DEAR, "cheap": Side(dollars=0.01)}, 1), DAYS)

    (saving,) = found["effects"]
    assert found["subject"] == {"agent_id": "writer", "category": "writing", "model": "dear", "other_model": "cheap"}
    assert saving["low"] < -1500 * (0.05 - 0.01) * 30 / DAYS < saving["high"] < 0.8 * saving["value"]
    assert found["saving_usd_per_month"] == -saving["value"]
    assert found["evidence"]["quality"]["low"] < 0 < found["evidence"]["quality"]["high"]
    assert found["certainty"] > 0.99
    assert found["task_ids"] == ["dear-0", "dear-1", "dear-2", "cheap-0", "cheap-1", "cheap-2"]


@pytest.mark.parametrize(
    "cheap",
    [
        Side(dollars=0.01, quality=0.72),
        Side(dollars=0.01, fails=0.12),
        Side(dollars=0.047),
        Side(dollars=0.01, tasks=40),
        Side(dollars=0.01, judged=0.02),
    ],
    ids=["worse", "fails more", "hardly cheaper", "few tasks", "hardly judged"],
)
def test_a_cheaper_model_that_is_worse_or_hardly_known_is_not_recommended(cheap: Side) -> None:
    assert [seed for seed in range(20) if cheaper_models(work({"dear": DEAR, "cheap": cheap}, seed), DAYS)] == []


def test_a_model_that_is_just_too_bad_is_recommended_at_most_as_often_as_is_said() -> None:
    """By the margin worse, in truth: one in a hundred may be wrong; 300 looks."""
    just = Side(dollars=0.01, quality=0.735)  # clipping to 0..1 takes 0.015 off both; the difference is over 0.05
    wrong = sum(bool(cheaper_models(work({"dear": DEAR, "cheap": just}, seed), DAYS)) for seed in range(300))

    assert wrong <= 9


def test_an_agent_that_does_the_work_better_is_found() -> None:
    agents = {"weak": Side(fails=0.3), "strong": Side(), "idle": Side(tasks=10)}
    (found,) = reassigned(work(agents, 3, agent_id=""), DAYS)

    assert found["subject"] == {"agent_id": "weak", "category": "writing", "other_agent_id": "strong"}
    assert found["effects"][0]["measure"] == "success_rate"
    assert found["effects"][0]["low"] < 0.25 < found["effects"][0]["high"]


def test_a_temperature_that_went_with_better_work_is_found() -> None:
    (found,) = better_settings("temperature", work({"1": Side(quality=0.6), "0.2": Side(quality=0.75)}, 6, within="gpt-4o"))

    assert found["subject"]["other_temperature"] == "0.2"
    assert found["effects"][0]["measure"] == "quality"
    assert found["effects"][0]["low"] < 0.1416 < found["effects"][0]["high"]  # scores end at 1, which takes 0.0084 off


def test_among_equals_nothing_is_said() -> None:
    """100 stores of five alternatives that are all alike, each asked for three kinds of insight."""
    said = []
    for seed in range(100):
        alike = work({f"u{n}": Side(tasks=300) for n in range(5)}, 1000 + seed)
        said += [*cheaper_models(alike, DAYS), *reassigned(alike, DAYS), *better_settings("temperature", alike)]

    assert len(said) <= 1
