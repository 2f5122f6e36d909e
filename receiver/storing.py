"""From the journal into the store: one thread for each kind, so that one table in trouble holds up no other.

An insert has a price of its own, some 20 ms of CPU, so what waits is stored together: what came within `LINGER`, or as
much as one batch holds. What a batch is made of is noted in the journal before it is stored, with a token: should the
process die, the same batch is stored again under the same token, and the store knows whether it has it.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from math import ceil
from typing import TypeVar

import polars as pl

from processors.errors import Rejected, Unavailable
from processors.precedence import stand_behind
from receiver.journal import Batch, DeadLetter, Entry, Journal
from receiver.packed import size_of

Found = TypeVar("Found")
Consume = Callable[[pl.DataFrame, str], None]
"""Stores rows before it returns, or raises Rejected or Unavailable. Rows that come again under the same token, exactly as
they were, are stored once."""
Missing = Callable[[pl.DataFrame], pl.DataFrame]
"""Those of some rows that the store does not have."""

LINGER = timedelta(milliseconds=200)
LONGEST_LINGER = 0.6
REST = 4
"""How many times as long as storing has taken the next batch waits for company, up to the longest linger: small batches take a
quarter of the time at most, however much else the machine has to do."""
MOST_ROWS = 32_768
"""Of an insert: it takes some 6 KB of memory a row, all told, and twice as many rows save a fiftieth of its CPU."""
MOST_BYTES = 64 << 20
"""Of an insert, as the rows travel: one request may hold a hundred times as much in what its records inherit."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
LOOK_SECONDS = 1.0
"""How often an idle storer looks for what another process has put into the journal."""
MOST_TRIES = 200
"""Inserts for one batch that is rejected, until what is left of it is put aside as it is: enough for some ten rows."""
MOST_FAULTS = 10
"""More rows of a batch than these that fail for a reason of ours are no fault of the rows."""

log = logging.getLogger(__name__)


@dataclass
class Counts:
    """What a storer has done since it began."""

    kept_rows: int = 0
    stored_rows: int = 0
    retries: int = 0
    dead_rows: int = 0


class Stopped(Exception):
    """The grace time is over."""


