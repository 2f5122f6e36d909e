"""How a figure is taken: CPU of the whole process, medians, merges included."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import numpy as np

from exporters.store import Store

Batch = TypeVar("Batch")
ROUND_SECONDS = 0.05
"""A round repeats its work until it takes about this long: shorter ones measure the clock."""
SETTLE_SECONDS = 60.0


@dataclass(frozen=True)
class Cost:
    """What a span costs, in microseconds: elapsed, and CPU of all threads of the process."""

    wall_us: float
    cpu_us: float


def timed(work: Callable[[], object], spans: int, rounds: int) -> Cost:
    """The median round of `work`, which handles `spans` spans; the first call, which fills caches, is left out."""
    work()
    started = time.perf_counter()
    work()
    times = max(1, round(ROUND_SECONDS / (time.perf_counter() - started)))
    taken = [_round(work, times) for _ in range(rounds)]
    per_span = 1e6 / spans / times
    return Cost(median(wall for wall, _ in taken) * per_span, median(cpu for _, cpu in taken) * per_span)


def _round(work: Callable[[], object], times: int) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        work()
    return time.perf_counter() - wall, time.process_time() - cpu


def sustained(store: Store, batches: Iterator[Batch], insert: Callable[[Batch], None], spans: int, seconds: float) -> Cost:
    """What inserting batch after batch costs: the time of the inserts, the CPU until the last merge has ended.

    Args:
        store: where `insert` inserts.
        batches: endless, each with ids of its own; what it costs to make one is measured before and subtracted.
        insert: stores a batch.
        spans: that a batch stands for.
        seconds: how long to insert.
    """
    insert(next(batches))
    settle(store)
    making = timed(lambda: next(batches), 1, 5)
    began, cpu, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < seconds:
        insert(next(batches))
        count += 1
    wall = time.perf_counter() - began
    settle(store)
    cpu = time.process_time() - cpu
    return Cost((wall * 1e6 / count - making.wall_us) / spans, (cpu * 1e6 / count - making.cpu_us) / spans)


def settle(store: Store, seconds: float = SETTLE_SECONDS) -> None:
    """Wait until no merge has been under way for half a second, but not for ever."""
    deadline, quiet = time.monotonic() + seconds, 0
    while quiet < 5 and time.monotonic() < deadline:
        quiet = 0 if store.query("SELECT count() AS merges FROM system.merges")["merges"].item() else quiet + 1
        time.sleep(0.1)


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99; none without values."""
    return {f"p{p}": float(np.percentile(values, p)) for p in (50, 95, 99)} if values else {}
