"""Scores of agents that are put together of others: performance, reliability."""

from collections.abc import Mapping

import polars as pl

from processors.scoring.measures import MIDDLE, score_means
from processors.scoring.recency import blend
from processors.scoring.settings import ScoringSettings
from processors.scoring.statistics import KIND

PARTS = ("quality", "success_rate", "speed", "thrift")
CONSISTENT_TASKS = 5
"""Fewer succeeded tasks show no consistency."""
SUCCESS_SHARE = 0.7
"""What success counts in reliability; consistency counts the rest."""
PSEUDO_TASKS = 10
"""Consistency is drawn to that of the others by as many: there is no variance of a variation to estimate κ from."""


def parts_of(statistics: pl.DataFrame, settings: ScoringSettings, recency: ScoringSettings | None) -> pl.DataFrame:
    """The four parts of performance, shrunk, of every agent with a finished task.

    Returns:
        `agent_id`, and of each part `score_part, center_part, doubt_part, n_part, own_part`, the last being how much of what is
        believed rests on its own tasks: those alone go wrong together. A part of which nothing is known of the agent is as
        the others are; one of which nothing is known of anybody is 0.5 for all, so that it moves no rank.
    """
    some = pl.col("observations").sum().over("measure") > 0
    doubt = (pl.col("doubt") * pl.col("unevenness")).fill_nan(0.0)
    each = score_means(statistics, PARTS, settings, recency).select(
        "agent_id",
        "measure",
        score=pl.when(some).then(pl.col("score").clip(0, 1)).fill_null(MIDDLE),
        center=pl.when(some).then(pl.col("center").clip(0, 1)).fill_null(MIDDLE),
        doubt=pl.when(some).then(doubt).fill_null(0.0),
        n="observations",
        own=(pl.col("observations") / pl.col("strength")).fill_nan(0).fill_null(0).clip(0, 1),
    )
    return each.sort("agent_id").pivot("measure", on_columns=PARTS, index="agent_id", maintain_order=True)


def performance(parts: pl.DataFrame, shares: Mapping[str, float], likeness: Mapping[tuple[str, str], float]) -> pl.DataFrame:
    """`agent_id, score, center, doubt, observations` of performance, 0–100.

    Args:
        parts: what `parts_of` has found.
        shares: the weight of each part, adding up to 1.
        likeness: how parts of the same tasks go together, by `likeness_of`: a failed task is neither fast nor cheap.
    """
    deviation = {name: shares[name] * pl.col(f"doubt_{name}").sqrt() for name in PARTS}
    doubt = pl.sum_horizontal(deviation[name] ** 2 for name in PARTS)
    for (one, other), alike in likeness.items():
        least = pl.min_horizontal(f"n_{one}", f"n_{other}") / pl.max_horizontal(f"n_{one}", f"n_{other}", 1)
        own = pl.col(f"own_{one}") * pl.col(f"own_{other}")
        doubt = doubt + 2 * alike * (least * own).sqrt() * deviation[one] * deviation[other]
    return parts.select(
        "agent_id",
        (100 * pl.sum_horizontal(shares[name] * pl.col(f"score_{name}") for name in PARTS)).alias("score"),
        (100 * pl.sum_horizontal(shares[name] * pl.col(f"center_{name}") for name in PARTS)).alias("center"),
        (1e4 * doubt.clip(lower_bound=0)).alias("doubt"),
        pl.col("n_success_rate").alias("observations"),
    )


def likeness_of(statistics: pl.DataFrame) -> dict[tuple[str, str], float]:
    """The correlation of each two parts over the tasks of one agent in one kind of work, all agents taken together.

    Speed and thrift of a failed task are 0, so that their product with success is themselves.
    """
    groups = statistics.group_by("agent_id", *KIND).agg(pl.exclude("segment").sum())
    success = pl.col("succeeded") / (pl.col("succeeded") + pl.col("failed"))
    speed, thrift, quality = mean("speed"), mean("thrift"), mean("quality")
    rated = pl.col("quality_succeeded") / pl.col("quality_n")
    found = {
        ("success_rate", "speed"): alike(groups, "speed_n", speed * (1 - success), chance(success), variance("speed")),
        ("success_rate", "thrift"): alike(groups, "thrift_n", thrift * (1 - success), chance(success), variance("thrift")),
        ("speed", "thrift"): alike(
            groups,
            "speed_thrift_n",
            pl.col("speed_thrift") / pl.col("speed_thrift_n") - speed * thrift,
            variance("speed"),
            variance("thrift"),
        ),
        ("quality", "success_rate"): alike(
            groups,
            "quality_n",
            pl.col("quality_of_succeeded") / pl.col("quality_n") - quality * rated,
            variance("quality"),
            chance(rated),
        ),
    }
    judged = found["quality", "success_rate"]
    return found | {("quality", name): judged * found["success_rate", name] for name in ("speed", "thrift")}


