"""What an optimisation has changed: tasks before it against tasks after it."""

from math import sqrt
from typing import Any

import polars as pl
from scipy.special import stdtr, stdtrit

Row = dict[str, Any]

HIGH = 0.95
"""The intervals are of 90 %."""
LEAST = 5
"""With fewer observations on a side nobody knows."""
COLUMNS = {
    "success_rate": "succeeded",
    "quality": "quality",
    "cost_usd": "cost_usd",
    "duration_seconds": "duration_seconds",
}
LESS_IS_BETTER = ("cost_usd", "duration_seconds")


def summary(tasks: pl.DataFrame) -> Row:
    """The means of tasks, columns OBSERVED, and how many there are of each; null where nothing is known."""
    told: Row = {"tasks": tasks.height}
    for name, column in COLUMNS.items():
        known = tasks[column].drop_nulls()
        told[name] = known.mean()
        told[f"{name}_n"] = len(known)
    return told


def effect(before: pl.DataFrame, after: pl.DataFrame, measure: str) -> Row:
    """What changed, by measure: `change, low, high` (90 %, Welch), null with fewer than 5 on a side; and what to think of it.

    Args:
        before: columns OBSERVED.
        after: the same.
        measure: what was to become better.

    Returns:
        A key a measure; `measure`; `improved`: true or false where the interval of that measure says so, else null; and
        `certainty`, the probability that it became better.
    """
    changes = {name: change(before[column], after[column], name) for name, column in COLUMNS.items()}
    mine = changes[measure]
    told: Row = {**changes, "measure": measure, "improved": None, "certainty": None}
    if mine["change"] is None:
        return told
    sign = -1 if measure in LESS_IS_BETTER else 1
    ends = sorted((sign * mine["low"], sign * mine["high"]))
    better = mine.pop("chance_above") if sign > 0 else 1 - mine.pop("chance_above")
    for one in changes.values():
        one.pop("chance_above", None)
    return told | {"improved": True if ends[0] > 0 else False if ends[1] < 0 else None, "certainty": better}


def change(before: pl.Series, after: pl.Series, name: str) -> Row:
    """The difference of two means with its 90 % interval."""
    first, second = before.drop_nulls(), after.drop_nulls()
    if min(len(first), len(second)) < LEAST:
        return {"change": None, "low": None, "high": None}
    parts = [spread(each, is_rate=name == "success_rate") for each in (first, second)]
    error = sqrt(sum(variance for variance, _ in parts)) or 1e-12
    degrees = sum(variance for variance, _ in parts) ** 2 / max(sum(v**2 / d for v, d in parts), 1e-300)
    value = mean_of(second) - mean_of(first)
    wide = float(stdtrit(degrees, HIGH)) * error
    return {"change": value, "low": value - wide, "high": value + wide, "chance_above": float(stdtr(degrees, value / error))}


def spread(values: pl.Series, *, is_rate: bool) -> tuple[float, float]:
    """The variance of a mean and its degrees of freedom; of a rate that of its posterior, lest none failing be no doubt."""
    n = len(values)
    if is_rate:
        rate = (float(values.sum()) + 1) / (n + 2)
        return rate * (1 - rate) / (n + 3), n - 1
    deviation = values.std()
    assert isinstance(deviation, float)
    return deviation**2 / n, n - 1


def mean_of(values: pl.Series) -> float:
    """The mean, of values that are known."""
    mean = values.mean()
    assert isinstance(mean, float)
    return mean
