"""The file of the journal: SQLite, one connection, one transaction at a time, each on disk when it has ended.

`synchronous = FULL` in WAL mode is one fsync a transaction. Pages of 8 KiB: smaller ones make long chains of a large
entry, larger ones write too much for a small one. Some distributions build SQLite to overwrite what is deleted, which
would write everything twice. A large write-ahead log lets pages that are freed soon, as most are, be written once.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from threading import RLock
from typing import Self

from processors.errors import NoRoom, Rejected, Unavailable

VERSION = 1
PAGE_BYTES = 8192
WAL_PAGES = (64 << 20) // PAGE_BYTES
PRAGMAS = (
    f"page_size = {PAGE_BYTES}",
    "journal_mode = WAL",
    "synchronous = FULL",
    "secure_delete = OFF",
    f"wal_autocheckpoint = {WAL_PAGES}",
)
NAME = "journal.sqlite"

log = logging.getLogger(__name__)


class JournalFile:
    """Transactions on the file `name` in `folder`. Safe from any thread."""

    def __init__(self, folder: Path, name: str = NAME) -> None:
        self.path = folder / name
        self._guard = RLock()
        self._db: sqlite3.Connection | None = None
        self._well = True

    def open(self) -> Self:
        """Open the file, made if it is not there.

        Raises:
            Rejected: a newer Merit made it, or it is no journal.
            Unavailable: it cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=5, isolation_level=None, check_same_thread=False)
            self._prepare(self._db)
        except (OSError, sqlite3.Error) as error:
            self.close()
            if getattr(error, "sqlite_errorname", "") in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
                raise Rejected(f"{self.path} is damaged ({error}): put it aside and start again, or restore it") from error
            raise Unavailable(f"cannot use the journal {self.path}: {error}; see receivers.journal.folder") from error
        return self

    def _prepare(self, db: sqlite3.Connection) -> None:
        for pragma in PRAGMAS:
            db.execute(f"PRAGMA {pragma}")
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            self.close()
            raise Rejected(f"the journal {self.path} has version {found}, this Merit knows up to {VERSION}: use the newer Merit")
        db.executescript(files("receiver").joinpath("journal.sql").read_text("utf-8"))
        db.execute(f"PRAGMA user_version = {VERSION}")

    def damage(self) -> str:
        """What is wrong with the file, empty if nothing is. Looks at every page that is in use."""
        with self._guard:
            try:
                found = str(self._connection().execute("PRAGMA quick_check(1)").fetchone()[0])
            except sqlite3.DatabaseError as error:
                return str(error)
        return "" if found == "ok" else found.replace("\n", " ")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """What is done within is on disk afterwards, all of it or nothing.

        Raises:
            NoRoom: the disk is full.
            Unavailable: it cannot be written.
        """
        with self._guard:
            try:
                db = self._connection()
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except sqlite3.Error as error:
                self._undo()
                raise self._trouble(error) from error
            except BaseException:
                self._undo()
                raise
            self._is_well()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for questions."""
        with self._guard:
            try:
                yield self._connection()
            except sqlite3.Error as error:
                raise Unavailable(f"the journal cannot be read: {advised(error)}") from error

    def close(self) -> None:
        """Let go of the file. Safe to call twice."""
        with self._guard:
            if self._db:
                self._db.close()
                self._db = None

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise Unavailable("the journal is closed")
        return self._db

    def _undo(self) -> None:
        if self._db and self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _trouble(self, error: sqlite3.Error) -> Unavailable:
        """Told to senders without the path; logged once with it."""
        if self._well:
            log.error("the journal %s cannot be written, so nothing is accepted: %s", self.path, advised(error))
        self._well = False
        self._reuse()
        if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
            return NoRoom("the disk of the journal is full: send this request again later")
        return Unavailable("the journal cannot be written: send this request again later")

    def _reuse(self) -> None:
        """Begin the write-ahead log anew, if it can be: what is deleted next then needs no room that is not there."""
        try:
            self._connection().execute("PRAGMA wal_checkpoint(RESTART)")
        except (sqlite3.Error, Unavailable) as error:
            log.debug("the write-ahead log cannot be begun anew: %s", error)

    def _is_well(self) -> None:
        if not self._well:
            log.warning("the journal %s can be written again", self.path)
        self._well = True


def advised(error: sqlite3.Error) -> str:
    """What SQLite said, and what helps."""
    damaged = getattr(error, "sqlite_errorname", "").startswith("SQLITE_CORRUPT")
    return f"{error}; start Merit again, which saves what can be read" if damaged else str(error)
