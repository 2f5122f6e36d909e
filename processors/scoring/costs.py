"""Scores of agents that are money over something: dollars per success, dollars per point of quality.

They are compared by factors, not by differences: costs are never negative, and those of agents differ by orders of magnitude.
On a logarithmic scale an agent that costs a thousand times the usual draws the others no further than one that costs a
thousandth; on a plain one everybody would look dear beside it. And neither draws them far, for what is ordinary counts (`told`).
"""

from math import log
from typing import NamedTuple

import polars as pl

from processors.scoring.intervals import DEVIATIONS
from processors.scoring.measures import across, told
from processors.scoring.recency import blend
from processors.scoring.settings import ScoringSettings
from processors.scoring.shrinkage import WORK, own_or_common, steadied, with_kappa, with_others
from processors.scoring.statistics import KIND, MONEY_DIGITS

TRIFLE = 1e-6
"""Dollars added to each mean cost, so that work which costs next to nothing has a place on the scale."""
FREE = 0.1
"""Where an agent that costs something elsewhere costs nothing, it counts as this share of the least that others cost there."""
ORDINARY = log(10)
"""An ordinary cost is at most ten times, and at least a tenth, of that of the middle agent of the category; who is farther off
counts for less where the others are looked at. Who gets cheaper can only move the middle down."""
DOUBT = 2
"""Tasks of the category's worth that are added to an agent's own, so that it has a (dear) price where it has no worth itself."""


class Cost(NamedTuple):
    """A cost over a worth: columns of STATISTICS."""

    counts: str
    """Counts tasks of which both are known."""
    cost: str
    """Sum of the costs."""
    cost_squares: str
    """Sum of their squares."""
    worth: str
    """Sum of the worth."""
    worth_squares: str
    """Sum of its squares."""
    cross: str
    """Sum of cost · worth."""


COSTS = {
    "cost_per_success": Cost("cost_n", "cost_sum", "cost_squares", "cost_succeeded", "cost_succeeded", "cost_of_succeeded"),
    "cost_per_quality_point": Cost("worth_n", "worth_cost", "worth_cost_squares", "worth_sum", "worth_squares", "worth_cross"),
}


def score_cost(statistics: pl.DataFrame, cost: Cost, settings: ScoringSettings, recency: ScoringSettings | None) -> pl.DataFrame:
    """`agent_id, score, score_low, score_high, observations`, in dollars, less is better; agents without any worth are left out.

    Whoever never achieved anything has no price, however little it spent, and is nobody to be compared with. Nor is who never
    cost anything: nothing is by no factor less than what others cost. Such agents score 0, without an interval.
    """
    worthy = statistics.filter(pl.col(cost.worth).sum().over("agent_id") > 0)
    paid = pl.col(cost.cost).sum().over("agent_id") > 0
    return pl.concat([of_those_who_cost(worthy.filter(paid), cost, settings, recency), of_the_free(worthy.filter(~paid), cost)])


def of_the_free(statistics: pl.DataFrame, cost: Cost) -> pl.DataFrame:
    """What `score_cost` says of agents that never cost anything."""
    nothing = pl.lit(None, dtype=pl.Float64)
    agents = statistics.group_by("agent_id").agg(pl.col(cost.counts).sum().cast(pl.UInt64).alias("observations"))
    return agents.select(
        "agent_id", pl.lit(0.0).alias("score"), nothing.alias("score_low"), nothing.alias("score_high"), "observations"
    )


def of_those_who_cost(
    statistics: pl.DataFrame, cost: Cost, settings: ScoringSettings, recency: ScoringSettings | None
) -> pl.DataFrame:
    """What `score_cost` says of agents that have cost something."""
    groups = with_others(with_kappa(factors(statistics, cost, recency), settings), None)
    spreads = groups.with_columns(common=steadied(pl.lit(1.0))).with_columns(
        spread=own_or_common()
    )  # a cost may be off by itself
    known = across(spreads, None, is_share=False)
    reach = DEVIATIONS * (pl.col("doubt") * pl.col("unevenness").fill_nan(1)).sqrt()
    ends = {"score": pl.col("score"), "score_low": pl.col("center") - reach, "score_high": pl.col("center") + reach}
    scores = known.filter(pl.col("observations") > 0).with_columns(
        (value.exp() - TRIFLE).clip(lower_bound=0).round(MONEY_DIGITS).alias(name) for name, value in ends.items()
    )
    return scores.select(
        "agent_id",
        "score",
        pl.min_horizontal("score", "score_low").alias("score_low"),
        pl.max_horizontal("score", "score_high").alias("score_high"),
        "observations",
    )


def factors(statistics: pl.DataFrame, cost: Cost, recency: ScoringSettings | None) -> pl.DataFrame:
    """WORK, `agent_id, n, told, observations, finished, mean, own`: logarithms of the ratio, and their variance.

    The variance of one observation is that of a ratio of means (Cochran, Sampling Techniques, 1977, ch. 6), relative to the
    ratio. A category in which nobody has any worth compares nobody; what an agent has lost there is added to the price of what it
    achieved elsewhere.
    """
    sums = {name: pl.col(column) for name, column in zip(MOMENTS, cost[1:], strict=True)}
    counted = statistics.with_columns(measure=pl.lit("cost"), **sums)
    groups = blend(counted, [*WORK, "agent_id"], cost.counts, MOMENTS, recency).filter(pl.col("n") > 0)
    n = pl.col("n")
    usual = (n * pl.col("_worth")).sum().over(KIND) / n.sum().over(KIND)
    worth = (n * pl.col("_worth") + DOUBT * usual) / (n + DOUBT)
    each, spent = pl.col("observations"), pl.when(usual > 0).then(0.0).otherwise("_cost")
    lost = (each * spent).sum().over("agent_id") / (each * pl.col("_worth")).sum().over("agent_id")
    known = groups.with_columns(_usual=usual, _steady=worth, _lost=lost).filter(pl.col("_usual") > 0)
    ratio, mean = pl.col("_cost") / pl.col("_steady"), pl.col("_cost")
    price = (mean + pl.col("_lost") * pl.col("_worth")) / pl.col("_steady")
    least = pl.coalesce(price.filter(price > 0).min().over(KIND), price.filter(price > 0).min())
    residual = pl.col("_cost2") - 2 * ratio * pl.col("_cross") + ratio**2 * pl.col("_worth2")
    own = pl.when(mean > 0).then(residual.clip(lower_bound=0) / mean**2).otherwise(0.0)
    groups = known.select(
        *WORK,
        "agent_id",
        "n",
        "observations",
        pl.col("observations").alias("finished"),
        (pl.when(price > 0).then(price).otherwise(FREE * least) + TRIFLE).log().alias("mean"),
        own.alias("own"),
    )
    away = pl.col("mean") - pl.col("mean").median().over(KIND)
    return groups.with_columns(told=told(ORDINARY, pl.col("own") + away**2))


MOMENTS = ("_cost", "_cost2", "_worth", "_worth2", "_cross")
