"""Decisions as rows of `routing_decisions`, in one go for all that are written together; lists hold a value a candidate."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from processors.routing.answer import BARS, Answered, means
from processors.routing.features import READ, Floats
from processors.routing.frames import DECISIONS
from processors.versions import version_at

WHAT_BARS = pa.array(BARS, pa.large_string())


def as_rows(many: Sequence[Answered]) -> pl.DataFrame:
    """The rows of some decisions, at least one: columns DECISIONS."""
    singles = [single(each) for each in many]
    columns = {name: pa.array([row[name] for row in singles], arrow_type(name)) for name in singles[0]}
    starts = pa.array(np.cumsum([0, *(len(each.names) for each in many)]), pa.int64())
    lists = lists_of(many)
    lists["candidates"] = pa.concat_arrays([each.candidates.column for each in many])
    lists["barred_by"] = WHAT_BARS.take(pa.array(np.concatenate([each.barred_by for each in many])))
    lists["on_probation"] = pa.array(np.concatenate([each.standing.probation for each in many]))
    columns |= {name: pa.LargeListArray.from_arrays(starts, values) for name, values in lists.items()}
    # A batch and not a table: of tables polars takes each column in a thread, which costs more than it saves.
    return pl.DataFrame(pa.record_batch({name: columns[name] for name in DECISIONS}))


def single(answered: Answered) -> dict[str, object]:
    """What a decision has one of."""
    asked, chosen = answered.question, answered.chosen
    return {
        "decision_id": answered.decision_id,
        "decided_at": answered.decided_at,
        "kind": asked.kind,
        "category": asked.assignment.category,
        "complexity": asked.complexity or 0,
        "description": asked.description[:READ],
        "trace_id": asked.trace_id,
        "strategy": asked.policy.strategy,
        "profile": asked.policy.profile,
        "quality_weight": asked.policy.weights.quality,
        "cost_weight": asked.policy.weights.cost,
        "speed_weight": asked.policy.weights.speed,
        "max_cost_usd": asked.assignment.max_cost_usd,
        "max_duration_seconds": asked.assignment.max_duration_seconds,
        "agent_id": "" if chosen is None else answered.names[chosen],
        "probability": 0.0 if chosen is None else float(answered.decision.probability[chosen]),
        "version": version_at(answered.decided_at),
        "is_deleted": 0,
    }


def lists_of(many: Sequence[Answered]) -> dict[str, pa.Array]:
    """What decisions have one of for each candidate, all of them one after the other."""
    listed = [numbers(each) for each in many]
    total = sum(len(each.names) for each in many)
    out = {}
    for name in listed[0]:
        values = np.empty(total, np.float32)
        np.concatenate([each[name] for each in listed], out=values, casting="same_kind")
        out[name] = pa.array(values)
    return out


def numbers(answered: Answered) -> dict[str, Floats]:
    """What a decision has one of for each candidate."""
    decision, expected, size = answered.decision, answered.decision.expected, len(answered.names)
    unknown = np.full(size, np.nan)
    return {
        "scores": decision.score,
        "deviations": expected.deviation,
        "probabilities": decision.probability,
        "worths": expected.worth,
        "successes": means(expected.success, size),
        "qualities": means(expected.quality, size),
        "costs_usd": unknown if expected.cost_usd is None else expected.cost_usd,
        "durations_seconds": unknown if expected.duration_seconds is None else expected.duration_seconds,
        "load_penalties": answered.standing.penalty,
        "cost_shares": expected.cost_share,
        "duration_shares": expected.duration_share,
    }


@cache
def arrow_type(name: str) -> Any:
    """The Arrow type of a column of DECISIONS."""
    return pl.DataFrame(schema={name: DECISIONS[name]}).to_arrow().schema.field(name).type
