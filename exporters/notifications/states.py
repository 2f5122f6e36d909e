"""What has happened, what fires, and what became of telling it: out of the store, and back into it."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from exporters.happenings import happened
from exporters.store import Store
from exporters.traces import question
from processors.frames import conform
from processors.notifications import NOTIFICATIONS
from processors.versions import version_at

Row = dict[str, Any]

MOST = 100_000
"""Rows that are read together, the newest."""


def told_of(store: Store, since: datetime) -> list[Row]:
    """What has happened to alerts since, in order; `scope` and `evidence` as objects."""
    return [opened(row) for row in happened(store, since, MOST)]


def firing(store: Store, until: datetime) -> list[Row]:
    """Alerts that have fired since before `until`, and that nobody has acknowledged; as `told_of`, without what happened."""
    return [opened(row) for row in store.query(question("firing"), {"until": until, "limit": MOST}).to_dicts()]


def opened(row: Row) -> Row:
    """A row with its JSON read."""
    return row | {name: json.loads(row[name] or "{}") for name in ("scope", "evidence")}


def notifications(store: Store, since: datetime) -> list[Row]:
    """Rows of `notifications` about what has happened since."""
    return store.query(question("notifications"), {"since": since, "limit": MOST}).reverse().to_dicts()


def write_down(store: Store, rows: Sequence[Row], now: datetime) -> list[Row]:
    """Store rows of `notifications`, newer than they were; the rows as they are then."""
    newer = [row | {"version": version_at(now, row["version"])} for row in rows]
    if newer:
        store.insert("notifications", conform(pl.DataFrame(newer, schema=dict(NOTIFICATIONS)), NOTIFICATIONS))
    return newer
