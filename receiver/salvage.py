"""Saves what can be read of a journal that a failing disk has damaged.

The damaged file is set aside as it is, for SQLite's own `.recover` may find more in it. Rows are asked for one by one, by their
number: a page that is spoilt hides those on it and no others. What is spoilt inside a row is noticed when it is stored.

The damaged file keeps its place until all that can be read is in another one: whatever ends this before, the next start begins
anew.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path

from receiver.journal_file import JournalFile

TABLES = ("entries", "batches", "receipts", "dead_letters")
FARTHEST = 1_000_000
"""Numbers that are tried where the last, or the first, cannot be read."""
BESIDE = ("", "-wal", "-shm")
SAVING = "journal.saving.sqlite"
AT_ONCE = 200
"""Rows of a transaction."""

log = logging.getLogger(__name__)


def salvage(file: JournalFile, trouble: str, now: datetime) -> None:
    """Set a damaged file aside and begin a new one with what can be read of it.

    Args:
        file: closed; open on return.
        trouble: what is wrong with it.
        now: names what is set aside.
    """
    saving = JournalFile(file.path.parent, SAVING)
    for ending in BESIDE:
        beside(saving.path, ending).unlink(missing_ok=True)
    saving.open()
    try:
        with closing(sqlite3.connect(file.path)) as damaged:
            found = {table: _copy(damaged, saving, table) for table in TABLES}
    finally:
        saving.close()
    aside = file.path.with_name(f"damaged-{now:%Y%m%dT%H%M%S}.sqlite")
    _rename(file.path, aside)
    finish(file.path)
    file.open()
    (entries, unread), (letters, unread_letters) = found["entries"], found["dead_letters"]
    log.error("the journal %s is damaged, so it is set aside as %s; look at the disk: %s", file.path, aside.name, trouble)
    saved = "%d entries and %d dead letters of it are saved; up to %d and %d cannot be read, which `sqlite3 %s .recover` may find"
    log.error(saved, entries, letters, unread, unread_letters, aside.name)


def finish(path: Path) -> None:
    """Put what was saved in the place of what has been set aside, if that was all that had yet to be done."""
    saved = path.with_name(SAVING)
    if not path.exists() and saved.exists():
        _rename(path, path.with_name("damaged-rest.sqlite"))
        saved.rename(path)


def beside(path: Path, ending: str) -> Path:
    """A file that SQLite keeps beside its own."""
    return path.with_name(path.name + ending)


def _rename(path: Path, to: Path) -> None:
    for ending in BESIDE:
        if (part := beside(path, ending)).exists():
            part.rename(beside(to, ending))


def _copy(damaged: sqlite3.Connection, file: JournalFile, table: str) -> tuple[int, int]:
    """Rows that were copied, and numbers that could not be read."""
    copied = unread = 0
    numbers = _numbers(damaged, table)
    while some := list(islice(numbers, AT_ONCE)):
        with file.transaction() as db:
            for number in some:
                try:
                    row = damaged.execute(f"SELECT * FROM {table} WHERE rowid = ?", (number,)).fetchone()  # noqa: S608  # one of TABLES
                except sqlite3.DatabaseError:
                    unread += 1
                    continue
                if row:
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
