"""/v1/workflows: whole traces with tasks, possibly of several agents."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from query_api.answers import Answer, Workflow, rows
from query_api.filters import Statuses
from query_api.pages import Listed, newest_first
from query_api.questions import Ask, Now


class WorkflowQuestion(Listed):
    """Parameters of /v1/workflows. Filters that speak of tasks ask for one task of the workflow that meets them all."""

    status: Statuses = ()
    """`running`, `interrupted`, `succeeded` or `failed`; may be repeated."""


class Workflows(Answer):
    """A page of workflows, the newest first."""

    workflows: list[Workflow]
    """The workflows."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


def routes(ask: Ask, now: Now) -> APIRouter:
    """The routes below /v1/workflows."""
    router = APIRouter(tags=["workflows"])

    @router.get("/v1/workflows", response_model=Workflows, summary="Workflows, the newest first")
    def workflows(question: Annotated[WorkflowQuestion, Query()]) -> Any:
        """Every workflow that matches. Without `since`, `window` or `trace_id` the last 30 days are searched."""
        page = newest_first(ask, "workflows", question, now())
        return {"workflows": rows(page.frame), "next_cursor": page.next_cursor}

    return router