class Storer:
    """Stores the entries of one kind, in their order.

    Args:
        journal: where they are.
        kind: which they are.
        consume: stores rows; called from one thread.
        held_bytes: rows kept in memory so that they need not be read back; beyond it they are.
        linger: how long the first entry of a batch waits for others.
        missing: which of some rows the store does not have. ClickHouse notes a token a moment before the rows are there: if it
            dies in between, it takes the rows for stored when they come again.
        behind: whether it goes after others where processors are short; what is received comes by the thousands, and has to be
            kept up with.
    """

    def __init__(
        self,
        journal: Journal,
        kind: str,
        consume: Consume,
        held_bytes: int,
        linger: timedelta = LINGER,
        missing: Missing = pl.DataFrame.clear,
        *,
        behind: bool = False,
    ) -> None:
        self.kind, self.counts, self._missing, self._behind = kind, Counts(), missing, behind
        self._journal, self._consume, self._linger = journal, consume, linger.total_seconds()
        self._most_held = held_bytes
        self._held: dict[int, pl.DataFrame] = {}
        self._offered: dict[int, int] = {}
        self._held_bytes = self._new_rows = 0
        self._newest = self._taken = self._stored = 0
        self._since = self._took = 0.0
        self._well, self._paced = True, True
        self._stopping = self._stopped = self._broken = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name=f"merit-store-{kind}", daemon=True)

    def start(self) -> None:
        """Begin to store, with what the process before this one has left."""
        self._thread.start()

    def finish(self) -> None:
        """Store what is there, without lingering, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def stop(self, seconds: float) -> None:
        """Wait so long for the end, then leave the rest in the journal. Safe to call twice."""
        self.finish()
        if self._thread.is_alive():
            self._thread.join(seconds)
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def state(self) -> str:
        """`ok`, or how it is with what is to be stored."""
        if self._broken:
            return f"{self.kind} are no longer stored: the log says why; a restart stores them"
        return "ok" if self._well else f"{self.kind} wait for the store"

    def offer(self, entry: int, rows: pl.DataFrame) -> None:
        """Say that an entry is in the journal, and what it holds; it may have been found there, and taken, already."""
        size = memory_of(rows)
        with self._changed:
            if entry > self._taken and self._held_bytes + size <= self._most_held:
                self._held[entry] = rows
                self._held_bytes += size
            if entry > self._taken:
                self._since = self._since if self._new_rows else time.monotonic()
                self._offered[entry] = len(rows)
                self._new_rows += len(rows)
            self.counts.kept_rows += len(rows)
            self._newest = max(self._newest, entry)
            self._changed.notify_all()

    def pace(self, seconds: float) -> None:
        """Return when memory has room, so that a store that is well sets the pace; not once it has taken longer than that."""
        with self._changed:
            if self._paced:
                self._paced = self._changed.wait_for(self._has_room, seconds)

    def wait(self, entry: int, seconds: float) -> bool:
        """Whether the entry is in the store, now or within this time; at once if the store is away."""
        with self._changed:
            self._changed.wait_for(lambda: self._stored >= entry or not self._well or self._stopped, seconds)
            return self._stored >= entry

    def _has_room(self) -> bool:
        """Whether there is: one batch may wait while another is being stored."""
        return (self._new_rows < MOST_ROWS and self._held_bytes < self._most_held) or not self._well or self._stopping

    def _work(self) -> None:
        if self._behind:
            stand_behind()
        try:
            if begun := self._until_well(lambda: self._journal.begun(self.kind)):
                self._store(begun, again=True)
            while batch := self._next():
                self._store(batch)
        except Stopped:
            return
        except Exception:
            self._broken = True
            log.exception("%s are no longer stored; they stay in the journal", self.kind)

    def _next(self) -> Batch | None:
        """The next batch, noted in the journal; None when stopping and nothing is left."""
        while True:
            self._await_rows()
            if batch := self._until_well(self._begin):
                return batch
            if self._stopping:
                return None

    def _begin(self) -> Batch | None:
        self._journal.refresh()
        chosen = self._choose()
        return self._journal.begin(self.kind, chosen[0].id, chosen[-1].id) if chosen else None

    def _await_rows(self) -> None:
        """Return when a batch is full, when its first entry has waited long enough, or when it is time to look."""
        with self._changed:
            self._changed.wait_for(lambda: self._new_rows or self._newest > self._taken or self._stopping, LOOK_SECONDS)
            left = self._since + self._patience() - time.monotonic()
            if self._new_rows and left > 0:
                self._changed.wait_for(self._has_plenty, left)

    def _patience(self) -> float:
        """How long the first entry of a batch waits for others; not at all where somebody waits to read it."""
        return max(self._linger, min(REST * self._took, LONGEST_LINGER)) if self._linger else 0

    def _has_plenty(self) -> bool:
        return self._new_rows >= MOST_ROWS or self._held_bytes > self._most_held // 2 or self._stopping

    def _choose(self) -> list[Entry]:
        """The entries of the next batch: at least one, if there is one."""
        found, rows, size = self._journal.after(self.kind, self._taken), 0, 0
        for count, entry in enumerate(found):
            rows, size = rows + entry.rows, size + entry.bytes
            if count and (rows > MOST_ROWS or size > MOST_BYTES):
                return found[:count]
        return found

    def _store(self, batch: Batch, *, again: bool = False) -> None:
        entries = [e for e in self._until_well(lambda: self._journal.after(self.kind, batch.first - 1)) if e.id <= batch.last]
        rows = self._rows(entries)
        with self._changed:
            self._new_rows -= sum(self._offered.pop(entry.id, 0) for entry in entries)
            self._since = began = time.monotonic()
        dead = self._put(batch, rows, sum(entry.bytes for entry in entries), again=again) if len(rows) else []
        self._until_well(lambda: self._journal.end(batch, dead))
        self._took = time.monotonic() - began
        self._count(batch, rows, dead)

    def _put(self, batch: Batch, rows: pl.DataFrame, size: int, *, again: bool) -> list[DeadLetter]:
        """Put the rows of a batch, `size` bytes, into the store, an insert for each part; what it will never take."""
        parts = parts_of(rows, size)
        names = [batch.token] if len(parts) == 1 else [f"{batch.token}.part{number}" for number in range(len(parts))]
        return [letter for part, name in zip(parts, names, strict=True) for letter in self._put_part(part, name, again=again)]

    def _put_part(self, rows: pl.DataFrame, token: str, *, again: bool) -> list[DeadLetter]:
        retries = self.counts.retries
        dead = self._until_well(lambda: Attempt(self._consume, token).store(rows))
        if (again or self.counts.retries > retries) and not dead:
            lost = self._until_well(lambda: self._missing(rows))
            if len(lost):
                dead = self._until_well(lambda: Attempt(self._consume, f"{token}.lost").store(lost))
        return dead

    def _rows(self, entries: Sequence[Entry]) -> pl.DataFrame:
        """What entries hold, without those that are damaged. What an older Merit has left there may lack a column."""
        found = [rows for entry in entries if (rows := self._take(entry)) is not None]
        return pl.concat(found, how="diagonal_relaxed", rechunk=True) if found else pl.DataFrame()

    def _take(self, entry: Entry) -> pl.DataFrame | None:
        with self._changed:
            self._taken = max(self._taken, entry.id)
            rows = self._held.pop(entry.id, None)
            if rows is not None:
                self._held_bytes -= memory_of(rows)
                self._changed.notify_all()
        return self._until_well(lambda: self._read_back(entry)) if rows is None else rows

    def _read_back(self, entry: Entry) -> pl.DataFrame | None:
        """What an entry holds; None if it is damaged, which is no reason for the others to wait."""
        try:
            return self._journal.rows(entry.id)
        except Rejected as error:
            log.error("%d %s are a dead letter now (merit deadletter list): %s", entry.rows, self.kind, error)
            self._journal.put_aside(entry.id, str(error))
            with self._changed:
                self.counts.dead_rows += entry.rows
            return None

    def _count(self, batch: Batch, rows: pl.DataFrame, dead: list[DeadLetter]) -> None:
        gone = sum(len(letter.rows) for letter in dead)
        if dead:
            log.error(
                "the store rejects %d of %d %s, which are dead letters now (merit deadletter list): %s",
                gone, len(rows), self.kind, dead[0].reason,
            )  # fmt: skip
        with self._changed:
            self.counts.stored_rows += len(rows) - gone
            self.counts.dead_rows += gone
            self._stored, self._paced = max(self._stored, batch.last), True
            self._changed.notify_all()

    def _until_well(self, work: Callable[[], Found]) -> Found:
        """What `work` returns, tried for as long as it takes, with growing pauses."""
        for pause in pauses():
            try:
                found = work()
            except Unavailable as error:
                self._says(error)
                self._pause(pause)
            else:
                self._says(None)
                return found
        raise AssertionError("pauses are endless")

    def _says(self, error: Unavailable | None) -> None:
        """Log once that the store is away, and once that it is back."""
        if error and self._well:
            log.warning("%s wait in the journal until the store is back: %s", self.kind, error)
        if not error and not self._well:
            log.warning("%s are stored again", self.kind)
        with self._changed:
            self.counts.retries += error is not None
            self._well = error is None
            self._changed.notify_all()

    def _pause(self, seconds: float) -> None:
        """Raises Stopped when stopping: what is left has its place in the journal, and the store may be away for long."""
        with self._changed:
            if self._changed.wait_for(lambda: self._stopped or self._stopping, seconds):
                raise Stopped


class Attempt:
    """Stores the rows of a batch; if they are rejected, part by part, until the guilty ones are left."""

    def __init__(self, consume: Consume, token: str) -> None:
        self._consume, self._token = consume, token
        self._tries = self._faults = 0

    def store(self, rows: pl.DataFrame) -> list[DeadLetter]:
        """Store what can be stored; what cannot.

        Raises:
            Unavailable: the store is away, or the fault is not that of some few rows.
        """
        return self._part(rows, self._token)

    def _part(self, rows: pl.DataFrame, token: str) -> list[DeadLetter]:
        try:
            self._tries += 1
            self._consume(rows, token)
        except Unavailable:
            raise
        except Rejected as error:
            reason = str(error)
        except Exception as error:
            self._faults += len(rows) == 1
            if isinstance(error, MemoryError) or self._faults > MOST_FAULTS or self._tries >= MOST_TRIES:
                raise Unavailable(f"internal error: {error}") from error
            if len(rows) == 1:
                log.exception("a row cannot be stored")
            reason = f"internal error: {type(error).__name__}"
        else:
            return []
        if len(rows) == 1 or self._tries >= MOST_TRIES:
            return [DeadLetter(rows, reason)]
        middle = len(rows) // 2
        halves = (rows[:middle], f"{token}.0"), (rows[middle:], f"{token}.1")
        return [letter for half, name in halves for letter in self._part(half, name)]


def parts_of(rows: pl.DataFrame, size: int) -> list[pl.DataFrame]:
    """`rows`, of `size` bytes, in parts that an insert can take: the same ones whenever they are tried, for each has a token."""
    count = ceil(len(rows) / MOST_ROWS)
    ends = [len(rows) * number // count for number in range(count + 1)]
    even = [rows[begin:end] for begin, end in pairwise(ends)]
    return even if size <= MOST_BYTES else [part for some in even for part in halved(some)]


def halved(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """`rows` in halves of halves, until each has few enough bytes or is one row."""
    if len(rows) == 1 or size_of(rows) <= MOST_BYTES:
        return [rows]
    middle = len(rows) // 2
    return [*halved(rows[:middle]), *halved(rows[middle:])]


def memory_of(rows: pl.DataFrame) -> int:
    """Bytes that rows keep in memory. Their texts are views into what was received, which is about as large again."""
    return 2 * int(rows.estimated_size())


def pauses() -> Iterator[float]:
    """Seconds between tries: doubling up to the longest, each drawn from its upper half, so that many do not come at once."""
    pause = SHORTEST_PAUSE
    while True:
        yield pause * random.uniform(0.5, 1)  # noqa: S311  # no secret
        pause = min(pause * 2, LONGEST_PAUSE)
