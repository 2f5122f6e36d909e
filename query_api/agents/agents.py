"""/v1/agents: who is there, and what each has done."""

from datetime import datetime, timedelta
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field

from processors.health import LEAST_TASKS, TASKS_WITHIN, health
from processors.scoring.settings import ScoringSettings
from query_api.agents.agent_nodes import NodeSummary, unknown
from query_api.asking.answers import Answer, Health, Row, Time, rows
from query_api.asking.filters import ChosenAgents, Paged, Question, bound
from query_api.asking.pages import MONTH, choice, in_order
from query_api.asking.questions import Ask, Now
from query_api.rankings.rankings import Ranked
from query_api.rankings.standing import standing, with_places
from query_api.rankings.work_scores import Scored, with_scores
from query_api.tasks.tasks import Id

EVERYTHING: timedelta | None = None
MOST = 1_000
"""Categories or models of one agent that are shown."""
MOST_NODES = 100
"""Steps of one agent that its profile shows."""


class AgentQuestion(ChosenAgents, Paged):
    """Parameters of /v1/agents."""


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


class Agent(Record, Scored):
    """Who it is and how its tasks went."""

    agent_id: str | None = Field(examples=["finance/eu"])
    """The id."""
    agent_name: str | None
    """What it calls itself."""
    nickname: str | None
    """What people call it; null if nobody set it."""
    agent_type: str | None = Field(examples=["cognitive"])
    """What kind of agent it is: as a person has set it, else as its spans say."""
    department: str | None = Field(examples=["finance"])
    """Whose it is: as a person has set it, else as its spans say."""
    capabilities: list[str] = Field(examples=[["research", "writing"]])
    """Categories that it is said to be able to do: as a person has set it, else as its spans say."""
    edited: list[str] = Field(examples=[["nickname"]])
    """Which of nickname, agent_type, department and capabilities a person has set."""
    services: list[str]
    """The processes it was seen in."""
    first_seen: Time
    """Start of its first task ever."""
    last_seen: Time
    """Start of its last task ever."""
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
    health: Health
    """How its tasks of the last hour ended; `status` is null with fewer than 5 of them. Silence is no sign of illness."""


