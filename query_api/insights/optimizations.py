"""/v1/optimizations: requests to make an agent better, what people say to them, and what came of them."""

import json
from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from processors.optimizations.frames import OPEN, Status
from processors.optimizations.life import decided, opened, rows_of
from processors.optimizations.settings import Measure, OptimizationSettings, Optimizer
from processors.versions import to_the_millisecond
from query_api.asking.answers import Answer, Row, Time, rows
from query_api.asking.filters import EARLIEST, LATEST, Paged, Question, Values, Windowed, bound
from query_api.asking.pages import in_order
from query_api.asking.problems import ProblemError
from query_api.asking.questions import Ask, Keep, Now
from query_api.tasks.tasks import Id

MOST = 10_000
Statuses = Annotated[tuple[Status, ...], Field(max_length=20)]
Whoever = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class OptimizationQuestion(Windowed, Paged):
    """Parameters of /v1/optimizations."""

    status: Statuses = ()
    """`waiting` (for approval), `approved`, `running`, `measuring`, `closed`, `rejected`, `failed`; may be repeated."""
    agent_id: Values = ()
    """Only of this agent; may be repeated."""
    optimizer: Values = ()
    """Only by this optimizer of the settings; may be repeated."""


class Decision(Question):
    """What somebody decides."""

    by: Whoever = "api"
    """Who decides."""
    note: Annotated[str, Field(max_length=2000)] = ""
    """Why."""


class Run(Question):
    """Whom to make better, now."""

    agent_id: Annotated[str, Field(min_length=1, max_length=1024)]
    """The agent."""
    optimizer: Annotated[str | None, Field(max_length=100)] = None
    """The optimizer of the settings; unsaid, the first one that is for this agent."""
    by: Whoever = "api"
    """Who wants it."""
    note: Annotated[str, Field(max_length=2000)] = ""
    """Why."""


class Optimization(Answer):
    """A request to make an agent better."""

    optimization_id: str
    """The request."""
    optimizer: str
    """By which optimizer of the settings."""
    agent_id: str | None = Field(examples=["finance/eu"])
    """Whom."""
    status: Status
    """`waiting` (for approval), `approved`, `running`, `measuring`, `closed`, `rejected`, `failed`."""
    reason: str
    """Why it was opened."""
    measure: Measure
    """What is to become better."""
    approval: bool
    """Whether somebody had to approve it."""
    cost_usd: float | None
    """What a run is said to cost."""
    expected_improvement: float | None
    """By how much the measure is said to become better."""
    requested_at: Time
    """When it was opened."""
    requested_by: str
    """`merit`, or who asked for it."""
    decided_at: Time | None
    """When it was approved or rejected."""
    decided_by: str | None
    """Who did."""
    note: str | None
    """What they said."""
    started_at: Time | None
    """When it was run first."""
    ended_at: Time | None
    """When the run ended."""
    closed_at: Time | None
    """When it was over."""
    tries: int
    """How often the run was begun."""
    error: str | None
    """What went wrong last."""
    result: str | None
    """What the program said."""
    before: dict[str, Any] | None
    """How the agent did before the run: means, and of how many tasks."""
    after: dict[str, Any] | None
    """How it did afterwards."""
    effect: dict[str, Any] | None
    """What changed: of each measure `change`, `low`, `high` (90 %); `improved`, null if that is not known; `certainty`."""


