"""How good past decisions were: success, regret against the best in hindsight, coverage, cost saved, over time.

The highest of many rates is largely luck. So each is drawn to the mean of its category by how much less agents differ than their
tasks do by chance (empirical Bayes; the variance between agents by the method of moments: Searle, Linear Models, 1971, ch. 9).
"""

from datetime import timedelta
from typing import Any

import polars as pl

from processors.frames import TIME

ENOUGH = 10
"""Tasks of an agent in a category before it can be the best in hindsight: fewer are luck."""

MeasuredPeriod = dict[str, Any]
QUALITY = {
    "period": TIME,
    **dict.fromkeys(("decisions", "unanswered", "known"), pl.Int64()),
    **dict.fromkeys(
        (
            "coverage",
            "success_rate",
            "quality",
            "best_success_rate",
            "regret",
            "total_regret",
            "cost_usd",
            "cost_saved_usd",
            "explored",
        ),
        pl.Float64(),
    ),
}
"""What is measured of the decisions of a period; null where nothing is known."""


def measured(routed: pl.DataFrame, hindsight: pl.DataFrame, every: timedelta) -> tuple[MeasuredPeriod, list[MeasuredPeriod]]:
    """All decisions, and those of each period.

    Args:
        routed: `decided_at, kind, category, agent_id, probability, likeliest, success, quality, cost_usd, usual_cost_usd` of each
            decision; `likeliest` is the highest probability of a candidate.
        hindsight: `category, agent_id, tasks, success_rate` over the same time.
        every: how long a period is.
    """
    known = routed.join(best_of(hindsight), on="category", how="left")
    whole = known.select(*measures()).with_columns(period=pl.lit(None, TIME)).row(0, named=True)
    periods = known.sort("decided_at").group_by_dynamic(pl.col("decided_at").alias("period"), every=every).agg(*measures())
    return whole, periods.to_dicts()


def best_of(hindsight: pl.DataFrame) -> pl.DataFrame:
    """What the best agent of each `category` can be believed to come to: `best`.

    Args:
        hindsight: `category, agent_id, tasks, success_rate`.
    """
    tasks, rate, agents = pl.col("tasks").cast(pl.Float64), pl.col("success_rate"), pl.len()
    total, mean = tasks.sum(), (tasks * rate).sum() / tasks.sum()
    within = (tasks * rate * (1 - rate)).sum() / (total - agents)
    between = (tasks * (rate - mean) ** 2).sum() / (agents - 1)
    differ = ((between - within) / ((total - (tasks**2).sum() / total) / (agents - 1))).clip(lower_bound=0)
    drawn = mean + pl.when(differ > 0).then(differ / (differ + within / tasks)).otherwise(0.0) * (rate - mean)
    best = pl.when(agents > 1).then(drawn.max()).otherwise(rate.max())
    return hindsight.filter(pl.col("tasks") >= ENOUGH).group_by("category").agg(best=best)


def measures() -> list[pl.Expr]:
    """What is measured, over the decisions of a group."""
    named, ended = pl.col("agent_id") != "", pl.col("success").is_not_null()
    known = ended | pl.col("quality").is_not_null()
    compared = ended & pl.col("best").is_not_null() & (pl.col("kind") == "agent")
    lacking = (pl.col("best") - pl.col("success")).filter(compared)
    priced = pl.col("cost_usd").is_not_null() & pl.col("usual_cost_usd").is_finite()
    return [
        pl.len().cast(pl.Int64).alias("decisions"),
        (~named).sum().cast(pl.Int64).alias("unanswered"),
        known.sum().cast(pl.Int64).alias("known"),
        pl.when(named.any()).then(known.sum() / named.sum()).alias("coverage"),
        pl.col("success").mean().alias("success_rate"),
        pl.col("quality").mean().alias("quality"),
        pl.col("best").filter(compared).mean().alias("best_success_rate"),
        lacking.mean().alias("regret"),
        pl.when(compared.any()).then(lacking.sum()).alias("total_regret"),
        pl.when(pl.col("cost_usd").is_not_null().any()).then(pl.col("cost_usd").sum()).alias("cost_usd"),
        pl.when(priced.any()).then((pl.col("usual_cost_usd") - pl.col("cost_usd")).filter(priced).sum()).alias("cost_saved_usd"),
        (pl.col("probability").cast(pl.Float32) < pl.col("likeliest")).filter(named).mean().alias("explored"),
    ]
