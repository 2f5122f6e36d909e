"""From what the store has of tasks, model calls and reports to observations to learn from."""

import polars as pl

from processors.frames import STRING, TIME, Columns, conform
from processors.routing.evidence import OBSERVATIONS

OBSERVED: Columns = {"key": STRING, "ended_at": TIME, **OBSERVATIONS}
"""An observation, by what it is known again: each key is learnt from once."""


def of_tasks(tasks: pl.DataFrame, qualities: pl.DataFrame) -> pl.DataFrame:
    """What agents showed in `tasks`, judged by now or not: columns OBSERVED."""
    judged = tasks.join(qualities.select("task_id", "quality"), on="task_id", how="left")
    return _observed(judged.with_columns(key="task_id"))


def of_qualities(qualities: pl.DataFrame) -> pl.DataFrame:
    """Judgements that came after their task had been learnt from: columns OBSERVED."""
    return _observed(qualities.with_columns(key="quality " + pl.col("task_id")))


def of_reports(outcomes: pl.DataFrame, kind: str) -> pl.DataFrame:
    """What was reported of decisions of a kind: columns OBSERVED."""
    return _observed(outcomes.filter(kind=kind).with_columns(key="decision " + pl.col("decision_id")))


def of_calls(calls: pl.DataFrame, tasks: pl.DataFrame, qualities: pl.DataFrame, kind: str) -> pl.DataFrame:
    """What models (`kind` model) or providers showed: columns OBSERVED.

    All calls of a task to one of them are one observation; a judgement of the task is one of the model that did all of it.
    """
    whose = "model" if kind == "model" else "provider"
    known = calls.filter(pl.col(whose) != "").group_by("task_id", whose, maintain_order=True).agg(
        pl.first("category"),
        pl.min("success"),
        pl.when(pl.col("cost_usd").is_not_null().all()).then(pl.sum("cost_usd")).alias("cost_usd"),
        pl.sum("duration_seconds"),
        pl.max("ended_at"),
    )  # fmt: skip
    about = tasks.select("task_id", "description", "complexity", "models").unique("task_id")
    judged = known.join(about, on="task_id", how="left").join(qualities.select("task_id", "quality"), on="task_id", how="left")
    alone = pl.col("models").list.len() == 1
    return _observed(
        judged.with_columns(
            key=pl.lit(f"{kind} ") + pl.col(whose) + " " + pl.col("task_id"),
            agent_id=pl.col(whose),
            quality=pl.when(alone).then("quality") if kind == "model" else pl.lit(None, pl.Float64),
        )
    )


def _observed(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with what is missing as null, the oldest first."""
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in OBSERVED.items() if name not in rows.columns]
    return conform(rows.with_columns(missing), OBSERVED).sort("ended_at", "key")
