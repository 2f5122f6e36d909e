"""Saves what can be read of a journal that a failing disk has damaged.

The damaged file is set aside as it is, for SQLite's own `.recover` may find more in it. Rows are asked for one by one, by their
number: a page that is spoilt hides those on it and no others. What is spoilt inside a row is noticed when it is stored.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from receiver.journal_file import JournalFile

TABLES = ("entries", "batches", "receipts", "dead_letters")
FARTHEST = 1_000_000
"""Numbers that are tried where the last, or the first, cannot be read."""
BESIDE = ("", "-wal", "-shm")

log = logging.getLogger(__name__)


def salvage(file: JournalFile, trouble: str, now: datetime) -> None:
    """Set a damaged file aside and begin a new one with what can be read of it.

    Args:
        file: closed; open on return.
        trouble: what is wrong with it.
        now: names what is set aside.
    """
    aside = _set_aside(file.path, now)
    file.open()
    with closing(sqlite3.connect(aside)) as damaged:
        found = {table: _copy(damaged, file, table) for table in TABLES}
    (entries, unread), (letters, unread_letters) = found["entries"], found["dead_letters"]
    log.error("the journal %s is damaged, so it is set aside as %s; look at the disk: %s", file.path, aside.name, trouble)
    saved = "%d entries and %d dead letters of it are saved; up to %d and %d cannot be read, which `sqlite3 %s .recover` may find"
    log.error(saved, entries, letters, unread, unread_letters, aside.name)


def _set_aside(path: Path, now: datetime) -> Path:
    aside = path.with_name(f"damaged-{now:%Y%m%dT%H%M%S}.sqlite")
    for ending in BESIDE:
        if (part := path.with_name(path.name + ending)).exists():
            part.rename(aside.with_name(aside.name + ending))
    return aside


def _copy(damaged: sqlite3.Connection, file: JournalFile, table: str) -> tuple[int, int]:
    """Rows that were copied, and numbers that could not be read."""
    copied = unread = 0
    for number in _numbers(damaged, table):
        try:
            row = damaged.execute(f"SELECT * FROM {table} WHERE rowid = ?", (number,)).fetchone()  # noqa: S608  # one of TABLES
        except sqlite3.DatabaseError:
            unread += 1
            continue
        if row:
            with file.transaction() as db:
                db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
            copied += 1
    return copied, unread


def _numbers(damaged: sqlite3.Connection, table: str) -> Iterator[int]:
    """The numbers that rows of a table may have; none if neither end of it can be read."""
    first, last = _end(damaged, table, "ASC"), _end(damaged, table, "DESC")
    if first is None and last is None:
        return
    yield from range(
        max(1, (last or 0) - FARTHEST) if first is None else first,
        (first or 0) + FARTHEST if last is None else last + 1,
    )


def _end(damaged: sqlite3.Connection, table: str, order: str) -> int | None:
    try:
        found = damaged.execute(f"SELECT rowid FROM {table} ORDER BY rowid {order} LIMIT 1").fetchone()  # noqa: S608
    except sqlite3.DatabaseError:
        return None
    return int(found[0]) if found else None
