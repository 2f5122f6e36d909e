"""The journal of the program: where it is, who may use it, and who stores what is in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from exporters.folder import FolderLock
from exporters.store import Store, chdb_folder
from merit.pipeline.pipeline import Pipeline
from merit.pipeline.signals import signal_consumers
from merit.settings import Settings
from processors.redact.redactor import Redactor
from processors.telemetry import Instruments
from query_api.asking.questions import Keep
from receiver.decode import SPANS
from receiver.journal import Journal
from receiver.spool import Spool

FREE_TEXTS = ("comment", "note", "description", "result", "error")
"""Columns in which people, and programs of theirs, write what they like."""
DECISIONS = "routing_decisions"
DECISIONS_LINGER = timedelta(seconds=1)
"""Inserting 200 of them costs 1.5 times what inserting 40 does."""
BESIDE_A_SERVER = Path("merit-journal")


def journal_folder(settings: Settings) -> Path:
    """Where the journal is: in the folder of the embedded engine, for they belong together, if nothing else is said."""
    inside = chdb_folder(settings.exporters.clickhouse)
    return (settings.receivers.journal.folder or (inside / "journal" if inside else BESIDE_A_SERVER)).resolve()


@contextmanager
def journal_of(settings: Settings, now: Callable[[], datetime]) -> Iterator[Journal]:
    """The journal, open and this process's alone.

    Raises:
        Rejected: a newer Merit made it, or it is damaged.
        Unavailable: another process has it, or it cannot be written.
    """
    said, folder = settings.receivers.journal, journal_folder(settings)
    journal, lock = Journal(folder, now, said.max_mib << 20, said.max_dead_letter_mib << 20), FolderLock(folder, FOLDER)
    lock.acquire()
    try:
        yield journal.open()
    finally:
        journal.close()
        lock.release()


FOLDER = "receivers.journal.folder"


def masking(keep: Keep, redactor: Redactor) -> Keep:
    """`keep`, with the same masks in what people write as in spans."""

    def masked(table: str, rows: pl.DataFrame) -> None:
        texts = [rows[name] for name in FREE_TEXTS if name in rows.columns]
        changed = [after.alias(before.name) for before in texts if (after := redactor.texts(before)) is not before]
        keep(table, rows.with_columns(changed) if changed else rows)

    return masked


def spool_on(
    journal: Journal, store: Store, pipeline: Pipeline, settings: Settings, instruments: Instruments | None = None
) -> Spool:
    """Takes spans to the pipeline, logs and metrics into the store, and what the API was sent into its table."""

    def insert(table: str, rows: pl.DataFrame, token: str) -> None:
        store.insert(table, rows, token=token)

    consumers = {
        SPANS: pipeline.consume,
        # Nobody waits to read a decision, and there may be hundreds a second: they are stored in company.
        DECISIONS: lambda rows, token: insert(DECISIONS, rows, token),
        **signal_consumers(store, instruments),
    }
    held = settings.receivers.otlp.max_waiting_mib << 20
    return Spool(journal, consumers, insert, held, {SPANS: pipeline.missing}, {DECISIONS: DECISIONS_LINGER})
