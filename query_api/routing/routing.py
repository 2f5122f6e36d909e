"""/v1/route: who should do the next task."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import uuid4

import numpy as np
import polars as pl
from fastapi import APIRouter, Response
from pydantic import Field, PlainValidator, TypeAdapter
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from processors.errors import Rejected
from processors.frames import conform
from processors.objectives.objectives import GENERAL
from processors.routing.answer import Answered, Knowledge, answer, means, nothing_known, order
from processors.routing.answer import Question as Asked
from processors.routing.cells import Ints
from processors.routing.decide import Assignment, Booleans
from processors.routing.explain import excluded, explanation, reasons
from processors.routing.features import Floats, features
from processors.routing.frames import OUTCOMES
from processors.routing.policies import OWN, Policy, policy
from processors.routing.rows import as_rows
from processors.routing.settings import Kind, RoutingProfile, RoutingSettings, Strategy
from processors.routing.standings import OpenDecisions
from processors.versions import version_at
from query_api.asking.answers import Answer
from query_api.asking.filters import Question
from query_api.asking.problems import ProblemError, wrong
from query_api.asking.questions import Ask, Keep, Now
from query_api.tasks.tasks import Id

Name = Annotated[str, Field(min_length=1, max_length=1024)]
Amount = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
MANY = 2_000
"""Candidates from which an answer takes several milliseconds; to show one takes ten times as long as to judge it."""


ProfileName = Annotated[str, Field(max_length=200)]
NAME = TypeAdapter(ProfileName)


def name_or_weights(given: object) -> str | RoutingProfile:
    """A profile. Told apart beforehand, so that what is wrong with one is not told as what is wrong with both."""
    return RoutingProfile.model_validate(given) if isinstance(given, dict | RoutingProfile) else NAME.validate_python(given)


NameOrWeights = Annotated[
    str | RoutingProfile, PlainValidator(name_or_weights, json_schema_input_type=ProfileName | RoutingProfile)
]


@dataclass(frozen=True)
class Routing:
    """What /v1/route needs besides the store.

    `knowledge` is what is known of a kind of candidates; `classify` tells the category of a text; `luck` is even in [0, 1).
    """

    settings: RoutingSettings
    knowledge: Callable[[str], Knowledge] = lambda _: nothing_known()
    open_decisions: OpenDecisions = field(default_factory=lambda: OpenDecisions(RoutingSettings().open_seconds))
    classify: Callable[[str], str] = lambda _: GENERAL
    record: Callable[[Answered], None] | None = None
    """Has a decision written down without waiting for it; None: as everything else that is sent."""
    luck: Callable[[], float] = np.random.default_rng().random


class RouteQuestion(Question):
    """A task that is to be given out. All is optional; the more is said, the better the choice."""

    category: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
    """What kind of work it is; if it is not said, the description decides, else `general`."""
    description: Annotated[str, Field(max_length=100_000)] = ""
    """What is to be done, in words: what it looks like is compared with past tasks. The first 1,000 characters are read."""
    complexity: Annotated[int | None, Field(ge=1, le=5)] = None
    """How complex it is, 1 to 5."""
    candidates: Annotated[tuple[Name, ...] | None, Field(max_length=10_000, fail_fast=True)] = None
    """Who may be chosen; whoever is named counts as able. Everybody who has done or declared the category if left out."""
    kind: Kind = "agent"
    """What the candidates are."""
    max_cost_usd: Amount | None = None
    """Whoever probably costs more is excluded."""
    max_duration_seconds: Amount | None = None
    """Whoever probably takes longer is excluded."""
    strategy: Strategy | None = None
    """How to explore; as in the settings if left out."""
    profile: NameOrWeights | None = None
    """The name of a profile, or weights: `{"quality": 0.8, "cost": 0.2}`; one that is left out counts 0. Else as in
    the settings; of providers, `balanced`."""
    trace_id: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")] = ""
    """The trace in which the task is going to be: its outcome is found by that, too."""
    limit: Annotated[int, Field(ge=1, le=10_000)] = 20
    """How many candidates are shown; all are stored."""


class RankedCandidate(Answer):
    """A candidate. Null where nothing of the kind was ever observed."""

    agent_id: str
    """The agent, model or provider."""
    score: float
    """Its utility under the profile, load penalty taken off."""
    success: float | None
    """The chance that it succeeds."""
    quality: float | None
    """How good its work is expected to be."""
    cost_usd: float | None
    """What it is expected to cost."""
    duration_seconds: float | None
    """How long it is expected to take."""
    load_penalty: float
    """What is taken off for work that it has already been given."""
    eligible: bool
    """Whether it could be chosen."""
    probability: float
    """The chance that it had to be chosen. To spread load over providers take `recommended_weight` of /v1/providers."""
    reasons: list[str]
    """What speaks for and against it."""


class Routed(Answer):
    """Who should do it, and why."""

    decision_id: str
    """Put it on the agent's span as `merit.decision.id`, and what comes of the task is known by itself."""
    agent_id: str | None
    """Who should do it; null if nobody may: `explanation` says what excluded whom."""
    kind: Kind
    """What the candidates are."""
    category: str
    """What kind of work it was taken for."""
    strategy: Strategy
    """How it explored."""
    profile: str
    """The name of the weights; `own` if the question brought them: `explanation` says what they are."""
    probability: float | None
    """The chance that the one chosen had."""
    explanation: str
    """Why, in words."""
    candidates: int
    """How many there were."""
    excluded: dict[str, int]
    """How many of them each limit or other bar excluded: who is excluded by several is counted by each."""
    ranked: list[RankedCandidate]
    """The chosen first, then by score, those that could not be chosen last."""


