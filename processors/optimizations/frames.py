"""The columns of optimisation requests, and of the tasks by which their effect is measured."""

from typing import Literal

import polars as pl

from processors.frames import MILLIS, STRING, Columns

Status = Literal["waiting", "approved", "running", "measuring", "closed", "rejected", "failed"]
OPEN: tuple[Status, ...] = ("waiting", "approved", "running", "measuring")
"""Of one agent and optimizer at most one request is open."""

OPTIMIZATIONS: Columns = {
    "optimization_id": STRING,
    "optimizer": STRING,
    "agent_id": STRING,
    "status": STRING,
    "reason": STRING,
    "measure": STRING,
    "approval": pl.Boolean(),
    "cost_usd": pl.Float64(),
    "expected_improvement": pl.Float64(),
    "requested_at": MILLIS,
    "requested_by": STRING,
    "decided_at": MILLIS,
    "decided_by": STRING,
    "note": STRING,
    "started_at": MILLIS,
    "ended_at": MILLIS,
    "closed_at": MILLIS,
    "tries": pl.UInt32(),
    "next_at": MILLIS,
    "error": STRING,
    "result": STRING,
    "before": STRING,
    "after": STRING,
    "effect": STRING,
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""A request as it is now. `before`, `after` and `effect` are JSON; `result`: what the program said."""

OBSERVED: Columns = {
    "succeeded": pl.Float64(),
    "quality": pl.Float64(),
    "cost_usd": pl.Float64(),
    "duration_seconds": pl.Float64(),
}
"""A finished task: whether it succeeded, and of what is known how good it was, what it cost and how long it took."""
