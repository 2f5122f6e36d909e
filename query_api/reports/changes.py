"""A number, and how it differs from the one before."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from query_api.asking.answers import Answer, Row, rows


class Measure(Answer):
    """A number of a window, and how it differs from that of the window before, which is as long."""

    value: float | None
    """In the window; null where nothing is known."""
    before: float | None
    """In the window before; null where nothing is known."""
    change: float | None
    """`value` less `before`; null if either is."""
    change_ratio: float | None
    """`change` by `before`: 0.1 is a tenth more; null where that says nothing."""


def measure(value: Any, before: Any) -> Row:
    """The answer of the two numbers."""
    known = value is not None and before is not None
    change = value - before if known else None
    return {"value": value, "before": before, "change": change, "change_ratio": change / before if known and before else None}


def by_period(frame: pl.DataFrame) -> Mapping[str, Row]:
    """The row of the window, under `now`, and of that before, under `before`; an empty one if nothing was found."""
    found = {str(row["period"]): row for row in rows(frame)}
    return {period: found.get(period, {}) for period in ("now", "before")}


def changes(frame: pl.DataFrame, counts: tuple[str, ...], values: tuple[str, ...]) -> dict[str, Row]:
    """Each named column as a measure; where nothing was found, counts are 0 and values null."""
    found = by_period(frame)
    empty: Row = dict.fromkeys(counts, 0) | dict.fromkeys(values)
    now, before = empty | dict(found["now"]), empty | dict(found["before"])
    return {name: measure(now[name], before[name]) for name in (*counts, *values)}
