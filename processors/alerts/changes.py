"""Has an agent changed? Its newest tasks against its own past, one task after the other.

Every measure is turned into a yes or no, of which the past says how often it is yes: a task failed; it took longer than three in
four of its like. So no distribution is assumed and no outlier counts for more than one task. Whether the yeses have become
more frequent is told by CUSUM: the logarithm of the likelihood ratio of "more frequent" to "as before" is summed up from
whenever that makes it largest. Its threshold is the logarithm of how many looks pass until one false alarm, so it is worked
out from the number of tasks and never tuned (Lorden 1971, Procedures for reacting to a change in distribution).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import betaincinv

from processors.frames import STRING, TIME, Columns, empty

OBSERVED: Columns = {
    "agent_id": STRING,
    "category": STRING,
    "trace_id": STRING,
    "at": TIME,
    "failed": pl.Boolean(),
    "duration_seconds": pl.Float64(),
    "cost_usd": pl.Float64(),
    "quality": pl.Float64(),
}
"""A finished task: `at` its end, cost and quality null where unknown; the duration of a failed one is null."""

GROUP = ("agent_id", "category")

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Measure:
    """What is watched of a task."""

    name: str
    column: str
    tail: Literal["yes", "high", "low"]
    """Which tasks are a yes: those that say so, or those in the upper or lower quarter."""
    least: float
    """The smallest difference that matters: of a share or a score, or the logarithm of a ratio."""
    worse: bool = True


MEASURES = (
    Measure("success", "failed", "yes", 0.05),
    Measure("duration", "duration_seconds", "high", float(np.log(1.25))),
    Measure("cost", "cost_usd", "high", float(np.log(1.2))),
    Measure("quality", "quality", "low", 0.05),
    Measure("faster", "duration_seconds", "low", float(np.log(1.25)), worse=False),
    Measure("cheaper", "cost_usd", "low", float(np.log(1.2)), worse=False),
    Measure("better", "quality", "high", 0.05, worse=False),
)
COLUMN_OF = {one.name: one.column for one in MEASURES}
RATIOS = ("duration_seconds", "cost_usd")
"""What is compared by its ratio, and by the time of day."""

LEAST_USUAL = 50
"""With fewer tasks in the past than this nobody knows what is usual."""
LEAST_AFTER = 5
"""Tasks since a change, at least."""
LATELY = 20
"""Tasks that tell whether it is still so."""
LEAST_OF_BLOCK = 20
"""With fewer tasks at this time of day the whole day tells what is usual."""
BLOCK_HOURS = 3
SLACK = 0.1
"""What differs by less than a tenth from the median is never a yes, whatever the quarter says."""
SURE = 0.99
"""How sure the past must be of how often it was yes at the most."""
ODDS = (4.0, 20.0)
"""How much more frequent yes may have become: the odds; two sums run side by side."""
STEPS = (0.1, 0.3)
"""and at least by this."""
FALSE_A_MONTH = 0.02
"""False alarms of an agent and month that are allowed for, were tasks independent of each other."""


def usual(past: pl.DataFrame) -> pl.DataFrame:
    """What is usual of each agent, category and measure.

    Args:
        past: columns OBSERVED.

    Returns:
        Columns `agent_id, category, measure, block, middle, bound, n, share, chance`: a row each block of the day (-1: the
        whole day) with its median and the bound beyond which is a yes, both as `value_of` has them; how many tasks are known,
        how often it was yes (`share`), and how often at the most (`chance`).
    """
    return pl.concat([_usual_of(past, measure) for measure in MEASURES])


def _usual_of(past: pl.DataFrame, measure: Measure) -> pl.DataFrame:
    known = past.select(*GROUP, "at", value=value_of(measure)).drop_nulls("value").with_columns(block=block_of("at"))
    blocks = middles(known, measure)
    rest = known.join(blocks, on=[*GROUP, "block"], how="left").join(
        blocks.filter(pl.col("block") == -1).select(*GROUP, whole="middle"), on=list(GROUP), how="left"
    )
    rest = rest.with_columns(off=pl.col("value") - pl.coalesce("middle", "whole"))
    bounds = rest.group_by(GROUP).agg(bound=bound_of(measure))
    counted = (
        rest.join(bounds, on=list(GROUP))
        .group_by(GROUP)
        .agg(pl.first("bound"), n=pl.len().cast(pl.Int64), yes=yes(measure).sum())
    )
    counted = counted.filter(pl.col("n") >= LEAST_USUAL)
    chance = betaincinv(counted["yes"].to_numpy() + 0.5, (counted["n"] - counted["yes"]).to_numpy() + 0.5, SURE)
    told = counted.select(
        *(*GROUP, "bound", "n"),
        share=pl.col("yes") / pl.col("n"),
        chance=pl.Series(np.atleast_1d(chance), dtype=pl.Float64),
        measure=pl.lit(measure.name),
    )
    return blocks.join(told, on=list(GROUP)).select(*GROUP, "measure", "block", "middle", "bound", "n", "share", "chance")


def value_of(measure: Measure) -> pl.Expr:
    """What is compared: logarithms of what is compared by its ratio."""
    column = pl.col(measure.column).cast(pl.Float64)
    return pl.when(column > 0).then(column).log() if measure.column in RATIOS else column


def block_of(at: str) -> pl.Expr:
    """The block of the day, counted from 0."""
    return (pl.col(at).dt.hour() // BLOCK_HOURS).cast(pl.Int8)


def middles(known: pl.DataFrame, measure: Measure) -> pl.DataFrame:
    """The median of each group, and of those of its blocks of which enough is known: agents are slower when all are busy."""
    whole = known.group_by(GROUP).agg(middle=pl.median("value")).with_columns(block=pl.lit(-1, dtype=pl.Int8))
    if measure.column not in RATIOS:
        return whole
    of_blocks = known.group_by(*GROUP, "block").agg(middle=pl.median("value"), n=pl.len()).filter(pl.col("n") >= LEAST_OF_BLOCK)
    return pl.concat([whole, of_blocks.select(whole.columns)])


def bound_of(measure: Measure) -> pl.Expr:
    """How far from the median a value is a yes."""
    least = float(np.log1p(SLACK)) if measure.column in RATIOS else 0.0
    if measure.tail == "low":
        return pl.min_horizontal(pl.quantile("off", 0.25), -least)
    return pl.max_horizontal(pl.quantile("off", 0.75), least) if measure.tail == "high" else pl.lit(0.0)


def yes(measure: Measure) -> pl.Expr:
    """Whether a value is a yes."""
    if measure.tail == "yes":
        return pl.col("value") > 0
    return pl.col("off") < pl.col("bound") if measure.tail == "low" else pl.col("off") > pl.col("bound")


def sums(recent: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Each task of each measure with the sums that have come together by then.

    Args:
        recent: columns OBSERVED; the newest tasks, at most some hundreds of a group.
        known: from `usual`.

    Returns:
        Columns `agent_id, category, measure` and SUMMED, in order of time within a group. `since_x`: the first task that
        counts, by its `number` in the group and measure.
    """
    ordered = recent.sort(*GROUP, "at", "trace_id").with_columns(block=block_of("at"))
    return pl.concat([_sums_of(ordered, known, measure) for measure in MEASURES])


