"""/v1/rankings: whom to trust with what."""

from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field

from processors.scoring.compare import compare
from processors.scoring.ranking import By
from processors.scoring.settings import ScoringSettings
from query_api.asking.answers import Answer, Time, rows
from query_api.asking.filters import Chosen, ChosenAgents, Paged
from query_api.asking.pages import cut, offset_of
from query_api.asking.problems import wrong
from query_api.asking.questions import Ask, Now
from query_api.rankings.history import history, profile_of, ranked


class ChosenRanking(ChosenAgents):
    """What is ranked, and by what. `agent_id` picks rows of the ranking, the others pick the work that is ranked."""

    by: By = "performance"
    """The score to rank by. The costs rank the cheapest first. `points` ranks by the shrunk mean of a task's points,
    `total_points` by their sum."""
    profile: Annotated[str, Field(max_length=100, examples=["default"])] = "default"
    """The named set of weights: `default`, `quality`, `balanced`, `cost`, `speed`, `seed` or one of your own."""
    min_tasks: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    """Only agents with at least so many finished tasks; the others still count as what is usual."""


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
    """What it is ranked by: its mean, drawn to that of the other agents as far as little is known of it; 0–100 by performance."""
    score_low: float | None = Field(examples=[0.84])
    """Lower end of the 90 % interval."""
    score_high: float | None = Field(examples=[0.96])
    """Upper end of the 90 % interval."""
    profile: str
    """The set of weights."""
    performance: float | None = Field(examples=[71.3])
    """0–100: quality, success, speed and thrift by their weights, each drawn to what the others show; null without work done."""
    points: float | None = Field(examples=[812.5])
    """The sum of its tasks' points."""
    points_per_task: float | None = Field(examples=[40.2])
    """The mean of its tasks' points, drawn to what the others show."""
    quality: float | None
    """How good its work was judged, as seen; null while nobody judged any."""
    success_rate: float | None
    """Succeeded among finished tasks, as seen."""
    reliability: float | None
    """0.7 success_rate + 0.3 consistency, that of the others where its own is unknown."""
    consistency: float | None
    """How alike its durations are against the usual; null below 5 tasks that succeeded."""
    efficiency: float | None
    """Cost and duration against the usual, as seen: 0.5 is the usual; null where no usual is known yet."""
    speed: float | None
    """Duration against the usual, as seen: 0.5 is the usual; null where no usual is known yet."""
    thrift: float | None
    """Cost against the usual, as seen: 0.5 is the usual; null where no usual is known yet, or too many prices are not."""
    tasks: int
    """All tasks, whatever their status."""
    succeeded: int
    """Tasks that succeeded."""
    failed: int
    """Tasks that failed."""
    rated_tasks: int
    """Tasks that were judged."""
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
    cost_per_quality_point: float | None
    """Cost of judged tasks by the sum of their overall scores, as seen; null without any or if too many prices are unknown."""
    avg_user_rating: float | None
    """Mean of the users' stars; null while there are none."""
    trend: Literal["improving", "stable", "degrading"] | None
    """This week against the last; null when either has fewer than 5 finished tasks."""
    trend_change: float | None
    """By how many points of performance, drawn to none as far as little is known."""
    probation: bool
    """Whether it has too few finished tasks (10) or was first seen too lately (7 days ago) to be trusted with a badge."""
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


class ComparisonQuestion(Chosen):
    """Parameters of /v1/rankings/compare."""

    by: Literal["performance", "quality", "points"] = "performance"
    """The score to rank by: one that weights move."""
    profile: Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(max_length=10)]
    """The two sets of weights: `profile=default&profile=cost`."""


class Moved(Answer):
    """An agent under two sets of weights."""

    agent_id: str | None = Field(examples=["finance/eu"])
    """The agent."""
    agent_name: str | None
    """What it is called."""
    rank_before: int | None
    """Its rank under the first profile."""
    rank_after: int | None
    """Its rank under the second."""
    moved: int | None = Field(examples=[2])
    """How many ranks it rises; negative if it falls."""
    score_before: float | None
    """Its score under the first."""
    score_after: float | None
    """Its score under the second."""
    moved_by: str | None = Field(examples=["thrift"])
    """The part that moves it most, against how the same part moves the others; null if nothing does, or by another score."""
    parts: dict[str, float] | None = Field(examples=[{"quality": -8.1, "success_rate": 0.2, "speed": -3.0, "thrift": 17.5}])
    """By how many points of performance each part moves it, against the mean of all agents; null by another score."""


class Comparison(Answer):
    """One history under two sets of weights."""

    by: str
    """What it is ranked by."""
    profiles: list[str]
    """The two sets of weights."""
    rankings: list[Moved]
    """The agents by their rank under the second."""
    next_cursor: None = None
    """Always null: all are shown."""


def routes(ask: Ask, now: Now, settings: ScoringSettings) -> APIRouter:
    """The routes below /v1/rankings."""
    router = APIRouter(tags=["rankings"])

    @router.get("/v1/rankings", response_model=Rankings, summary="Whom to trust with what")
    def rankings(question: Annotated[RankingQuestion, Query()]) -> Any:
        """Agents by a score that does not reward luck.

        Without a window all tasks that are kept count, and the last 30 days weigh more; a window counts its tasks alike.
        Over several categories all agents are compared on the same work, whatever each was given.
        """
        frame = whole(ask, now, settings, question)
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

    @router.get("/v1/rankings/compare", response_model=Comparison, summary="Whose rank moves under other weights, and why")
    def compared(question: Annotated[ComparisonQuestion, Query()]) -> Any:
        """The same work under two profiles: who rises, who falls, and which part of the score does it."""
        if len(question.profile) != 2:
            raise wrong("profile", "&".join(question.profile), "name two profiles to compare: profile=default&profile=cost")
        moment = now()
        before, after = (
            (profile_of(settings, name), history(ask, question, name, settings, moment)) for name in question.profile
        )
        frame = compare(
            (before[0], before[1].statistics),
            (after[0], after[1].statistics),
            after[1].agents(),
            question.by,
            settings,
            moment,
            favour_recent=not question.is_explicit,
        )
        return {"by": question.by, "profiles": list(question.profile), "rankings": rows(frame)}

    return router


def whole(ask: Ask, now: Now, settings: ScoringSettings, question: ChosenRanking) -> pl.DataFrame:
    """The whole ranking that is asked for, whosever rows of it are to be shown."""
    return ranked(ask, question, question.by, question.profile, settings, now(), least_tasks=question.min_tasks)


UNFINISHED = "no task that matches has succeeded or failed"
UNJUDGED = "nobody has judged a task that matches"
UNUSUAL = "a category needs 10 tasks that succeeded in the 30 UTC days before a task's own day"
UNPRICED = UNUSUAL.replace("succeeded", "succeeded at a known cost")
MISSING: dict[By, str] = {
    "performance": UNFINISHED,
    "quality": UNJUDGED,
    "points": UNFINISHED,
    "total_points": UNFINISHED,
    "success_rate": UNFINISHED,
    "reliability": UNFINISHED,
    "efficiency": f"no usual cost or duration is known: {UNUSUAL}",
    "speed": f"no usual duration is known, or it is 0: {UNUSUAL}",
    "thrift": f"no usual cost is known, or the prices of too many calls are not: {UNPRICED}",
    "cost_per_success": "no agent has a known cost per success: none succeeded, or the prices of too many calls are unknown",
    "cost_per_quality_point": f"{UNJUDGED}, or the prices of too many calls are unknown",
}
"""Why a ranking has no scores."""
