"""/v1/goals: what a team wants to achieve, and how near it is."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from processors.goals import GOALS, GoalName, stand
from processors.scoring.settings import ScoringSettings
from query_api.asking.answers import Answer, Row, rows
from query_api.asking.filters import Chosen, Question, bound
from query_api.asking.questions import Ask, Keep, Now
from query_api.expectations.whole_lists import refuse_twice, replacing, there
from query_api.rankings.work_scores import work_scores

MOST = 100
"""Goals that may be set."""
MONTH = timedelta(days=30)
MONTHS = 3
KEY = ("department", "goal")


class Wanted(Question):
    """A goal."""

    goal: GoalName
    """What should be at least `target`: `success_rate`, `rated_share`, `quality`, `routed_success_rate`; or at most, as this
    month against the last: `cost_per_success_change`, `cost_per_quality_point_change`, `duration_change`."""
    target: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
    """A share from 0 to 1; of a change, for example -0.1: a tenth less than in the month before."""
    department: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
    """Only for work of this department; null: for all."""

    @model_validator(mode="after")
    def _is_a_share(self) -> Self:
        if self.target < 0 and not self.goal.endswith("_change"):
            raise ValueError(f"{self.goal} is a share: set a target from 0 to 1")
        return self


class AllWanted(Question):
    """All goals that there are to be."""

    goals: Annotated[tuple[Wanted, ...], Field(max_length=MOST)]
    """They replace those that there are: what is not among them is gone."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        refuse_twice(f"{one.goal} of {one.department or 'all'}" for one in self.goals)
        return self


class Goal(Answer):
    """A goal and where it stands over the last 30 days."""

    goal: str = Field(examples=["rated_share"])
    """What is measured."""
    department: str | None
    """Whose work; null: all."""
    target: float = Field(examples=[0.3])
    """What it should be: at least for a share, at most for a change."""
    value: float | None = Field(examples=[0.25])
    """What it is in these 30 days; null where nothing is known."""
    before: float | None
    """What it was in the 30 days before."""
    reached: bool | None
    """Whether the goal is reached; null where nothing is known."""
    trend: Literal["improving", "worsening", "stable"] | None
    """Where it is going, by more than 0.01; null where one of both is not known."""


class Goals(Answer):
    """Every goal, by department and name."""

    goals: list[Goal]
    """The goals."""
    next_cursor: None = None
    """Always null: all are shown."""


def routes(ask: Ask, keep: Keep, now: Now, scoring: ScoringSettings) -> APIRouter:
    """The routes below /v1/goals."""
    router = APIRouter(tags=["goals"])

    @router.get("/v1/goals", response_model=Goals, summary="What is to be achieved, and how near it is")
    def goals(_: Annotated[Question, Query()]) -> Any:
        """Every goal, and where it stands over the last 30 days against the 30 days before."""
        return {"goals": standing(ask, now(), None, scoring)}

    @router.put("/v1/goals", response_model=Goals, summary="Set what is to be achieved")
    def set_goals(sent: AllWanted) -> Any:
        """Replace all goals by these. The answer is the list as it is now."""
        moment = now()
        said = [one.model_dump() | {"department": one.department or ""} for one in sent.goals]
        after = replacing(ask("goals", {"limit": MOST}, MOST), said, GOALS, KEY, moment)
        keep("goals", after)
        return {"goals": stood(ask, there(after, KEY), moment, scoring)}

    return router


def standing(ask: Ask, now: datetime, departments: Collection[str] | None, scoring: ScoringSettings) -> list[Row]:
    """Where goals stand: all, or those for all and for these departments."""
    goals = ask("goals", {"limit": MOST}, MOST)
    if departments is not None:
        goals = goals.filter(pl.col("department").is_in(["", *departments]))
    return stood(ask, goals, now, scoring)


def stood(ask: Ask, goals: pl.DataFrame, now: datetime, scoring: ScoringSettings) -> list[Row]:
    """The goals, columns GOALS, as answers."""
    months = {name: monthly(ask, now, name, scoring) for name in goals["department"].unique()}
    told = rows(goals)
    for row, department in zip(told, goals["department"], strict=True):
        row |= stand(str(row["goal"]), float(str(row["target"])), months[department])._asdict()
    return told


def monthly(ask: Ask, now: datetime, department: str, scoring: ScoringSettings) -> list[Row]:
    """Measures of the last three months, the latest first, of a department or of all."""
    departments = (department,) if department else ()
    asked: dict[str, Any] = {"since": bound(now - MONTHS * MONTH), "until": bound(now), "department": list(departments)}
    asked |= {"most_unpriced": scoring.most_unpriced, "limit": MONTHS}
    found = {row["month"]: row for row in rows(ask("goal_months", asked, MONTHS))}
    cuts = [now - month * MONTH for month in range(MONTHS, -1, -1)]
    scores = {
        MONTHS - int(str(row["segment"])): row for row in rows(work_scores(ask, Chosen(department=departments), cuts, scoring))
    }
    return [found.get(month, {}) | scores.get(month, {}) for month in range(MONTHS)]
