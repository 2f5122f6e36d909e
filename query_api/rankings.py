"""/v1/rankings: whom to trust with what."""

from typing import Annotated, Any, Literal, get_args

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field, field_validator

from processors.frames import conform
from processors.scores import AGENTS, RECENT, STATISTICS, By, rank
from query_api.answers import Answer, Time, rows
from query_api.filters import ChosenAgents, Paged, bound
from query_api.pages import choice, cut, offset_of
from query_api.questions import Ask, Now

MOST_AGENTS = 100_000
"""Agents times categories that a ranking looks at; beyond, it is refused rather than wrong."""

TO_COME = ("performance", "quality", "points", "reliability", "efficiency", "cost_per_quality_point")


class ChosenRanking(ChosenAgents):
    """What is ranked, and by what. `agent_id` picks rows of the ranking, the others pick the work that is ranked."""

    by: By = "success_rate"
    """The score to rank by. `cost_per_success` ranks the cheapest first."""
    profile: Literal["default"] = "default"
    """The named set of weights."""

    @field_validator("by", mode="before")
    @classmethod
    def _computed(cls, by: Any) -> Any:
        if by in TO_COME:
            raise ValueError(f"rankings by {by} need judged tasks, which are not taken yet: use {', '.join(get_args(By))}")
        return by


class RankingQuestion(ChosenRanking, Paged):
    """Parameters of /v1/rankings."""


class Ranked(Answer):
    """An agent in a ranking. Scores in [0, 1], costs in US dollars; null where nothing is known."""

    rank: int | None = Field(examples=[1])
    """Its place; equal scores share one (1, 1, 3); null without a score."""
    badge: str | None = Field(examples=["gold"])
    """`gold`, `silver`, `bronze` for the first three places, unless on probation."""
    agent_id: str | None = Field(examples=["finance/eu"])
    """The agent."""
    agent_name: str | None
    """What it is called."""
    score: float | None = Field(examples=[0.91])
    """What it is ranked by: its mean, drawn to that of the other agents as far as little is known of it."""
    score_low: float | None = Field(examples=[0.84])
    """Lower end of the 90 % interval."""
    score_high: float | None = Field(examples=[0.96])
    """Upper end of the 90 % interval."""
    profile: str = "default"
    """The set of weights."""
    performance: float | None = None
    """0–100 over everything; null while quality is not judged."""
    points: float | None = None
    """Sum of rewards; null while they are not worked out."""
    points_per_task: float | None = None
    """Shrunk mean of rewards; null while they are not worked out."""
    quality: float | None = None
    """How good the work is; null while it is not judged."""
    success_rate: float | None
    """Succeeded among finished tasks, as seen."""
    reliability: float | None = None
    """Success and consistency; null while it is not worked out."""
    consistency: float | None = None
    """How alike its durations are; null while it is not worked out."""
    efficiency: float | None = None
    """Cost and duration against the usual; null while it is not worked out."""
    speed: float | None
    """Duration against the usual, as seen: 0.5 is the usual; null where no usual is known yet."""
    thrift: float | None = None
    """Cost against the usual; null while it is not worked out."""
    tasks: int
    """All tasks, whatever their status."""
    succeeded: int
    """Tasks that succeeded."""
    failed: int
    """Tasks that failed."""
    rated_tasks: int | None = None
    """Tasks that were judged; null while none can be."""
    avg_duration_seconds: float | None
    """Mean duration of finished tasks."""
    p95_duration_seconds: float | None
    """Nineteen in twenty finished tasks took no longer."""
    total_cost_usd: float | None
    """The sum of the known prices; null if none is known."""
    avg_cost_usd: float | None
    """Mean cost of a task; null if over 5 % of the model calls have no known price."""
    cost_per_success_usd: float | None
    """Cost of all tasks by those that succeeded, as seen; null if none did or over 5 % of the calls have no known price."""
    cost_per_quality_point: float | None = None
    """Cost by quality; null while it is not judged."""
    avg_user_rating: float | None = None
    """Mean of the users' stars; null while there are none."""
    trend: str | None = None
    """This week against the last; null while performance is not worked out."""
    trend_change: float | None = None
    """By how many points; null while performance is not worked out."""
    probation: bool
    """Whether it has fewer than 10 finished tasks or was first seen less than 7 days ago."""
    first_seen: Time
    """Start of its first task, whatever the window."""
    days_active: int
    """On how many UTC days it began one of the tasks that are ranked."""
    last_seen: Time
    """Start of its last task, whatever the filters."""


class Rankings(Answer):
    """A ranking, the best first."""

    by: By
    """What it is ranked by."""
    profile: str
    """The set of weights."""
    note: str | None
    """What stands in the way of a ranking, if anything does."""
    rankings: list[Ranked]
    """The agents."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


def routes(ask: Ask, now: Now) -> APIRouter:
    """The routes below /v1/rankings."""
    router = APIRouter(tags=["rankings"])

    @router.get("/v1/rankings", response_model=Rankings, summary="Whom to trust with what")
    def rankings(question: Annotated[RankingQuestion, Query()]) -> Any:
        """Agents by a score that does not reward luck.

        Without a window all tasks that are kept count, and the last 30 days weigh more; a window counts its tasks alike.
        Over several categories an agent is compared with what is usual in each.
        """
        frame = ranked(ask, now, question)
        unscored = frame["score"].is_null().all()
        if question.agent_id:
            frame = frame.filter(pl.col("agent_id").is_in(question.agent_id))
        offset = offset_of("rankings", question)
        page = cut("rankings", question, frame.slice(offset, question.limit + 1), offset)
        return {
            "by": question.by,
            "profile": question.profile,
            "note": MISSING[question.by] if unscored else None,
            "rankings": rows(page.frame),
            "next_cursor": page.next_cursor,
        }

    return router


MISSING = {
    "success_rate": "no task that matches has succeeded or failed",
    "speed": "no usual duration is known: a category needs 10 tasks that succeeded in the 30 UTC days before a task's own day",
    "cost_per_success": "no agent has a known cost per success: none succeeded, or the prices of too many calls are unknown",
}
"""Why a ranking has no scores."""


def ranked(ask: Ask, now: Now, question: ChosenRanking) -> pl.DataFrame:
    """The whole ranking: agents are at most thousands, their tasks are added up in the store."""
    moment = now()
    parameters = choice(question, moment, None) | {"recent_since": bound(moment - RECENT), "limit": MOST_AGENTS}
    del parameters["agent_id"]
    statistics = conform(ask("ranking_statistics", parameters, MOST_AGENTS), STATISTICS)
    agents = conform(ask("ranking_agents", parameters, MOST_AGENTS), AGENTS)
    return rank(statistics, agents, question.by, moment, favour_recent=not question.is_explicit)
