"""Nine in ten intervals hold the truth, for thousands of agents that are not drawn from what the scorer assumes."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from processors.scoring.ranking import By, scores_of
from processors.scoring.settings import Profile
from tests.benchmarks.ranking_quality import measure
from tests.processors.scoring.histories import SETTINGS, crowd

AGENTS = 6_000
TRUTHS = {
    "narrow": lambda random: random.normal(0.8, 0.03, AGENTS),
    "wide": lambda random: random.uniform(0.1, 0.95, AGENTS),
    "two-humped": lambda random: np.where(
        random.random(AGENTS) < 0.5, random.normal(0.3, 0.05, AGENTS), random.normal(0.85, 0.04, AGENTS)
    ),
    "heavy-tailed": lambda random: 0.7 + 0.05 * random.standard_t(2, AGENTS),
}


def held(statistics: pl.DataFrame, by: By, truth: Any) -> float:
    """The share of agents whose interval holds the truth."""
    scores = scores_of(statistics, by, Profile(), SETTINGS, favour_recent=False).sort("agent_id")
    assert scores.height == len(truth)
    return float(np.mean((scores["score_low"].to_numpy() <= truth) & (truth <= scores["score_high"].to_numpy())))


def tasks_of(random: np.random.Generator, least: int = 5, most: int = 100) -> tuple[Any, Any]:
    """How many tasks each agent has, and a mask of as many among `most`."""
    n = random.integers(least, most, AGENTS)
    return n, np.arange(most) < n[:, None]


def sums(name: str, values: Any, mask: Any) -> dict[str, Any]:
    """Count, sum and squares of a measure, as columns of statistics."""
    shown = np.where(mask, values, 0.0)
    return {f"{name}_n": mask.sum(1), f"{name}_sum": shown.sum(1), f"{name}_squares": (shown**2).sum(1)}


@pytest.mark.parametrize("shape", TRUTHS)
@pytest.mark.parametrize("seed", [7, 8])
def test_intervals_of_success_rates_hold_the_truth(shape: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = TRUTHS[shape](random).clip(0.01, 0.99)
    n = random.integers(5, 100, AGENTS)
    wins = random.binomial(n, truth)

    assert 0.87 <= held(crowd(AGENTS, succeeded=wins, failed=n - wins), "success_rate", truth) <= 0.93


@pytest.mark.parametrize("shape", TRUTHS)
def test_intervals_of_quality_hold_the_truth(shape: str) -> None:
    random = np.random.default_rng(9)
    truth = TRUTHS[shape](random).clip(0.02, 0.98)
    n, mask = tasks_of(random)
    marks = random.beta(6 * truth[:, None], 6 * (1 - truth[:, None]), mask.shape)

    assert 0.87 <= held(crowd(AGENTS, succeeded=n, **sums("quality", marks, mask)), "quality", truth) <= 0.93


@pytest.mark.parametrize("shape", TRUTHS)
def test_intervals_of_points_hold_the_truth(shape: str) -> None:
    random = np.random.default_rng(10)
    truth = 100 * TRUTHS[shape](random)
    n, mask = tasks_of(random)
    points = truth[:, None] + random.normal(0, 40, mask.shape)

    assert 0.87 <= held(crowd(AGENTS, succeeded=n, **sums("points", points, mask)), "points", truth) <= 0.93


@pytest.mark.parametrize("shape", TRUTHS)
def test_intervals_of_performance_hold_the_truth(shape: str) -> None:
    random = np.random.default_rng(11)
    success = TRUTHS[shape](random).clip(0.02, 0.98)
    good, quick, cheap = (random.uniform(0.2, 0.9, AGENTS) for _ in range(3))
    _, mask = tasks_of(random, 10)
    ok = mask & (random.random(mask.shape) < success[:, None])
    quality = random.beta(8 * good[:, None], 8 * (1 - good[:, None]), mask.shape)
    speed, thrift = (np.where(ok, random.beta(8 * x[:, None], 8 * (1 - x[:, None]), mask.shape), 0) for x in (quick, cheap))
    columns = {**sums("quality", quality, mask), **sums("speed", speed, mask), **sums("thrift", thrift, mask)}
    columns |= {"speed_thrift_n": mask.sum(1), "speed_thrift": (speed * thrift).sum(1)}
    columns |= {"quality_succeeded": ok.sum(1), "quality_of_succeeded": np.where(ok, quality, 0).sum(1)}
    truth = 100 * (0.4 * good + success * (0.3 + 0.15 * quick + 0.15 * cheap))

    assert 0.87 <= held(crowd(AGENTS, succeeded=ok.sum(1), failed=(mask & ~ok).sum(1), **columns), "performance", truth) <= 0.93


def test_intervals_of_cost_per_success_hold_the_truth() -> None:
    random = np.random.default_rng(12)
    success, level = random.uniform(0.5, 0.95, AGENTS), random.lognormal(-4, 0.5, AGENTS)
    n, mask = tasks_of(random, 20)
    cost = np.where(mask, random.lognormal(np.log(level)[:, None], 0.6, mask.shape), 0)
    ok = mask & (random.random(mask.shape) < success[:, None])
    columns = {"cost_n": n, "cost_sum": cost.sum(1), "cost_squares": (cost**2).sum(1), "cost_succeeded": ok.sum(1)}
    columns |= {"cost_of_succeeded": np.where(ok, cost, 0).sum(1), "succeeded": ok.sum(1), "failed": n - ok.sum(1)}

    # the mean of a log-normal is level · exp(σ²/2)
    assert 0.87 <= held(crowd(AGENTS, **columns), "cost_per_success", level * np.exp(0.18) / success) <= 0.93


@pytest.mark.parametrize("agents", [1, 2])
def test_intervals_of_points_hold_the_truth_where_one_or_two_agents_have_hardly_worked(agents: int) -> None:
    random = np.random.default_rng(13)
    found = []
    for _ in range(60):  # worlds, each of its own
        truth = random.uniform(10, 95, agents)
        n, mask = random.integers(1, 4, agents), np.arange(3)
        seen = mask < n[:, None]
        points = truth[:, None] + random.normal(0, 20, seen.shape)
        found.append(held(crowd(agents, succeeded=n, **sums("points", points, seen)), "points", truth))

    assert float(np.mean(found)) >= 0.85, "of one task nothing is known of how much they differ: too wide rather than too sure"


def test_the_ranking_is_nearer_to_the_truth_than_the_plain_average() -> None:
    for one_question in measure(repeats=6, tasks=(4, 16)).values():
        for found in one_question:
            assert found.ours > found.plain + 0.01
