"""/v1/route/decisions and /v1/route/quality: what routing decided, and what came of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field

from processors.routing.judge import QUALITY, MeasuredPeriod, measured
from processors.routing.settings import Kind
from query_api.asking import cursors
from query_api.asking.answers import Answer, Row, Time, rows
from query_api.asking.filters import Paged, Values, Windowed, bound
from query_api.asking.pages import MONTH
from query_api.asking.questions import Ask, Now
from query_api.asking.searching import LAST_NS

MOST = 50_000
"""Decisions that a judgement looks at: the latest."""
MOST_GROUPS = 100_000
SHOWN = 20
Kinds = Annotated[tuple[Kind, ...], Field(max_length=3)]


class DecisionChoice(Windowed):
    """Which decisions are meant."""

    agent_id: Values = ()
    """Only where this agent (model, provider) was chosen; may be repeated. Empty: where nobody could be."""
    category: Values = ()
    """Only of this category; may be repeated."""
    kind: Kinds = ()
    """`agent`, `model` or `provider`; may be repeated."""

    def choice(self, now: Now) -> dict[str, Any]:
        """As parameters of a question."""
        period = self.period(now(), MONTH)
        lists = {name: list(getattr(self, name)) for name in ("agent_id", "category", "kind")}
        everything = {"after_ns": LAST_NS, "after_id": "", "trace_id": "", "with_candidates": False}
        return {**lists, **everything, "since": bound(period.since), "until": bound(period.until)}


class DecisionQuestion(DecisionChoice, Paged):
    """Parameters of /v1/route/decisions."""

    trace_id: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")] = ""
    """Only of this trace."""


class QualityQuestion(DecisionChoice):
    """Parameters of /v1/route/quality."""

    every: Literal["hour", "day", "week"] = "day"
    """How the series is parted."""


class Considered(Answer):
    """A candidate of a decision."""

    agent_id: str
    """The agent, model or provider."""
    score: float | None
    """Its utility."""
    probability: float
    """The chance that it had."""
    barred_by: str | None
    """What kept it from being chosen, the first if there was more; null if nothing did."""


class Decided(Answer):
    """A decision and what came of it."""

    decision_id: str
    """Its id."""
    decided_at: Time
    """When it was made."""
    kind: str
    """`agent`, `model` or `provider`."""
    category: str
    """What kind of work it was taken for."""
    strategy: str
    """How it explored."""
    profile: str
    """The weights."""
    agent_id: str | None
    """Who was chosen; null if nobody could be."""
    probability: float
    """The chance that the chosen had."""
    candidate_count: int
    """How many candidates there were."""
    trace_id: str | None
    """The trace that was named."""
    task_id: str | None
    """The task that came of it; null if none is known."""
    success: bool | None
    """Whether it succeeded; null while nobody knows."""
    quality: float | None
    """How good the work was; null while nobody judged it."""
    cost_usd: float | None
    """What it cost."""
    duration_seconds: float | None
    """How long it took."""
    ranked: list[Considered]
    """The first 20 candidates by score."""


class Decisions(Answer):
    """A page of decisions, the newest first."""

    decisions: list[Decided]
    """The decisions."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


class RoutingQuality(Answer):
    """What came of decisions."""

    decisions: int
    """How many were made."""
    unanswered: int
    """Of those, how many could name nobody."""
    known: int
    """Of how many it is known whether the task succeeded, or how good the work was."""
    coverage: float | None
    """Those known as a share of the decisions that named somebody."""
    success_rate: float | None
    """The share that succeeded, of those of which that is known."""
    quality: float | None
    """Mean quality of those judged."""
    best_success_rate: float | None
    """Of agents: what the best of each category, in hindsight, would have come to in the same tasks; agents with under 10 tasks
    in the window do not count. Rates are drawn to the mean of the category as far as their differences may be luck."""
    regret: float | None
    """What is lacking to that, a task: success alone, whatever the profile weighs besides."""
    total_regret: float | None
    """What is lacking to that, in tasks."""
    cost_usd: float | None
    """The sum of the known costs."""
    cost_saved_usd: float | None
    """By how much that is less than what a candidate at random would have cost by what was expected."""
    explored: float | None
    """The share of choices that were not the likeliest candidate's."""