class Outcome(Question):
    """What came of a decision, where no task tells."""

    success: bool | None = None
    """Whether the task succeeded."""
    quality: Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False)] = None
    """How good the work was."""
    cost_usd: Amount | None = None
    """What it cost."""
    duration_seconds: Amount | None = None
    """How long it took."""


class KeptOutcome(Answer):
    """What was kept."""

    decision_id: str
    """The decision."""
    status: Literal["kept"] = "kept"
    """It is on disk, and is learnt from within seconds."""


def routes(ask: Ask, keep: Keep, now: Now, routing: Routing) -> APIRouter:
    """The routes that give out tasks and take what came of them."""
    router = APIRouter(tags=["routing"])

    async def recorded(answered: Answered) -> None:
        """See that the decision is written down."""
        if routing.record is None:
            await run_in_threadpool(keep, "routing_decisions", as_rows([answered]))
        else:
            routing.record(answered)

    # On the loop, for a thread costs more than the answer: nothing here touches the store. What may, or takes long, is in one.
    @router.post("/v1/route", response_model=Routed, summary="Who should do the next task?")
    async def route(question: RouteQuestion) -> Any:
        """Choose among the candidates, with reasons, and remember the choice.

        Nobody is chosen (`agent_id` is null) where nobody is known or the limits exclude everybody.
        """
        category = question.category or GENERAL
        if question.category is None and question.description:
            category = await run_in_threadpool(routing.classify, question.description)
        asked, moment = assigned(question, category, routing), now()
        if takes_long(question, routing):
            answered, said = await run_in_threadpool(decided, asked, question.limit, routing, moment)
        else:
            answered, said = decided(asked, question.limit, routing, moment)
        await recorded(answered)
        if answered.chosen is not None:
            chosen = answered.names[answered.chosen]
            routing.open_decisions.open(answered.decision_id, question.kind, chosen, question.trace_id, moment, moment)
        return Response(said, media_type="application/json")

    @router.post("/v1/route/decisions/{decision_id}/outcome", response_model=KeptOutcome, summary="What came of a decision?")
    def outcome(decision_id: Id, sent: Outcome) -> Any:
        """Report an outcome, where no task carries the decision's id. A second report replaces the first."""
        if not sent.model_fields_set or all(value is None for value in sent.model_dump().values()):
            raise wrong("body", None, "says nothing: give at least one of success, quality, cost_usd, duration_seconds")
        known = routing.open_decisions.knows(decision_id)
        if not known and ask("routing_decision", {"decision_id": decision_id}, 1).is_empty():
            raise ProblemError(404, f"There is no decision {decision_id[:200]!r}: take decision_id from the answer of /v1/route")
        moment = now()
        stamp = {"decision_id": decision_id, "received_at": moment, "version": version_at(moment), "is_deleted": 0}
        keep("routing_outcomes", conform(pl.DataFrame([sent.model_dump() | stamp]), OUTCOMES))
        routing.open_decisions.close(decision_id, moment)
        return {"decision_id": decision_id}

    return router


