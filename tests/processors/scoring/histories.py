"""Builders of histories to be ranked, and of thousands of agents whose truth is known."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from processors.frames import conform, empty
from processors.scoring.ranking import rank
from processors.scoring.settings import Profile, ScoringSettings, shipped
from processors.scoring.statistics import AGENTS, STATISTICS

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SETTINGS = ScoringSettings()
NOTHING = dict.fromkeys((name for name in STATISTICS if name not in ("agent_id", "category", "total_cost_usd")), 0)


def work(
    agent_id: str, succeeded: int, failed: int, category: str = "general", recent: bool = True, **more: Any
) -> dict[str, Any]:
    """A row of statistics: tasks of 1 s, as usual, one model call each, 0.01 dollars each, judged by nobody."""
    n = succeeded + failed
    usual = {"_n": n, "_sum": 0.5 * succeeded, "_squares": 0.25 * succeeded}
    alike = {f"{name}{kind}": value for name in ("speed", "thrift", "efficiency") for kind, value in usual.items()}
    return (
        NOTHING
        | alike
        | {
            "agent_id": agent_id,
            "category": category,
            "recent": recent,
            "tasks": n,
            "succeeded": succeeded,
            "failed": failed,
            "duration_sum": float(n),
            "duration_squares": float(n),
            "ratio_n": succeeded,
            "ratio_sum": float(succeeded),
            "ratio_squares": float(succeeded),
            "speed_thrift_n": n,
            "speed_thrift": 0.25 * succeeded,
            "points_n": n,
            "points_sum": 30.0 * succeeded,
            "points_squares": 900.0 * succeeded,
            "cost_n": n,
            "cost_succeeded": succeeded,
            "cost_sum": 0.01 * n,
            "cost_squares": 0.0001 * n,
            "cost_of_succeeded": 0.01 * succeeded,
            "total_cost_usd": Decimal("0.01") * n,
            "llm_calls": n,
        }
        | more
    )


def judged(agent_id: str, n: int, quality: float, succeeded: int | None = None, **more: Any) -> dict[str, Any]:
    """A row of statistics of tasks that are all judged alike."""
    done = n if succeeded is None else succeeded
    marks = {"quality_n": n, "quality_sum": quality * n, "quality_squares": quality**2 * n}
    both = {"quality_succeeded": done, "quality_of_succeeded": quality * done, "rated_tasks": n}
    worth = {
        "worth_n": n,
        "worth_cost": 0.01 * n,
        "worth_cost_squares": 0.0001 * n,
        "worth_sum": quality * n,
        "worth_squares": quality**2 * n,
        "worth_cross": 0.01 * quality * n,
    }
    return work(agent_id, done, n - done, **marks, **both, **worth) | more


def costing(agent_id: str, each: float, succeeded: int, failed: int) -> dict[str, Any]:
    """A row of statistics whose tasks cost `each` dollars."""
    n = succeeded + failed
    money = {"cost_sum": each * n, "cost_squares": each**2 * n, "cost_of_succeeded": each * succeeded}
    return work(agent_id, succeeded, failed, **money, total_cost_usd=Decimal(str(each)) * n)


def statistics(*rows: dict[str, Any]) -> pl.DataFrame:
    columns = {**STATISTICS, "recent": pl.Boolean()}
    return conform(pl.DataFrame(list(rows), infer_schema_length=None), columns) if rows else empty(columns)


def agents(frame: pl.DataFrame, age: timedelta = timedelta(days=60)) -> pl.DataFrame:
    return conform(
        frame.select(pl.col("agent_id").unique().sort()).with_columns(
            agent_name="agent_id",
            first_seen=pl.lit(NOW - age),
            last_seen=pl.lit(NOW),
            days_active=pl.lit(5),
            p95_duration_seconds=pl.lit(1.0),
        ),
        AGENTS,
    )


def ranking(
    *rows: dict[str, Any],
    by: Any = "success_rate",
    age: timedelta = timedelta(days=60),
    profile: Profile | str = "default",
    **more: Any,
) -> dict[str, dict[str, Any]]:
    """The ranking by agent, in its order."""
    frame = statistics(*rows)
    weights = shipped()[profile] if isinstance(profile, str) else profile
    return {row["agent_id"]: row for row in rank(frame, agents(frame, age), by, weights, SETTINGS, NOW, **more).to_dicts()}


def crowd(agents: int, **columns: Any) -> pl.DataFrame:
    """Statistics of many agents in one category, named by their number; what is not said is 0."""
    blank = {name: pl.lit(0) for name in STATISTICS if name not in ("agent_id", "category")}
    frame = pl.DataFrame({"agent_id": [f"{n:05}" for n in range(agents)]}).with_columns(category=pl.lit("general"), **blank)
    said = {name: pl.Series(np.asarray(values, dtype=float)) for name, values in columns.items()}
    return conform(frame.with_columns(**said), STATISTICS).with_columns(recent=pl.lit(value=True))
