"""Scores that deserve trust, and the ranking they make.

A rank never rewards luck. Each agent's mean in a category is drawn to that of the other agents there (see `shrinkage`);
over several categories an agent is its task-weighted distance from the category means plus the global mean, so that nobody
leads by picking easy work. The interval says what is left open.

- `success_rate`: succeeded among finished tasks; the interval is its beta posterior.
- `speed`: mean of 1 / (1 + duration / usual duration), 0 for failed tasks; the interval is the beta distribution of the same
  mean and variance, since the values lie in [0, 1].
- `cost_per_success`: dollars, lower is better; cost of all over succeeded, both with κ pseudo-tasks that cost and succeed
  as the others' do. Its variance is that of a ratio of means (Cochran, Sampling Techniques, 1977, ch. 6), its interval
  log-normal; distances from category means are taken as factors, since dollars do not go below zero.
"""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import polars as pl

from processors.frames import STRING, SUM_OF_MONEY, TIME, Columns
from processors.intervals import beta_interval, ratio_interval
from processors.recency import blend
from processors.shrinkage import shrunk, with_kappa, with_others

By = Literal["success_rate", "speed", "cost_per_success"]

STATISTICS: Columns = {
    "agent_id": STRING,
    "category": STRING,
    "recent": pl.Boolean(),
    "tasks": pl.UInt64(),
    "succeeded": pl.UInt64(),
    "failed": pl.UInt64(),
    "duration_sum": pl.Float64(),
    "speed_n": pl.UInt64(),
    "speed_sum": pl.Float64(),
    "speed_squares": pl.Float64(),
    "cost_n": pl.UInt64(),
    "cost_succeeded": pl.UInt64(),
    "cost_sum": pl.Float64(),
    "cost_squares": pl.Float64(),
    "cost_of_succeeded": pl.Float64(),
    "total_cost_usd": SUM_OF_MONEY,
    "llm_calls": pl.UInt64(),
    "unpriced_calls": pl.UInt64(),
}
"""Counts and moments by agent, category and whether the work is recent. `cost_*` speak of tasks with a known cost."""

AGENTS: Columns = {
    "agent_id": STRING,
    "agent_name": STRING,
    "first_seen": TIME,
    "last_seen": TIME,
    "days_active": pl.UInt64(),
    "p95_duration_seconds": pl.Float64(),
}
"""Who the agents are."""

RECENT = timedelta(days=30)
MOST_UNPRICED = 0.05
"""Share of unpriced model calls beyond which costs are unknown: an unknown price must not rank cheapest."""
DIGITS = 9
"""Significant digits of a score: what differs beyond is a tie."""
MONEY_DIGITS = 12
"""Decimals of a price, as they are stored."""


class Trial(NamedTuple):
    """What keeps an agent on probation."""

    tasks: int = 10
    """Fewer finished tasks."""
    age: timedelta = timedelta(days=7)
    """Seen for a shorter time."""


TRIAL = Trial()


def rank(
    statistics: pl.DataFrame, agents: pl.DataFrame, by: By, now: datetime, *, favour_recent: bool = True, trial: Trial = TRIAL
) -> pl.DataFrame:
    """Rank agents.

    Args:
        statistics: columns `STATISTICS`, any order.
        agents: columns `AGENTS`, one row an agent of `statistics`.
        by: the score to rank by.
        now: for the age of agents.
        favour_recent: whether recent work weighs more; False under an explicit window.
        trial: what keeps an agent on probation.

    Returns:
        One row an agent, in order: `rank, badge, agent_id, score, score_low, score_high, observations, probation`, the columns
        of `AGENTS` and the plain measures of `summary`. Equal scores share a rank (1, 1, 3), more observations first; a null
        score has no rank and comes last.
    """
    scores = SCORERS[by](statistics, favour_recent)
    told = summary(statistics).join(agents, on="agent_id").join(scores, on="agent_id", how="left")
    lower_is_better = by == "cost_per_success"
    if lower_is_better:
        told = told.with_columns(pl.when(priced()).then(name).alias(name) for name in ("score", "score_low", "score_high"))
    return in_order(told, lower_is_better).with_columns(on_trial(now, trial)).with_columns(badge())


