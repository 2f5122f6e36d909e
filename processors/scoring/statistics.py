"""What rankings are made of: counts and sums of tasks by agent, kind of work and stretch of time, under one profile."""

import polars as pl

from processors.frames import STRING, SUM_OF_MONEY, TIME, Columns

COUNTS = ("tasks", "running", "interrupted", "succeeded", "failed", "llm_calls", "unpriced_calls", "total_tokens")
SCORED = ("speed", "thrift", "efficiency", "ratio", "quality", "points")
"""What has a count, a sum and a sum of squares; `ratio` is duration over the usual, of succeeded tasks."""
JUDGED = ("accuracy", "completeness", "relevance", "rating")
"""What has a count and a sum."""

KIND = ("category", "complexity")
"""Agents are compared by work of one kind: of one category and of the complexity that users said, 0 where they did not. What
complexity is worked out from what happened is none of it: who is slow and wordy would be compared with its like alone."""

STATISTICS: Columns = {
    "agent_id": STRING,
    "category": STRING,
    "complexity": pl.UInt8(),
    "segment": pl.UInt8(),
    **dict.fromkeys(COUNTS, pl.UInt64()),
    "total_cost_usd": SUM_OF_MONEY,
    "duration_sum": pl.Float64(),
    "duration_squares": pl.Float64(),
    **{f"{name}_{kind}": pl.Float64() for name in SCORED for kind in ("n", "sum", "squares")},
    **{f"{name}_{kind}": pl.Float64() for name in JUDGED for kind in ("n", "sum")},
    "rated_tasks": pl.UInt64(),
    "speed_thrift_n": pl.Float64(),
    "speed_thrift": pl.Float64(),
    "quality_succeeded": pl.Float64(),
    "quality_of_succeeded": pl.Float64(),
    **dict.fromkeys(("cost_n", "cost_succeeded", "cost_sum", "cost_squares", "cost_of_succeeded"), pl.Float64()),
    **dict.fromkeys(("worth_n", "worth_cost", "worth_cost_squares", "worth_sum", "worth_squares", "worth_cross"), pl.Float64()),
}
"""`cost_*` speak of tasks with a known cost, `worth_*` of those with a known overall score besides, `worth_sum` being the sum of
the scores and `worth_cross` that of cost · score. `quality_succeeded` counts judged tasks that succeeded, `quality_of_succeeded`
sums their quality."""

AGENTS: Columns = {
    "agent_id": STRING,
    "agent_name": STRING,
    "first_seen": TIME,
    "last_seen": TIME,
    "days_active": pl.UInt64(),
    "p95_duration_seconds": pl.Float64(),
}
"""Who the agents are."""

MONEY_DIGITS = 12
"""Decimals of a price, as they are stored."""


def finished() -> pl.Expr:
    """How many tasks came to an end, good or bad."""
    return pl.col("succeeded") + pl.col("failed")


def is_priced(most_unpriced: float) -> pl.Expr:
    """Whether costs are known: all model calls but for a share of `most_unpriced` have a known price."""
    return pl.col("unpriced_calls") <= most_unpriced * pl.max_horizontal("llm_calls", "unpriced_calls")


def plain(statistics: pl.DataFrame, most_unpriced: float) -> pl.DataFrame:
    """The plain measures of each agent: nothing is shrunk here, these are what was seen.

    Args:
        statistics: columns STATISTICS.
        most_unpriced: share of model calls without a known price beyond which costs are unknown.

    Returns:
        `agent_id`, counts, and means of what they count; null without any. `priced` is whether costs are known; what is known to
        have been spent is told in any case, also for tasks that are still running.
    """
    sums = statistics.group_by("agent_id").agg(pl.exclude("agent_id", *KIND, "segment").sum())
    sums = sums.with_columns(priced=is_priced(most_unpriced))
    mean = {name: over(f"{name}_sum", pl.col(f"{name}_n")) for name in (*SCORED, *JUDGED) if name != "points"}
    money = {
        "avg_cost_usd": over("cost_sum", pl.col("cost_n")),
        "cost_per_success_usd": over("cost_sum", pl.col("cost_succeeded")),
        "cost_per_quality_point": over("worth_cost", pl.col("worth_sum")),
    }
    return sums.select(
        "agent_id",
        *COUNTS,
        "rated_tasks",
        "priced",
        over("succeeded", finished()).alias("success_rate"),
        *(mean[name].alias(name) for name in ("quality", "efficiency", "speed", "thrift", *JUDGED[:3])),
        mean["rating"].alias("avg_user_rating"),
        pl.when(finished() > 0).then("points_sum").alias("points"),
        over("duration_sum", finished()).alias("avg_duration_seconds"),
        pl.when((pl.col("cost_n") > 0) | (pl.col("total_cost_usd") > 0)).then("total_cost_usd").alias("total_cost_usd"),
        *(pl.when("priced").then(value).round(MONEY_DIGITS).alias(name) for name, value in money.items()),
    )


def over(name: str, denominator: pl.Expr) -> pl.Expr:
    """`name` by `denominator`; null where that is 0."""
    return pl.when(denominator > 0).then(pl.col(name) / denominator)
