"""Scores of agents that are means of what their tasks scored, with what to believe of each and how sure that is.

A mean in a category is drawn to that of the other agents there (`shrinkage`), its interval is a posterior (`posterior`). Over
several categories an agent is the mean of the others everywhere plus its own task-weighted distance from them: so nobody leads
by picking easy work, and nothing it does well can lower its score.
"""

from typing import NamedTuple

import polars as pl

from processors.scoring.intervals import DEVIATIONS, beta_interval
from processors.scoring.posterior import with_posterior
from processors.scoring.recency import blend
from processors.scoring.settings import ScoringSettings
from processors.scoring.shrinkage import own_or_common, steadied, with_kappa, with_others


class Measure(NamedTuple):
    """A score that is a mean over tasks."""

    counts: str
    """The column that counts observations."""
    total: str
    """Their sum."""
    squares: str
    """The sum of their squares."""
    is_share: bool = True
    """Whether it lies in [0, 1]."""
    is_binary: bool = False
    """Whether each observation is 0 or 1."""


MEASURES = {
    "success_rate": Measure("finished", "succeeded", "succeeded", is_binary=True),
    "quality": Measure("quality_n", "quality_sum", "quality_squares"),
    "speed": Measure("speed_n", "speed_sum", "speed_squares"),
    "thrift": Measure("thrift_n", "thrift_sum", "thrift_squares"),
    "efficiency": Measure("efficiency_n", "efficiency_sum", "efficiency_squares"),
    "points": Measure("finished", "points_sum", "points_squares", is_share=False),
}

TRIFLE = 1e-9
"""A variance below is none, but for how sums were rounded."""
MIDDLE, WIDEST = 0.5, 0.5
"""The middle of [0, 1], and the largest deviation that agents can have there."""


def groups_of(statistics: pl.DataFrame, measure: Measure, recency: ScoringSettings | None) -> pl.DataFrame:
    """`agent_id, category, n, observations, mean, own` of a measure, sorted by category and agent; n = 0 says nothing.

    Args:
        statistics: columns STATISTICS and `recent`.
        measure: of which.
        recency: how much recent work weighs; None counts all alike.
    """
    counted = statistics.with_columns(finished=pl.col("succeeded") + pl.col("failed")).filter(pl.col("finished") > 0)
    sums = counted.with_columns(_sum=pl.col(measure.total), _squares=pl.col(measure.squares))
    groups = blend(sums, measure.counts, ["_sum", "_squares"], recency)
    weights = counted.group_by("agent_id", "category").agg(pl.col("finished").sum())
    return (
        groups.join(weights, on=["agent_id", "category"])
        .rename({"_sum": "mean"})
        .with_columns(own=(pl.col("_squares") - pl.col("mean") ** 2).clip(lower_bound=0).fill_null(0.0))
        .drop("_squares")
        .sort("category", "agent_id")
    )


def score_mean(
    statistics: pl.DataFrame, measure: Measure, settings: ScoringSettings, recency: ScoringSettings | None
) -> pl.DataFrame:
    """What to believe of each agent: `agent_id, score, center, doubt, strength, unevenness, observations`.

    `center` and `doubt` are mean and variance of the posterior if agents' tasks vary alike, `strength` as how many tasks it is
    sure, `unevenness` how much more the agent's own tasks vary than the others'. An agent without an observation is believed
    to be as the others, with 0 observations; null where there are no others either.
    """
    middle = MIDDLE if measure.is_share else None
    known = with_others(with_kappa(groups_of(statistics, measure, recency), settings), middle)
    spreads = known.with_columns(common=common(measure)).with_columns(spread=spread(measure))
    return across(with_posterior(spreads, WIDEST if measure.is_share else None))


def common(measure: Measure) -> pl.Expr:
    """The variance of one observation of any agent of the category.

    Where hardly anybody was seen twice, a share varies as its mean allows, an amount as much as it is large.
    """
    if measure.is_share:
        return pl.when(pl.col("within") > TRIFLE).then("within").otherwise(steadied_share(measure).mean().over("category"))
    n = pl.col("n")
    squares = n * (pl.col("own") + pl.col("mean").fill_null(0) ** 2)
    return steadied(squares.sum().over("category") / n.sum().over("category"))


def spread(measure: Measure) -> pl.Expr:
    """The variance of one observation of an agent: its own, steadied by that of the category, `common`."""
    return steadied_share(measure) if measure.is_share else own_or_common()


