"""A table of known outcomes: which agent did how well at which task; checked, completed, turned into matrices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from processors.errors import Rejected
from processors.routing.features import Floats, features

REQUIRED = ("agent", "task_id", "category")
LARGEST = 1e12
"""Beyond, a number is none that was measured; far beyond, sums end."""
NUMBERS = {
    "score": (0.0, 1.0),
    "success": (0.0, 1.0),
    "cost_usd": (0.0, LARGEST),
    "latency_s": (0.0, LARGEST),
    "complexity": (1.0, 5.0),
}
"""The columns that hold numbers, and between what these lie."""
MOST_OUTCOMES = 50_000_000
"""Tasks times agents; beyond, the matrices do not fit."""


@dataclass(frozen=True)
class Outcomes:
    """Tasks in rows, agents in columns; NaN where an agent did not do a task or a value is not known."""

    agents: list[str]
    categories: list[str]
    """The category of each task."""
    rows: Floats
    """The features of each task."""
    score: Floats
    """What is to be high: `score`, else `success`."""
    is_success: bool
    """Whether `score` is 0 or 1, a success, rather than a graded quality."""
    cost_usd: Floats
    latency_s: Floats


def outcomes(table: pl.DataFrame, name: str) -> Outcomes:
    """Read a table.

    Args:
        table: columns `agent, task_id, category`, `score` or `success`, and where known `cost_usd, latency_s, description,
            complexity`. Without a description the task id is taken for one. Beside `score`, `success` is not looked at.
        name: what to call the table in messages.

    Raises:
        Rejected: a column is missing, a value out of range, a row there twice, a task in two categories.
    """
    checked = check(table, name)
    tasks = checked.unique("task_id", keep="first", maintain_order=True)
    agents = checked["agent"].unique(maintain_order=True)
    if len(tasks) * len(agents) > MOST_OUTCOMES:
        raise Rejected(f"{name}: {len(tasks):,} tasks of {len(agents):,} agents are too many to replay at once")
    at = {
        "row": checked["task_id"].replace_strict(tasks["task_id"], pl.arange(len(tasks), eager=True), return_dtype=pl.Int64),
        "column": checked["agent"].replace_strict(agents, pl.arange(len(agents), eager=True), return_dtype=pl.Int64),
    }

    def matrix(column: str) -> Floats:
        out = np.full((len(tasks), len(agents)), np.nan)
        if column in checked.columns:
            out[at["row"].to_numpy(), at["column"].to_numpy()] = checked[column].fill_null(np.nan).to_numpy()
        return out

    described = tasks["description"] if "description" in tasks.columns else tasks["task_id"]
    complexity = (
        tasks["complexity"].fill_nan(None).cast(pl.Int64).to_list() if "complexity" in tasks.columns else [None] * len(tasks)
    )
    graded = "score" in checked.columns
    return Outcomes(
        agents=agents.to_list(),
        categories=tasks["category"].to_list(),
        rows=features(described.to_list(), complexity),
        score=matrix("score" if graded else "success"),
        is_success=not graded,
        cost_usd=matrix("cost_usd"),
        latency_s=matrix("latency_s"),
    )


def check(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """`table` with its columns in their types; raises Rejected with what to mend."""
    missing = [column for column in REQUIRED if column not in table.columns]
    if missing or not {"score", "success"} & set(table.columns):
        wanted = ", ".join([*missing, *([] if {"score", "success"} & set(table.columns) else ["score or success"])])
        raise Rejected(f"{name}: no column {wanted}; there are {', '.join(table.columns) or 'none'}")
    if table.is_empty():
        raise Rejected(f"{name}: no rows")
    numbers = [column for column in NUMBERS if column in table.columns]
    cast = held(table, [column for column in (*REQUIRED, "description") if column in table.columns], pl.String(), "text", name)
    cast = held(cast, numbers, pl.Float64(), "number", name)
    for column in REQUIRED:
        if cast[column].null_count():
            raise Rejected(f"{name}: {column} is empty in {cast[column].null_count():,} rows")
    for column in numbers:
        refuse_outside(cast, column, name)
    graded = "score" if "score" in numbers else "success"
    if cast[graded].is_null().all():
        raise Rejected(f"{name}: no outcome is known: {graded} is empty everywhere")
    twice = cast.height - cast.unique(["agent", "task_id"]).height
    if twice:
        raise Rejected(f"{name}: {twice:,} rows repeat an agent and a task_id that another row has")
    refuse_two_categories(cast, name)
    return cast


def held(table: pl.DataFrame, columns: Sequence[str], dtype: pl.DataType, kind: str, name: str) -> pl.DataFrame:
    """`table` with `columns` as `dtype`; raises Rejected if a value is none."""
    try:
        return table.with_columns(pl.col(columns).cast(dtype))
    except (pl.exceptions.InvalidOperationError, pl.exceptions.ComputeError) as error:
        raise Rejected(f"{name}: a value of {', '.join(columns)} is no {kind}: {str(error).splitlines()[0]}") from error


def refuse_outside(table: pl.DataFrame, column: str, name: str) -> None:
    """Raise Rejected if a number is out of range; of all but outcomes NaN means that it is not known."""
    (low, high), outcome, whole = NUMBERS[column], column in ("score", "success"), column == "complexity"
    value = pl.col(column) if outcome else pl.col(column).fill_nan(None)
    right = value.is_between(low, high) & (value == value.floor() if whole else True)
    wrong = table.select("agent", "task_id", column).with_row_index("row", 1).filter(~right)
    if len(wrong):
        wanted = f"be a whole number from {low:g} to {high:g}" if whole else f"lie between {low:g} and {high:g}"
        empty = "" if outcome else ": leave it empty where it is not known"
        more = f" and in {len(wrong) - 1:,} more rows" if len(wrong) > 1 else ""
        raise Rejected(f"{name}: {column} must {wanted}; found {wrong[column][0]:g} in {row(wrong)}{more}{empty}")


def refuse_two_categories(table: pl.DataFrame, name: str) -> None:
    """Raise Rejected if a task is in two categories: it would be given out in one of them, and judged by outcomes of both."""
    first = pl.col("category").first().over("task_id").alias("first")
    other = table.select(REQUIRED).with_row_index("row", 1).with_columns(first).filter(pl.col("category") != pl.col("first"))
    if len(other):
        task, category, before = other.select("task_id", "category", "first").row(0)
        raise Rejected(
            f"{name}: {row(other)} puts task_id {task} in category {category}, a row before it in {before}: "
            "a task has one category; give the tasks of each a task_id of their own"
        )


def row(found: pl.DataFrame) -> str:
    """Where the first of `found` is in the file."""
    number, agent, task = found.select("row", "agent", "task_id").row(0)
    return f"row {number:,} ({agent} on {task})"
