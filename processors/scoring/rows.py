"""A task and its scores as one row: what sums are made of, and what scoring again begins with."""

from collections.abc import Mapping

import polars as pl

from processors.frames import MILLIS, STRING, TIME, Columns, conform
from processors.scoring.settings import Profile
from processors.scoring.tasks import SCORES, USUALS, score

SECONDS = pl.Datetime("ms", "UTC")

PLACE: Columns = {"at": SECONDS, "agent_id": STRING, "trace_id": STRING, "span_id": STRING}
"""What sorts and identifies a row: the minute in which the task began, and whose it is. Both may change with the task."""

FACTS: Columns = {
    **PLACE,
    "task_id": STRING,
    "agent_name": STRING,
    "agent_type": STRING,
    "department": STRING,
    "service_name": STRING,
    "category": STRING,
    "complexity": pl.UInt8(),
    "complexity_said": pl.Boolean(),
    "status": STRING,
    "started_at": TIME,
    "duration_seconds": pl.Float64(),
    "llm_calls": pl.UInt32(),
    "unpriced_calls": pl.UInt32(),
    "total_tokens": pl.UInt64(),
    "cost_usd": pl.Decimal(38, 12),
    "user_id": STRING,
    "models": pl.List(STRING),
}
"""What is taken from the task."""

SOURCE: Columns = {"task_version": pl.UInt64(), "task_stored_at": MILLIS}
"""Which row of `tasks` that was."""

TASK_SCORES: Columns = {
    **FACTS,
    **SCORES,
    "usual_version": pl.UInt64(),
    "scoring": STRING,
    **SOURCE,
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""A row of `task_scores`. `usual_version` is that of the medians it was held against, 0 without any; `scoring` stands for the
settings it was scored under."""

USUALS_STORED: Columns = {**USUALS, "version": pl.UInt64()}


def scored_rows(
    facts: pl.DataFrame,
    judgements: pl.DataFrame,
    usuals: pl.DataFrame,
    expected: pl.DataFrame,
    profiles: Mapping[str, Profile],
    most_unpriced: float,
    scoring: str,
    version: int,
) -> pl.DataFrame:
    """Rows of TASK_SCORES for tasks, columns FACTS and SOURCE, as `version`.

    Args:
        facts: the tasks, whether or not they have been scored before.
        judgements: as `score` takes them.
        usuals: columns USUALS_STORED.
        expected: as `score` takes it.
        profiles: by name.
        most_unpriced: as `score` takes it.
        scoring: stands for `profiles`, `most_unpriced` and `expected`.
        version: higher than that of every row before.
    """
    scores = score(facts.select(*FACTS, *SOURCE), judgements, usuals.select(*USUALS), expected, profiles, most_unpriced)
    versions = usuals.select("category", "day", usual_version="version")
    known = scores.with_columns(day=pl.col("started_at").dt.date()).join(
        versions, on=["category", "day"], how="left", maintain_order="left"
    )
    return conform(
        known.with_columns(
            pl.col("usual_version").fill_null(0),
            scoring=pl.lit(scoring),
            version=pl.lit(version, dtype=pl.UInt64),
            is_deleted=pl.lit(0, dtype=pl.UInt8),
        ),
        TASK_SCORES,
    )


def newest(changed: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Of rows of tasks as they were stored, the one of each task that counts, unless a newer one has been scored.

    Args:
        changed: columns FACTS and SOURCE and `is_deleted`, several of a task in the order in which they were stored.
        places: PLACE and `task_version` of rows that stand scored.
    """
    identity = ["trace_id", "span_id"]
    last = changed.sort("task_version", maintain_order=True).unique(identity, keep="last", maintain_order=True)
    scored = places.group_by(identity).agg(pl.col("task_version").max().alias("scored_version"))
    both = last.join(scored, on=identity, how="left", maintain_order="left")
    return both.filter(pl.col("task_version") >= pl.col("scored_version").fill_null(0)).drop("scored_version")


def left_behind(places: pl.DataFrame, counting: pl.DataFrame, version: int) -> pl.DataFrame:
    """Rows of TASK_SCORES that delete what stands where a task is no more: it is gone, or has moved.

    Args:
        places: PLACE, `started_at` and `task_version` of rows that stand scored.
        counting: what `newest` has made of the tasks.
        version: higher than that of every row before.
    """
    here = counting.filter(pl.col("is_deleted") == 0)
    touched = places.drop("task_version").join(counting.select("trace_id", "span_id", *SOURCE), on=["trace_id", "span_id"])
    gone = touched.join(here, on=list(PLACE), how="anti")
    blank = {
        name: pl.lit(BLANK.get(dtype.base_type()), dtype=dtype).alias(name)
        for name, dtype in TASK_SCORES.items()
        if name not in gone.columns
    }
    blank |= {name: pl.lit(pl.Series([[]], dtype=TASK_SCORES[name])).first().alias(name) for name in LISTED}
    deleted = gone.with_columns(*blank.values()).with_columns(
        version=pl.lit(version, dtype=pl.UInt64), is_deleted=pl.lit(1, dtype=pl.UInt8)
    )
    return conform(deleted, TASK_SCORES)


LISTED = tuple(name for name, dtype in TASK_SCORES.items() if isinstance(dtype, pl.List))
BLANK: dict[type[pl.DataType], object] = {
    pl.String: "",
    pl.Boolean: False,
    pl.Float64: 0.0,
    pl.UInt8: 0,
    pl.UInt32: 0,
    pl.UInt64: 0,
}
