"""A decision: what every candidate is worth for a task, who may have it, and with which probability each gets it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.routing.cells import Ints
from processors.routing.choice import probabilities
from processors.routing.evidence import Evidence
from processors.routing.features import Floats
from processors.routing.measure import Measure
from processors.routing.policies import Policy
from processors.routing.settings import RoutingSettings
from processors.routing.shown import Estimate
from processors.routing.utility import chance_within, scored, share, typical, worth

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
class Expected:
    """What to expect of each agent for a task; a quantity is None where it was never observed of anybody."""

    worth: Floats
    """Success times quality within the limits, before it is weighed."""
    deviation: Floats
    """How uncertain that is."""
    cost_share: Floats
    duration_share: Floats
    within_cost: Floats
    """The chance to stay within the limit."""
    within_duration: Floats
    success: Estimate | None
    quality: Estimate | None
    cost_usd: Floats | None
    duration_seconds: Floats | None

    def of(self, some: Ints) -> "Expected":
        """Of some of the agents, by their place."""
        parts: dict[str, Any] = {name: part(each, some) for name, each in vars(self).items()}
        return Expected(**parts)


def part(each: Estimate | Floats | None, some: Ints) -> Estimate | Floats | None:
    """A part of an estimate or of an array, if there is one."""
    return each if each is None else each.of(some) if isinstance(each, Estimate) else each[some]


@dataclass(frozen=True)
class Decision:
    """Every candidate, in the order in which they were given."""

    expected: Expected
    score: Floats
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
    asked = np.minimum(candidates, len(evidence.cells.agents))
    known = expected(evidence, task, fading).of(asked)
    score = scored(policy.weights, known.worth, known.cost_share, known.duration_share, standing.penalty)
    deviation = policy.weights.quality * known.deviation
    meets = (known.within_cost >= settings.limit_chance) & (known.within_duration >= settings.limit_chance)
    eligible = meets & ~standing.barred
    return Decision(
        expected=known,
        score=score,
        eligible=eligible,
        probability=chances(policy, settings, score, deviation, eligible, standing.probation),
    )


def expected(evidence: Evidence, task: Assignment, fading: float) -> Expected:
    """What to expect of everyone for `task`, by number, and in the last place of one that was never seen."""

    def estimated(measure: Measure) -> Estimate | None:
        return measure.estimate(task.category, task.row, fading) if measure.learnt else None

    success, quality = estimated(evidence.success), estimated(evidence.quality)
    cost, duration = estimated(evidence.cost), estimated(evidence.duration)
    size = len(evidence.cells.agents) + 1
    mean, variance = worth(success, quality) if success or quality else unknown(size)
    done = evidence.done(task.category)
    cost_usd, cost_share, within_cost = spent(cost, task.max_cost_usd, evidence.free.share(task.category), done)
    seconds, duration_share, within_duration = spent(duration, task.max_duration_seconds, None, done)
    chance = within_cost * within_duration
    return Expected(
        worth=mean * chance,
        deviation=np.sqrt(variance) * chance,
        cost_share=cost_share,
        duration_share=duration_share,
        within_cost=within_cost,
        within_duration=within_duration,
        success=success,
        quality=quality,
        cost_usd=cost_usd,
        duration_seconds=seconds,
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


def spent(
    estimate: Estimate | None, limit: float | None, free: Floats | None, done: Booleans
) -> tuple[Floats | None, Floats, Floats]:
    """What each typically spends, of money or of time, that as a share of the dearest, and its chance to stay within `limit`.

    Args:
        estimate: of what is spent where it is not free; None if it was never observed of anybody.
        limit: None: all stay within.
        free: how often each spends nothing; None: never.
        done: who has done the category.
    """
    size = len(done)
    if estimate is None:
        return None if free is None else np.zeros(size), np.zeros(size), np.ones(size)
    usual, within = typical(estimate), np.ones(size) if limit is None else chance_within(estimate, limit)
    if free is not None:
        usual, within = (1 - free) * usual, free + (1 - free) * within
    return usual, share(usual, done), within


def unknown(size: int) -> tuple[Floats, Floats]:
    """Mean and variance of the worth of agents of whom nothing is known: all alike."""
    return np.full(size, 0.5), np.full(size, 0.25)
