"""How good work was judged, beside what it was and what it cost."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from processors.scoring.settings import ScoringSettings
from processors.scoring.statistics import is_priced, over
from query_api.asking.answers import Answer
from query_api.asking.filters import Chosen, Period, bound
from query_api.asking.questions import Ask
from query_api.rankings.history import LAST, MOST_ROWS

PROFILE = "default"
"""The weights by which work is shown where no profile is asked for."""


class Judged(Answer):
    """How good the work was, as seen, by the weights of the profile `default`. Rankings are what luck has been taken out of."""

    rated_tasks: int
    """How many tasks were judged."""
    quality: float | None
    """Their mean quality, from 0 to 1; null while none was judged."""


class Scored(Judged):
    """How good the work was, and what it is worth."""

    points: float | None
    """The sum of its tasks' points; null if none is finished or scored yet."""
    points_per_task: float | None
    """The mean of its finished tasks' points."""
    avg_user_rating: float | None
    """Mean of the users' stars; null while there are none."""
    efficiency: float | None
    """Cost and duration against the usual: 0.5 is the usual; null where no usual is known yet."""
    speed: float | None
    """Duration against the usual: 0.5 is the usual; null where no usual is known yet."""
    thrift: float | None
    """Cost against the usual: 0.5 is the usual; null where no usual is known yet."""
    cost_per_quality_point: float | None
    """Cost of judged tasks by the sum of their overall scores; null without any or if over 5 % of the calls have no price."""


def work(ask: Ask, question: Chosen, cuts: Sequence[datetime], *, by_department: bool = False, **more: Any) -> pl.DataFrame:
    """The rows of agent_statistics.sql of the chosen work. Agents and categories are chosen here: one answer serves all."""
    chosen = {"agent_id": []} | question.choice() | more
    asked = chosen | {"agent_id": [], "category": [], "cuts": [bound(min(cut, LAST)) for cut in cuts], "limit": MOST_ROWS}
    asked |= {"profile": PROFILE, "by_department": by_department}
    found = ask("agent_statistics", asked, MOST_ROWS)
    for name in ("agent_id", "category"):
        if chosen[name]:
            found = found.filter(pl.col(name).cast(pl.String).is_in(chosen[name]))
    return found


def work_scores(
    ask: Ask, question: Chosen, cuts: Sequence[datetime], settings: ScoringSettings, group_by: str = "", **more: Any
) -> pl.DataFrame:
    """How good the chosen work was: `group`, `segment` (the number of cuts at or before it) and the fields of `Scored`.

    Args:
        ask: puts questions to the store.
        question: which work; its window does not count.
        cuts: the window from the first to the last, and where it is cut.
        settings: how many prices may be unknown.
        group_by: `agent_id`, `category`, `department`, or nothing.
        more: filters besides.
    """
    found = work(ask, question, cuts, by_department=group_by == "department", **more)
    group = {"": pl.lit(""), "department": pl.col("of_department")}.get(group_by, pl.col(group_by or "agent_id"))
    sums = found.group_by(group.cast(pl.String).alias("group"), "segment").agg(pl.col(name).sum() for name in SUMMED)
    return sums.select("group", "segment", "rated_tasks", *scored(settings))


def scored(settings: ScoringSettings) -> list[pl.Expr]:
    """The fields of `Scored` of sums."""
    ended = pl.col("succeeded") + pl.col("failed")
    means = {"avg_user_rating": "rating", "quality": "quality", "efficiency": "efficiency", "speed": "speed", "thrift": "thrift"}
    return [
        *(over(f"{name}_sum", pl.col(f"{name}_n")).alias(field) for field, name in means.items()),
        pl.when(ended > 0).then("points_sum").alias("points"),
        over("points_sum", ended).alias("points_per_task"),
        pl.when(is_priced(settings.most_unpriced)).then(over("worth_cost", pl.col("worth_sum"))).alias("cost_per_quality_point"),
    ]


SUMMED = (
    *("succeeded", "failed", "llm_calls", "unpriced_calls", "rated_tasks", "points_sum", "worth_cost", "worth_sum"),
    *(f"{name}_{kind}" for name in ("quality", "rating", "efficiency", "speed", "thrift") for kind in ("n", "sum")),
)


def with_scores(
    frame: pl.DataFrame, name: str, ask: Ask, question: Chosen, period: Period, settings: ScoringSettings, **more: Any
) -> pl.DataFrame:
    """`frame`, by `name` (agent_id, category or department), with how good the work was."""
    scores = work_scores(ask, question, period, settings, name, **more).rename({"group": name}).drop("segment")
    joined = frame.join(scores, on=name, how="left", maintain_order="left")
    return joined.with_columns(pl.col("rated_tasks").fill_null(0))