def _sums_of(ordered: pl.DataFrame, known: pl.DataFrame, measure: Measure) -> pl.DataFrame:
    mine = known.filter(pl.col("measure") == measure.name).drop("measure")
    blocks = mine.select(*GROUP, "block", "middle")
    whole = mine.filter(pl.col("block") == -1).drop("block").rename({"middle": "whole"})
    values = ordered.select(*GROUP, "at", "trace_id", "block", value=value_of(measure)).drop_nulls("value")
    rows = values.join(whole, on=list(GROUP), maintain_order="left").join(
        blocks, on=[*GROUP, "block"], how="left", maintain_order="left"
    )
    rows = rows.with_columns(middle=pl.coalesce("middle", "whole")).with_columns(off=pl.col("value") - pl.col("middle"))
    rows = rows.with_columns(yes=yes(measure).cast(pl.Float64), group=pl.struct(GROUP).rle_id())
    starts = np.flatnonzero(np.diff(rows["group"].to_numpy(), prepend=-1))
    begun = np.repeat(starts, np.diff(starts, append=len(rows)))
    rows = rows.with_columns(number=pl.Series(np.arange(len(rows)) - begun, dtype=pl.Int64))
    for i in range(len(ODDS)):
        total, since = running(rows.select(it=log_ratio(i))["it"].to_numpy(), rows["group"].to_numpy(), begun)
        rows = rows.with_columns(pl.Series(f"sum_{i}", total), pl.Series(f"since_{i}", since - begun, dtype=pl.Int64))
    return rows.select(*GROUP, pl.lit(measure.name).alias("measure"), *SUMMED)


SUMMED = (
    *("group", "at", "trace_id", "number", "value", "middle", "n", "share", "chance", "yes"),
    *("sum_0", "sum_1", "since_0", "since_1"),
)


APART = 1e6
"""More than any sum: it keeps groups apart that lie behind each other."""


def running(ratios: Floats, group: Counts, begun: Counts) -> tuple[Floats, Counts]:
    """The sum that has come together by each row, and the first row that counts.

    Args:
        ratios: what each row says, group behind group.
        group: its group, counted from 0.
        begun: the first row of its group.
    """
    before = np.concatenate(([0.0], np.cumsum(ratios)))
    total = before[1:] - before[begun]
    apart = total - APART * group
    is_low = (apart == np.minimum.accumulate(apart)) & (total <= 0)
    since = np.maximum.accumulate(np.where(is_low, np.arange(len(ratios)) + 1, begun)) if len(ratios) else begun
    return before[1:] - before[since], since


def likelier(i: int) -> pl.Expr:
    """How often it would be yes if it had become as much more frequent as `ODDS[i]`."""
    odds = ODDS[i] * pl.col("chance") / (1 - pl.col("chance"))
    return pl.max_horizontal(odds / (1 + odds), pl.col("chance") + STEPS[i]).clip(0, 0.98)


