"""Evaluations that look for their task: out of the store, and back into it."""

import logging
from collections.abc import Iterator
from datetime import datetime

import polars as pl

from exporters.store import Store
from exporters.traces import question
from processors.evaluations import EVALUATIONS
from processors.frames import conform
from processors.otlp_evaluations import Said
from processors.telemetry import Counter

log = logging.getLogger(__name__)

AT_ONCE = 1_000
"""Evaluations read together."""


def store_evaluations(store: Store, rows: pl.DataFrame) -> None:
    """Insert evaluations, columns EVALUATIONS."""
    store.insert("evaluations", conform(rows, EVALUATIONS))


def store_said(store: Store, said: Said, signal: str, count: Counter) -> None:
    """Insert what spans or logs, named by `signal`, say of how good something was; count and tell what of it cannot be taken."""
    count(said.rows.height, signal=signal, outcome="taken")
    count(said.rejected, signal=signal, outcome="rejected")
    if said.rejected:
        log.warning("%d evaluations in %s have no score on a known scale, or say not of what: left out", said.rejected, signal)
    store_evaluations(store, said.rows)


def without_task(store: Store, since: datetime, at_once: int = AT_ONCE) -> Iterator[pl.DataFrame]:
    """Evaluations that came since and have no task; columns EVALUATIONS, page by page."""
    limits = {"since": since, "limit": at_once}
    after = ""
    while len(ids := store.query(question("waiting_evaluations"), limits | {"after": after})["evaluation_id"]):
        yield conform(store.query(question("evaluations_without_task"), {"evaluation_id": ids.to_list()}), EVALUATIONS)
        after = ids[-1]
        if len(ids) < at_once:
            return


def orphaned(store: Store, since: datetime, horizon: datetime) -> pl.DataFrame:
    """Evaluations that came after `horizon`, of tasks that were given up since; columns EVALUATIONS."""
    return conform(store.query(question("orphaned_evaluations"), {"since": since, "horizon": horizon}), EVALUATIONS)


def expired(store: Store, since: datetime, until: datetime) -> int:
    """How many evaluations that came in this time have no task."""
    found: int = store.query(question("expired_evaluations"), {"since": since, "until": until})["expired"].item()
    return found
