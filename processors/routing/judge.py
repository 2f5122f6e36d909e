"""How good past decisions were: success, regret against the best in hindsight, coverage, cost saved, over time."""

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
        routed: `decided_at, kind, category, agent_id, probability, success, quality, cost_usd, usual_cost_usd` of each decision.
        hindsight: `category, agent_id, tasks, success_rate` over the same time.
        every: how long a period is.
    """
    best = hindsight.filter(pl.col("tasks") >= ENOUGH).group_by("category").agg(best=pl.max("success_rate"))
    known = routed.join(best, on="category", how="left")
    whole = known.select(*measures()).with_columns(period=pl.lit(None, TIME)).row(0, named=True)
    periods = known.sort("decided_at").group_by_dynamic(pl.col("decided_at").alias("period"), every=every).agg(*measures())
    return whole, periods.to_dicts()


def measures() -> list[pl.Expr]:
    """What is measured, over the decisions of a group."""
    named, known = pl.col("agent_id") != "", pl.col("success").is_not_null()
    compared = known & pl.col("best").is_not_null() & (pl.col("kind") == "agent")
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
        (1 - pl.col("probability").filter(named)).mean().alias("explored"),
    ]
