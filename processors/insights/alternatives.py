"""Would another model, agent, temperature or limit have done the same work as well for less, or better?

Two of them are compared by tasks of the same kind only: of one category and of the complexity that users said, each weighed by
how much of it there was to do. What was not said to be of a complexity is taken to be alike, so each insight asks for a trial.
"""

from collections.abc import Sequence

import polars as pl

from processors.insights.estimates import LEAST_HOURS, chance_above, with_mean
from processors.insights.frames import level

MEASURES = ("success", "quality", "cost")
LEAST_TASKS = 50
"""Finished tasks of each side."""
LEAST_JUDGED = 50
"""Judged tasks of each side: without these nobody knows whether it is as good."""
LEAST_OF_STRATUM = 5
MOST_UNITS = 10
"""Of a group those with the most tasks are compared: the more comparisons, the surer each must be."""
WORSE_SUCCESS, WORSE_QUALITY = 0.05, 0.05
"""So much worse is still as good: the margins of non-inferiority."""
BETTER_SUCCESS, BETTER_QUALITY = 0.02, 0.02
"""Only what surely is by more than this better is better."""
CHEAPER = 0.1
"""Only what is surely by this part cheaper is cheaper."""
AS_CHEAP = 1.2
"""What costs more than this many times as much is no gain, however good."""


def pairs(work: pl.DataFrame, group: Sequence[str]) -> pl.DataFrame:
    """Every alternative of a group against every other.

    Args:
        work: `group` columns, `stratum`, `unit`, `hours`, `task_ids`, and the sums of `with_mean` for each of MEASURES.
        group: what is compared only with its like.

    Returns:
        A row a pair `unit`, `other`: `tasks` (of the unit, comparable), `other_tasks`, `hours`, of each measure the unit's mean
        (weighed), its `…_change` if the other did the tasks, and the `…_variance` of that; `task_ids` of both.
    """
    means = with_mean(with_mean(with_mean(work, "success", is_rate=True), "quality"), "cost", relative=True)
    size = means.group_by([*group, "unit"]).agg(pl.col("success_n").sum().alias("size"))
    place = pl.col("size").rank("ordinal", descending=True).over(group)
    main = size.with_columns(place=place).filter(pl.col("place") <= MOST_UNITS).drop("place", "size")
    usable = means.join(main, on=[*group, "unit"]).filter(
        pl.col("success_n") >= LEAST_OF_STRATUM, pl.col("quality_n") >= 2, pl.col("cost_n") >= 2, pl.col("hours") >= 2
    )
    both = usable.join(usable, on=[*group, "stratum"], suffix="_other").filter(pl.col("unit") != pl.col("unit_other"))
    weight = pl.col("success_n") / pl.col("success_n").sum()
    changes = [
        expression
        for name in MEASURES
        for expression in (
            (weight * pl.col(name)).sum().alias(name),
            (weight * (pl.col(f"{name}_other") - pl.col(name))).sum().alias(f"{name}_change"),
            (weight**2 * (pl.col(f"{name}_variance") + pl.col(f"{name}_variance_other"))).sum().alias(f"{name}_change_variance"),
        )
    ]
    told = both.group_by([*group, "unit", "unit_other"], maintain_order=True).agg(
        pl.col("success_n").sum().alias("tasks"),
        pl.col("success_n_other").sum().alias("other_tasks"),
        pl.min_horizontal(pl.col("quality_n").sum(), pl.col("quality_n_other").sum()).alias("judged"),
        pl.min_horizontal(pl.col("hours").sum(), pl.col("hours_other").sum()).alias("hours"),
        *changes,
        pl.col("task_ids").first(),
        pl.col("task_ids_other").first(),
    )
    enough = pl.min_horizontal("tasks", "other_tasks") >= LEAST_TASKS
    known = told.filter(enough, pl.col("judged") >= LEAST_JUDGED, pl.col("hours") >= LEAST_HOURS)
    return known.with_columns(pl.min_horizontal("hours", "judged").alias("hours")).rename({"unit_other": "other"})


def chance(compared: pl.DataFrame, gain: pl.Expr, variance: str) -> pl.Series:
    """How likely `gain`, whose error is that of a change, is above 0."""
    value = compared.select(gain.alias("gain"))["gain"]
    return chance_above(value, compared[f"{variance}_change_variance"], compared["hours"])


def cheaper(compared: pl.DataFrame, group: Sequence[str]) -> pl.DataFrame:
    """Those of `pairs` whose other is surely cheaper and surely as good: of each unit the one that saves most.

    Adds `certainty`.
    """
    sure = level(compared.height // 2)
    told = compared.with_columns(
        as_successful=chance(compared, pl.col("success_change") + WORSE_SUCCESS, "success"),
        as_good=chance(compared, pl.col("quality_change") + WORSE_QUALITY, "quality"),
        cheaper=chance(compared, -pl.col("cost_change") - CHEAPER * pl.col("cost"), "cost"),
    )
    told = told.with_columns(certainty=pl.min_horizontal("as_successful", "as_good", "cheaper"))
    saving = (-pl.col("cost_change") * pl.col("tasks")).alias("saving")
    found = told.filter(pl.col("certainty") >= sure).with_columns(saving).sort("saving", descending=True)
    return found.unique([*group, "unit"], keep="first", maintain_order=True)


def better(compared: pl.DataFrame, group: Sequence[str]) -> pl.DataFrame:
    """Those of `pairs` whose other surely succeeds more or is judged better, and in the other of both is surely not worse.

    Of each unit the one that gains most. Adds `certainty` and `by`: `success` or `quality`.
    """
    sure = level(compared.height * 2)
    told = compared.with_columns(
        as_successful=chance(compared, pl.col("success_change") + WORSE_SUCCESS, "success"),
        as_good=chance(compared, pl.col("quality_change") + WORSE_QUALITY, "quality"),
        more=chance(compared, pl.col("success_change") - BETTER_SUCCESS, "success"),
        finer=chance(compared, pl.col("quality_change") - BETTER_QUALITY, "quality"),
    )
    told = told.with_columns(
        by_success=pl.min_horizontal("more", "as_good"), by_quality=pl.min_horizontal("finer", "as_successful")
    ).with_columns(
        certainty=pl.max_horizontal("by_success", "by_quality"),
        by=pl.when(pl.col("by_success") >= pl.col("by_quality")).then(pl.lit("success")).otherwise(pl.lit("quality")),
    )
    affordable = pl.col("cost") + pl.col("cost_change") <= AS_CHEAP * pl.col("cost")
    gain = pl.when(pl.col("by") == "success").then("success_change").otherwise("quality_change").alias("gain")
    found = told.filter(pl.col("certainty") >= sure, affordable).with_columns(gain).sort("gain", descending=True)
    return found.unique([*group, "unit"], keep="first", maintain_order=True)
