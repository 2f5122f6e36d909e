"""From what the store has of tasks, model calls and reports to observations to learn from."""

import polars as pl

from processors.frames import STRING, TIME, Columns, conform
from processors.routing.evidence import OBSERVATIONS

OBSERVED: Columns = {"key": STRING, "ended_at": TIME, **OBSERVATIONS}
"""An observation, by what it is known again: each key is learnt from once."""


def of_tasks(tasks: pl.DataFrame) -> pl.DataFrame:
    """What agents showed in `tasks`: columns OBSERVED."""
    return _observed(tasks.with_columns(key="task_id"))


def of_qualities(qualities: pl.DataFrame, kind: str) -> pl.DataFrame:
    """How good tasks were judged to be, whether they have been learnt from or not: columns OBSERVED.

    A judgement of a task is one of its agent and of the model that did all of it.
    """
    judged = qualities.with_columns(key="quality " + pl.col("task_id"))
    if kind == "model":
        judged = judged.filter(pl.col("models").list.len() == 1).with_columns(agent_id=pl.col("models").list.first())
    return _observed(judged.clear() if kind == "provider" else judged)


def of_reports(outcomes: pl.DataFrame, kind: str) -> pl.DataFrame:
    """What was reported of decisions of a kind: columns OBSERVED.

    A task that is known tells the rest itself, so that its report adds its quality alone, under the key of a judgement. Learnt
    is the quality of what succeeded.
    """
    alone = pl.col("task_id") == ""
    failed = (pl.col("success") == 0) | (~alone & (pl.col("task_success") == 0))
    learnt = outcomes.filter(kind=kind).with_columns(
        *(pl.when(alone).then(name).alias(name) for name in ("success", "cost_usd", "duration_seconds")),
        quality=pl.when(~failed.fill_null(False)).then("quality"),
        key=pl.when(alone).then("decision " + pl.col("decision_id")).otherwise("quality " + pl.col("task_id")),
    )
    return _observed(learnt.filter(~pl.all_horizontal(pl.col("success", "quality", "cost_usd", "duration_seconds").is_null())))


def of_calls(calls: pl.DataFrame, tasks: pl.DataFrame, kind: str) -> pl.DataFrame:
    """What models (`kind` model) or providers showed: columns OBSERVED.

    All calls of a task to one of them are one observation.
    """
    whose = "model" if kind == "model" else "provider"
    known = calls.filter(pl.col(whose) != "").group_by("task_id", whose, maintain_order=True).agg(
        pl.first("category"),
        pl.min("success"),
        pl.when(pl.col("cost_usd").is_not_null().all()).then(pl.sum("cost_usd")).alias("cost_usd"),
        pl.sum("duration_seconds"),
        pl.max("ended_at"),
    )  # fmt: skip
    about = tasks.select("task_id", "description", "complexity").unique("task_id")
    key = pl.lit(f"{kind} ") + pl.col(whose) + " " + pl.col("task_id")
    return _observed(known.join(about, on="task_id", how="left").with_columns(key=key, agent_id=pl.col(whose)))


def calls_of(judgements: pl.DataFrame) -> pl.Series:
    """Under which keys the calls were learnt that a model was judged for."""
    task_id = pl.col("key").str.strip_prefix("quality ")
    return judgements.select(pl.format("model {} {}", "agent_id", task_id)).to_series()


def _observed(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with what is missing as null, the oldest first."""
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in OBSERVED.items() if name not in rows.columns]
    return conform(rows.with_columns(missing), OBSERVED).sort("ended_at", "key")