def alike(groups: pl.DataFrame, count: str, together: pl.Expr, one: pl.Expr, other: pl.Expr) -> float:
    """The correlation of two scores, given their covariance and variances by group."""
    n = pl.col(count)
    sums = groups.filter(n > 0).select(together=(n * together).sum(), one=(n * one).sum(), other=(n * other).sum())
    shared, first, second = (value or 0.0 for value in sums.row(0))
    return max(-1.0, min(1.0, shared / (first * second) ** 0.5)) if first > 0 and second > 0 else 0.0


def chance(share: pl.Expr) -> pl.Expr:
    """The variance of what is 1 in this share of cases, else 0."""
    return share * (1 - share)


def variance(name: str) -> pl.Expr:
    """The variance of a measure."""
    return (pl.col(f"{name}_squares") / pl.col(f"{name}_n") - mean(name) ** 2).clip(lower_bound=0)


def mean(name: str) -> pl.Expr:
    """The mean of a measure."""
    return pl.col(f"{name}_sum") / pl.col(f"{name}_n")


def consistency(statistics: pl.DataFrame, recency: ScoringSettings | None) -> pl.DataFrame:
    """`agent_id, consistency, believed_consistency, consistency_doubt` of every agent with a finished task.

    Args:
        statistics: columns STATISTICS and `recent`.
        recency: how much recent work weighs; None counts all alike.

    Returns:
        As seen (null below 5 succeeded tasks that have a usual duration); as believed: drawn to the other agents' mean, the
        mean itself where nothing is seen, null where there is none.
    """
    done = statistics.filter(pl.col("succeeded") + pl.col("failed") > 0)
    groups = blend(done, ["agent_id"], "ratio_n", ["ratio_sum", "ratio_squares"], recency)
    variation = (pl.col("ratio_squares") - pl.col("ratio_sum") ** 2).clip(lower_bound=0).sqrt() / pl.col("ratio_sum")
    enough = (pl.col("observations") >= CONSISTENT_TASKS) & (pl.col("ratio_sum") > 0)
    shown = pl.when(enough).then(1 - variation.clip(upper_bound=1))
    known = groups.with_columns(shown.alias("consistency"))
    weight = pl.when(pl.col("consistency").is_not_null()).then(pl.col("n")).otherwise(0.0)
    trust = weight / (weight + PSEUDO_TASKS)
    value = trust * pl.col("consistency").fill_null(0)
    others = pl.when(trust.sum() - trust > 0).then((value.sum() - value) / (trust.sum() - trust))
    drawn = (weight * pl.col("consistency").fill_null(0) + PSEUDO_TASKS * others) / (weight + PSEUDO_TASKS)
    spread = 1 - pl.col("consistency").fill_null(0.5)
    return known.select(
        "agent_id",
        "consistency",
        pl.coalesce(drawn, "consistency").alias("believed_consistency"),
        (spread**2 * (0.5 + spread**2) / (weight + PSEUDO_TASKS)).alias("consistency_doubt"),
        pl.coalesce("consistency", others).alias("usual_consistency"),
    )


def reliability(success: pl.DataFrame, steady: pl.DataFrame) -> pl.DataFrame:
    """`agent_id, score, center, doubt, observations` of reliability; without any consistency it is success alone.

    Args:
        success: what `score_means` has found of success.
        steady: what `consistency` has found.
    """
    both = success.join(steady, on="agent_id", how="left", maintain_order="left")
    share = pl.when(pl.col("believed_consistency").is_null()).then(1.0).otherwise(SUCCESS_SHARE)
    rest = (1 - share) * pl.col("believed_consistency").fill_null(0)
    doubt = share**2 * pl.col("doubt") + (1 - share) ** 2 * pl.col("consistency_doubt").fill_null(0)
    return both.select(
        "agent_id",
        (share * pl.col("score").clip(0, 1) + rest).alias("score"),
        (share * pl.col("center").clip(0, 1) + rest).alias("center"),
        doubt.alias("doubt"),
        "observations",
    )
