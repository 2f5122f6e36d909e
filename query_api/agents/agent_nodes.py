"""/v1/agents/{agent_id}/nodes: how the steps of one agent fare."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from query_api.asking.answers import Answer, rows
from query_api.asking.filters import Chosen, Paged
from query_api.asking.pages import MONTH, choice, in_order
from query_api.asking.problems import ProblemError
from query_api.asking.questions import Ask, Now
from query_api.tasks.tasks import Id


class AgentNodeQuestion(Chosen, Paged):
    """Parameters of /v1/agents/{agent_id}/nodes."""


class NodeSummary(Answer):
    """How the steps of one name and operation fared."""

    node_name: str | None = Field(examples=["web_search"])
    """Name of the tool, graph node, retriever or model."""
    operation: str | None = Field(examples=["execute_tool"])
    """What it does."""
    calls: int
    """How often."""
    succeeded: int
    """How often it succeeded."""
    success_rate: float
    """Succeeded among all."""
    p50_duration_seconds: float
    """Half of them took no longer."""
    p95_duration_seconds: float
    """Nineteen in twenty took no longer."""
    input_tokens: int | None
    """Tokens read; null if it counts none."""
    output_tokens: int | None
    """Tokens written; null if it counts none."""
    cost_usd: float | None
    """The sum of the known prices in US dollars; null if none is known."""
    unpriced_calls: int
    """Model calls whose price is unknown."""


class NodeSummaries(Answer):
    """A page of step summaries, the most frequent first."""

    nodes: list[NodeSummary]
    """The summaries."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


def routes(ask: Ask, now: Now) -> APIRouter:
    """The routes below /v1/agents/{agent_id}/nodes."""
    router = APIRouter(tags=["agents"])

    @router.get("/v1/agents/{agent_id}/nodes", response_model=NodeSummaries, summary="Steps of one agent, added up")
    def agent_nodes(agent_id: Id, question: Annotated[AgentNodeQuestion, Query()]) -> Any:
        """How the agent's steps fared by name and operation. Without a window over the last 30 days."""
        parameters = choice(question, now(), MONTH) | {"agent": agent_id}
        page = in_order(ask, "agent_nodes", question, parameters, of=agent_id)
        if page.frame.is_empty() and not exists(ask, agent_id):
            raise unknown(agent_id)
        return {"nodes": rows(page.frame), "next_cursor": page.next_cursor}

    return router


def exists(ask: Ask, agent_id: str) -> bool:
    """Whether the registry or a task that is kept knows this agent."""
    return not ask("agent_exists", {"agent": agent_id, "limit": 1}, 1).is_empty()


def unknown(agent_id: str) -> ProblemError:
    """The problem of an agent that nobody has seen."""
    return ProblemError(404, f"There is no agent {agent_id[:200]!r}: no task was ever its work")
