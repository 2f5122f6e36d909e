"""What another policy would have come to, judged on decisions that were made by this one.

Each stored decision has the exact probability of what was chosen, so what came of it can be weighed by how much likelier
another policy would have chosen the same. Three estimates: inverse propensity (without bias, and noisy), self-normalised (a
little bias, less noise), and doubly robust, which starts from what was expected of every candidate and corrects that by what
came of the chosen (Dudík, Langford and Li, Doubly Robust Policy Evaluation and Learning, 2011). A choice that the past policy
would hardly ever make stays uncertain in all of them: the interval says so.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from processors.routing.decide import chances
from processors.routing.features import Floats
from processors.routing.policies import Policy
from processors.routing.settings import RoutingSettings
from processors.routing.utility import scored

Z90 = 1.645
"""Half the width of a 90 % interval in standard errors."""
EVERY = 500


class Value(NamedTuple):
    """An estimate and its 90 % interval."""

    value: float
    low: float
    high: float


class WhatIf(NamedTuple):
    """What a policy would have come to. `reward` is success times quality where both are known, else the one that is."""

    decisions: int
    """On so many decisions whose outcome is known."""
    effective: float
    """So many equally weighted ones would tell as much (Kish)."""
    agreement: float
    """Mean probability with which the policy would have chosen the same."""
    observed: Value
    inverse_propensity: Value
    self_normalised: Value
    doubly_robust: Value
    observed_cost_usd: float | None
    """Mean cost of those whose cost is known."""
    cost_usd: float | None
    """The mean that the policy would have come to, self-normalised."""


def what_if(
    routed: pl.DataFrame,
    policy: Policy,
    settings: RoutingSettings,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> WhatIf | None:
    """Judge `policy` on past decisions; None if the outcome of none is known.

    Args:
        routed: decisions with their candidates (lists as in DECISIONS), `success, quality, cost_usd`.
        policy: to be judged.
        settings: exploration, floor and what those on probation get together.
        progress: told how many decisions are done of how many.
    """
    known = routed.filter((pl.col("agent_id") != "") & pl.any_horizontal(pl.col("success", "quality").is_not_null()))
    if known.is_empty():
        return None
    reward = known.select(pl.col("success").fill_null(1.0) * pl.col("quality").fill_null(1.0)).to_series().to_numpy()
    chance, expected, expected_chosen = np.zeros(len(known)), np.zeros(len(known)), np.zeros(len(known))
    for number, decision in enumerate(known.iter_rows(named=True)):
        again, worth = redecided(decision, policy, settings)
        chosen = decision["candidates"].index(decision["agent_id"])
        chance[number], expected[number], expected_chosen[number] = again[chosen], again @ worth, worth[chosen]
        if number % EVERY == 0:
            progress(number, len(known))
    progress(len(known), len(known))
    weight = chance / known["probability"].to_numpy()
    cost = known["cost_usd"].to_numpy()
    priced = np.isfinite(cost)
    return WhatIf(
        decisions=len(known),
        effective=float(weight.sum() ** 2 / max((weight**2).sum(), 1e-300)),
        agreement=float(chance.mean()),
        observed=mean_of(reward),
        inverse_propensity=mean_of(weight * reward),
        self_normalised=ratio_of(weight, reward),
        doubly_robust=mean_of(expected + weight * (reward - expected_chosen)),
        observed_cost_usd=float(cost[priced].mean()) if priced.any() else None,
        cost_usd=ratio_of(weight[priced], cost[priced]).value if weight[priced].sum() > 0 else None,
    )


def redecided(decision: dict[str, Any], policy: Policy, settings: RoutingSettings) -> tuple[Floats, Floats]:
    """The probability that `policy` would have given each candidate of a stored decision, and what each was expected to be."""
    lists = ("worths", "deviations", "cost_shares", "duration_shares", "load_penalties")
    worth, deviation, cost, duration, penalty = (np.asarray(decision[name], np.float64) for name in lists)
    eligible = np.array([not bar for bar in decision["barred_by"]])
    probation = np.array(decision["on_probation"] or np.zeros(len(worth)), np.bool_)
    score = scored(policy.weights, worth, cost, duration, penalty)
    return chances(policy, settings, score, policy.weights.quality * deviation, eligible, probation), worth


def mean_of(values: Floats) -> Value:
    """The mean and its interval."""
    mean = float(values.mean())
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return Value(mean, mean - Z90 * error, mean + Z90 * error)


def ratio_of(weight: Floats, values: Floats) -> Value:
    """The weighted mean and its interval (by linearisation)."""
    total = weight.sum()
    if total <= 0:
        return Value(float("nan"), float("nan"), float("nan"))
    mean = float(weight @ values / total)
    error = float(np.sqrt((weight**2 * (values - mean) ** 2).sum()) / total)
    return Value(mean, mean - Z90 * error, mean + Z90 * error)