def log_ratio(i: int) -> pl.Expr:
    """What one task says for "more frequent" against "as before"."""
    more, chance, said = likelier(i), pl.col("chance").clip(0, 0.97), pl.col("yes")
    return said * (more / chance).log() + (1 - said) * ((1 - more) / (1 - chance)).log()


def threshold(tasks_a_month: pl.Expr) -> pl.Expr:
    """What a sum must reach: one false alarm of an agent in so many months."""
    looks = pl.max_horizontal(tasks_a_month, 1.0) * len(MEASURES) * len(ODDS)
    return (looks / FALSE_A_MONTH).log()


CHANGES: Columns = {
    "agent_id": STRING,
    "category": STRING,
    "measure": STRING,
    "state": STRING,
    "since": TIME,
    "before": pl.Float64(),
    "after": pl.Float64(),
    "usual_n": pl.Int64(),
    "n": pl.Int64(),
    "surprise": pl.Float64(),
    "traces": pl.List(STRING),
}
"""A group that was looked at, a row a measure. `before` and `after` in the measure's own terms (share of failed tasks, seconds
and dollars, score); `surprise`: the sum, a natural logarithm; `traces`: some that show it. Of what is as usual only `surprise`
is told."""


def changes(recent: pl.DataFrame, known: pl.DataFrame, volumes: pl.DataFrame) -> pl.DataFrame:
    """What has changed, columns CHANGES.

    Args:
        recent: as in `sums`.
        known: from `usual`.
        volumes: columns `agent_id, tasks_a_month`; an agent that is not there has as many as `recent` has.
    """
    rows = sums(recent, known)
    if rows.is_empty():
        return empty(CHANGES)
    rows = rows.with_columns(group=pl.struct(*GROUP, "measure").rle_id())
    first = pl.when(pl.col("sum_0") >= pl.col("sum_1")).then("since_0").otherwise("since_1")
    last = rows.group_by("group", maintain_order=True).agg(
        pl.last(*GROUP, "measure", "chance"),
        first=first.last(),
        surprise=pl.max_horizontal("sum_0", "sum_1").last(),
        newest=pl.col("yes").tail(LATELY).mean(),
    )
    middle = (pl.col("chance") + likelier(0)) / 2
    odd = last.filter((pl.col("surprise") >= SUSPECT) | (pl.col("newest") > middle))
    calm = last.join(odd, on="group", how="anti").with_columns(state=pl.lit("clear"))
    after = rows.join(odd.select("group", "first"), on="group").filter(pl.col("number") >= pl.col("first"))
    after = after.join(volumes.select("agent_id", "tasks_a_month"), on="agent_id", how="left")
    found = odd.join(after.group_by("group").agg(*_told_after()), on="group")
    raised = (pl.col("surprise") >= threshold(pl.col("volume"))) & (pl.col("n") >= LEAST_AFTER) & _matters()
    still, held = pl.col("lately") > middle, (pl.col("newest") > middle) & _matters()
    state = pl.when(raised & still).then(pl.lit("raised")).when(held).then(pl.lit("held")).otherwise(pl.lit("clear"))
    was = pl.when(pl.col("measure") == "success").then("share").otherwise(_said("middle"))
    found = found.with_columns(state=state, before=was, after=_said("typical"))
    told = [pl.col(name).cast(dtype) for name, dtype in CHANGES.items()]
    return pl.concat([empty(CHANGES), calm, found], how="diagonal_relaxed").select(told)


SUSPECT = 3.0
"""A sum below this is as usual: no threshold is as low."""


def _told_after() -> list[pl.Expr]:
    shown = pl.col("trace_id").filter(pl.col("yes") > 0)
    return [
        pl.first("at").alias("since"),
        pl.len().cast(pl.Int64).alias("n"),
        pl.first("n").alias("usual_n"),
        pl.first("share"),
        pl.coalesce(pl.first("tasks_a_month"), pl.len()).cast(pl.Float64).alias("volume"),
        pl.when(pl.first("measure") == "success").then(pl.first("chance")).otherwise(pl.col("middle").median()).alias("middle"),
        pl.when(pl.first("measure") == "success").then(pl.mean("yes")).otherwise(pl.col("value").median()).alias("typical"),
        pl.col("yes").tail(LATELY).mean().alias("lately"),
        shown.tail(5).reverse().alias("traces"),
    ]


def _matters() -> pl.Expr:
    """Whether the difference is large enough to speak of."""
    least = pl.col("measure").replace_strict({one.name: one.least for one in MEASURES}, return_dtype=pl.Float64)
    return (pl.col("typical") - pl.col("middle")).abs() >= least


def _said(column: str) -> pl.Expr:
    """A logarithm as what it is of."""
    ratios = [one.name for one in MEASURES if one.column in RATIOS]
    return pl.when(pl.col("measure").is_in(ratios)).then(pl.col(column).exp()).otherwise(pl.col(column))