def steadied_share(measure: Measure) -> pl.Expr:
    """The variance of one observation of a share.

    A few equal observations show no variance, which does not mean that there is none: there is at least half an observation of
    either kind besides (Jeffreys' prior).
    """
    n, kappa = pl.col("n"), pl.col("kappa")
    seen = n * pl.col("own") + kappa * pl.col("within").fill_null(pl.col("own"))
    center = (pl.col("score").fill_null(MIDDLE) * (n + kappa) + 0.5) / (n + kappa + 1)
    chance = center * (1 - center)
    return chance if measure.is_binary else (seen + chance) / (n + kappa + 1)


def across(known: pl.DataFrame) -> pl.DataFrame:
    """Over the categories: the mean of the others, plus the distance from them by tasks.

    Args:
        known: per agent and category `n, observations, finished, mean, others, usual, score, believed, doubt, spread,
            common`.
    """
    observations, finished = pl.col("observations").sum().over("agent_id"), pl.col("finished").sum().over("agent_id")
    weight = pl.when(observations > 0).then(pl.col("observations") / observations).otherwise(pl.col("finished") / finished)
    weighed = level_of(known).with_columns(weight=weight)
    w = pl.col("weight")
    sums = {
        "far_score": w * (pl.col("score") - pl.col("others")),
        "far_believed": w * (pl.col("believed") - pl.col("others")),
        "own_score": w * pl.col("score"),
        "own_believed": w * pl.col("believed"),
        "doubt": w * w * pl.col("doubt"),
        "common": w * pl.col("common"),
        "spread": w * pl.col("spread"),
        "alone": pl.col("others").is_null(),
    }
    # Products first and plain sums then: an expression within a group is worked out group by group.
    agents = (
        weighed.select("agent_id", "level", "observations", **sums)
        .group_by("agent_id", maintain_order=True)
        .agg(pl.col("level").first(), pl.col("observations").sum(), pl.col(*sums).sum())
    )
    alone = pl.col("alone") > 0

    def place(name: str) -> pl.Expr:
        own = pl.when(alone & (pl.col("observations") > 0)).then(f"own_{name}")
        return own.when(~alone).then(pl.col("level") + pl.col(f"far_{name}"))

    return agents.select(
        "agent_id",
        place("score").alias("score"),
        place("believed").alias("center"),
        "doubt",
        (pl.col("common") / pl.col("doubt")).alias("strength"),
        (pl.col("spread") / pl.col("common")).alias("unevenness"),
        "observations",
    )


def level_of(known: pl.DataFrame) -> pl.DataFrame:
    """Add `level`, what the others do over all categories, each category by its share of all tasks."""
    shared = known.with_columns(_share=pl.col("finished").sum().over("category") / pl.col("finished").sum())
    everywhere = (pl.col("_share") * pl.col("usual")).filter(pl.col("category").is_first_distinct()).sum()
    without = (pl.col("_share") * (pl.col("others") - pl.col("usual"))).sum().over("agent_id")
    return shared.with_columns(level=everywhere + without).drop("_share")


def with_interval(scores: pl.DataFrame, *, is_share: bool, is_binary: bool = False) -> pl.DataFrame:
    """`agent_id, score, score_low, score_high, observations` of what `score_mean` has found; null without observations."""
    sure = scores.with_columns(pl.col("score").clip(0, 1)) if is_share else scores
    if is_share:
        strength = pl.col("strength")
        center = ((pl.col("center").clip(0, 1) * strength + MIDDLE) / (strength + 1)).clip(1e-6, 1 - 1e-6)
        doubt = pl.col("doubt") * pl.col("unevenness") * strength / (strength + 2)
        whole = center * (1 - center) / (strength + 2) if is_binary else doubt
        both = sure.select(center=center, variance=whole)
        low, high = beta_interval(both["center"], both["variance"])
        sure = sure.with_columns(score_low=low, score_high=high)
    else:
        reach = DEVIATIONS * (pl.col("doubt") * pl.col("unevenness")).sqrt()
        sure = sure.with_columns(score_low=pl.col("center") - reach, score_high=pl.col("center") + reach)
    return sure.filter((pl.col("observations") > 0) & pl.col("score").is_not_null()).select(
        "agent_id",
        "score",
        pl.min_horizontal("score", "score_low").alias("score_low"),
        pl.max_horizontal("score", "score_high").alias("score_high"),
        "observations",
    )
