"""/v1/departments: how the agents of each department fare."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from processors.scoring.settings import ScoringSettings
from query_api.asking.answers import Answer, rows
from query_api.asking.filters import ChosenAgents, Paged
from query_api.asking.pages import MONTH, choice, in_order
from query_api.asking.questions import Ask, Now
from query_api.rankings.work_scores import Scored, with_scores
from query_api.usage.measures import Measures


class DepartmentQuestion(ChosenAgents, Paged):
    """Parameters of /v1/departments."""


class Department(Measures, Scored):
    """A department, counted over the tasks of its agents."""

    department: str | None = Field(examples=["finance"])
    """Whose work it is; null for tasks that do not say."""
    users: int
    """On behalf of how many users."""


class Departments(Answer):
    """A page of departments, those with most tasks first."""

    departments: list[Department]
    """The departments."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


def routes(ask: Ask, now: Now, scoring: ScoringSettings) -> APIRouter:
    """The routes below /v1/departments."""
    router = APIRouter(tags=["departments"])

    @router.get("/v1/departments", response_model=Departments, summary="Departments, those with most tasks first")
    def departments(question: Annotated[DepartmentQuestion, Query()]) -> Any:
        """Tasks, success, quality, duration, tokens and cost by department. Without a window over the last 30 days."""
        moment = now()
        with ask.one_state():
            page = in_order(ask, "departments", question, choice(question, moment, MONTH))
            scored = with_scores(page.frame, "department", ask, question, question.period(moment, MONTH), scoring)
        return {"departments": rows(scored), "next_cursor": page.next_cursor}

    return router
