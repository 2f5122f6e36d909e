"""Group commit: requests that come while one batch is being kept become the next batch.

One thread takes everything that waits, decodes it jointly and has it kept on disk in one go, so that many small requests
share one fsync. Whoever sent a request is answered when it is on disk, never before. One that was taken within the last
hour and comes again is told the same again.
"""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import polars as pl

from processors.errors import Forbidden, MeritError, NoRoom, Rejected, TooFast, Unauthenticated, Unavailable
from processors.telemetry import Instruments
from receiver.limits import Limits
from receiver.reading import Outcome, read
from receiver.receipts import Receipt, digest
from receiver.room import Room
from receiver.signals import TRACES, Signal

Redact = Callable[[pl.DataFrame], pl.DataFrame]
Now = Callable[[], datetime]
Result = Outcome | MeritError

MAX_BATCH_REQUESTS = 4096
LINGER_SECONDS = 0.04
"""How long a batch waits at most for those who have just been answered: senders that wait for their answers send again together,
and each batch has a price of its own, some 5 ms."""
GAP_SECONDS = 0.005
"""A batch waits no longer when nobody has come for so long: who was answered has nothing more to send, or sends by the clock."""
SMALL_BYTES = 256 * 1024
"""Nor when it is as large as this: its price is shared by enough by then."""
OVERHEAD = 1024
"""Bytes that a waiting request costs besides its body."""

log = logging.getLogger(__name__)


class Answer(Protocol):
    """Where one is told what became of a request, as of a future: first whether somebody still waits, then once how it went."""

    def set_running_or_notify_cancel(self) -> bool: ...  # noqa: D102
    def set_result(self, result: Outcome, /) -> None: ...  # noqa: D102
    def set_exception(self, exception: BaseException | None, /) -> None: ...  # noqa: D102


class Waiting(NamedTuple):
    """A request and the promise to answer it."""

    body: bytes
    answer: Answer

    @property
    def size(self) -> int:
        """What it takes of the room."""
        return len(self.body) + OVERHEAD


class Keeper(Protocol):
    """Where rows are safe."""

    def known(self, digest: bytes) -> Outcome | None:
        """What a request was told, if it has been accepted lately."""

    def refuse_if_full(self) -> None:
        """Raise NoRoom if nothing more can be kept."""

    def keep(self, frames: Mapping[str, pl.DataFrame], receipts: Sequence[Receipt] = ()) -> object:
        """Keep rows by kind and what their senders are told: on disk on return. Raises Unavailable, or NoRoom."""


