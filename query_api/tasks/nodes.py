"""/v1/nodes: the steps inside tasks."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from query_api.asking.answers import Answer, Node, rows
from query_api.asking.filters import ChosenAgents, Traced, Values
from query_api.asking.pages import Listed, newest_first
from query_api.asking.questions import Ask, Now
from query_api.tasks.marks import marks_of_steps


class ChosenNodes(ChosenAgents, Traced):
    """Which steps are meant."""

    task_id: Values = ()
    """Only steps of this task; may be repeated."""
    operation: Values = ()
    """Only this operation (`chat`, `execute_tool`, …); may be repeated."""
    success: Annotated[tuple[bool, ...], Field(max_length=2)] = ()
    """Only steps that succeeded (`true`) or failed (`false`)."""


class NodeQuestion(ChosenNodes, Listed):
    """Parameters of /v1/nodes."""


class Nodes(Answer):
    """A page of steps, the newest first."""

    nodes: list[Node]
    """The steps."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


def routes(ask: Ask, now: Now) -> APIRouter:
    """The routes below /v1/nodes."""
    router = APIRouter(tags=["nodes"])
    mark = marks_of_steps(ask)

    @router.get("/v1/nodes", response_model=Nodes, summary="Steps, the newest first")
    def nodes(question: Annotated[NodeQuestion, Query()]) -> Any:
        """Every step that matches. Without `since`, `window` or `trace_id` the last 30 days are searched."""
        page = newest_first(ask, "nodes", question, now())
        return {"nodes": rows(mark(page.frame)), "next_cursor": page.next_cursor}

    return router
