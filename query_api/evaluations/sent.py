"""What may be said of a task: ratings and evaluations as they are sent, and the rows that they become."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

import polars as pl
from pydantic import AfterValidator, AwareDatetime, Field, field_validator, model_validator

from processors.evaluations import EVALUATIONS, plain_criterion, plain_target
from processors.frames import conform
from processors.versions import to_the_millisecond, version_at
from query_api.asking.filters import AHEAD, EARLIEST, Question

MOST_CRITERIA = 50
MOST_COMMENT = 65_536
LAYOUT = frozenset("\t\n\r")


def printable(text: str, allowed: frozenset[str] = frozenset()) -> str:
    """`text`; ValueError if it holds control characters other than those `allowed`."""
    for sign in text:
        if (sign < " " or "\x7f" <= sign <= "\x9f") and sign not in allowed:
            raise ValueError(f"holds the control character U+{ord(sign):04X}: leave it out")
    return text


def readable(text: str) -> str:
    """`text`, which may have lines and tabs; ValueError if it holds other control characters."""
    return printable(text, LAYOUT)


Name = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(printable)]
Target = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(printable)]
Comment = Annotated[str, Field(max_length=MOST_COMMENT), AfterValidator(readable)]
Stars = Annotated[float, Field(ge=1, le=5, strict=True, allow_inf_nan=False)]
Score = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]
Criterion = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(printable)]
SpanId = Annotated[str, Field(pattern="^[0-9a-fA-F]{16}$")]
EvaluatorType = Literal["user", "peer", "llm", "code"]


class Feedback(Question):
    """A user's stars for a task."""

    rating: Stars = Field(examples=[4])
    """1 (bad) to 5 (good); fractions are fine."""
    comment: Comment = ""
    """What the user has to say; kept as it is."""
    user_id: Name | None = None
    """Who rates. A second rating by the same user of the same task replaces the first."""


class Evaluation(Question):
    """Somebody's judgement of a task: a score of the whole, scores by criterion, or both."""

    evaluator: Name = Field(examples=["critical-analyst"])
    """Who judges: the id of a user or of a peer agent, the name of an LLM judge or of a check."""
    evaluator_type: EvaluatorType
    """`user`, `peer` (another agent), `llm` (a judge) or `code`."""
    score: Score | None = None
    """How good the whole was, 0 to 1."""
    rating: Stars | None = None
    """Instead of `score`: stars from 1 to 5, which count as (rating − 1) / 4."""
    criteria: Annotated[dict[Criterion, Score], Field(max_length=MOST_CRITERIA)] = Field({}, examples=[{"accuracy": 0.9}])
    """Scores from 0 to 1 by criterion, at most 50. `accuracy`, `relevance` and `completeness` count by default."""
    comment: Comment = ""
    """Why; kept as it is."""
    span_id: SpanId | None = None
    """Of one step of the task, if that is what was judged."""
    model: Annotated[str, Field(max_length=256), AfterValidator(printable)] = ""
    """The model that judged."""
    cost_usd: Annotated[float | None, Field(ge=0, lt=1_000_000, strict=True, allow_inf_nan=False)] = None
    """What judging cost in US dollars."""
    evaluated_at: AwareDatetime | None = None
    """When it was judged; now if not said."""

    @field_validator("criteria")
    @classmethod
    def _once(cls, criteria: dict[str, float]) -> dict[str, float]:
        names = pl.Series("name", list(criteria), dtype=pl.String).to_frame().select(plain_criterion(pl.col("name"))).to_series()
        if "" in names:
            raise ValueError("a criterion has no name: letters or digits are missing")
        if len(twice := names.filter(names.is_duplicated())):
            raise ValueError(f"{twice[0]!r} is scored twice: upper case, spaces and dashes make no other criterion")
        return dict(zip(names, criteria.values(), strict=True))

    @model_validator(mode="after")
    def _scores(self) -> Self:
        if self.score is not None and self.rating is not None:
            raise ValueError("score and rating say the same thing twice: leave one out")
        if self.score is None and self.rating is None and not self.criteria:
            raise ValueError("scores nothing: say score, rating or criteria")
        return self


class EvaluationOfTask(Evaluation):
    """A judgement that says of which task."""

    task_id: Target
    """A task id, your own `merit.task.id`, or a trace id (its top-level tasks)."""


def feedback_rows(target: str, sent: Feedback, now: datetime) -> pl.DataFrame:
    """The row of a rating, still without a task and an id; columns EVALUATIONS without `evaluation_id`."""
    user = sent.user_id or ""
    said = Evaluation.model_construct(evaluator=user, evaluator_type="user", rating=sent.rating, comment=sent.comment)
    return rows_of([(target, said)], "api", now).with_columns(user_id=pl.lit(user))


def rows_of(sent: Sequence[tuple[str, Evaluation]], source: str, now: datetime) -> pl.DataFrame:
    """One row a criterion, still without a task and an id; columns EVALUATIONS without `evaluation_id`.

    The comment and the cost are on the first row of each judgement alone, lest a sum counts a cost twice.
    """
    received_at = to_the_millisecond(now)
    common = {"source": source, "received_at": received_at, "version": version_at(received_at)}
    values = [row | common for target, one in sent for row in _criteria(target, one, now)]
    columns = {name: dtype for name, dtype in EVALUATIONS.items() if name != "evaluation_id"}
    frame = pl.DataFrame(values, schema_overrides={n: t for n, t in columns.items() if n in values[0]})
    frame = frame.with_columns(task_id=pl.lit(""), trace_id=pl.lit(""), is_deleted=pl.lit(0))
    return conform(frame.with_columns(target=plain_target(pl.col("target"))), columns)


def _criteria(target: str, said: Evaluation, now: datetime) -> list[dict[str, Any]]:
    whole = (said.rating - 1) / 4 if said.rating is not None else said.score
    scores = ({} if whole is None else {"": whole}) | said.criteria
    cost = None if said.cost_usd is None else Decimal(f"{said.cost_usd:.12f}")
    return [
        {
            "target": target,
            "span_id": (said.span_id or "").lower(),
            "evaluator": said.evaluator,
            "evaluator_type": said.evaluator_type,
            "criterion": criterion,
            "score": score,
            "rating": said.rating if criterion == "" else None,
            "comment": said.comment if first else "",
            "user_id": said.evaluator if said.evaluator_type == "user" else "",
            "model": said.model,
            "cost_usd": cost if first else None,
            "evaluated_at": (said.evaluated_at or now).astimezone(UTC),
        }
        for first, (criterion, score) in zip((True, *[False] * len(scores)), scores.items(), strict=False)
    ]


def out_of_time(said: Evaluation, now: datetime) -> str | None:
    """What is wrong with the time of a judgement, if anything is."""
    at: datetime | None = said.evaluated_at
    if at is None or EARLIEST <= at <= now + AHEAD:
        return None
    return f"lies more than {AHEAD // timedelta(days=1)} day ahead or before 1970: say when it was judged, or leave it out"