def summary(statistics: pl.DataFrame) -> pl.DataFrame:
    """The plain measures of each agent: nothing is shrunk here, these are what was seen."""
    sums = statistics.group_by("agent_id").agg(pl.exclude("agent_id", "category", "recent").sum())
    finished = pl.col("succeeded") + pl.col("failed")
    return sums.select(
        "agent_id",
        "tasks",
        "succeeded",
        "failed",
        "llm_calls",
        "unpriced_calls",
        over("succeeded", finished).alias("success_rate"),
        over("speed_sum", pl.col("speed_n")).alias("speed"),
        over("duration_sum", finished).alias("avg_duration_seconds"),
        pl.when(pl.col("cost_n") > 0).then("total_cost_usd").alias("total_cost_usd"),
        pl.when(priced()).then(over("cost_sum", pl.col("cost_n"))).round(MONEY_DIGITS).alias("avg_cost_usd"),
        pl.when(priced()).then(over("cost_sum", pl.col("cost_succeeded"))).round(MONEY_DIGITS).alias("cost_per_success_usd"),
    )


def priced() -> pl.Expr:
    """Whether enough of an agent's model calls have a price for its costs to be known."""
    return pl.col("unpriced_calls") <= MOST_UNPRICED * pl.max_horizontal("llm_calls", "unpriced_calls")


def over(name: str, denominator: pl.Expr) -> pl.Expr:
    """`name` by `denominator`; null where that is 0."""
    return pl.when(denominator > 0).then(pl.col(name) / denominator)


def score_rate(statistics: pl.DataFrame, favour_recent: bool) -> pl.DataFrame:
    """`agent_id, score, score_low, score_high, observations` by share of success."""
    counted = statistics.with_columns(finished=pl.col("succeeded") + pl.col("failed"))
    groups = blend(counted, "finished", ["succeeded"], weighted=favour_recent).rename({"succeeded": "mean"})
    known = believed(groups.with_columns(square=pl.col("mean")))
    return bounded(known.with_columns(variance=chance() / (pl.col("n") + pl.col("kappa") + 2)))


def score_speed(statistics: pl.DataFrame, favour_recent: bool) -> pl.DataFrame:
    """`agent_id, score, score_low, score_high, observations` by speed."""
    groups = blend(statistics, "speed_n", ["speed_sum", "speed_squares"], weighted=favour_recent)
    known = believed(groups.rename({"speed_sum": "mean", "speed_squares": "square"}))
    own = pl.col("n") * (pl.col("square") - pl.col("mean") ** 2).clip(lower_bound=0)
    n = pl.col("n") + pl.col("kappa") + 1
    spread = (own + pl.col("kappa") * pl.col("within").fill_null(chance()) + chance()) / n
    return bounded(known.with_columns(variance=spread / n))


def believed(groups: pl.DataFrame) -> pl.DataFrame:
    """Add to the observed means of [0, 1] what to believe: `score`, and `center`, the score with Jeffreys' half observations.

    Without these an agent that never failed would have an interval of no width.
    """
    known = with_others(with_kappa(groups), "mean").with_columns(shrunk("mean").alias("score"))
    n = pl.col("n") + pl.col("kappa")
    return known.with_columns(center=(pl.col("score") * n + 0.5) / (n + 1))


def chance() -> pl.Expr:
    """The largest variance that a value in [0, 1] of mean `center` can have."""
    return pl.col("center") * (1 - pl.col("center"))


def bounded(known: pl.DataFrame) -> pl.DataFrame:
    """Over the categories: the global mean plus the distance from each category's, by tasks; kept within [0, 1]."""
    n, share = pl.col("observations"), pl.col("observations") / pl.col("observations").sum()
    seen = known.filter(pl.col("n") > 0).with_columns(level=(n * pl.col("category_mean")).sum() / n.sum())
    level = pl.col("level").first()
    agents = seen.group_by("agent_id", maintain_order=True).agg(
        (level + (share * (pl.col("score") - pl.col("category_mean"))).sum()).clip(0, 1).alias("score"),
        (level + (share * (pl.col("center") - pl.col("category_mean"))).sum()).clip(1e-6, 1 - 1e-6).alias("center"),
        (share**2 * pl.col("variance")).sum().alias("variance"),
        pl.col("observations").sum(),
    )
    low, high = beta_interval(agents["center"], agents["variance"])
    return agents.with_columns(score_low=low, score_high=high).select(
        "agent_id",
        "score",
        pl.min_horizontal("score", "score_low").alias("score_low"),
        pl.max_horizontal("score", "score_high").alias("score_high"),
        "observations",
    )


