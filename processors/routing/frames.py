"""The columns of decisions and of what came of them."""

import polars as pl

from processors.frames import MILLIS, STRING, TIME, Columns

SHARES = pl.List(pl.Float32())

DECISIONS: Columns = {
    "decision_id": STRING,
    "decided_at": TIME,
    "kind": STRING,
    "category": STRING,
    "complexity": pl.UInt8(),
    "description": STRING,
    "trace_id": STRING,
    "strategy": STRING,
    "profile": STRING,
    "quality_weight": pl.Float64(),
    "cost_weight": pl.Float64(),
    "speed_weight": pl.Float64(),
    "max_cost_usd": pl.Float64(),
    "max_duration_seconds": pl.Float64(),
    "agent_id": STRING,
    "probability": pl.Float64(),
    "candidates": pl.List(STRING),
    "scores": SHARES,
    "deviations": SHARES,
    "probabilities": SHARES,
    "worths": SHARES,
    "successes": SHARES,
    "qualities": SHARES,
    "costs_usd": SHARES,
    "durations_seconds": SHARES,
    "load_penalties": SHARES,
    "cost_shares": SHARES,
    "duration_shares": SHARES,
    "barred_by": pl.List(STRING),
    "on_probation": pl.List(pl.Boolean()),
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""A decision, with a value a candidate in each list; NaN is unknown. `agent_id` is who was chosen, empty if nobody could be;
`probability` is exactly the chance that this one had. `worths` are what quality counts, `deviations` how uncertain that is,
`cost_shares` and `duration_shares` what cost and speed count, all before they are weighed. `barred_by` says why a candidate
could not be chosen, the first reason if there are more, empty if it could; `on_probation` whether it shared what those who are
new get together, empty as a whole in decisions of before there was one."""

OUTCOMES: Columns = {
    "decision_id": STRING,
    "success": pl.Float64(),
    "quality": pl.Float64(),
    "cost_usd": pl.Float64(),
    "duration_seconds": pl.Float64(),
    "received_at": MILLIS,
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""What came of a decision, as somebody reported it; null is unknown."""
