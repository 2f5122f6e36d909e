"""The life of an optimisation request: what was, and what happened, make what is. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from processors.alerts.frames import as_json, digest
from processors.frames import conform
from processors.optimizations.frames import OPTIMIZATIONS
from processors.optimizations.settings import Optimizer
from processors.versions import version_at

Row = dict[str, Any]

MOST_TRIES = 5
"""A run that was begun so often, and of which nobody knows how it ended, has failed."""
GIVE_UP = timedelta(hours=24)
"""A webhook that does not take a request for so long has failed."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=30)
MOST_CHARACTERS = 4_000


def opened(optimizer: Optimizer, agent_id: str, previous_id: str, reason: str, by: str, now: datetime) -> Row:
    """A request; the id is the same whoever opens it after the same one."""
    return {
        **dict.fromkeys(OPTIMIZATIONS, None),
        **{name: "" for name, dtype in OPTIMIZATIONS.items() if dtype == pl.String},
        "optimization_id": digest(optimizer.name, agent_id, previous_id),
        "optimizer": optimizer.name,
        "agent_id": agent_id,
        "status": "waiting" if optimizer.approval else "approved",
        "reason": reason,
        "measure": optimizer.measure,
        "approval": optimizer.approval,
        "cost_usd": optimizer.cost_usd,
        "expected_improvement": optimizer.expected_improvement,
        "requested_at": now,
        "requested_by": by,
        "next_at": now,
        "tries": 0,
        "version": 0,
        "is_deleted": 0,
    }


def decided(row: Row, *, approved: bool, by: str, note: str, now: datetime) -> Row:
    """A request that somebody has approved or rejected."""
    said = {"decided_at": now, "decided_by": by, "note": note, "next_at": now}
    return row | said | ({"status": "approved"} if approved else {"status": "rejected", "closed_at": now})


def begun(row: Row, before: Mapping[str, Any], now: datetime) -> Row:
    """A request whose run is about to begin, with how the agent did until now; a run that is begun again keeps that."""
    first = {"started_at": row["started_at"] or now, "before": row["before"] or as_json(before)}
    return row | first | {"status": "running", "tries": row["tries"] + 1}


def ended(row: Row, result: str, now: datetime) -> Row:
    """A request whose run has ended well."""
    return row | {"status": "measuring", "ended_at": now, "result": result[-MOST_CHARACTERS:], "error": ""}


def failed(row: Row, why: str, now: datetime) -> Row:
    """A request whose run has failed for good."""
    return row | {"status": "failed", "ended_at": now, "closed_at": now, "error": why[-MOST_CHARACTERS:]}


def postponed(row: Row, why: str, pause: timedelta, now: datetime) -> Row:
    """A request whose run perhaps began, or could not: tried again under the same key, for a day."""
    if now - row["started_at"] >= GIVE_UP:
        return failed(row, f"given up after {row['tries']} tries: {why}", now)
    wait = max(pause, min(FIRST_PAUSE * 2 ** min(row["tries"], 10), LONGEST_PAUSE))
    return row | {"status": "running", "next_at": now + wait, "error": why[-MOST_CHARACTERS:]}


def closed(row: Row, after: Mapping[str, Any], effect: Mapping[str, Any], now: datetime) -> Row:
    """A request whose effect is known."""
    return row | {"status": "closed", "closed_at": now, "after": as_json(after), "effect": as_json(effect)}


def is_due(row: Row, now: datetime) -> bool:
    """Whether a run is to begin, or to begin again."""
    return row["status"] in ("approved", "running") and row["next_at"] <= now


def may_open(last: Row | None, optimizer: Optimizer, now: datetime) -> bool:
    """Whether another request may be opened after the last one, going by time."""
    if last is None:
        return True
    over = last["closed_at"] is not None
    return over and now - last["requested_at"] >= timedelta(hours=optimizer.cooldown_hours)


def document(row: Row, optimizer: Optimizer) -> Row:
    """What the program is told; `key` is the same however often it is told."""
    named = ("optimization_id", "optimizer", "agent_id", "reason", "measure", "cost_usd", "expected_improvement", "tries")
    times = {name: row[name].isoformat() for name in ("requested_at", "started_at")}
    return {"key": row["optimization_id"], **{name: row[name] for name in named}, "category": list(optimizer.category)} | times


def rows_of(rows: list[Row], now: datetime) -> pl.DataFrame:
    """Rows of the table, newer than they were."""
    newer = [row | {"version": version_at(now, row["version"])} for row in rows]
    return conform(pl.DataFrame(newer, schema=dict(OPTIMIZATIONS)), OPTIMIZATIONS)