def score_cost(statistics: pl.DataFrame, favour_recent: bool) -> pl.DataFrame:
    """`agent_id, score, score_low, score_high, observations` by dollars per success."""
    sums = ["cost_sum", "cost_squares", "cost_of_succeeded", "cost_succeeded"]
    means = blend(statistics, "cost_n", sums, weighted=favour_recent).rename({"cost_sum": "cost", "cost_succeeded": "success"})
    spent, succeeded = ((pl.col("n") * pl.col(name)).sum().over("category") for name in ("cost", "success"))
    groups = means.with_columns(usual=spent / succeeded).filter(succeeded > 0).with_columns(*residual(pl.col("usual")))
    believed = with_others(with_kappa(groups), "cost", "success").filter(pl.col("n") > 0)
    known = believed.with_columns(score=shrunk("cost") / shrunk("success"), success_score=shrunk("success"))
    known = known.filter(pl.col("score").is_finite())
    return across_ratios(known.with_columns(variance=ratio_variance()))


def residual(ratio: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Mean and mean square of cost − ratio · success per task: what a task costs beyond its worth."""
    return (
        (pl.col("cost") - ratio * pl.col("success")).alias("mean"),
        (pl.col("cost_squares") - 2 * ratio * pl.col("cost_of_succeeded") + ratio**2 * pl.col("success")).alias("square"),
    )


def ratio_variance() -> pl.Expr:
    """The variance of the shrunk ratio: the residuals' own, and κ times the category's, over what there is to go by."""
    own = pl.col("n") * residual(pl.col("score"))[1].clip(lower_bound=0)
    n = pl.col("n") + pl.col("kappa")
    return (own + pl.col("kappa") * pl.col("within").fill_null(0)) / n / n / pl.col("success_score") ** 2


def across_ratios(known: pl.DataFrame) -> pl.DataFrame:
    """Over the categories: the global ratio times what an agent costs over what its work would cost the category's mean agent."""
    n = pl.col("observations")
    level = (n * pl.col("category_cost")).sum() / (n * pl.col("category_success")).sum()
    expected = (n * pl.col("category_cost") / pl.col("category_success")).sum()
    factor = pl.when(expected > 0).then(pl.col("level").first() / expected).otherwise(0.0)
    agents = (
        known.with_columns(level=level)
        .group_by("agent_id", maintain_order=True)
        .agg(
            ((n * pl.col("score")).sum() * factor).alias("score"),
            ((n**2 * pl.col("variance")).sum() * factor**2).alias("variance"),
            n.sum(),
        )
    )
    low, high = ratio_interval(pl.col("score"), pl.col("variance"))
    return agents.select("agent_id", "score", low.alias("score_low"), high.alias("score_high"), "observations")


SCORERS = {"success_rate": score_rate, "speed": score_speed, "cost_per_success": score_cost}


def in_order(told: pl.DataFrame, lower_is_better: bool) -> pl.DataFrame:
    """Sort by score, the best first, and number the ranks; nulls last and without a rank."""
    rounded = told.with_columns(
        pl.col("score", "score_low", "score_high").round_sig_figs(DIGITS), pl.col("observations").fill_null(0)
    )
    place = pl.col("score").rank("min", descending=not lower_is_better).cast(pl.UInt32)
    return rounded.with_columns(place.alias("rank")).sort(
        "rank", "observations", "agent_id", descending=[False, True, False], nulls_last=True
    )


def on_trial(now: datetime, trial: Trial) -> pl.Expr:
    """Whether too little is known of the agent for a badge."""
    young = pl.lit(now) - pl.col("first_seen") < trial.age
    return ((pl.col("succeeded") + pl.col("failed") < trial.tasks) | young).alias("probation")


def badge() -> pl.Expr:
    """Gold, silver, bronze for the first three ranks, unless on probation."""
    names = pl.col("rank").replace_strict({1: "gold", 2: "silver", 3: "bronze"}, default=None, return_dtype=pl.String)
    return pl.when(~pl.col("probation")).then(names).alias("badge")