class Agents(Answer):
    """A page of agents, the last active first."""

    agents: list[Agent]
    """The agents."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


class InCategory(Record, Scored):
    """How the tasks of one category went."""

    category: str | None
    """The category."""
    rank: int | None
    """Its place among those at work in this category, by performance; null without work done, and beyond the 20 most frequent."""
    performance: float | None = Field(examples=[71.3])
    """0–100 in this category, drawn to what the others show there; null where `rank` is."""
    performance_low: float | None
    """Lower end of the 90 % interval."""
    performance_high: float | None
    """Upper end of the 90 % interval."""


class WithModel(Answer):
    """A model that the agent uses."""

    model: str | None
    """The model that answered."""
    since: Time
    """The first task it answered in."""
    last_seen: Time
    """The last task it answered in."""
    tasks: int
    """In how many of the tasks that are kept it answered."""
    calls: int
    """How often it was called in the last 30 days; so all below."""
    success_rate: float | None
    """Calls that succeeded among all; null without calls."""
    p50_duration_seconds: float | None
    """Half of the calls took no longer."""
    p95_duration_seconds: float | None
    """Nineteen in twenty calls took no longer."""
    input_tokens: int
    """Tokens read."""
    output_tokens: int
    """Tokens written."""
    cost_usd: float | None
    """The sum of the known prices in US dollars; null if none is known."""
    unpriced_calls: int
    """Calls whose price is unknown."""


class Profile(Agent):
    """An agent and what it is good at."""

    standing: Ranked | None
    """Its row in the ranking by performance, over all agents and all that is kept; null while nothing of it is scored."""
    by_category: list[InCategory]
    """How its tasks went by category, the most frequent first."""
    models: list[WithModel]
    """The models it uses, the latest first."""
    by_node: list[NodeSummary]
    """How its steps of the last 30 days fared by name and operation, the 100 most frequent; all below `/nodes`."""


def routes(ask: Ask, now: Now, scoring: ScoringSettings) -> APIRouter:
    """The routes below /v1/agents."""
    router = APIRouter(tags=["agents"])

    @router.get("/v1/agents", response_model=Agents, summary="Agents, the last active first")
    def agents(question: Annotated[AgentQuestion, Query()]) -> Any:
        """Every agent that there ever was, counted over the tasks that are kept.

        With filters or a window: those that have tasks that match, counted over these.
        """
        moment = now()
        with ask.one_state():
            page = in_order(ask, "agents", question, asked(question, moment))
            agents = judged(page.frame, ask, question, moment, scoring)
        return {"agents": told(agents), "next_cursor": page.next_cursor}

    @router.get("/v1/agents/{agent_id}", response_model=Profile, summary="One agent")
    def agent(agent_id: Id, _: Annotated[Question, Query()]) -> Any:
        """An agent, and how it fares by category, by model and by step, over all tasks that are kept."""
        return profile(ask, agent_id, now(), scoring)

    return router


def asked(question: ChosenAgents, now: datetime) -> dict[str, Any]:
    """The parameters of the question agents.sql. The registry itself can be chosen from by agent and department."""
    by_tasks = question.is_explicit or question.category or question.model or question.provider
    registered = not (by_tasks or question.service or question.user_id)
    return choice(question, now, EVERYTHING) | {"registered": registered, "lately": bound(now - TASKS_WITHIN)}


def judged(agents: pl.DataFrame, ask: Ask, question: ChosenAgents, now: datetime, scoring: ScoringSettings) -> pl.DataFrame:
    """Rows of agents.sql, with how good that work was that they count.

    Of who belongs to a chosen department they count all tasks, of others those done for it.
    """
    belong = pl.col("department").fill_null("").is_in(question.department)
    parts: list[tuple[pl.DataFrame, Row]] = [(agents.filter(~belong), {}), (agents.filter(belong), {"department": []})]
    scored = [
        with_scores(
            some,
            "agent_id",
            ask,
            question,
            question.period(now, EVERYTHING),
            scoring,
            agent_id=some["agent_id"].to_list(),
            **more,
        )
        for some, more in parts
        if some.height
    ]
    return agents.select("agent_id").join(pl.concat(scored), on="agent_id", maintain_order="left") if scored else agents


def told(agents: pl.DataFrame) -> list[Row]:
    """The rows of agents.sql as answers."""
    return rows(agents.with_columns(health("finished_lately", "failed_lately", LEAST_TASKS)))


def profile(ask: Ask, agent_id: str, now: datetime, scoring: ScoringSettings) -> Row:
    """The answer about one agent; raises ProblemError, 404, if there is none."""
    one = ChosenAgents().model_copy(update={"agent_id": (agent_id,)})  # unchecked: an id in a path may be longer than a filter's
    only = asked(one, now) | {"agent": agent_id, "offset": 0}
    ever = one.period(now, EVERYTHING)
    recent = {"agent": agent_id, "since": bound(now - MONTH), "until": only["until"], "limit": MOST}
    with ask.one_state():
        coming_steps = ask.soon("agent_steps", recent, 2 * MOST)
        coming_models = ask.soon("agent_models", {"agent": agent_id, "limit": MOST}, MOST)
        about = ask("agents", only | {"limit": 1}, 1)
        if about.is_empty():
            raise unknown(agent_id)
        categories = ask("agent_categories", only | {"limit": MOST}, MOST)
        categories = with_places(with_scores(categories, "category", ask, one, ever, scoring), ask, agent_id, scoring, now)
        steps, used = coming_steps(), coming_models()
        return told(with_scores(about, "agent_id", ask, one, ever, scoring))[0] | {
            "standing": standing(ask, agent_id, scoring, now),
            "by_category": rows(categories),
            "models": rows(with_calls(used, steps.filter("by_model"))),
            "by_node": rows(steps.filter(~pl.col("by_model")).select(*NodeSummary.model_fields).head(MOST_NODES)),
        }


def with_calls(used: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """The rows of agent_models.sql and those of agent_steps.sql of models together, the latest first."""
    both = used.join(calls.select(*(WithModel.model_fields.keys() - {"tasks"})), on="model", how="full", coalesce=True)
    span = (pl.coalesce(name, f"{name}_right").alias(name) for name in ("since", "last_seen"))
    counts = pl.col("tasks", "calls", "input_tokens", "output_tokens", "unpriced_calls").fill_null(0)
    told = both.with_columns(*span, counts).select(*WithModel.model_fields)
    return told.sort("last_seen", "model", descending=[True, False]).head(MOST)