class Intake:
    """Takes requests of one signal, keeps them in batches, answers each.

    Args:
        keeper: keeps frames, by kind of row.
        now: the clock.
        limits: how much of a record is taken.
        room: bounds what waits.
        max_batch_bytes: a batch takes no further request beyond this.
        redact: what is done to each frame before anything is written.
        signal: whose requests these are.
        instruments: count what comes and what becomes of it.
    """

    def __init__(
        self,
        keeper: Keeper,
        now: Now,
        limits: Limits,
        room: Room,
        max_batch_bytes: int,
        redact: Redact = lambda frame: frame,
        signal: Signal = TRACES,
        instruments: Instruments | None = None,
    ) -> None:
        self._signal, self._instruments = signal, instruments or Instruments()
        self._keeper, self._now, self._limits, self._room, self._redact = keeper, now, limits, room, redact
        self._max_batch_bytes = max_batch_bytes
        self._waiting: deque[Waiting] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._wanted, self._expected = 1, 1
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name=f"merit-intake-{signal.name}", daemon=True)

    def start(self) -> None:
        """Begin to take."""
        self._thread.start()

    def submit(self, body: bytes) -> Future[Outcome]:
        """As `take`; the future says what became of the request, or raises Rejected or Unavailable."""
        answer: Future[Outcome] = Future()
        self.take(body, answer)
        return answer

    def take(self, body: bytes, answer: Answer) -> None:
        """Take a serialized request of the signal; `answer` is told what became of it, or Rejected or Unavailable.

        Raises:
            NoRoom: too much waits already, in memory or on disk.
            Unavailable: the receiver is stopping.
        """
        waiting = Waiting(body, answer)
        if not body:
            answer.set_result(Outcome())
            return
        try:
            self._keeper.refuse_if_full()
            self._room.take(waiting.size)
        except NoRoom as error:
            self._count([error])
            raise
        with self._changed:
            if self._stopping:
                self._room.give(waiting.size)
                stopping = Unavailable("the receiver is stopping: send this request again later")
                self._count([stopping])
                raise stopping
            self._waiting.append(waiting)
            self._waiting_bytes += len(body)
            if len(self._waiting) >= self._wanted:
                self._changed.notify()

    @contextmanager
    def at_the_door(self) -> Iterator[None]:
        """Count a request that is refused inside: it never gets as far as `submit`, which counts for itself."""
        try:
            yield
        except MeritError as error:
            self._count([error])
            raise

    def stop(self, grace: timedelta) -> None:
        """Take nothing more, keep what waits, and give up on what is not kept within `grace`. Safe to call twice."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(grace.total_seconds())
        with self._changed:
            left = [waiting for waiting in self._waiting if waiting.answer.set_running_or_notify_cancel()]
            self._waiting.clear()
        _answer(left, [Unavailable("the receiver has stopped: send this request again later")] * len(left))

    def _work(self) -> None:
        while self._next():
            pass  # while it waits for the next batch nothing of the last one may be left here

    def _next(self) -> bool:
        """Wait for a batch, keep it and answer; False when stopping and nothing is left."""
        taken = self._take()
        batch = [waiting for waiting in taken if waiting.answer.set_running_or_notify_cancel()]
        try:
            self._store(batch)
        finally:
            self._room.give(sum(waiting.size for waiting in taken))
            self._expected = len(batch) + len(self._waiting)
        return bool(taken)

    def _take(self) -> list[Waiting]:
        """What waits, within the bounds of a batch; empty only when stopping and nothing is left."""
        with self._changed:
            self._await(1, None)
            self._linger()
            batch: list[Waiting] = []
            size = 0
            while self._waiting and len(batch) < MAX_BATCH_REQUESTS:
                size += len(self._waiting[0].body)
                if batch and size > self._max_batch_bytes:
                    break
                batch.append(self._waiting.popleft())
                self._waiting_bytes -= len(batch[-1].body)
            return batch

    def _linger(self) -> None:
        """Wait for those who were answered last, beside those who waited already, for as long as they keep coming."""
        until = time.monotonic() + LINGER_SECONDS
        while len(self._waiting) < self._expected and self._waiting_bytes < SMALL_BYTES and time.monotonic() < until:
            before = len(self._waiting)
            self._await(self._expected, GAP_SECONDS)
            if len(self._waiting) == before:
                break

    def _await(self, wanted: int, seconds: float | None) -> None:
        """Return when so many requests wait, when it has taken so long, or when stopping."""
        self._wanted = wanted
        self._changed.wait_for(lambda: len(self._waiting) >= wanted or self._stopping, seconds)

    def _store(self, batch: Sequence[Waiting]) -> None:
        """Keep a batch and answer it. A fault of ours must not end the thread, nor spread to the neighbours of its cause."""
        if not batch:
            return
        try:
            results = self._results([waiting.body for waiting in batch])
        except Exception:
            if len(batch) > 1:
                for waiting in batch:
                    self._store([waiting])
                return
            log.exception("A request of %d bytes could not be taken", len(batch[0].body))
            results = [Unavailable("internal error: send this request again later", retry_after=timedelta(seconds=30))]
        self._count(results)
        _answer(batch, results)

    def _count(self, results: Sequence[Result]) -> None:
        for outcome, number in Counter(map(named, results)).items():
            self._instruments.requests(number, signal=self._signal.name, outcome=outcome)

    def _results(self, bodies: Sequence[bytes]) -> list[Result]:
        """What each request is told. Those that are the same share what the first of them is told."""
        names = [digest(self._signal.name, body) for body in bodies]
        told: dict[bytes, Result] = {name: known for name in names if (known := self._keeper.known(name))}
        fresh = {name: body for name, body in zip(names, bodies, strict=True) if name not in told}
        if fresh:
            told.update(zip(fresh, self._kept(list(fresh), list(fresh.values())), strict=True))
        return [told[name] for name in names]

    def _kept(self, names: Sequence[bytes], bodies: Sequence[bytes]) -> list[Result]:
        with self._measured("decode"):
            frames, outcomes, broken = read(self._signal.reading, bodies, self._limits, self._now())
        self._count_records(sum(map(accepted, outcomes)), broken)
        found = zip(names, outcomes, strict=True)
        receipts = [Receipt(name, told) for name, told in found if isinstance(told, Outcome) and told.accepted]
        if receipts:
            with self._measured("redact"):
                clean = {kind: self._redact(frame) for kind, frame in frames.items() if len(frame)}
            try:
                with self._measured("journal"):
                    self._keeper.keep(clean, receipts)
            except Unavailable as error:
                return [error if accepted(outcome) else outcome for outcome in outcomes]
            self._instruments.accepted(sum(map(accepted, outcomes)), signal=self._signal.name)
        return list(outcomes)

    def _measured(self, stage: str) -> AbstractContextManager[None]:
        return self._instruments.stage.of(stage=stage, signal=self._signal.name)

    def _count_records(self, taken: int, broken: Counter[str]) -> None:
        signal = self._signal.name
        self._instruments.received(taken + broken.total(), signal=signal)
        for rule, number in broken.items():
            self._instruments.rejected(number, signal=signal, reason=rule)


OUTCOMES: dict[type[MeritError], str] = {
    Unauthenticated: "unauthenticated",
    Forbidden: "forbidden",
    Rejected: "rejected",
    TooFast: "too fast",
    NoRoom: "full",
    Unavailable: "unavailable",
}


def named(result: Result) -> str:
    """What a request that was told `result` is counted as."""
    if isinstance(result, Outcome):
        return "partial" if result.rejected else "accepted"
    return next(OUTCOMES[kind] for kind in type(result).__mro__ if kind in OUTCOMES)


def accepted(outcome: Result) -> int:
    """How many records of a request were taken."""
    return outcome.accepted if isinstance(outcome, Outcome) else 0


def _answer(batch: Sequence[Waiting], results: Sequence[Result]) -> None:
    for waiting, result in zip(batch, results, strict=True):
        if isinstance(result, Outcome):
            waiting.answer.set_result(result)
        else:
            waiting.answer.set_exception(_without_frames(result))


def _without_frames(error: MeritError) -> MeritError:
    """`error`, to be told to somebody else. The frames that it came through hold it in turn, and with them requests."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error
