"""A decision: what every candidate is worth for a task, who may have it, and with which probability each gets it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from processors.routing.cells import Ints
from processors.routing.choice import probabilities
from processors.routing.evidence import Evidence
from processors.routing.features import Floats
from processors.routing.measure import Estimate
from processors.routing.policies import Policy
from processors.routing.settings import RoutingSettings
from processors.routing.utility import chance_within, share, typical, worth

Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Assignment:
    """A task that is to be given out.

    `row` are its features; limits are None where there are none.
    """

    category: str
    row: Floats
    max_cost_usd: float | None = None
    max_duration_seconds: float | None = None


@dataclass(frozen=True)
class Standing:
    """What is known of each candidate besides the estimates, aligned with them."""

    penalty: Floats
    barred: Booleans
    """May not have this task whatever its estimates."""
    probation: Booleans


@dataclass(frozen=True)
class Decision:
    """Every candidate, in the order in which they were given; a quantity is None where it was never observed of anybody."""

    score: Floats
    deviation: Floats
    worth: Floats
    """Quality within the limits, before it is weighed."""
    cost_share: Floats
    duration_share: Floats
    success: Estimate | None
    quality: Estimate | None
    cost_usd: Floats | None
    duration_seconds: Floats | None
    within_cost: Floats
    within_duration: Floats
    eligible: Booleans
    probability: Floats = field(repr=False)


def decide(
    evidence: Evidence,
    task: Assignment,
    candidates: Ints,
    standing: Standing,
    policy: Policy,
    settings: RoutingSettings,
    fading: float = 1.0,
) -> Decision:
    """Judge `candidates`, numbers of agents in the evidence (beyond its end: never seen), for `task`.

    Args:
        evidence: what is known.
        task: to be given out.
        candidates: may be none.
        standing: of each.
        policy: how to choose.
        settings: of routing.
        fading: what is left of the weight of an observation of the evidence's epoch.
    """
    everyone = np.arange(len(evidence.cells.agents) + 1)
    asked = np.minimum(candidates, len(evidence.cells.agents))

    def estimated(measure: str) -> Estimate | None:
        known = getattr(evidence, measure)
        return known.estimate(task.category, everyone, task.row, fading) if known.learnt else None

    success, quality, cost, duration = (estimated(name) for name in ("success", "quality", "cost", "duration"))
    mean, variance = worth(success, quality) if success or quality else unknown(len(everyone))
    within_cost = met(cost, task.max_cost_usd, len(everyone))
    within_duration = met(duration, task.max_duration_seconds, len(everyone))
    chance = within_cost * within_duration
    cost_share = share(cost, typical(cost)[:-1]) if cost else np.zeros(len(everyone))
    duration_share = share(duration, typical(duration)[:-1]) if duration else np.zeros(len(everyone))
    weights = policy.weights
    score = (weights.quality * mean * chance - weights.cost * cost_share - weights.speed * duration_share)[
        asked
    ] - standing.penalty
    deviation = (policy.weights.quality * chance * np.sqrt(variance))[asked]
    meets = (within_cost[asked] >= settings.limit_chance) & (within_duration[asked] >= settings.limit_chance)
    eligible = meets & ~standing.barred
    return Decision(
        score=score,
        deviation=deviation,
        worth=(mean * chance)[asked],
        cost_share=cost_share[asked],
        duration_share=duration_share[asked],
        success=at(success, asked),
        quality=at(quality, asked),
        cost_usd=typical(cost)[asked] if cost else None,
        duration_seconds=typical(duration)[asked] if duration else None,
        within_cost=within_cost[asked],
        within_duration=within_duration[asked],
        eligible=eligible,
        probability=chances(policy, settings, score, deviation, eligible, standing.probation),
    )


def chances(
    policy: Policy, settings: RoutingSettings, score: Floats, deviation: Floats, eligible: Booleans, probation: Booleans
) -> Floats:
    """The probability of each; 0 of who is not eligible, and all 0 if nobody is."""
    out = np.zeros(len(score))
    some = np.flatnonzero(eligible)
    if not len(some):
        return out
    out[some] = probabilities(policy.strategy, score[some], deviation[some], settings.exploration, settings.floor)
    trying = eligible & probation
    share_of_trying = out[trying].sum()
    if share_of_trying > settings.probation_share and (eligible & ~probation).any():
        out[trying] *= settings.probation_share / share_of_trying
        others = eligible & ~probation
        rest = out[others].sum()
        missing = 1.0 - settings.probation_share
        best = others & (score == score[others].max())
        out[others] = out[others] * missing / rest if rest > 0 else (best * missing / best.sum())[others]
    return out


def met(estimate: Estimate | None, limit: float | None, size: int) -> Floats:
    """The chance of each to stay within `limit`; certain without one, and where the quantity was never observed."""
    return np.ones(size) if estimate is None or limit is None else chance_within(estimate, limit)


def unknown(size: int) -> tuple[Floats, Floats]:
    """Mean and variance of the worth of agents of whom nothing is known: all alike."""
    return np.full(size, 0.5), np.full(size, 0.25)


def at(estimate: Estimate | None, asked: Ints) -> Estimate | None:
    """The part of `estimate` that was asked for."""
    if estimate is None:
        return None
    return Estimate(estimate.mean[asked], estimate.variance[asked], estimate.noise, estimate.observations[asked])