def takes_long(question: RouteQuestion, routing: Routing) -> bool:
    """Whether an answer takes so many milliseconds that other connections should not wait for it."""
    candidates = routing.knowledge(question.kind).names if question.candidates is None else question.candidates
    return len(candidates) > MANY or question.limit > MANY // 10


def decided(asked: Asked, limit: int, routing: Routing, moment: datetime) -> tuple[Answered, bytes]:
    """The answer, and as JSON; nothing of it has been kept."""
    open_decisions = routing.open_decisions.counts(asked.kind, moment)
    knowledge = routing.knowledge(asked.kind)
    answered = answer(knowledge, asked, open_decisions, routing.settings, moment, uuid4().hex, routing.luck())
    # As it is: checking what we made ourselves takes a millisecond.
    return answered, to_json(told(answered, limit), inf_nan_mode="null")


def assigned(question: RouteQuestion, category: str, routing: Routing) -> Asked:
    """The question in the words of routing; ProblemError if it names a profile that there is not."""
    return Asked(
        kind=question.kind,
        assignment=Assignment(
            category=category,
            row=features([question.description], [question.complexity])[0],
            max_cost_usd=question.max_cost_usd,
            max_duration_seconds=question.max_duration_seconds,
        ),
        policy=wanted(question, routing.settings),
        candidates=question.candidates,
        description=question.description,
        complexity=question.complexity,
        trace_id=question.trace_id,
    )


def wanted(question: RouteQuestion, settings: RoutingSettings) -> Policy:
    """The policy that is asked for."""
    if isinstance(question.profile, RoutingProfile):
        own = policy(settings, question.strategy, None)
        return Policy(own.strategy, OWN, question.profile.weights)
    profile = question.profile or ("balanced" if question.kind == "provider" else None)
    try:
        return policy(settings, question.strategy, profile)
    except Rejected as error:
        raise wrong("profile", question.profile, str(error)) from error


def told(answered: Answered, limit: int) -> dict[str, Any]:
    """The answer as JSON values; NaN is what is not known."""
    decision, asked, chosen = answered.decision, answered.question, answered.chosen
    return {
        "decision_id": answered.decision_id,
        "agent_id": None if chosen is None else answered.names[chosen],
        "kind": asked.kind,
        "category": asked.assignment.category,
        "strategy": asked.policy.strategy,
        "profile": asked.policy.profile,
        "probability": None if chosen is None else float(decision.probability[chosen]),
        "explanation": explanation(answered),
        "candidates": len(answered.names),
        "excluded": excluded(answered),
        "ranked": ranked(answered, order(answered)[:limit]),
    }


def ranked(answered: Answered, shown: Ints) -> list[dict[str, Any]]:
    """The candidates that are shown, by their places."""
    decision, expected = answered.decision, answered.decision.expected
    unknown = np.full(len(answered.names), np.nan)
    columns: dict[str, Floats | Booleans] = {
        "score": decision.score,
        "success": means(expected.success, len(unknown)),
        "quality": means(expected.quality, len(unknown)),
        "cost_usd": unknown if expected.cost_usd is None else expected.cost_usd,
        "duration_seconds": unknown if expected.duration_seconds is None else expected.duration_seconds,
        "load_penalty": answered.standing.penalty,
        "eligible": decision.eligible,
        "probability": decision.probability,
    }
    values = zip(*(column[shown].tolist() for column in columns.values()), strict=True)
    return [
        dict(zip(columns, row, strict=True)) | {"agent_id": answered.names[at], "reasons": reasons(answered, at)}
        for at, row in zip(shown.tolist(), values, strict=True)
    ]
