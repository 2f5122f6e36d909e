"""What the live stream tells: tasks, alerts and ranks as events; frame in, frame out.

An event is told as JSON. What it is filtered by stands beside it as columns, so that a whole batch is filtered at once.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import polars as pl

from processors.frames import STRING, Columns, conform, empty

EventType = Literal["task.running", "task.finished", "alert.fired", "alert.acknowledged", "alert.resolved", "ranking.changed"]

EVENTS: Columns = {"type": STRING, "agent_id": STRING, "category": STRING, "severity": STRING, "event": STRING}
"""An event; `event` is all that is told of it, a JSON object. What it is not about is empty."""

ALERT_TYPES: Mapping[str, EventType] = {
    "fired": "alert.fired",
    "escalated": "alert.fired",
    "unsilenced": "alert.fired",
    "acknowledged": "alert.acknowledged",
    "resolved": "alert.resolved",
}
"""What the stream calls what happens to an alert: one that has become worse, or is no longer silenced, fires again."""

OF_A_TASK = (
    *("task_id", "external_id", "trace_id", "agent_id", "agent_name", "department", "service_name", "name", "category"),
    *("complexity", "status", "error_type", "started_at", "ended_at", "duration_seconds", "nodes", "total_tokens"),
    *("cost_usd", "unpriced_calls", "user_id", "conversation_id"),
)
"""What is told of a task: not what went in and came out of it, which is long and may be private."""
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.6fZ"


def of_tasks(tasks: pl.DataFrame) -> pl.DataFrame:
    """Tasks, columns TASKS, as events, columns EVENTS: one a task, that it runs or has come to an end."""
    kind = pl.when(pl.col("status") == "running").then(pl.lit("task.running")).otherwise(pl.lit("task.finished"))
    return conform(
        tasks.select(type=kind, agent_id="agent_id", category="category", severity=pl.lit(""), event=encoded(kind, OF_A_TASK)),
        EVENTS,
    )


def encoded(kind: pl.Expr, names: tuple[str, ...]) -> pl.Expr:
    """The columns `names` as JSON objects, with the type before them: times as everywhere, money as numbers."""
    told = [
        pl.col(name).dt.strftime(TIME_FORMAT)
        if name.endswith("_at")
        else pl.col(name).cast(pl.Float64)
        if name.endswith("_usd")
        else pl.col(name)
        for name in names
    ]
    return pl.struct(kind.alias("type"), *told).struct.json_encode()


def of_alerts(happened: list[dict[str, Any]]) -> pl.DataFrame:
    """What happened to alerts (rows of `alert_events` joined to those of `alerts`) as events, columns EVENTS."""
    rows = []
    for row in happened:
        scope = json.loads(row["scope"] or "{}")
        told = {"type": ALERT_TYPES[row["event"]], **row, "at": timestamp(row["at"]), "started_at": timestamp(row["started_at"])}
        told |= {"scope": scope, "evidence": json.loads(row["evidence"] or "{}")}
        about = {"agent_id": row["agent_id"], "category": str(scope.get("category", "")), "severity": row["severity"]}
        rows.append(about | {"type": told["type"], "event": json.dumps(told, ensure_ascii=False, separators=(",", ":"))})
    return conform(pl.DataFrame(rows, schema=dict(EVENTS)), EVENTS) if rows else empty(EVENTS)


def of_ranks(before: pl.DataFrame, after: pl.DataFrame, by: str) -> pl.DataFrame:
    """Whose rank has changed between two rankings (`agent_id, agent_name, rank, score`), as events, columns EVENTS.

    An agent that was not ranked has no `rank_before`, one that is ranked no longer no `rank`.
    """
    old = before.select("agent_id", rank_before="rank")
    moved = after.select("agent_id", "agent_name", "rank", "score").join(old, on="agent_id", how="full", coalesce=True)
    moved = moved.filter(pl.col("rank").ne_missing(pl.col("rank_before"))).sort("rank", "agent_id", nulls_last=True)
    moved = moved.with_columns(by=pl.lit(by), type=pl.lit("ranking.changed"), category=pl.lit(""), severity=pl.lit(""))
    told = encoded(pl.col("type"), ("agent_id", "agent_name", "by", "rank", "rank_before", "score"))
    return conform(moved.with_columns(event=told), EVENTS)


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
