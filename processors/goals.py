"""What a team may want to achieve, and how near it is."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import polars as pl

from processors.frames import STRING, Columns

GOALS: Columns = {
    "goal": STRING,
    "department": STRING,
    "target": pl.Float64(),
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""A goal of all (`department` is empty) or of one department."""

Share = Literal["success_rate", "rated_share", "quality", "routed_success_rate"]
"""What should be at least the target."""
Change = Literal["cost_per_success_change", "cost_per_quality_point_change", "duration_change"]
"""What should be at most the target: by which part of last month's something is higher this month; -0.1 is a tenth less."""
GoalName = Literal[Share, Change]

CHANGE_OF = {
    "cost_per_success_change": "cost_per_success_usd",
    "cost_per_quality_point_change": "cost_per_quality_point",
    "duration_change": "avg_duration_seconds",
}
STEADY = 0.01
"""A difference of less than this, in the goal's own measure, is none."""


class Standing(NamedTuple):
    """Where a goal stands: this month, the month before, whether it is reached, and where it is going."""

    value: float | None
    before: float | None
    reached: bool | None
    trend: Literal["improving", "worsening", "stable"] | None


def stand(goal: str, target: float, months: Sequence[Mapping[str, Any]]) -> Standing:
    """Where a goal stands.

    Args:
        goal: its name, a `GoalName`.
        target: at least (a share) or at most (a change) this.
        months: measures of this month, the last one, and the one before that.
    """
    if goal in get_args(Share):
        value, before, sign = months[0].get(goal), months[1].get(goal), 1
    else:
        of = [month.get(CHANGE_OF[goal]) for month in months]
        value, before, sign = growth(of[1], of[0]), growth(of[2], of[1]), -1
    reached = None if value is None else sign * value >= sign * target
    return Standing(value, before, reached, trend(value, before, sign))


def growth(then: float | None, now: float | None) -> float | None:
    """By which part of `then` `now` is more; None where that says nothing."""
    return now / then - 1 if then and now is not None else None


def trend(value: float | None, before: float | None, sign: int) -> Literal["improving", "worsening", "stable"] | None:
    """Where a measure is going of which more (`sign` 1) or less (-1) is better."""
    if value is None or before is None:
        return None
    change = sign * (value - before)
    return "stable" if abs(change) < STEADY else "improving" if change > 0 else "worsening"
