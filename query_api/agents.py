"""/v1/agents: who is there, and what each has done."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from query_api.answers import Answer, Time, rows
from query_api.filters import Chosen, ChosenAgents, Paged, Question
from query_api.pages import MONTH, choice, in_order
from query_api.problems import ProblemError
from query_api.questions import Ask, Now
from query_api.tasks import Id

EVERYTHING: timedelta | None = None
MOST = 1_000
"""Categories or models of one agent that are shown."""


class AgentQuestion(ChosenAgents, Paged):
    """Parameters of /v1/agents."""


class AgentNodeQuestion(Chosen, Paged):
    """Parameters of /v1/agents/{agent_id}/nodes."""


class Record(Answer):
    """How tasks went."""

    tasks: int
    """All tasks, whatever their status."""
    succeeded: int
    """Tasks that succeeded."""
    failed: int
    """Tasks that failed."""
    success_rate: float | None
    """Succeeded among the finished; null if none is finished. Rankings shrink it, this is the plain share."""
    avg_duration_seconds: float | None
    """Mean duration of the finished tasks."""
    total_cost_usd: float | None
    """The sum of the known prices in US dollars; null if none is known."""
    unpriced_calls: int
    """Model calls whose price is unknown."""


class Agent(Record):
    """Who it is and how its tasks went."""

    agent_id: str | None = Field(examples=["finance/eu"])
    """The id."""
    agent_name: str | None
    """What it is called."""
    agent_type: str | None
    """`merit.agent.type`, if the user said it."""
    department: str | None
    """`merit.agent.department`, if the user said it."""
    services: list[str]
    """The processes it was seen in."""
    first_seen: Time
    """Start of its first task."""
    last_seen: Time
    """Start of its last task."""
    days_active: int
    """On how many UTC days it began a task."""
    running: int
    """Tasks that are not finished."""
    interrupted: int
    """Tasks that wait for a human."""
    llm_calls: int
    """Model calls."""
    input_tokens: int
    """Tokens read."""
    output_tokens: int
    """Tokens written."""
    total_tokens: int
    """Both together."""


class Agents(Answer):
    """A page of agents, the last active first."""

    agents: list[Agent]
    """The agents."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


class InCategory(Record):
    """How the tasks of one category went."""

    category: str | None
    """The category."""


class WithModel(Answer):
    """A model that the agent uses."""

    model: str | None
    """The model that answered."""
    since: Time
    """The first task it answered in."""
    last_seen: Time
    """The last task it answered in."""
    tasks: int
    """In how many tasks it answered."""


class Profile(Agent):
    """An agent with its categories and models."""

    by_category: list[InCategory]
    """How its tasks went by category, the most frequent first."""
    models: list[WithModel]
    """The models it uses, the latest first."""


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
    """The routes below /v1/agents."""
    router = APIRouter(tags=["agents"])

    @router.get("/v1/agents", response_model=Agents, summary="Agents, the last active first")
    def agents(question: Annotated[AgentQuestion, Query()]) -> Any:
        """Every agent that has a task that matches, counted over these tasks. Without a window over all that is kept."""
        page = in_order(ask, "agents", question, choice(question, now(), EVERYTHING))
        return {"agents": rows(page.frame), "next_cursor": page.next_cursor}

    @router.get("/v1/agents/{agent_id}", response_model=Profile, summary="One agent")
    def agent(agent_id: Id, _: Annotated[Question, Query()]) -> Any:
        """An agent with its categories and models, over all tasks that are kept."""
        only = choice(ChosenAgents(agent_id=(agent_id,)), now(), EVERYTHING)
        about = rows(ask("agents", only | {"limit": 1, "offset": 0}, 1))
        if not about:
            raise unknown(agent_id)
        keys = only | {"agent": agent_id, "limit": MOST}
        return about[0] | {
            "by_category": rows(ask("agent_categories", keys, MOST)),
            "models": rows(ask("agent_models", keys, MOST)),
        }

    @router.get("/v1/agents/{agent_id}/nodes", response_model=NodeSummaries, summary="Steps of one agent, added up")
    def agent_nodes(agent_id: Id, question: Annotated[AgentNodeQuestion, Query()]) -> Any:
        """How the agent's steps fared by name and operation. Without a window over the last 30 days."""
        parameters = choice(question, now(), MONTH) | {"agent": agent_id}
        page = in_order(ask, "agent_nodes", question, parameters, of=agent_id)
        if page.frame.is_empty() and not known(ask, agent_id, now):
            raise unknown(agent_id)
        return {"nodes": rows(page.frame), "next_cursor": page.next_cursor}

    return router


def known(ask: Ask, agent_id: str, now: Now) -> bool:
    """Whether there is a task of this agent."""
    only = choice(ChosenAgents(agent_id=(agent_id,)), now(), EVERYTHING)
    return not ask("agents", only | {"limit": 1, "offset": 0}, 1).is_empty()


def unknown(agent_id: str) -> ProblemError:
    """The problem of an agent that nobody has seen."""
    return ProblemError(404, f"There is no agent {agent_id[:200]!r}: none of the tasks that are kept is its work")
