"""The latest events, and who waits for more: what the stream is made of.

There is one ring of events and no queue for each reader. A reader knows how far it has read and asks for what came since, so
that however slow it is, it costs the others nothing; what it has not read when the ring goes on without it, it has missed.
Readers that are up to date ask for the same: what they are told is put together once for all of them.

Events are published from any thread, a frame at a time; readers wait in the loop of the server. They are woken at most once
in `LINGER_SECONDS`, for writing to 200 sockets costs more than what is written.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal, NamedTuple

import polars as pl

from processors.events import EVENTS

LINGER_SECONDS = 0.1
AT_ONCE = 1_000
"""Events in one portion at most: nobody who resumes keeps the loop to himself."""
SMALL = 512
"""Events that come one by one are put together into frames of this many."""

MOST_TOLD = 64
"""Portions that are remembered until the next event."""

Form = Literal["sse", "json"]


class Choice(NamedTuple):
    """Which events a reader wants; empty: any."""

    type: tuple[str, ...] = ()
    agent_id: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()

    def of(self, events: pl.DataFrame) -> pl.DataFrame:
        """Those of `events` that are wanted."""
        wanted = [pl.col(name).is_in(values) for name, values in self._asdict().items() if values]
        return events.filter(*wanted) if wanted else events


class Portion(NamedTuple):
    """What came after a position: told in the form that was asked for, empty if nothing is wanted of it; and up to where."""

    text: str
    position: int


class Live:
    """The ring.

    Args:
        now: what time it is; ids grow with it, so that they go on growing after a restart.
        most: how many events are kept for those who come back.
    """

    def __init__(self, now: Callable[[], datetime], most: int = 50_000) -> None:
        self._now, self._most, self._small = now, most, min(SMALL, most // 8)
        self._guard = threading.Lock()
        self._frames: deque[pl.DataFrame] = deque()
        self._last = self._floor = microseconds(now())
        self._told: dict[tuple[int, Choice, Form], Portion] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bell = asyncio.Event()
        self._rings = False
        self.is_closed = False
        self.readers = 0

    @property
    def last(self) -> int:
        """The id of the newest event, or of the beginning."""
        return self._last

    @property
    def floor(self) -> int:
        """Everything after this id is still here."""
        return self._floor

    def knows(self, position: int) -> bool:
        """Whether nothing that came after `position` is gone."""
        return self._floor <= position <= self._last

    def publish(self, events: pl.DataFrame) -> None:
        """Tell these events, columns EVENTS, to whoever reads. From any thread; never waits."""
        if events.is_empty() or self.is_closed:
            return
        with self._guard:
            first = max(self._last + 1, microseconds(self._now()))
            self._last = first + events.height - 1
            self._keep(numbered(events, first))
            self._told = {}
            wake, self._rings = not self._rings, True
        if wake:
            self._in_loop(self._ring_soon)

    def close(self) -> None:
        """End every stream, for good: the server stops."""
        self.is_closed = True
        self._in_loop(self._ring)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Be counted as a reader; in the loop of the server."""
        if self._loop is not asyncio.get_running_loop():
            self._loop, self._bell, self._rings = asyncio.get_running_loop(), asyncio.Event(), False
        self.readers += 1
        try:
            yield
        finally:
            self.readers -= 1

    async def wait(self, position: int, seconds: float) -> bool:
        """Wait for something after `position`, or the end; False if nothing has come for `seconds`."""
        bell = self._bell
        if self.is_closed or (position != self._last and not self._rings):
            return True
        try:
            await asyncio.wait_for(bell.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def read(self, position: int, choice: Choice, form: Form) -> Portion | None:
        """What came after `position`, at most AT_ONCE events; None if some of it is gone."""
        with self._guard:
            if not self.knows(position):
                return None
            asked = (position, choice, form)
            told = self._told
            if asked in told:
                return told[asked]
            frames, last = [frame for frame in self._frames if frame["id"][-1] > position], self._last
        found = portion(frames, position, last, choice, form)
        if len(told) < MOST_TOLD:
            told[asked] = found
        return found

    def _keep(self, frame: pl.DataFrame) -> None:
        if self._frames and self._frames[-1].height + frame.height <= self._small:
            frame = pl.concat([self._frames.pop(), frame], rechunk=True)
        self._frames.append(frame)
        excess = sum(each.height for each in self._frames) - self._most
        while excess > 0:
            oldest = self._frames.popleft()
            self._floor = oldest["id"][min(excess, oldest.height) - 1]
            if oldest.height > excess:
                self._frames.appendleft(oldest.slice(excess))
            excess -= oldest.height

    def _in_loop(self, call: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(call)

    def _ring_soon(self) -> None:
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self._ring)

    def _ring(self) -> None:
        self._rings = False
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return int(moment.timestamp() * 1_000_000)


def numbered(events: pl.DataFrame, first: int) -> pl.DataFrame:
    """Events with their ids, in a column and in what is told."""
    ids = pl.int_range(first, first + pl.len(), dtype=pl.Int64).alias("id")
    framed = events.select(EVENTS.keys()).with_columns(ids)
    inside = pl.concat_str(pl.lit('{"id":"'), pl.col("id").cast(pl.String), pl.lit('",'), pl.col("event").str.slice(1))
    return framed.with_columns(event=inside)


def portion(frames: list[pl.DataFrame], position: int, last: int, choice: Choice, form: Form) -> Portion:
    """What is told of `frames` after `position`; up to `last`, unless there is more than goes into one portion."""
    if not frames:
        return Portion("", last)
    wanted = choice.of(pl.concat(frames).filter(pl.col("id") > position))
    if wanted.height > AT_ONCE:
        wanted = wanted.head(AT_ONCE)
        last = wanted["id"][-1]
    return Portion(FORMS[form](wanted) if wanted.height else "", last)


def as_sse(events: pl.DataFrame) -> str:
    """Events as server-sent events (HTML standard, 9.2.6). JSON has no line ends of its own."""
    of, to, line = pl.lit("id: "), pl.lit("\nevent: "), pl.lit("\ndata: ")
    each = pl.concat_str(of, pl.col("id").cast(pl.String), to, "type", line, "event", pl.lit("\n\n"))
    text: str = events.select(each.str.join("")).item()
    return text


def as_json(events: pl.DataFrame) -> str:
    """Events as one JSON object."""
    return f'{{"events":[{",".join(events["event"].to_list())}]}}'


FORMS: dict[Form, Callable[[pl.DataFrame], str]] = {"sse": as_sse, "json": as_json}
