"""/v1/judgements: what became of asking judges, also where they said nothing that could be stored as an evaluation."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from polars import col
from pydantic import Field

from query_api.asking import cursors
from query_api.asking.answers import Answer, Time, rows
from query_api.asking.filters import Paged, Traced, Values, Windowed, bound
from query_api.asking.pages import MONTH
from query_api.asking.questions import Ask, Now

Outcomes = Annotated[tuple[Literal["judged", "refused", "malformed", "failed"], ...], Field(max_length=4)]
LAST_MS = 4_000_000_000_000
"""Long after anything that was judged."""


class JudgementQuestion(Windowed, Traced, Paged):
    """Parameters of /v1/judgements. `since`, `until` and `window` go by `judged_at`."""

    task_id: Values = ()
    """Only about this task; may be repeated."""
    evaluator: Values = ()
    """Only of this evaluator; may be repeated."""
    outcome: Outcomes = ()
    """`judged`, `refused`, `malformed` or `failed`; may be repeated."""


class Judgement(Answer):
    """What became of asking one evaluator about one task."""

    task_id: str
    """The task."""
    trace_id: str
    """Its trace, in lower-case hex."""
    evaluator: str = Field(examples=["critical-analyst"])
    """Who was asked."""
    evaluator_type: str = Field(examples=["llm"])
    """What it is."""
    outcome: Literal["judged", "refused", "malformed", "failed"]
    """`refused`: the model would not; `malformed`: its answer could not be read; `failed`: there was none."""
    attempts: int
    """How often it was asked so far; what failed is asked again."""
    model: str | None
    """The model that answered."""
    calls: int
    """Requests of the last attempt."""
    input_tokens: int
    """Tokens read."""
    output_tokens: int
    """Tokens written."""
    cost_usd: float | None
    """What it cost; null if no price is known."""
    comment: str | None
    """The summary, the refusal, or what went wrong."""
    judged_at: Time
    """When it was asked last."""


class Judgements(Answer):
    """A page of judgements, the newest first."""

    judgements: list[Judgement]
    """The judgements."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


def routes(ask: Ask, now: Now) -> APIRouter:
    """The routes below /v1/judgements."""
    router = APIRouter(tags=["evaluations"])

    @router.get("/v1/judgements", response_model=Judgements, summary="What became of asking judges")
    def judgements(question: Annotated[JudgementQuestion, Query()]) -> Any:
        """Every time that a judge was asked about a task, the newest first; scores are in /v1/evaluations.

        Without `since`, `window`, `task_id` or `trace_id` of the last 30 days.
        """
        period = question.period(now(), None if question.task_id or question.trace_id else MONTH)
        asked = {name: list(value) for name, value in question if isinstance(value, tuple)}
        position = (bound(period.since), LAST_MS, "", "")
        if question.cursor is not None:
            position = cursors.read("judgements", question, question.cursor, tuple[str, int, str, str])
        after = dict(zip(("since", "after_ms", "after_task", "after_evaluator"), position, strict=True))
        frame = ask("judging", {**asked, **after, "until": bound(period.until), "limit": question.limit + 1}, question.limit + 1)
        shown, cursor = frame.head(question.limit), None
        if frame.height > question.limit:
            last = shown.tail(1).select(col("judged_at").dt.epoch("ms"), col("task_id", "evaluator").cast(str)).row(0)
            cursor = cursors.issue("judgements", question, (position[0], *last))
        return {"judgements": rows(shown), "next_cursor": cursor}

    return router
