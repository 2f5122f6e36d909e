"""Group commit: requests that come while one batch is being stored become the next batch.

One thread takes everything that waits, decodes it jointly and hands it to `consume` in one call, so that many small
requests share one insert. Whoever sent a request is answered when `consume` has returned, never before.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from processors.errors import MeritError, Rejected, Unavailable
from receiver.decode import decode
from receiver.limits import Limits
from receiver.reading import Outcome
from receiver.room import Room

Consume = Callable[[pl.DataFrame], None]
Now = Callable[[], datetime]
Result = Outcome | MeritError

MAX_BATCH_REQUESTS = 4096
OVERHEAD = 1024
"""Bytes that a waiting request costs besides its body."""

log = logging.getLogger(__name__)


class Waiting(NamedTuple):
    """A request and the promise to answer it."""

    body: bytes
    answer: Future[Outcome]

    @property
    def size(self) -> int:
        """What it takes of the room."""
        return len(self.body) + OVERHEAD


class Intake:
    """Takes requests, stores them in batches, answers each.

    Args:
        consume: stores a frame of `RECEIVED` columns before it returns, or raises Rejected or Unavailable.
        now: the clock.
        limits: how much of a span is taken.
        room: bounds what waits.
        max_batch_bytes: a batch takes no further request beyond this.
    """

    def __init__(self, consume: Consume, now: Now, limits: Limits, room: Room, max_batch_bytes: int) -> None:
        self._consume, self._now, self._limits, self._room = consume, now, limits, room
        self._max_batch_bytes = max_batch_bytes
        self._waiting: deque[Waiting] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="merit-intake", daemon=True)

    def start(self) -> None:
        """Begin to store."""
        self._thread.start()

    def submit(self, body: bytes) -> Future[Outcome]:
        """Take a serialized `ExportTraceServiceRequest`; the future says what became of it, or raises Rejected or Unavailable.

        Raises:
            NoRoom: too much waits already.
            Unavailable: the receiver is stopping.
        """
        waiting = Waiting(body, Future())
        if not body:
            waiting.answer.set_result(Outcome())
            return waiting.answer
        self._room.take(waiting.size)
        with self._changed:
            if self._stopping:
                self._room.give(waiting.size)
                raise Unavailable("the receiver is stopping: send this request again later")
            self._waiting.append(waiting)
            self._changed.notify()
        return waiting.answer

    def stop(self, grace: timedelta) -> None:
        """Take nothing more, store what waits, and give up on what is not stored within `grace`. Safe to call twice."""
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
        while taken := self._take():
            batch = [waiting for waiting in taken if waiting.answer.set_running_or_notify_cancel()]
            try:
                self._store(batch)
            finally:
                self._room.give(sum(waiting.size for waiting in taken))

    def _take(self) -> list[Waiting]:
        """What waits, within the bounds of a batch; empty only when stopping and nothing is left."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            batch: list[Waiting] = []
            size = 0
            while self._waiting and len(batch) < MAX_BATCH_REQUESTS:
                size += len(self._waiting[0].body)
                if batch and size > self._max_batch_bytes:
                    break
                batch.append(self._waiting.popleft())
            return batch

    def _store(self, batch: Sequence[Waiting]) -> None:
        """Store a batch and answer it. A fault of ours must not end the thread, nor spread to the neighbours of its cause."""
        if not batch:
            return
        try:
            results = self._results([waiting.body for waiting in batch])
        except Exception:
            if len(batch) > 1:
                for waiting in batch:
                    self._store([waiting])
                return
            log.exception("A request of %d bytes could not be stored", len(batch[0].body))
            results = [Unavailable("internal error: send this request again later", retry_after=timedelta(seconds=30))]
        _answer(batch, results)

    def _results(self, bodies: Sequence[bytes]) -> list[Result]:
        spans, outcomes = decode(bodies, self._limits, self._now())
        return self._consumed(spans, outcomes)

    def _consumed(self, spans: pl.DataFrame, outcomes: Sequence[Result]) -> list[Result]:
        """Hand on the spans; if they are rejected, request by request, so that the guilty one alone is told."""
        if spans.is_empty():
            return list(outcomes)
        try:
            self._consume(spans)
        except Unavailable as error:
            return [error if accepted(outcome) else outcome for outcome in outcomes]
        except Rejected as error:
            if sum(1 for outcome in outcomes if accepted(outcome)) == 1:
                return [error if accepted(outcome) else outcome for outcome in outcomes]
            return self._one_by_one(spans, outcomes)
        return list(outcomes)

    def _one_by_one(self, spans: pl.DataFrame, outcomes: Sequence[Result]) -> list[Result]:
        results, offset = [], 0
        for outcome in outcomes:
            results += self._consumed(spans.slice(offset, accepted(outcome)), [outcome])
            offset += accepted(outcome)
        return results


def accepted(outcome: Result) -> int:
    """How many spans of a request were taken."""
    return outcome.accepted if isinstance(outcome, Outcome) else 0


def _answer(batch: Sequence[Waiting], results: Sequence[Result]) -> None:
    for waiting, result in zip(batch, results, strict=True):
        if isinstance(result, Outcome):
            waiting.answer.set_result(result)
        else:
            waiting.answer.set_exception(result)
