"""Pipelines on the real store, at times that the tests say, and what they have derived."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from exporters.store import Store
from merit.pipeline.pipeline import Pipeline
from processors.errors import Unavailable
from processors.frames import EXPORTER_COLUMNS, MILLIS
from processors.settings import ProcessorSettings
from tests.builders import Clock, Row, chat, frame, job, tool

DONE = {"supervisor": "succeeded", "researcher": "succeeded"}
ORPHANS = [chat(3, 4, 2), tool(3, 5, 2), chat(3, 6, 9)]
TRAFFIC = [*job(1), *job(2), *ORPHANS]


def pipeline(store: Any, clock: Clock, retention_days: int = 30, derives: bool = True, **changes: Any) -> Pipeline:
    return Pipeline(store, ProcessorSettings.model_validate(changes), retention_days, clock, derives=derives)


def send(to: Pipeline, rows: Iterable[Row], clock: Clock) -> None:
    """Hand over `rows` as received now."""
    to.consume(frame([row | {"IngestedAt": clock()} for row in rows]))


def write(store: Store, rows: Iterable[Row], clock: Clock) -> None:
    """Store `rows` as the Collector does, with its own columns only, at a time that the test says."""
    stamped = [row | {"IngestedAt": clock()} for row in rows]
    store.insert("otel_traces", frame(stamped, {**EXPORTER_COLUMNS, "IngestedAt": MILLIS}))


def work(it: Pipeline, clock: Clock, seconds: float = 3) -> int:
    """Let time pass and derive."""
    clock.tick(seconds)
    return it.derive()


def settle_all(it: Pipeline, clock: Clock) -> None:
    """Until nothing more is awaited."""
    work(it, clock)
    clock.tick(1000)
    it.sweep()
    it.derive()


def rows_of(store: Store, table: str) -> list[Row]:
    """What is there, without when, and for the how manieth time, it was worked out."""
    found = store.query(f"SELECT * FROM {table} FINAL ORDER BY ALL")
    return found.drop("version", "ingested_at", "again", strict=False).rows(named=True)


def derived(store: Store) -> dict[str, list[Row]]:
    return {table: rows_of(store, table) for table in ("nodes", "tasks", "workflows")}


def statuses(store: Store) -> dict[str, str]:
    """Agent to status."""
    return {row["agent_id"]: row["status"] for row in rows_of(store, "tasks")}


def spans_read(store: Store) -> list[int]:
    """How many spans each workflow was derived of."""
    return [row["spans"] for row in rows_of(store, "workflows")]


class Half:
    """The real store, of which a part can be away."""

    def __init__(self, store: Store) -> None:
        self.store, self.away = store, ""

    def insert(self, table: str, *args: Any, **more: Any) -> None:
        if table == self.away:
            raise Unavailable(f"{table} is away")
        self.store.insert(table, *args, **more)

    def query(self, *args: Any, **more: Any) -> pl.DataFrame:
        if self.away == "query":
            raise Unavailable("no answers")
        return self.store.query(*args, **more)
