"""What became of asking evaluators, as rows: a judgement of each task and evaluator, and an evaluation of each criterion."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import polars as pl

from processors.evaluations import EVALUATIONS, evaluator_voice, identified
from processors.frames import MILLIS, MONEY, STRING, Columns, conform
from processors.judging.settings import Evaluator
from processors.judging.verdict import LONGEST, Verdict
from processors.versions import version_at

Outcome = Literal["judged", "refused", "malformed", "failed"]

JUDGEMENTS: Columns = {
    "task_id": STRING,
    "trace_id": STRING,
    "evaluator": STRING,
    "evaluator_type": STRING,
    "outcome": STRING,
    "attempts": pl.UInt8(),
    "model": STRING,
    "calls": pl.UInt8(),
    "input_tokens": pl.UInt64(),
    "output_tokens": pl.UInt64(),
    "cost_usd": MONEY,
    "comment": STRING,
    "judged_at": MILLIS,
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""What became of asking one evaluator about one task. `outcome`: judged, refused (the model would not), malformed (its
answers could not be read) or failed (it gave none; asked again until `attempts` reach the limit); `comment`: the summary,
the refusal, or what went wrong; `cost_usd`: of all calls, null if no price is known."""

PICO = Decimal("1e-12")


@dataclass(frozen=True)
class Judgement:
    """What became of asking one evaluator about one task."""

    evaluator: Evaluator
    task: dict[str, Any]
    """A row of the tasks that may be judged: at least `task_id`, `trace_id`, `attempts`."""
    outcome: Outcome
    comment: str
    model: str = ""
    calls: int = 1
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = None
    verdict: Verdict | None = None


def judgement_rows(judgements: Sequence[Judgement], now: datetime) -> pl.DataFrame:
    """Columns JUDGEMENTS."""
    rows = [
        {
            "task_id": one.task["task_id"],
            "trace_id": one.task["trace_id"],
            "evaluator": one.evaluator.name,
            "evaluator_type": one.evaluator.evaluator_type,
            "outcome": one.outcome,
            "attempts": min(one.task["attempts"] + 1, 255),
            "model": one.model,
            "calls": one.calls,
            "input_tokens": one.input_tokens,
            "output_tokens": one.output_tokens,
            "cost_usd": one.cost_usd,
            "comment": one.comment[:LONGEST],
            "judged_at": now,
            "version": version_at(now),
            "is_deleted": 0,
        }
        for one in judgements
    ]
    return pl.DataFrame(rows, schema=dict(JUDGEMENTS))


def evaluation_rows(judgements: Sequence[Judgement], now: datetime) -> pl.DataFrame:
    """A row of EVALUATIONS for each criterion of those that were judged; their costs add up to that of the judgement."""
    rows = [
        {
            "target": one.task["task_id"],
            "task_id": one.task["task_id"],
            "trace_id": one.task["trace_id"],
            "span_id": "",
            "evaluator": one.evaluator.name,
            "evaluator_type": one.evaluator.evaluator_type,
            "criterion": criterion,
            "score": (opinion.score - 1) / 4,
            "rating": None,
            "comment": opinion.reasoning[:LONGEST],
            "user_id": "",
            "model": one.model,
            "cost_usd": cost,
            "source": "judge",
            "evaluated_at": now,
            "received_at": now,
            "version": version_at(now),
            "is_deleted": 0,
        }
        for one in judgements
        if one.verdict
        for (criterion, opinion), cost in zip(
            one.verdict.criteria.items(), shares(one.cost_usd, len(one.verdict.criteria)), strict=True
        )
    ]
    schema = {name: dtype for name, dtype in EVALUATIONS.items() if name != "evaluation_id"}
    return conform(identified(pl.DataFrame(rows, schema=schema), evaluator_voice()), EVALUATIONS)


def shares(cost: Decimal | None, parts: int) -> list[Decimal | None]:
    """`cost` in equal parts of whole picodollars, the first with what is left over."""
    if cost is None:
        return [None] * parts
    each = (cost / parts).quantize(PICO, rounding="ROUND_DOWN")
    return [cost - each * (parts - 1), *[each] * (parts - 1)]
