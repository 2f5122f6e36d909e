"""Builders of tasks to be scored, at fixed times: what matters is said, the rest is plain."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from processors.frames import conform, empty
from processors.scoring.settings import Profile, shipped
from processors.scoring.tasks import EXPECTED, JUDGEMENTS, TASK_FACTS, USUALS, score

DAY = datetime(2026, 1, 31, 12, tzinfo=UTC)


def task(task_id: str = "t", **more: Any) -> dict[str, Any]:
    """A research task that succeeded in 10 s for 0.10 dollars."""
    plain = {
        "task_id": task_id,
        "agent_id": "writer",
        "agent_type": "",
        "category": "research",
        "complexity": 1,
        "complexity_said": False,
        "status": "succeeded",
        "started_at": DAY,
        "duration_seconds": 10.0,
        "llm_calls": 1,
        "unpriced_calls": 0,
        "cost_usd": Decimal("0.10"),
    }
    return plain | more


def said(
    criterion: str = "", score: float = 1.0, by: str = "user", task_id: str = "t", evaluator: str = "somebody"
) -> dict[str, Any]:
    """What somebody says of a task."""
    who = {"evaluator": evaluator, "evaluator_type": by}
    return {"task_id": task_id, "criterion": criterion, "score": score, "rating": None, **who}


def stars(rating: float, task_id: str = "t") -> dict[str, Any]:
    """How many stars a user gives."""
    return said(score=(rating - 1) / 4, task_id=task_id) | {"rating": rating}


def usual(seconds: float | None = 10.0, dollars: float | None = 0.10, category: str = "research") -> dict[str, Any]:
    """What is usual on DAY."""
    return {"category": category, "day": date(2026, 1, 31), "usual_duration_seconds": seconds, "usual_cost_usd": dollars}


def table(rows: list[dict[str, Any]], columns: Any) -> pl.DataFrame:
    return conform(pl.DataFrame(rows, infer_schema_length=None), columns) if rows else empty(columns)


def scored(
    tasks: list[dict[str, Any]] | dict[str, Any],
    *judgements: dict[str, Any],
    usuals: list[dict[str, Any]] | None = None,
    expected: list[dict[str, Any]] | None = None,
    profiles: dict[str, Profile] | None = None,
) -> pl.DataFrame:
    """The tasks with their scores."""
    return score(
        table([tasks] if isinstance(tasks, dict) else tasks, TASK_FACTS),
        table(list(judgements), JUDGEMENTS),
        table(usuals or [], USUALS),
        table(expected or [], EXPECTED),
        profiles or dict(shipped()),
        0.05,
    )


def one(frame: pl.DataFrame, profile: str = "default") -> dict[str, Any]:
    """The only task, its lists cut to one profile."""
    (row,) = frame.to_dicts()
    place = row["profiles"].index(profile)
    return row | {name: row[name][place] for name in ("quality", "overall", "points")}
