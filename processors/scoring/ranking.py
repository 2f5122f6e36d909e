"""The ranking: who is best at this, and how sure is that?

`rank` is the whole of it, for whoever shows agents in an order. A rank never rewards luck: see `measures`, `costs`,
`performance`.
"""

from datetime import datetime, timedelta
from math import inf
from typing import Literal

import polars as pl

from processors.scoring.costs import COSTS, score_cost
from processors.scoring.measures import MEASURES, score_means, with_interval
from processors.scoring.performance import SUCCESS_SHARE, consistency, likeness_of, parts_of, performance, reliability
from processors.scoring.settings import Profile, ScoringSettings
from processors.scoring.statistics import KIND, plain

By = Literal[
    "performance",
    "quality",
    "points",
    "total_points",
    "success_rate",
    "reliability",
    "efficiency",
    "speed",
    "thrift",
    "cost_per_success",
    "cost_per_quality_point",
]
COSTLY = ("cost_per_success", "cost_per_quality_point", "thrift")
"""What is null where too many model calls have no known price; the first two rank the least first."""
DIGITS = 9
"""Significant digits of a score: what differs beyond is a tie."""


def rank(
    statistics: pl.DataFrame,
    agents: pl.DataFrame,
    by: By,
    profile: Profile,
    settings: ScoringSettings,
    now: datetime,
    *,
    favour_recent: bool = True,
    least_tasks: int = 0,
) -> pl.DataFrame:
    """Rank agents.

    Args:
        statistics: columns STATISTICS, made under `profile`, and `recent`, whether the work is; any order.
        agents: columns AGENTS, one row an agent of `statistics`.
        by: the score to rank by.
        profile: weights.
        settings: how far luck is distrusted.
        now: for the age of agents.
        favour_recent: whether recent work weighs more; False under an explicit window.
        least_tasks: agents with fewer finished tasks are left out, though the others are still held against them.

    Returns:
        One row an agent, in order: `rank, badge, agent_id, score, score_low, score_high, observations, probation`, the columns
        of AGENTS, the measures of `plain`, and `performance, points_per_task, consistency, reliability`. Equal scores share a
        rank (1, 1, 3), more observations first; a null score has no rank and comes last.
    """
    judged = judge(statistics, by, profile, settings, favour_recent=favour_recent)
    return placed(judged, agents, by, settings, now, least_tasks=least_tasks)


def judge(statistics: pl.DataFrame, by: By, profile: Profile, settings: ScoringSettings, *, favour_recent: bool) -> pl.DataFrame:
    """What `rank` says of each agent's work: all but who it is, and so where it stands."""
    statistics = statistics.sort("agent_id", *KIND, "segment")  # sums of floats hang on their order
    seen = plain(statistics, settings.most_unpriced)
    parts = parts_of(statistics, settings, settings if favour_recent else None)
    if by == "performance":
        scores = by_performance(statistics, parts, profile)
    else:
        scores = scores_of(statistics, by, profile, settings, favour_recent=favour_recent)
    told = seen.join(scores, on="agent_id", how="left")
    told = told.join(derived(statistics, seen, parts, profile, settings, favour_recent), on="agent_id", how="left")
    if by in COSTLY:
        told = told.with_columns(pl.when("priced").then(name).alias(name) for name in ("score", "score_low", "score_high"))
    return told.with_columns(pl.when("priced").then("thrift").alias("thrift")).drop("priced")


def placed(
    judged: pl.DataFrame, agents: pl.DataFrame, by: By, settings: ScoringSettings, now: datetime, *, least_tasks: int = 0
) -> pl.DataFrame:
    """What `rank` returns, of what `judge` has found."""
    told = judged.join(agents, on="agent_id").filter(pl.col("succeeded") + pl.col("failed") >= least_tasks)
    return in_order(told, lower_is_better=by in COSTS).with_columns(on_trial(now, settings)).with_columns(badge())