class Optimizations(Answer):
    """A page of requests."""

    optimizations: list[Optimization]
    """The newest first."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


class KnownOptimizer(Answer):
    """What makes agents better."""

    name: str
    """What it is called."""
    kind: Literal["command", "webhook"]
    """How it is run."""
    agent_id: list[str]
    """Only for these agents; empty: for all."""
    category: list[str]
    """Only by their tasks of these categories; empty: all."""
    after_tasks: int
    """After how many finished tasks a request is opened."""
    approval: bool
    """Whether somebody must approve it."""
    measure: Measure
    """What is to become better."""
    cost_usd: float | None
    """What a run is said to cost."""
    expected_improvement: float | None
    """By how much the measure is said to become better."""


class OptimizationStatus(Answer):
    """How things stand."""

    optimizers: list[KnownOptimizer]
    """What there is to be run, by the settings; empty: nothing is done."""
    counts: dict[Status, int]
    """How many requests of the last year stand how."""
    open: list[Optimization]
    """Those that are not over, the newest first."""


def routes(ask: Ask, keep: Keep, now: Now, settings: OptimizationSettings) -> APIRouter:
    """The routes below /v1/optimizations."""
    router = APIRouter(tags=["optimizations"])
    requests = Requests(ask, keep, now, settings)

    @router.get("/v1/optimizations", response_model=Optimizations, summary="Requests to make an agent better")
    def optimizations(question: Annotated[OptimizationQuestion, Query()]) -> Any:
        """Requests of all times, or of the window, the newest first."""
        period = question.period(now(), None)
        chosen = {name: list(getattr(question, name)) for name in ("status", "agent_id", "optimizer")}
        asked = chosen | {"since": bound(period.since), "until": bound(period.until), "optimization_id": ""}
        page = in_order(ask, "optimizations", question, asked)
        return {"optimizations": shown(page.frame), "next_cursor": page.next_cursor}

    @router.get("/v1/optimizations/status", response_model=OptimizationStatus, summary="How optimisation stands")
    def status(_: Annotated[Question, Query()]) -> Any:
        """What there is to be run, how many requests stand how, and those that are not over."""
        every = shown(requests.found())
        return {
            "optimizers": [told(one) for one in settings.optimizers],
            "counts": Counter(str(row["status"]) for row in every),
            "open": [row for row in every if row["status"] in OPEN],
        }

    @router.post("/v1/optimizations/run", response_model=Optimization, summary="Have an agent made better now")
    def run(sent: Run) -> Any:
        """Open a request that is approved by being asked for, or approve the one that waits. The job runs it within a minute."""
        return requests.run(sent)

    @router.get("/v1/optimizations/{optimization_id}", response_model=Optimization, summary="One request")
    def one(optimization_id: Id, _: Annotated[Question, Query()]) -> Any:
        """A request, and what came of it."""
        return shown(requests.known(optimization_id))[0]

    @router.post("/v1/optimizations/{optimization_id}/approve", response_model=Optimization, summary="Approve a request")
    def approve(optimization_id: Id, sent: Decision | None = None) -> Any:
        """Have a request that waits run. Twice changes nothing."""
        return requests.decide(optimization_id, sent or Decision(), approved=True)

    @router.post("/v1/optimizations/{optimization_id}/reject", response_model=Optimization, summary="Reject a request")
    def reject(optimization_id: Id, sent: Decision | None = None) -> Any:
        """End a request that waits. Twice changes nothing."""
        return requests.decide(optimization_id, sent or Decision(), approved=False)

    return router


class Requests:
    """Requests as they stand, and what people do to them.

    Args:
        ask: puts questions to the store.
        keep: takes what is sent.
        now: what time it is.
        settings: which optimizers there are.
    """

    def __init__(self, ask: Ask, keep: Keep, now: Now, settings: OptimizationSettings) -> None:
        self._ask, self._keep, self._now, self._settings = ask, keep, now, settings

    def found(self, **chosen: Any) -> pl.DataFrame:
        """Requests that are chosen, columns OPTIMIZATIONS, the newest first."""
        asked = {"since": bound(EARLIEST), "until": bound(LATEST), "optimization_id": "", "limit": MOST, "offset": 0}
        return self._ask("optimizations", asked | {"status": [], "agent_id": [], "optimizer": []} | chosen, MOST)

    def known(self, optimization_id: str) -> pl.DataFrame:
        """One request; 404 if there is none."""
        frame = self.found(optimization_id=optimization_id) if optimization_id else pl.DataFrame()
        if frame.is_empty():
            raise ProblemError(404, f"There is no request {optimization_id[:200]!r}: GET /v1/optimizations lists them")
        return frame

    def decide(self, optimization_id: str, sent: Decision, *, approved: bool) -> Row:
        """Approve or reject a request that waits; 409 if the other was done, or it went on."""
        known = self.known(optimization_id)
        row = known.row(0, named=True)
        if row["status"] == "waiting":
            return self._write(decided(row, approved=approved, by=sent.by, note=sent.note, now=self._moment()))
        if (row["status"] == "rejected") == approved:
            raise ProblemError(409, f"The request is {row['status']} already: only one that waits can be decided on")
        return shown(known)[0]

    def run(self, sent: Run) -> Row:
        """Open a request by hand, or approve the one that waits."""
        optimizer = self._optimizer(sent)
        before = self.found(agent_id=[sent.agent_id], optimizer=[optimizer.name])
        last = before.row(0, named=True) if before.height else None
        if last is None or last["status"] not in OPEN:
            reason, previous = "asked for", last["optimization_id"] if last else ""
            last = opened(optimizer, sent.agent_id, previous, reason, sent.by, self._moment()) | {"status": "waiting"}
        if last["status"] != "waiting":
            return shown(before.head(1))[0]
        return self._write(decided(last, approved=True, by=sent.by, note=sent.note, now=self._moment()))

    def _optimizer(self, sent: Run) -> Optimizer:
        """The optimizer that is meant; 409 if the settings have none for this agent."""
        fitting = [one for one in self._settings.optimizers if not one.agent_id or sent.agent_id in one.agent_id]
        named = [one for one in fitting if sent.optimizer in (None, one.name)]
        if not named:
            there = ", ".join(one.name for one in fitting) or "none"
            raise ProblemError(409, f"processors.optimizations.optimizers has nothing like that for this agent: there is {there}")
        return named[0]

    def _write(self, row: Row) -> Row:
        frame = rows_of([row], self._now())
        self._keep("optimizations", frame)
        return shown(frame)[0]

    def _moment(self) -> datetime:
        return to_the_millisecond(self._now())


def shown(frame: pl.DataFrame) -> list[Row]:
    """Requests as answers."""
    return [row | {name: json.loads(str(row[name] or "null")) for name in ("before", "after", "effect")} for row in rows(frame)]


def told(one: Optimizer) -> Row:
    """An optimizer as an answer: without its command or address, which may hold secrets."""
    named = one.model_dump(include={"name", "agent_id", "category", "approval", "measure", "cost_usd", "expected_improvement"})
    return named | {"kind": "command" if one.command else "webhook", "after_tasks": one.threshold}
