"""/v1/agents/{agent_id}/trends and /v1/compare: how agents did over time, and side by side."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, get_args

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field

from processors.frames import TIME, conform
from processors.scoring.changes import IN_A_ROW, measured, model_changes
from processors.scoring.ranking import COSTLY, By, scores_of
from processors.scoring.settings import ScoringSettings
from processors.scoring.statistics import STATISTICS, plain
from query_api.agents.agent_nodes import unknown
from query_api.asking.answers import Answer, Row, Time, rows
from query_api.asking.filters import Chosen, bound
from query_api.asking.problems import wrong
from query_api.asking.questions import Ask, Now
from query_api.rankings.history import LAST, MOST_ROWS, asked_of, history, profile_of
from query_api.tasks.tasks import Id

Period = Literal["hour", "day", "week"]
DAY = timedelta(days=1)
BACK: dict[Period, timedelta] = {"hour": 7 * DAY, "day": 30 * DAY, "week": 26 * 7 * DAY}
"""How far back a series goes where nothing is said."""
MOST_DAYS_BY_HOUR = 92
MOST_CHANGES = 100
MOST_COMPARED = 20


class TrendQuestion(Chosen):
    """Parameters of /v1/agents/{agent_id}/trends."""

    step: Annotated[Period, Field(alias="period")] = "day"
    """How long each step is: `hour`, `day` (UTC) or `week` (from Monday)."""
    profile: Annotated[str, Field(max_length=100)] = "default"
    """The named set of weights."""


class Step(Answer):
    """How an hour, a day or a week went, as seen."""

    started_at: Time
    """When it began."""
    tasks: int
    """Tasks that began in it."""
    succeeded: int
    """Of them, those that succeeded."""
    failed: int
    """Of them, those that failed."""
    success_rate: float | None
    """Succeeded among the finished."""
    quality: float | None
    """How good they were judged."""
    efficiency: float | None
    """Cost and duration against the usual."""
    speed: float | None
    """Duration against the usual."""
    thrift: float | None
    """Cost against the usual."""
    points: float | None
    """The sum of their points."""
    rated_tasks: int
    """Tasks that were judged."""
    avg_user_rating: float | None
    """Mean of the users' stars."""
    avg_duration_seconds: float | None
    """Mean duration of the finished."""
    total_cost_usd: float | None
    """The sum of the known prices."""
    cost_per_success_usd: float | None
    """Cost by those that succeeded."""
    total_tokens: int
    """Tokens read and written."""


class Mean(Answer):
    """A mean with its 90 % interval."""

    value: float | None
    """The mean; null without observations."""
    low: float | None
    """Lower end of the interval."""
    high: float | None
    """Upper end of the interval."""
    observations: int
    """How many tasks it is of."""


class Side(Answer):
    """How tasks went before or after a change."""

    tasks: int
    """Finished tasks."""
    success_rate: Mean
    """Succeeded among the finished."""
    quality: Mean
    """How good they were judged."""
    cost_usd: Mean
    """What one cost."""
    duration_seconds: Mean
    """How long one took."""


class ModelChange(Answer):
    """The agent took up a model: for the first time it worked in three tasks in a row."""

    changed_at: Time
    """The first of these tasks."""
    models: list[str]
    """The models of that task."""
    new_models: list[str]
    """Those of them that it took up."""
    before: Side | None
    """The 30 days before; null without tasks."""
    after: Side | None
    """The 30 days after, at most until the next change."""


class Trends(Answer):
    """How an agent did over time."""

    agent_id: str
    """The agent."""
    period: Period
    """How long each step is."""
    profile: str
    """The set of weights."""
    trends: list[Step]
    """The steps in order; those without a task are left out."""
    model_changes: list[ModelChange]
    """When it took up another model, the latest last, over all tasks that are kept."""


class CompareQuestion(Chosen):
    """Parameters of /v1/compare."""

    agent_id: Annotated[tuple[Annotated[str, Field(max_length=1024)], ...], Field(min_length=1, max_length=MOST_COMPARED)]
    """Whom to compare; repeat it for each."""
    profile: Annotated[str, Field(max_length=100)] = "default"
    """The named set of weights."""


class Believed(Answer):
    """What is believed of an agent by one score."""

    score: float | None
    """Its mean, drawn to that of the others as far as little is known of it; null without observations."""
    score_low: float | None
    """Lower end of the 90 % interval."""
    score_high: float | None
    """Upper end of the 90 % interval."""
    observations: int
    """How many tasks stand behind it."""


class Compared(Answer):
    """An agent beside others."""

    agent_id: str
    """The agent."""
    agent_name: str | None
    """What it is called."""
    tasks: int
    """Its tasks among those that are chosen."""
    succeeded: int
    """Of them, those that succeeded."""
    failed: int
    """Of them, those that failed."""
    scores: dict[By, Believed]
    """By each score that there is."""


