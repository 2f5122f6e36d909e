"""/v1/workflows: whole traces with tasks, possibly of several agents, and what passed between these."""

from datetime import datetime
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field

from query_api.asking.answers import Answer, Row, Workflow, rows
from query_api.asking.filters import Statuses
from query_api.asking.pages import MONTH, Listed, choice, newest_first
from query_api.asking.questions import Ask, Now, to_the_minute

MOST_PAIRS = 1_000
"""Pairs of agents that are shown."""


class WorkflowQuestion(Listed):
    """Parameters of /v1/workflows. Filters that speak of tasks ask for one task of the workflow that meets them all."""

    status: Statuses = ()
    """`running`, `interrupted`, `succeeded` or `failed`; may be repeated."""
    summary: bool = True
    """Whether to add up all that match, which takes longest."""


class Passed(Answer):
    """What passed from one agent to another: calls (a task that works for the other's task) and handoffs."""

    messages: int
    """How many; a handoff that the other agent answers within is one message with it."""
    calls: int
    """How many of them were calls."""
    handoffs: int
    """How many of them were handoffs."""
    success_rate: float | None
    """Which share of those that ended succeeded; null if none ended."""
    avg_response_seconds: float | None
    """How long the called agent worked, or the handoff took, in the mean."""
    p95_response_seconds: float | None
    """Nineteen in twenty took no longer."""


class PassedBetween(Passed):
    """What passed from one agent to another."""

    from_agent_id: str | None = Field(examples=["planner"])
    """Who called or handed over."""
    to_agent_id: str | None = Field(examples=["researcher"])
    """Who was called; of a handoff that nobody answered within, what the framework called it."""


class Summary(Answer):
    """How all workflows that match went, and what passed between their agents."""

    workflows: int
    """How many match."""
    succeeded: int
    """How many succeeded."""
    failed: int
    """How many failed."""
    success_rate: float | None
    """Succeeded among the finished; null if none is."""
    multi_agent_workflows: int
    """In how many several agents took part."""
    multi_agent_success_rate: float | None
    """Succeeded among the finished of these; null if none is."""
    avg_duration_seconds: float | None
    """Mean duration of the finished."""
    cost_usd: float | None
    """The sum of the known prices in US dollars; null if none is known."""
    messages: Passed
    """What passed between agents, all together."""
    who_called_whom: list[PassedBetween]
    """The same by who called and who was called, the most frequent first, at most 1,000."""


class Workflows(Answer):
    """A page of workflows, the newest first."""

    workflows: list[Workflow]
    """The workflows."""
    summary: Summary | None
    """All that match, also those on other pages; null on every page but the first, and with `summary=false`."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


def routes(ask: Ask, now: Now) -> APIRouter:
    """The routes below /v1/workflows."""
    router = APIRouter(tags=["workflows"])

    @router.get("/v1/workflows", response_model=Workflows, summary="Workflows, the newest first")
    def workflows(question: Annotated[WorkflowQuestion, Query()]) -> Any:
        """Every workflow that matches. Without `since`, `window` or `trace_id` the last 30 days are searched.

        What passed between agents is chosen by the task that was called, and by `agent_id` on either side.
        """
        moment = now()
        page = newest_first(ask, "workflows", question, moment)
        is_asked = question.summary and question.cursor is None
        return {
            "workflows": rows(page.frame),
            "summary": summary(ask, question, to_the_minute(now)()) if is_asked else None,
            "next_cursor": page.next_cursor,
        }

    return router


def summary(ask: Ask, question: WorkflowQuestion, now: datetime) -> Row:
    """The answer about all workflows that match."""
    asked = choice(question, now, MONTH)
    asked |= {"before": asked["since"], "by_agent": True, "narrow": False, "limit": 1 + MOST_PAIRS}
    with ask.one_state():
        coming = ask.soon("messages", asked, 1 + MOST_PAIRS)
        (whole,) = rows(ask("workflow_summary", asked, 1))
        passed = coming()
    between = rows(passed.filter(~pl.col("is_total")))
    return whole | {"messages": (rows(passed.filter("is_total")) or [NOTHING])[0], "who_called_whom": between}


NOTHING: Row = dict.fromkeys(("messages", "calls", "handoffs"), 0) | dict.fromkeys(
    ("success_rate", "avg_response_seconds", "p95_response_seconds")
)