def scores_of(
    statistics: pl.DataFrame, by: By, profile: Profile, settings: ScoringSettings, *, favour_recent: bool
) -> pl.DataFrame:
    """`agent_id, score, score_low, score_high, observations` by one score; agents without any are left out."""
    recency = settings if favour_recent else None
    if by in COSTS:
        return score_cost(statistics, COSTS[by], settings, recency)
    if by == "performance":
        return by_performance(statistics, parts_of(statistics, settings, recency), profile)
    if by == "reliability":
        success = score_means(statistics, ["success_rate"], settings, recency)
        return bounded(reliability(success, consistency(statistics, recency)), 1)
    if by == "total_points":
        return total_points(statistics)
    measure = MEASURES[by]
    ordinary = profile.points.at_stake() if by == "points" else inf
    known = score_means(statistics, [by], settings, recency, ordinary)
    return with_interval(known, is_share=measure.is_share, is_binary=measure.is_binary)


def by_performance(statistics: pl.DataFrame, parts: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """`agent_id, score, score_low, score_high, observations` by performance, given its parts."""
    return bounded(performance(parts, profile.performance.shares(), likeness_of(statistics)), 100)


def bounded(scores: pl.DataFrame, most: float) -> pl.DataFrame:
    """The interval of a score that is put together of others, within 0 and `most`."""
    share = scores.with_columns(pl.col("score", "center") / most, pl.col("doubt") / most**2)
    strength = pl.col("center") * (1 - pl.col("center")) / pl.col("doubt") - 1
    ends = with_interval(share.with_columns(strength.alias("strength"), unevenness=pl.lit(1.0)), is_share=True)
    return ends.with_columns(pl.col("score", "score_low", "score_high") * most)


def total_points(statistics: pl.DataFrame) -> pl.DataFrame:
    """The plain sum of points: a count of rewards, of which there is no doubt and which luck and diligence raise alike."""
    sums = statistics.group_by("agent_id").agg(
        pl.col("points_sum").sum().alias("score"), (pl.col("succeeded") + pl.col("failed")).sum().alias("observations")
    )
    nothing = pl.lit(None, dtype=pl.Float64)
    return sums.filter(pl.col("observations") > 0).select(
        "agent_id", "score", nothing.alias("score_low"), nothing.alias("score_high"), "observations"
    )


def derived(
    statistics: pl.DataFrame,
    seen: pl.DataFrame,
    parts: pl.DataFrame,
    profile: Profile,
    settings: ScoringSettings,
    favour_recent: bool,
) -> pl.DataFrame:
    """`agent_id, performance, points_per_task, consistency, reliability`: the first two shrunk, the others as seen."""
    recency = settings if favour_recent else None
    whole = performance(parts, profile.performance.shares(), {}).select("agent_id", performance="score")
    points = score_means(statistics, ["points"], settings, recency, profile.points.at_stake())
    steady = consistency(statistics, recency)
    shown, success = pl.col("usual_consistency"), pl.col("success_rate")
    both = SUCCESS_SHARE * success + (1 - SUCCESS_SHARE) * shown
    return (
        whole.join(points.select("agent_id", points_per_task="score"), on="agent_id", how="left")
        .join(steady, on="agent_id", how="left")
        .join(seen.select("agent_id", "success_rate"), on="agent_id", how="left")
        .with_columns(reliability=pl.when(shown.is_null()).then(success).otherwise(both))
        .select("agent_id", "performance", "points_per_task", "consistency", "reliability")
    )


def in_order(told: pl.DataFrame, *, lower_is_better: bool) -> pl.DataFrame:
    """Sort by score, the best first, and number the ranks; nulls last and without a rank."""
    rounded = told.with_columns(
        pl.col("score", "score_low", "score_high").round_sig_figs(DIGITS), pl.col("observations").fill_null(0)
    )
    place = pl.col("score").rank("min", descending=not lower_is_better).cast(pl.UInt32)
    return rounded.with_columns(place.alias("rank")).sort(
        "rank", "observations", "agent_id", descending=[False, True, False], nulls_last=True
    )


def on_trial(now: datetime, settings: ScoringSettings) -> pl.Expr:
    """Whether too little is known of the agent for a badge."""
    young = pl.lit(now) - pl.col("first_seen") < timedelta(days=settings.min_days)
    return ((pl.col("succeeded") + pl.col("failed") < settings.min_tasks) | young).alias("probation")


def badge() -> pl.Expr:
    """Gold, silver, bronze for the first three ranks, unless on probation."""
    names = pl.col("rank").replace_strict({1: "gold", 2: "silver", 3: "bronze"}, default=None, return_dtype=pl.String)
    return pl.when(~pl.col("probation")).then(names).alias("badge")
