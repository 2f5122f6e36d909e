"""What was done in a period, against the period before: sums and movers, out of one frame of statistics.

The statistics are cut where the period before begins, at every step, and at the end; `segment` 1 is the period before.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import polars as pl

from processors.scoring.statistics import KIND, is_priced, over

Row = dict[str, Any]

BEFORE = 1
"""The segment that is the period before."""
COUNTED = ("tasks", "succeeded", "failed", "total_tokens", "unpriced_calls", "rated_tasks")
MOST_MOVERS = 5
LEAST_SURE = 10
"""With fewer tasks an agent is where the others put it."""


def sides(statistics: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The statistics of the period, and those of the period before."""
    return statistics.filter(pl.col("segment") > BEFORE), statistics.filter(pl.col("segment") == BEFORE)


def totals(statistics: pl.DataFrame, most_unpriced: float) -> Row:
    """What was done, added up: counts are 0 and means null where nothing was done.

    What a success cost is null as in a ranking if more than `most_unpriced` of the model calls have no known price: of the others
    alone it would look cheap.
    """
    finished = pl.col("succeeded") + pl.col("failed")
    summed = statistics.select(pl.exclude("agent_id", *KIND, "segment").sum(), pl.col("agent_id").n_unique().alias("agents"))
    priced = statistics.select(pl.col("total_cost_usd").is_not_null().any()).item()
    return summed.select(
        *COUNTED,
        active_agents="agents",
        success_rate=over("succeeded", finished),
        avg_duration_seconds=over("duration_sum", finished),
        quality=over("quality_sum", pl.col("quality_n")),
        cost_usd=pl.when(pl.lit(priced)).then(pl.col("total_cost_usd").cast(pl.Float64)),
        cost_per_success_usd=pl.when(is_priced(most_unpriced)).then(over("cost_sum", pl.col("cost_succeeded"))),
    ).row(0, named=True)


def series(statistics: pl.DataFrame, steps: Sequence[datetime]) -> pl.DataFrame:
    """`started_at, tasks, succeeded, failed, cost_usd` of every step, also of those in which nothing happened."""
    every = pl.DataFrame({"started_at": list(steps), "segment": range(BEFORE + 1, BEFORE + 1 + len(steps))})
    done = statistics.group_by(pl.col("segment").cast(pl.Int64)).agg(
        pl.col("tasks", "succeeded", "failed").sum(), pl.col("total_cost_usd").cast(pl.Float64).sum().alias("cost_usd")
    )
    joined = every.join(done, on="segment", how="left", maintain_order="left").drop("segment")
    return joined.with_columns(pl.exclude("started_at").fill_null(0))


def moved(now: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """The ranking of a period with the ranking of the period before beside it.

    Returns:
        The columns of `now`, and `rank_before`, `success_rate_before`, `quality_before`, `cost_before_usd`, `moved` (how many
        ranks it rose), `is_sure`: whether the two 90 % intervals have nothing in common, so that luck alone is unlikely; nothing
        is of an agent with fewer than LEAST_SURE tasks in either.
    """
    was = before.select(
        "agent_id",
        rank_before="rank",
        success_rate_before="success_rate",
        quality_before="quality",
        cost_before_usd="total_cost_usd",
        low="score_low",
        high="score_high",
        tasks_before="tasks",
    )
    joined = now.join(was, on="agent_id", how="left", maintain_order="left")
    apart = (pl.col("score_low") > pl.col("high")) | (pl.col("score_high") < pl.col("low"))
    return joined.with_columns(
        moved=pl.col("rank_before").cast(pl.Int64) - pl.col("rank").cast(pl.Int64),
        is_sure=(apart & (pl.min_horizontal("tasks", "tasks_before") >= LEAST_SURE)).fill_null(value=False),
    ).drop("low", "high", "tasks_before")


def movers(by: Literal["agent", "category", "model"], now: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """What changed most in cost: `group_by, group, cost_usd, cost_before_usd, change_usd`, the largest change first.

    Args:
        by: what the groups are.
        now: `group, cost_usd`, once or several times a group; null is no known cost.
        before: the same of the period before.
    """
    spent = [part.group_by("group").agg(pl.col("cost_usd").cast(pl.Float64).sum()) for part in (now, before)]
    both = spent[0].join(spent[1].rename({"cost_usd": "cost_before_usd"}), on="group", how="full", coalesce=True)
    told = both.with_columns(pl.col("cost_usd", "cost_before_usd").fill_null(0.0))
    changed = told.with_columns(change_usd=pl.col("cost_usd") - pl.col("cost_before_usd"), group_by=pl.lit(by))
    largest = changed.filter(pl.col("change_usd") != 0).sort(-pl.col("change_usd").abs(), "group").head(MOST_MOVERS)
    return largest.select("group_by", "group", "cost_usd", "cost_before_usd", "change_usd")