class QualityOf(RoutingQuality):
    """What came of the decisions of a period."""

    period: Time
    """When it begins."""


class Qualities(RoutingQuality):
    """What came of all decisions, and over time."""

    routed_share: float | None
    """The share of the finished tasks in the window, of the categories asked for, that came of these decisions: tasks that carry
    one or are linked to one by their trace, and work that was only reported, which counts as a task."""
    truncated: Annotated[bool, Field(description=f"Whether there were more decisions than are looked at: the latest {MOST:,}.")]
    series: list[QualityOf]
    """By period, the oldest first."""


def routes(ask: Ask, now: Now) -> APIRouter:
    """The routes that look at decisions."""
    router = APIRouter(tags=["routing"])

    @router.get("/v1/route/decisions", response_model=Decisions, summary="Who was given what, and what came of it")
    def decisions(question: Annotated[DecisionQuestion, Query()]) -> Any:
        """Decisions, the newest first, of the last 30 days if no window is given."""
        asked = question.choice(now) | {"trace_id": question.trace_id, "with_candidates": True, "limit": question.limit + 1}
        if question.cursor is not None:
            since, after_ns, after_id = cursors.read("decisions", question, question.cursor, tuple[str, int, str])
            asked |= {"since": since, "after_ns": after_ns, "after_id": after_id}
        found = ask("routed", asked, question.limit + 1)
        page, cursor = found.head(question.limit), None
        if found.height > question.limit:
            last = page.tail(1).select(pl.col("decided_at").dt.epoch("ns"), "decision_id").row(0)
            cursor = cursors.issue("decisions", question, (asked["since"], *last))
        told = rows(page.select(name for name in Decided.model_fields if name not in ("ranked",)))
        for row, considered in zip(told, page.iter_rows(named=True), strict=True):
            row["ranked"] = ranked(considered)
            row["success"] = None if row["success"] is None else bool(row["success"])
        return {"decisions": told, "next_cursor": cursor}

    @router.get("/v1/route/quality", response_model=Qualities, summary="How good is routing?")
    def quality(question: Annotated[QualityQuestion, Query()]) -> Any:
        """Success of routed tasks, regret against the best in hindsight, coverage and cost saved, over time.

        Of the last 30 days if no window is given.
        """
        asked = question.choice(now)
        found = ask("routed", asked | {"limit": MOST}, MOST)
        truncated = found.height >= MOST
        since = bound(found.select(pl.min("decided_at")).item()) if truncated else asked["since"]
        hindsight = ask("routing_hindsight", {"since": since, "until": asked["until"], "limit": MOST_GROUPS}, MOST_GROUPS)
        whole, series = measured(found, hindsight, timedelta(**{f"{question.every}s": 1}))
        return {
            **described(whole),
            "routed_share": routed_share(found, hindsight, question.category),
            "truncated": truncated,
            "series": [described(each) for each in series],
        }

    return router


def ranked(decision: Mapping[str, Any]) -> list[Row]:
    """The candidates of a decision, the best first."""
    names = ("candidates", "scores", "probabilities", "barred_by")
    each = sorted(zip(*(decision[name] for name in names), strict=True), key=lambda one: (one[3] != "", -one[1]))
    return [
        {"agent_id": name, "score": score, "probability": probability, "barred_by": bar or None}
        for name, score, probability, bar in each[:SHOWN]
    ]


def routed_share(routed: pl.DataFrame, hindsight: pl.DataFrame, category: Sequence[str]) -> float | None:
    """Which share of finished tasks, and of work that was only reported, came of decisions; None if there was none."""
    told = pl.any_horizontal(pl.col("success", "quality", "cost_usd", "duration_seconds").is_not_null())
    alone = routed.filter(told, pl.col("task_id").is_null()).height
    asked = hindsight.filter(pl.col("category").is_in(category)) if category else hindsight
    tasks, given = int(asked["tasks"].sum()) + alone, int(routed["tasks"].sum()) + alone
    return min(given / tasks, 1.0) if tasks else None


def described(period: MeasuredPeriod) -> Row:
    """A period as JSON values."""
    return rows(pl.DataFrame([period], schema=QUALITY))[0]
