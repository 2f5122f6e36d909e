"""Which tasks are to be judged, and what judging has cost: out of the store."""

from datetime import datetime
from decimal import Decimal

import polars as pl

from exporters.store import Store
from exporters.traces import question
from processors.judging.settings import Evaluator, JudgeSettings

SHARES = 1_000_000
"""Tasks are sampled by their hash modulo this."""


def unjudged(
    store: Store, evaluator: Evaluator, settings: JudgeSettings, since: datetime, until: datetime, limit: int
) -> pl.DataFrame:
    """Tasks that ended in this time, that `evaluator` may judge and has not judged.

    Returns:
        Columns `task_id, trace_id, agent_id, input, output, attempts`.
    """
    asked = {
        "evaluator": evaluator.name,
        "not_agent": evaluator.name if evaluator.evaluator_type == "peer" else "",
        "categories": list(evaluator.categories),
        "agents": list(evaluator.agents),
        "sampled": round(settings.sampling_rate * SHARES),
        "max_attempts": settings.max_attempts,
        "since": since,
        "until": until,
        "limit": limit,
    }
    return store.query(question("unjudged_tasks"), asked)


def spent_since(store: Store, since: datetime) -> Decimal:
    """US dollars."""
    return Decimal(store.query(question("judging_costs"), {"since": since})["cost_usd"].item() or 0)
