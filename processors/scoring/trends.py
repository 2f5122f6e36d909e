"""Is an agent getting better? This week against the last, in points of performance."""

from collections.abc import Mapping

import polars as pl

from processors.scoring.measures import MEASURES
from processors.scoring.performance import PARTS
from processors.scoring.statistics import KIND, finished

ENOUGH_TASKS = 5
"""Finished tasks that each of the two weeks needs."""
NINE_IN_TEN = 1.2815515655446004
"""Standard deviations above zero at which a sign is 90 % sure."""
PSEUDO_TASKS = 10
"""Tasks by which it is believed beforehand that nothing has changed: a rank of luck is no trend either."""


def trend(weeks: pl.DataFrame, shares: Mapping[str, float], likeness: Mapping[tuple[str, str], float]) -> pl.DataFrame:
    """`agent_id, trend, trend_change` of the agents of two weeks.

    Each week's work is held against what its kind of work shows over both, so that other work is no trend. A part of performance
    that was not seen in both weeks does not change.

    Args:
        weeks: columns STATISTICS and `this`, true for this week, false for the last.
        shares: weight of each part of performance, adding up to 1.
        likeness: how parts go together (`performance.likeness_of`).

    Returns:
        `improving` or `degrading` when the sign is 90 % sure, else `stable`; both null when a week has fewer than 5 tasks.
    """
    counted = weeks.with_columns(finished=finished())
    tasks = counted.group_by("agent_id").agg(
        pl.col("finished").filter("this").sum().alias("now"), pl.col("finished").filter(~pl.col("this")).sum().alias("before")
    )
    agents = tasks.sort("agent_id")
    for part in PARTS:  # four, whatever the number of agents
        agents = agents.join(change_of(counted, part), on="agent_id", how="left", maintain_order="left")
    agents = agents.with_columns(pl.col(f"{part}{kind}").fill_null(0) for part in PARTS for kind in ("", "_doubt"))
    deviation = {part: shares[part] * pl.col(f"{part}_doubt").sqrt() for part in PARTS}
    doubt = pl.sum_horizontal(value**2 for value in deviation.values())
    for (one, other), alike in likeness.items():
        doubt = doubt + 2 * alike * deviation[one] * deviation[other]
    change = 100 * pl.sum_horizontal(shares[part] * pl.col(part) for part in PARTS)
    known = agents.with_columns(change=change, sure=NINE_IN_TEN * 100 * doubt.clip(lower_bound=0).sqrt())
    enough = (pl.col("now") >= ENOUGH_TASKS) & (pl.col("before") >= ENOUGH_TASKS)
    word = (
        pl.when((pl.col("change") > 0) & (pl.col("change") >= pl.col("sure")))
        .then(pl.lit("improving"))
        .when((pl.col("change") < 0) & (-pl.col("change") >= pl.col("sure")))
        .then(pl.lit("degrading"))
        .otherwise(pl.lit("stable"))
    )
    return known.select(
        "agent_id", pl.when(enough).then(word).alias("trend"), pl.when(enough).then("change").alias("trend_change")
    )


def change_of(weeks: pl.DataFrame, part: str) -> pl.DataFrame:
    """`agent_id`, by how much the part changed, and `<part>_doubt`, the variance of that; only of agents seen in both weeks."""
    measure = MEASURES[part]
    sums = weeks.group_by("agent_id", *KIND, "this").agg(
        n=pl.col(measure.counts).sum().cast(pl.Float64),
        total=pl.col(measure.total).sum().cast(pl.Float64),
        squares=pl.col(measure.squares).sum().cast(pl.Float64),
    )
    seen = sums.filter(pl.col("n") > 0)
    n, total = pl.col("n"), pl.col("total")
    freedom = n.sum().over(KIND) - pl.len().over(KIND)
    spread = (pl.col("squares") - total**2 / n).sum().over(KIND)
    known = seen.with_columns(
        usual=total.sum().over(KIND) / n.sum().over(KIND),
        within=pl.when(freedom > 0).then((spread + 0.25) / (freedom + 1)).otherwise(0.25),
    )
    distance = pl.col("total") - n * pl.col("usual")
    agents = known.group_by("agent_id").agg(
        now=distance.filter("this").sum() / n.filter("this").sum(),
        before=distance.filter(~pl.col("this")).sum() / n.filter(~pl.col("this")).sum(),
        tasks=1 / (1 / n.filter("this").sum() + 1 / n.filter(~pl.col("this")).sum()),
        within=(n * pl.col("within")).sum() / n.sum(),
    )
    both = agents.filter(pl.col("tasks") > 0)
    believed = pl.col("tasks") / (pl.col("tasks") + PSEUDO_TASKS)
    return both.select(
        "agent_id",
        (believed * (pl.col("now") - pl.col("before"))).alias(part),
        (pl.col("within") / (pl.col("tasks") + PSEUDO_TASKS)).alias(f"{part}_doubt"),
    )
