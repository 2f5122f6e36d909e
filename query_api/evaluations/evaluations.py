"""/v1/evaluations: who judged whom, and how."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query
from polars import col
from pydantic import Field, model_validator

from processors.evaluations import WAITING
from query_api.asking import cursors
from query_api.asking.answers import Answer, Time, rows
from query_api.asking.filters import ChosenAgents, Paged, Traced, Values, bound
from query_api.asking.pages import MONTH, Page, in_order
from query_api.asking.questions import Ask, Now
from query_api.asking.searching import LAST_NS

GroupBy = Literal["evaluator", "evaluated", "evaluator,evaluated"]
Types = Annotated[tuple[Literal["user", "peer", "llm", "code"], ...], Field(max_length=4)]


class EvaluationQuestion(ChosenAgents, Traced, Paged):
    """Parameters of /v1/evaluations. `since`, `until` and `window` go by `evaluated_at`, filters by the task that was judged."""

    task_id: Values = ()
    """Only of this task, or for this target; may be repeated."""
    evaluator: Values = ()
    """Only by this evaluator; may be repeated. Empty: users without a name."""
    evaluator_type: Types = ()
    """`user`, `peer`, `llm` or `code`; may be repeated."""
    criterion: Values = ()
    """Only this criterion; may be repeated. Empty: scores of the whole."""
    pending: bool | None = None
    """`true`: only those whose task has not come, `false`: only those that have one."""
    group_by: GroupBy | None = None
    """Instead of single evaluations: how many, and how good, by `evaluator`, by `evaluated` agent, or by both."""

    @model_validator(mode="after")
    def _grouped_by_task(self) -> Self:
        if self.group_by and self.pending is not None:
            raise ValueError("pending evaluations have no task to be grouped by: leave out pending or group_by")
        return self


class GivenEvaluation(Answer):
    """One criterion of a task, scored by one evaluator."""

    evaluation_id: str
    """Its id."""
    status: Literal["kept", "pending", "expired"]
    """`pending` while its task has not come; `expired` if that took more than 7 days: it is never scored."""
    target: str
    """What the sender named."""
    task_id: str | None
    """The task; null while it has not come."""
    trace_id: str | None
    """The trace, in lower-case hex."""
    span_id: str | None
    """The step that was judged; null for the task as a whole."""
    evaluator: str | None = Field(examples=["critical-analyst"])
    """Who judged; null for a user without a name."""
    evaluator_type: str = Field(examples=["llm"])
    """`user`, `peer`, `llm` or `code`."""
    criterion: str | None = Field(examples=["accuracy"])
    """What was judged; null for the whole."""
    score: float
    """0 to 1."""
    rating: float | None
    """The stars, 1 to 5, if it was given in stars."""
    comment: str | None
    """What was said, with the first criterion of each judgement."""
    user_id: str | None
    """The user who judged."""
    model: str | None
    """The model that judged."""
    cost_usd: float | None
    """What judging cost, with the first criterion of each judgement."""
    source: str = Field(examples=["api"])
    """`api`, `import`, `otlp` or `judge`: how it came."""
    evaluated_at: Time
    """When it was judged."""
    received_at: Time
    """When it came."""


class ListedEvaluation(GivenEvaluation):
    """An evaluation, and whose work it is of."""

    agent_id: str | None
    """Who was judged; null while the task has not come."""
    category: str | None
    """What kind of work was judged."""


class Evaluations(Answer):
    """A page of evaluations, the newest first."""

    evaluations: list[ListedEvaluation]
    """The evaluations."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


class Judging(Answer):
    """How one evaluator judges one agent (or everybody, or how everybody judges one)."""

    evaluator_type: str | None
    """What the evaluator is; null if grouped by the evaluated alone."""
    evaluator: str | None
    """Who judges; null for users without a name, or if grouped by the evaluated alone."""
    agent_id: str | None
    """Who is judged; null if grouped by the evaluator alone."""
    evaluations: int
    """How many scores."""
    tasks: int
    """Of how many tasks."""
    mean_score: float
    """Their mean, 0 to 1."""
    difference: float | None
    """By how much they lie above what others gave the same task, step and criterion; null if nobody else judged those."""
    compared: int
    """How many could be compared so."""


class Matrix(Answer):
    """Who judges whom, and how; most evaluations first."""

    group_by: GroupBy
    """What it is grouped by."""
    evaluations: list[Judging]
    """The groups."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


def routes(ask: Ask, now: Now) -> APIRouter:
    """The routes below /v1/evaluations that answer."""
    router = APIRouter(tags=["evaluations"])

    @router.get("/v1/evaluations", response_model=Evaluations | Matrix, summary="Who judged whom, and how")
    def evaluations(question: Annotated[EvaluationQuestion, Query()]) -> Any:
        """Every evaluation that matches, the newest first, or with `group_by` how evaluators judge agents.

        Without `since`, `window`, `task_id` or `trace_id` of the last 30 days.
        """
        if question.group_by:
            chosen = parameters(question, now()) | {"group_by": question.group_by}
            page = in_order(ask, "evaluations_matrix", question, chosen)
            return {"group_by": question.group_by, "evaluations": rows(page.frame), "next_cursor": page.next_cursor}
        page = newest(ask, question, now())
        return {"evaluations": rows(page.frame), "next_cursor": page.next_cursor}

    return router


def parameters(question: EvaluationQuestion, now: datetime) -> dict[str, Any]:
    """The filters as parameters."""
    period = question.period(now, None if question.task_id or question.trace_id else MONTH)
    chosen = {name: list(value) for name, value in question if isinstance(value, tuple)}
    return {**chosen, "since": bound(period.since), "until": bound(period.until)}


def newest(ask: Ask, question: EvaluationQuestion, now: datetime) -> Page:
    """A page of evaluations, the newest first; the start of a relative window stays where the first page had it."""
    asked = parameters(question, now)
    pending = -1 if question.pending is None else int(question.pending)
    position = (asked["since"], LAST_NS, "")
    if question.cursor is not None:
        position = cursors.read("evaluations", question, question.cursor, tuple[str, int, str])
    since, after_ns, after_id = position
    more = {"since": since, "after_ns": after_ns, "after_id": after_id, "pending": pending, "given_up": bound(now - WAITING)}
    frame = ask("evaluations", {**asked, **more, "limit": question.limit + 1}, question.limit + 1)
    if frame.height <= question.limit:
        return Page(frame, None)
    frame = frame.head(question.limit)
    last = frame.tail(1).select(col("evaluated_at").dt.epoch("ns"), "evaluation_id").row(0)
    return Page(frame, cursors.issue("evaluations", question, (since, *last)))
