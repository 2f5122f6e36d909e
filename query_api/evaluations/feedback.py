"""What people, agents, judges and checks say of tasks: ratings and evaluations, one by one and many at once."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from threading import Lock
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import polars as pl
from fastapi import APIRouter, Depends, Header, Path, Request, Response
from pydantic import AfterValidator, Field

from processors.errors import Unavailable
from processors.evaluations import EVALUATIONS, WAITING, WHOSE, evaluator_voice, identified, placed, plain_target
from processors.frames import STRING, conform
from query_api.asking.answers import Answer, Time
from query_api.asking.problems import ProblemError, wrong
from query_api.asking.questions import Ask, Keep, Now
from query_api.evaluations.bodies import body, evaluations_in, request_body
from query_api.evaluations.sent import (
    Evaluation,
    EvaluationOfTask,
    Feedback,
    feedback_rows,
    out_of_time,
    printable,
    rows_of,
)
from query_api.evaluations.targets import AT_ONCE, homes

MOST_ROWS = 1_000_000
LOCKS = 64
SHOWN = 1_000
"""Ids that an answer repeats."""

SAID = ("target", "span_id", "evaluator", "evaluator_type", "criterion", "score", "rating", "comment", "model", "cost_usd")
"""What makes two requests the same. They are told apart by what was sent: comments are kept with credentials masked."""


def named(target: str) -> str:
    """An id in a path, decoded; ValueError if that is no text."""
    try:
        return printable(unquote(target, errors="strict"))
    except UnicodeDecodeError:
        raise ValueError("is no UTF-8: percent-encode the id as UTF-8") from None


TargetId = Annotated[str, Path(max_length=3072), AfterValidator(named)]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Any text that is new for each judgement. The same request under the same key again changes nothing.",
    ),
    AfterValidator(lambda key: key and printable(key)),
]


class Kept(Answer):
    """What became of what was sent."""

    status: Literal["kept", "pending"]
    """`kept`: it counts for a task. `pending`: of at least one the task is not there yet."""
    evaluations: int
    """How many rows were kept: one a task and criterion."""
    pending: int
    """How many of them wait for their task."""
    pending_until: Time | None
    """When those that wait are given up: they are then reported and never scored. Null if none waits."""
    task_ids: list[str] = Field(examples=[["0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"]])
    """The tasks that were judged, at most 1,000."""
    evaluation_ids: list[str]
    """The ids of the rows, at most 1,000. That of a pending one may change when its task comes."""


def routes(ask: Ask, keep: Keep, now: Now) -> APIRouter:
    """The routes that take ratings and evaluations."""
    router = APIRouter(tags=["evaluations"], responses={202: {"model": Kept, "description": "The task is not there yet"}})
    take = Taking(ask, keep)

    @router.post("/v1/tasks/{task_id}/feedback", response_model=Kept, summary="Rate a task with stars")
    def feedback(task_id: TargetId, sent: Feedback, response: Response, key: Key = None) -> Any:
        """Keep a user's rating from 1 to 5.

        The id is a `task_id`, a trace id (its top-level tasks) or an `external_id`. If the task is not there yet the answer is
        202, and the rating is kept for 7 days for it to come.

        A second rating by the same user replaces the first. With an `Idempotency-Key` each key is a rating of its own, and
        the same request again changes nothing. With neither, equal ratings of a task count once.
        """
        return take(feedback_rows(task_id, sent, now()), key, response)

    @router.post("/v1/tasks/{task_id}/evaluations", response_model=Kept, summary="Judge a task")
    def evaluation(task_id: TargetId, sent: Evaluation, response: Response, key: Key = None) -> Any:
        """Keep a judgement: of the whole, by criterion, or both. A second one by the same evaluator replaces the first.

        Ids, tasks that are not there yet, and keys are as for a rating.
        """
        pairs = by_others(ask, within_time([(task_id, sent)], now()))
        return take(rows_of(pairs, "api", now()), key, response)

    @router.post("/v1/evaluations", response_model=Kept, summary="Judge many tasks", openapi_extra=request_body())
    def evaluations(request: Request, raw: Annotated[bytes, Depends(body)], response: Response, key: Key = None) -> Any:
        """Keep many judgements: `{"evaluations": [{"task_id": …, "evaluator": …, …}]}`, or one of them a line (NDJSON).

        Either all are kept or none: where one cannot be taken the answer is 400 and says which.
        """
        is_import = "ndjson" in request.headers.get("content-type", "")
        sent: Sequence[EvaluationOfTask] = evaluations_in(raw, a_line_each=is_import)
        pairs = by_others(ask, within_time([(one.task_id, one) for one in sent], now()))
        return take(rows_of(pairs, "import" if is_import else "api", now()), key, response)

    return router


class Taking:
    """Finds the tasks of what is sent, and keeps it.

    Args:
        ask: puts questions to the store; while it is away, what is sent is kept and finds its task later.
        keep: takes the rows.
    """

    def __init__(self, ask: Ask, keep: Keep) -> None:
        self._ask, self._keep = ask, keep
        self._locks = [Lock() for _ in range(LOCKS)]

    def __call__(self, rows: pl.DataFrame, key: str | None, response: Response) -> dict[str, object]:
        """Keep `rows`, whose target is said, under `key`; the answer, and 202 as the status of `response` if some must wait.

        Raises:
            ProblemError: 422, the key was used for something else.
            Unavailable: they cannot be kept now.
        """
        rows = conform(identified(rows, voice(key), rows.select(SAID).write_json() if key else ""), EVALUATIONS)
        # Two requests under one key must not both find that nothing is there yet.
        with self._locks[hash(key) % LOCKS] if key else nullcontext():
            kept = self._earlier(rows) if key else None
            if kept is None:
                kept = self._placed(rows).unique("evaluation_id", keep="last", maintain_order=True)
                self._keep("evaluations", kept)
        return answer(kept, response)

    def _earlier(self, rows: pl.DataFrame) -> pl.DataFrame | None:
        """What an earlier request under the same key kept; None if there was none, or the store is away."""
        whose, request = rows["evaluation_id"].str.head(WHOSE)[0], rows["evaluation_id"].str.slice(2 * WHOSE - 1)[0]
        try:
            earlier = self._ask("evaluations_of_request", {"prefix": whose, "limit": MOST_ROWS}, MOST_ROWS)
        except Unavailable:
            return None
        if earlier.is_empty():
            return None
        if not earlier["evaluation_id"].str.ends_with(request).all():
            raise ProblemError(422, "Idempotency-Key: was used for another request: take a new key for what is new")
        return earlier

    def _placed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with their tasks; those whose task is not there as they are."""
        try:
            found = homes(self._ask, rows["target"])
        except Unavailable:
            return rows
        waiting = rows.filter(~pl.col("target").is_in(found["target"].implode()))
        return pl.concat([placed(rows, found), waiting])


