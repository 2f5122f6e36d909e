"""The journal: what has been accepted is here, on disk, until the store has it.

One transaction takes all the requests that waited while the one before was written (group commit), with what they were
told. Bounded in bytes.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import Connection
from threading import RLock
from typing import NamedTuple, Self
from uuid import uuid4

import polars as pl

from processors.errors import NoRoom
from receiver.journal_file import JournalFile
from receiver.packed import Packed, pack, unpack
from receiver.reading import Outcome
from receiver.receipts import Receipt, Receipts, read, written
from receiver.salvage import finish, salvage

ENTRIES_AT_ONCE = 4096
RETRY_FULL = timedelta(seconds=5)

RECEIPTS = "SELECT id, CAST(at AS BLOB), digests, CAST(outcomes AS BLOB) FROM receipts ORDER BY id"
"""As bytes: SQLite refuses a text that is damaged, and all behind it."""

log = logging.getLogger(__name__)


class Entry(NamedTuple):
    """An entry that waits; its `bytes` are those of the rows as they travel."""

    id: int
    rows: int
    bytes: int


class Batch(NamedTuple):
    """The entries of a kind from `first` to `last`, which are stored together under a name of their own."""

    kind: str
    first: int
    last: int
    token: str


class DeadLetter(NamedTuple):
    """Rows that the store will never take, and what it said."""

    rows: pl.DataFrame
    reason: str


class Waiting(NamedTuple):
    """What is not in the store yet: entries, their bytes on disk, and when the oldest came."""

    entries: int
    bytes: int
    oldest: datetime | None


class Journal:
    """Keeps rows of any kind until they are stored. Safe from any thread.

    Args:
        folder: where its file is, made if it is not there.
        now: the clock.
        max_bytes: what may wait.
        max_dead_bytes: dead letters beyond this drop the oldest.
    """

    def __init__(self, folder: Path, now: Callable[[], datetime], max_bytes: int, max_dead_bytes: int) -> None:
        self.file = JournalFile(folder)
        self._now, self._max_bytes, self._max_dead = now, max_bytes, max_dead_bytes
        self._receipts = Receipts()
        self._guard = RLock()
        self._entries = self._bytes = 0
        self._seen = 0
        self.dropped_dead_rows = 0
        """Rows of dead letters that had to go, for there were too many."""

    def open(self) -> Self:
        """Open the file, saving what can be read if it is damaged, and see what waits; raises Rejected or Unavailable."""
        finish(self.file.path)
        self.file.open()
        if trouble := self.file.damage():
            self.file.close()
            salvage(self.file, trouble, self._now())
        with self.file.reading() as db:
            for number, at, digests, outcomes in db.execute(RECEIPTS):
                try:
                    self._receipts.add(number, datetime.fromisoformat(at.decode()), read(digests, outcomes.decode()))
                except ValueError:
                    log.error("what was told to senders (receipt %d) is damaged and forgotten; look at the disk", number)
        self.refresh()
        return self

    def close(self) -> None:
        """Let go of the file. Safe to call twice."""
        self.file.close()

    def known(self, digest: bytes) -> Outcome | None:
        """What the request of this digest was told within the last hour; None if it was not accepted."""
        return self._receipts.known(digest)

    def refuse_if_full(self, more: int = 0) -> None:
        """Raise NoRoom if `more` bytes would be too many."""
        if self._bytes + more > self._max_bytes:
            message = f"over {self._max_bytes >> 20} MiB wait to be stored: send this request again later"
            raise NoRoom(message, retry_after=RETRY_FULL)

    def append(self, frames: Mapping[str, pl.DataFrame], receipts: Sequence[Receipt] = ()) -> dict[str, int]:
        """Keep frames of several kinds and what their senders are told; on return they are on disk.

        Returns:
            The entry of each kind that had rows.

        Raises:
            NoRoom: too much waits, or the disk is full.
            Unavailable: the file cannot be written.
        """
        packed = {kind: pack(rows) for kind, rows in frames.items() if len(rows)}
        size, now = sum(len(each.data) for each in packed.values()), self._now()
        with self._guard:
            self.refuse_if_full(size)
            with self.file.transaction() as db:
                ids = {kind: _insert(db, kind, now, each) for kind, each in packed.items()}
                number = self._note(db, now, receipts)
            self._entries += len(ids)
            self._bytes += size
            self._receipts.add(number, now, receipts)
        return ids

    def after(self, kind: str, last: int) -> list[Entry]:
        """The next entries of a kind."""
        sql = "SELECT id, rows, size FROM entries WHERE id > ? AND kind = ? ORDER BY id LIMIT ?"
        with self.file.reading() as db:
            return [Entry(*found) for found in db.execute(sql, (last, kind, ENTRIES_AT_ONCE))]

    def rows(self, entry: int) -> pl.DataFrame:
        """What an entry holds; raises Rejected if it is damaged."""
        with self.file.reading() as db:
            found = db.execute("SELECT rows, size, data FROM entries WHERE id = ?", (entry,)).fetchone()
        return unpack(Packed(*found))

    def put_aside(self, entry: int, reason: str) -> None:
        """Make a dead letter of an entry as it is, for it cannot be read."""
        move = "INSERT INTO dead_letters (kind, at, reason, rows, size, data) SELECT kind, ?, ?, rows, size, data FROM entries"
        with self._guard:
            with self.file.transaction() as db:
                db.execute(f"{move} WHERE id = ?", (self._now().isoformat(), reason, entry))
                gone = db.execute("DELETE FROM entries WHERE id = ? RETURNING length(data)", (entry,)).fetchone()
            self._entries -= 1
            self._bytes -= gone[0]

    def begun(self, kind: str) -> Batch | None:
        """The batch of a kind that was being stored when the process before this one ended."""
        with self.file.reading() as db:
            found = db.execute("SELECT kind, first, last, token FROM batches WHERE kind = ?", (kind,)).fetchone()
        return Batch(*found) if found else None

    def begin(self, kind: str, first: int, last: int) -> Batch:
        """Note that these entries are about to be stored together."""
        batch = Batch(kind, first, last, uuid4().hex)
        with self.file.transaction() as db:
            db.execute("INSERT OR REPLACE INTO batches VALUES (?, ?, ?, ?)", batch)
        return batch

    def end(self, batch: Batch, dead: Sequence[DeadLetter] = ()) -> None:
        """Let go of what has been stored, and put aside what never will be."""
        of_batch = (batch.kind, batch.first, batch.last)
        with self._guard:
            with self.file.transaction() as db:
                gone = self._bury(db, batch.kind, dead) if dead else 0
                sizes = "SELECT count(*), coalesce(sum(length(data)), 0) FROM entries WHERE kind = ? AND id BETWEEN ? AND ?"
                entries, size = db.execute(sizes, of_batch).fetchone()
                db.execute("DELETE FROM entries WHERE kind = ? AND id BETWEEN ? AND ?", of_batch)
                db.execute("DELETE FROM batches WHERE kind = ?", (batch.kind,))
            self._entries -= entries
            self._bytes -= size
            self.dropped_dead_rows += gone

    def waiting(self) -> Waiting:
        """What is not in the store yet."""
        with self.file.reading() as db:
            found = db.execute("SELECT at FROM entries ORDER BY id LIMIT 1").fetchone()
        return Waiting(self._entries, self._bytes, datetime.fromisoformat(found[0]) if found else None)

    def kinds(self) -> set[str]:
        """The kinds of which something waits."""
        with self.file.reading() as db:
            return {kind for (kind,) in db.execute("SELECT DISTINCT kind FROM entries")}

    def refresh(self) -> bool:
        """Look whether another process has put something in, as `merit deadletter retry` does."""
        with self._guard, self.file.reading() as db:
            seen = db.execute("PRAGMA data_version").fetchone()[0]
            if seen == self._seen:
                return False
            self._seen = seen
            count = "SELECT count(*), coalesce(sum(length(data)), 0) FROM entries"
            self._entries, self._bytes = db.execute(count).fetchone()
        return True

    def _note(self, db: Connection, now: datetime, receipts: Sequence[Receipt]) -> int:
        """Write receipts, and forget old ones; the number of the group."""
        if not receipts:
            return 0
        if (gone := self._receipts.expire(now)) is not None:
            db.execute("DELETE FROM receipts WHERE id <= ?", (gone,))
        note = "INSERT INTO receipts (at, digests, outcomes) VALUES (?, ?, ?)"
        return db.execute(note, (now.isoformat(), *written(receipts))).lastrowid or 0

    def _bury(self, db: Connection, kind: str, dead: Sequence[DeadLetter]) -> int:
        """Put rows aside, and drop the oldest that are too much by then; how many rows those had."""
        bury = "INSERT INTO dead_letters (kind, at, reason, rows, size, data) VALUES (?, ?, ?, ?, ?, ?)"
        now = self._now().isoformat()
        db.executemany(bury, [(kind, now, letter.reason, *pack(letter.rows)) for letter in dead])
        older = (
            "SELECT id, rows FROM (SELECT id, rows, sum(length(data)) OVER (ORDER BY id DESC) AS so_far FROM dead_letters) "
            "WHERE so_far > ?"
        )
        gone = db.execute(older, (self._max_dead,)).fetchall()
        db.executemany("DELETE FROM dead_letters WHERE id = ?", [(number,) for number, _ in gone])
        if gone:
            log.error("%d dead letters are dropped, the oldest: there are over %d MiB of them", len(gone), self._max_dead >> 20)
        return sum(rows for _, rows in gone)


def _insert(db: Connection, kind: str, now: datetime, packed: Packed) -> int:
    sql = "INSERT INTO entries (kind, at, rows, size, data) VALUES (?, ?, ?, ?, ?)"
    return db.execute(sql, (kind, now.isoformat(), *packed)).lastrowid or 0
