"""Insights of steps: what is planted is found, and where nothing is to be found nothing is said, however unevenly it comes."""

import numpy as np
import polars as pl
import pytest

from processors.insights.of_nodes import failing_nodes, provider_weights, slow_nodes
from processors.insights.of_prompts import loops, prompt_caching

HOURS = 14 * 24


def sums(name: str, hour: np.ndarray, value: np.ndarray) -> dict[str, float]:
    """The sums of a measure, as the questions make them."""
    n, x = np.bincount(hour, minlength=HOURS).astype(float), np.bincount(hour, value, HOURS)
    return {f"{name}_n": n.sum(), f"{name}_sum": x.sum(), f"{name}_nn": n @ n, f"{name}_xx": x @ x, f"{name}_nx": n @ x}


def calls(random: np.random.Generator, fails: float, many: int = 600, bad_hours: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """The hour of each call, and whether it failed; in a few hours half of them do."""
    hour = random.integers(0, HOURS, many)
    bad = np.isin(hour, random.choice(HOURS, bad_hours, replace=False))
    return hour, (random.random(many) < np.where(bad, 0.5, fails)).astype(float)


def step(seed: int, fails: float, lost: float, share: float, agent: str = "a") -> dict[str, object]:
    """A step of an agent: one call a task; of the tasks in which it fails this part fails, of the others a twentieth."""
    random = np.random.default_rng(seed)
    hour, failed = calls(random, fails)
    broken = random.random(len(hour)) < np.where(failed == 1, lost, 0.05)
    shares = np.clip(random.normal(share, 0.2, len(hour)), 0, 1)
    counts = {"tasks": len(hour), "tasks_hit": int(failed.sum()), "failed_hit": int((broken & (failed == 1)).sum())}
    counts["failed_spared"] = int((broken & (failed == 0)).sum())
    named = {"agent_id": agent, "node_name": "search", "operation": "execute_tool", "hours": len(set(hour)), "seconds": 5.0}
    return named | counts | sums("calls", hour, failed) | sums("share", hour, shares) | {"task_ids": ["t"]}


def test_a_step_that_fails_and_takes_its_tasks_down_is_found() -> None:
    (found,) = failing_nodes(pl.DataFrame([step(1, 0.3, 0.8, 0.2), step(2, 0.03, 0.8, 0.2, "b")]))

    assert found["subject"]["agent_id"] == "a"
    assert found["effects"][0]["low"] < 0.3 * 0.75 < found["effects"][0]["high"]


@pytest.mark.parametrize(("fails", "lost"), [(0.3, 0.05), (0.03, 0.9), (0.1, 0.9)])
def test_a_step_that_tasks_survive_or_that_seldom_fails_is_not(fails: float, lost: float) -> None:
    said = [failing_nodes(pl.DataFrame([step(100 * seed + n, fails, lost, 0.2) for n in range(5)])) for seed in range(40)]

    assert sum(map(len, said)) <= 2


def test_a_step_that_takes_the_time_is_found_and_one_that_takes_half_of_it_is_not() -> None:
    (found,) = slow_nodes(pl.DataFrame([step(1, 0.02, 0, 0.7)]))

    assert found["effects"][0] == {"measure": "seconds_per_task", "value": -2.5} | {
        name: pytest.approx(-2.5, rel=0.1) for name in ("low", "high")
    }
    assert sum(bool(slow_nodes(pl.DataFrame([step(seed, 0, 0, 0.5)]))) for seed in range(100)) <= 2


def provider(name: str, random: np.random.Generator, fails: float) -> dict[str, object]:
    hour, failed = calls(random, fails)
    return {"model": "gpt-4o", "provider": name, "hours": len(set(hour))} | sums("calls", hour, failed)


def test_a_provider_that_fails_more_often_is_found() -> None:
    random = np.random.default_rng(1)
    found = provider_weights(pl.DataFrame([provider("azure", random, 0.15), provider("openai", random, 0.01)]), 14)

    assert [(one["subject"]["provider"], one["subject"]["other_provider"]) for one in found] == [("azure", "openai")]
    assert found[0]["effects"][0]["low"] < -0.14 * 600 * 30 / 14 < found[0]["effects"][0]["high"]


def test_of_providers_that_stumble_alike_nothing_is_said() -> None:
    """100 stores of three providers, each with bad hours of its own."""
    wrong = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        wrong += bool(provider_weights(pl.DataFrame([provider(name, random, 0.02) for name in "abc"]), 14))

    assert wrong <= 2


def prompts(**more: object) -> pl.DataFrame:
    plain = {"agent_id": "a", "model": "gpt-4o", "provider": "openai", "calls": 500, "tasks": 100, "task_ids": ["t"]}
    plain |= {"input_tokens": 3_000_000, "cached_input_tokens": 0, "follow_ups": 400, "grown": 396, "repeated_tokens": 2_000_000}
    return pl.DataFrame([plain | {"saved_usd_per_token": 1.25e-6} | more])


def test_prompts_that_grow_and_are_not_cached_could_be() -> None:
    (found,) = prompt_caching(prompts(), 30)

    assert found["effects"][0] == {
        "measure": "cost_usd_per_month",
        "value": pytest.approx(-1.875),
        "low": pytest.approx(-2.5),
        "high": pytest.approx(-1.25),
    }


@pytest.mark.parametrize(
    "known",
    [
        {"grown": 330},
        {"cached_input_tokens": 1_000_000},
        {"repeated_tokens": 300_000},
        {"saved_usd_per_token": 0.0},
        {"saved_usd_per_token": None},
        {"follow_ups": 40, "grown": 40},
        {"input_tokens": 0},
    ],
    ids=["do not grow", "cached", "short", "no cheaper", "no price", "few", "unknown"],
)
def test_other_prompts_cannot(known: dict[str, object]) -> None:
    assert prompt_caching(prompts(**known), 30) == []


def looping(looping: int, tasks: int = 1000) -> pl.DataFrame:
    named = {"agent_id": "a", "category": "data", "node_name": "read_file", "operation": "execute_tool", "task_ids": ["t"]}
    counts = {"tasks": tasks, "looping": looping, "repeats": 3 * looping, "wasted_tokens": 300.0 * looping}
    return pl.DataFrame([named | counts | {"wasted_usd": 0.01 * looping, "wasted_squares": 0.0001 * looping}])


def test_loops_that_are_a_habit_are_told_and_those_that_happen_are_not() -> None:
    (found,) = loops(looping(100), 2)

    assert found["saving_usd_per_month"] == pytest.approx(1.0 * 15)
    assert "10.0 % of its data tasks a calls read\\_file 4 times".replace("\\", "") in found["advice"]
    assert [loops(looping(*known), 2) for known in ((4, 50), (25, 1000), (5, 200))] == [[], [], []]
