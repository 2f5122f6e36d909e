"""The journal and those who empty it: what is handed in here is on disk on return, and in the store soon.

While the store is well it sets the pace: when memory is full of rows that wait for it, the next ones wait a little too.
While it is away, or slow, they do not: the journal is there for that.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from threading import Lock

import polars as pl

from receiver.journal import Journal, Waiting
from receiver.reading import Outcome
from receiver.receipts import Receipt
from receiver.storing import LINGER, Consume, Counts, Missing, Storer

Insert = Callable[[str, pl.DataFrame, str], None]
"""Inserts rows into a table under a token."""

PACE_SECONDS = 1.0
READABLE_SECONDS = 2.0
"""How long a caller waits for its rows to be readable, once they are safe."""

log = logging.getLogger(__name__)


class Spool:
    """Keeps rows, and stores them in the background.

    Args:
        journal: open.
        consumers: who stores which kind of what is received.
        insert: stores rows of any other kind, which is the name of a table. Somebody waits to read those, so they do not
            wait for company.
        held_bytes: rows of each kind that may be held in memory while they wait.
        missing: by kind, which of some rows the store does not have; asked after a crash, of Merit or of
            the store.
        unhurried: kinds that nobody waits for, though they come by the hundreds: how long they wait for company. They are stored
            behind all others.
    """

    def __init__(
        self,
        journal: Journal,
        consumers: Mapping[str, Consume],
        insert: Insert,
        held_bytes: int,
        missing: Mapping[str, Missing] | None = None,
        unhurried: Mapping[str, timedelta] | None = None,
    ) -> None:
        self._journal, self._consumers, self._insert, self._held_bytes = journal, consumers, insert, held_bytes
        self._missing, self._unhurried = missing or {}, unhurried or {}
        self._storers: dict[str, Storer] = {}
        self._guard = Lock()

    def start(self) -> None:
        """Store what is in the journal, and what comes."""
        waiting = self._journal.waiting()
        if waiting.entries:
            log.info("%d entries of %d bytes wait in the journal, the oldest since %s", *waiting)
        for kind in self._consumers.keys() | self._journal.kinds():
            self._storer(kind)

    def stop(self, grace: timedelta) -> None:
        """Store what waits; what is not stored within `grace` stays in the journal. Safe to call twice."""
        for storer in self._storers.values():
            storer.finish()
        until = time.monotonic() + grace.total_seconds()
        for storer in self._storers.values():
            storer.stop(max(0.0, until - time.monotonic()))
        left = self._journal.waiting()
        if left.entries:
            log.warning("%d entries of %d bytes stay in the journal; the next start stores them", left.entries, left.bytes)

    def known(self, digest: bytes) -> Outcome | None:
        """What a request was told within the last hour; None if it was not accepted."""
        return self._journal.known(digest)

    def refuse_if_full(self) -> None:
        """Raise NoRoom if the journal is full."""
        self._journal.refuse_if_full()

    def keep(self, frames: Mapping[str, pl.DataFrame], receipts: Sequence[Receipt] = ()) -> dict[str, int]:
        """Keep rows by kind; on return they are on disk. Returns the entry of each kind.

        Raises:
            NoRoom: too much waits already.
            Unavailable: the journal cannot be written.
        """
        for kind in frames:
            self._storer(kind).pace(PACE_SECONDS)
        entries = self._journal.append(frames, receipts)
        for kind, entry in entries.items():
            self._storer(kind).offer(entry, frames[kind])
        return entries

    def keep_readable(self, table: str, rows: pl.DataFrame) -> None:
        """Keep rows of a table, and return when they can be read, or when the store takes too long: they are safe by then.

        Raises:
            NoRoom: too much waits already.
            Unavailable: the journal cannot be written.
        """
        for kind, entry in self.keep({table: rows}).items():
            self._storer(kind).wait(entry, READABLE_SECONDS)

    def keep_safe(self, table: str, rows: pl.DataFrame) -> None:
        """Keep rows of a table, and return when they are on disk; they can be read soon. Raises NoRoom or Unavailable."""
        self.keep({table: rows})

    def waiting(self) -> Waiting:
        """What is not in the store yet."""
        return self._journal.waiting()

    def counts(self) -> dict[str, Counts]:
        """What has been done since the start, by kind."""
        return {kind: storer.counts for kind, storer in self._storers.items()}

    def state(self) -> str:
        """`ok`, or what cannot be stored at the moment; all of it is on disk."""
        troubled = [state for storer in self._storers.values() if (state := storer.state()) != "ok"]
        return "; ".join(troubled) or "ok"

    def _storer(self, kind: str) -> Storer:
        """Who stores this kind, at work."""
        with self._guard:
            if kind not in self._storers:
                received = kind in self._consumers
                consume = self._consumers[kind] if received else partial(self._insert, kind)
                linger = self._unhurried.get(kind, LINGER) if received else timedelta(0)
                missing = self._missing.get(kind, pl.DataFrame.clear)
                behind = not received or kind in self._unhurried
                self._storers[kind] = Storer(self._journal, kind, consume, self._held_bytes, linger, missing, behind=behind)
                self._storers[kind].start()
            return self._storers[kind]
