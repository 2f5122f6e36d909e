"""/v1/insights: what could be done better, with the evidence for it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from processors.insights.frames import Kind
from query_api.asking.answers import Answer, Row, Time
from query_api.asking.filters import LATEST, Period, Values, Windowed
from query_api.asking.pages import MONTH
from query_api.asking.problems import wrong
from query_api.asking.questions import Now
from query_api.reports.overview import shown

LONGEST = timedelta(days=92)

Insights = Callable[[Period], tuple[list[Row], list[str]]]
"""What was found in a stretch of time, and what could not be looked at."""


class InsightQuestion(Windowed):
    """Parameters of /v1/insights."""

    kind: Annotated[tuple[Kind, ...], Field(max_length=20)] = ()
    """Only of this kind; may be repeated."""
    agent_id: Values = ()
    """Only about this agent; may be repeated."""
    category: Values = ()
    """Only about this category; may be repeated."""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    """How many at most."""


class ExpectedEffect(Answer):
    """By how much something would change, with its 90 % interval."""

    measure: str = Field(examples=["cost_usd_per_month"])
    """`cost_usd_per_month` and `failed_calls_per_month` (less is negative), `success_rate`, `quality`, `seconds_per_task`."""
    value: float
    """The change."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""


class Insight(Answer):
    """Something that could be done better."""

    insight_id: str
    """The same as long as it is about the same."""
    kind: Kind
    """What kind of advice it is."""
    agent_id: str | None = Field(examples=["finance/eu"])
    """Whom it is about, if it is about one agent."""
    category: str | None
    """Which work it is about, if it is about one category."""
    subject: dict[str, str]
    """What it is about: the agent, the model and the other model, the step, …"""
    advice: str
    """What to do, and why."""
    evidence: dict[str, Any]
    """What it was told by: how many tasks or calls, means with their intervals."""
    effects: list[ExpectedEffect]
    """What is to be expected, the most important first."""
    saving_usd_per_month: float | None
    """What it saves in US dollars in 30 days of as much work; null if it saves something else."""
    certainty: float
    """How likely what it rests on is so."""
    task_ids: list[str]
    """Some tasks to look at."""


class FoundInsights(Answer):
    """What could be done better, the largest savings first."""

    since: Time
    """Where the stretch of time begins by which it is told."""
    until: Time
    """Where it ends."""
    insights: list[Insight]
    """The insights."""
    notes: list[str]
    """What could not be looked at."""
    next_cursor: None = None
    """Always null: all are shown."""


def routes(insights: Insights, now: Now) -> APIRouter:
    """The routes below /v1/insights."""
    router = APIRouter(tags=["insights"])

    @router.get("/v1/insights", response_model=FoundInsights, summary="What could be done better")
    def found(question: Annotated[InsightQuestion, Query()]) -> Any:
        """Advice that the work of the last 30 days (or of the window, at most 92 days) surely supports, and nothing else."""
        period = stretch(question, now())
        told, notes = insights(period)
        chosen = [row for row in told if fits(row, question)]
        return {
            "since": shown(period.since),
            "until": shown(period.until),
            "insights": chosen[: question.limit],
            "notes": notes,
        }

    return router


def stretch(question: InsightQuestion, now: datetime) -> Period:
    """The stretch of time that is asked for, of which nothing lies ahead."""
    asked = question.period(now, MONTH)
    until = min(asked.until, now, LATEST)
    if asked.since >= until:
        raise wrong("since", asked.since.isoformat(), "lies ahead: nothing has begun since")
    if until - asked.since > LONGEST:
        raise wrong("window", question.window, f"is longer than {LONGEST.days} days: ask for less")
    return Period(asked.since, until)


def fits(row: Row, question: InsightQuestion) -> bool:
    """Whether an insight is of those that are asked for."""
    asked = {"kind": question.kind, "agent_id": question.agent_id, "category": question.category}
    return all(not values or row[name] in values for name, values in asked.items())