class SideBySide(Answer):
    """Agents side by side."""

    profile: str
    """The set of weights."""
    agents: list[Compared]
    """The agents, as they were asked for."""


def routes(ask: Ask, now: Now, settings: ScoringSettings) -> APIRouter:
    """The routes on how agents did."""
    router = APIRouter(tags=["agents"])

    @router.get("/v1/agents/{agent_id}/trends", response_model=Trends, summary="How an agent did over time")
    def trends(agent_id: Id, question: Annotated[TrendQuestion, Query()]) -> Any:
        """Its work by hour (without a window the last 7 days), day (30 days) or week (26 weeks), and its changes of model."""
        profile_of(settings, question.profile)
        steps = series(ask, agent_id, question, settings, now())
        changes = changes_of(ask, agent_id, question.profile)
        if not steps and not changes and ask("agent_exists", {"agent": agent_id, "limit": 1}, 1).is_empty():
            raise unknown(agent_id)
        said = {"agent_id": agent_id, "period": question.step, "profile": question.profile}
        return {**said, "trends": steps, "model_changes": changes}

    @router.get("/v1/compare", response_model=SideBySide, summary="Agents side by side")
    def compare(question: Annotated[CompareQuestion, Query()]) -> Any:
        """Each agent by every score, with its interval: each is worked out as in the ranking of all agents."""
        profile = profile_of(settings, question.profile)
        found = history(ask, question, question.profile, settings, now())
        known = plain(found.statistics, settings.most_unpriced).join(found.agents(), on="agent_id")
        missing = sorted(set(question.agent_id) - set(known["agent_id"]))
        if missing:
            raise wrong("agent_id", missing[0], "no task that matches is its work")
        beliefs = {
            by: scores_of(found.statistics, by, profile, settings, favour_recent=not question.is_explicit) for by in get_args(By)
        }
        about = {row["agent_id"]: row for row in rows(known)}
        agents = [about[one] | {"scores": beliefs_of(about[one], beliefs)} for one in dict.fromkeys(question.agent_id)]
        return {"profile": question.profile, "agents": agents}

    return router


def series(ask: Ask, agent_id: str, question: TrendQuestion, settings: ScoringSettings, now: datetime) -> list[Row]:
    """The steps of an agent's work."""
    period = question.period(now, BACK[question.step])
    since, until = period.since, min(period.until, LAST)
    days = (min(until, now + DAY) - since) // DAY + 1
    if question.step == "hour" and days > MOST_DAYS_BY_HOUR:
        raise wrong("period", "hour", f"too many hours: choose a window of at most {MOST_DAYS_BY_HOUR} days, or days")
    asked = asked_of(question, (since, until), agent_id=(agent_id,), period=question.step)
    columns = {**STATISTICS, "started_at": TIME}
    found = conform(ask("agent_statistics", asked | {"profile": question.profile}, MOST_ROWS), columns)
    steps = found.with_columns(agent_id=pl.col("started_at").cast(pl.String))  # each step as if it were an agent
    times = steps.select("agent_id", "started_at").unique()
    return rows(plain(steps.drop("started_at"), settings.most_unpriced).join(times, on="agent_id").sort("started_at"))


def changes_of(ask: Ask, agent_id: str, profile: str) -> list[Row]:
    """The agent's changes of model with how its tasks went before and after."""
    asked = {"agent": agent_id, "in_a_row": IN_A_ROW, "limit": MOST_CHANGES + 1}  # the oldest began the others
    changes = model_changes(ask("models_taken_up", asked, MOST_CHANGES + 1).reverse())
    if changes.is_empty():
        return []
    bounds = {name: [bound(moment) for moment in changes[column]] for name, column in BOUNDS.items()}
    around = ask("around_changes", {"agent": agent_id, "profile": profile, "limit": 2 * MOST_CHANGES, **bounds}, 2 * MOST_CHANGES)
    sides = {(row["change"], bool(row["is_after"])): row for row in rows(measured(around))}
    return [
        row | {"before": sides.get((number, False)), "after": sides.get((number, True))}
        for number, row in enumerate(rows(changes.drop("before", "after")), start=1)
    ]


BOUNDS = {"before": "before", "changed": "changed_at", "after": "after"}


def beliefs_of(agent: Row, beliefs: dict[By, pl.DataFrame]) -> dict[str, Row]:
    """What is believed of one agent by each score."""
    nothing: Row = {"score": None, "score_low": None, "score_high": None, "observations": 0}
    found = {}
    for by, scores in beliefs.items():
        row = rows(scores.filter(pl.col("agent_id") == agent["agent_id"]))
        unknown_price = by in COSTLY and not agent["priced"]
        found[str(by)] = row[0] if row and not unknown_price else nothing
    return found