def within_time(sent: Sequence[tuple[str, Evaluation]], now: datetime) -> Sequence[tuple[str, Evaluation]]:
    """What was sent; raises ProblemError, 400, if one was judged at a time that cannot be."""
    for number, (_, one) in enumerate(sent):
        if problem := out_of_time(one, now):
            raise wrong(f"{number}.evaluated_at" if len(sent) > 1 else "evaluated_at", str(one.evaluated_at), problem)
    return sent


def by_others(ask: Ask, sent: Sequence[tuple[str, Evaluation]]) -> Sequence[tuple[str, Evaluation]]:
    """What was sent; raises ProblemError, 400, if an agent judges as a peer what it has done itself.

    Of what is not there yet nobody knows who does it; it is left out where tasks are scored.
    """
    said = [(number, target, one.evaluator) for number, (target, one) in enumerate(sent) if one.evaluator_type == "peer"]
    if not said:
        return sent
    peers = pl.DataFrame(said, {"number": pl.Int64(), "target": STRING, "evaluator": STRING}, orient="row")
    peers = peers.with_columns(plain_target(pl.col("target")))
    try:
        own = done_by(ask, peers.join(homes(ask, peers["target"]), on="target")).sort("number")
    except Unavailable:
        return sent
    if own.is_empty():
        return sent
    number, evaluator, task_id = own.select("number", "evaluator", "task_id").row(0)
    field = f"{number}.evaluator" if len(sent) > 1 else "evaluator"
    raise wrong(field, evaluator, f"has done the task {task_id} itself: a peer is another agent")


def done_by(ask: Ask, judged: pl.DataFrame) -> pl.DataFrame:
    """Of `judged`, columns `trace_id, task_id, evaluator`, those whose evaluator has done the task itself."""
    owners = [
        ask(
            "agents_of_tasks",
            {name: part[name].unique().to_list() for name in ("trace_id", "task_id")} | {"limit": MOST_ROWS},
            MOST_ROWS,
        )
        for part in judged.iter_slices(AT_ONCE)
    ]
    return pl.concat(judged.join(frame, on=["task_id", "evaluator"], how="semi") for frame in owners) if owners else judged


def voice(key: str | None) -> pl.Expr:
    """Whose word a row is: of the key, else of the evaluator; of users without a name, of what they say."""
    if key:
        return pl.concat_str(pl.lit("key"), pl.lit(key), separator="\0")
    words = pl.concat_str(pl.lit("said"), "rating", "comment", separator="\0")
    return pl.when(pl.col("evaluator") == "").then(words).otherwise(evaluator_voice())


def answer(kept: pl.DataFrame, response: Response) -> dict[str, object]:
    """What became of the rows."""
    waiting = kept.filter(pl.col("task_id") == "")
    until = (waiting["received_at"] + WAITING).dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ").max()
    response.status_code = 202 if waiting.height else 200
    return {
        "status": "pending" if waiting.height else "kept",
        "evaluations": kept.height,
        "pending": waiting.height,
        "pending_until": until,
        "task_ids": kept.filter(pl.col("task_id") != "")["task_id"].unique(maintain_order=True).head(SHOWN).to_list(),
        "evaluation_ids": kept["evaluation_id"].head(SHOWN).to_list(),
    }
