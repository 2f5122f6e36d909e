"""What Merit reports of itself: every metric, its unit and what it is for, in this one place.

The instruments are OpenTelemetry's; `merit/telemetry.py` decides who reads them (Prometheus, an OTLP endpoint). A part
that is given none counts into nothing. Values of attributes come from short fixed lists, so that no sender can make the
number of series grow. Counted once a batch, never once a span (Vector, `docs/specs/component.md`).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from opentelemetry.metrics import CallbackOptions, Meter, NoOpMeter, Observation

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds of the buckets of durations, in seconds."""


class Instruments:
    """Every instrument of Merit, made of one meter.

    Args:
        meter: of OpenTelemetry; by default one that counts nothing.
    """

    def __init__(self, meter: Meter | None = None) -> None:
        self._meter = meter or NoOpMeter("merit")
        self.requests = self._counter("merit.otlp.requests", "{request}", "OTLP requests answered, by signal and outcome")
        self.received = self._counter("merit.otlp.received", "{item}", "spans, log records and data points in them, by signal")
        self.accepted = self._counter("merit.otlp.accepted", "{item}", "of these, those that were taken, by signal")
        self.rejected = self._counter("merit.otlp.rejected", "{item}", "of these, those that were not, by signal and reason")
        self.store_errors = self._counter("merit.store.errors", "{error}", "failed calls to the store, by what was being done")
        self.derived = self._counter("merit.derived", "{row}", "rows worked out, by table: nodes, tasks, workflows")
        self.late = self._counter("merit.late", "{trace}", "traces worked out again because more of them came")
        self.evaluations = self._counter(
            "merit.evaluations", "{evaluation}", "evaluations in spans and logs, by signal and outcome"
        )
        self.stage = self._seconds("merit.stage.duration", "time that one batch takes, by stage")
        self.job = self._seconds("merit.job.duration", "time that one run of a job takes, by job")
        self.job_failures = self._counter("merit.job.failures", "{run}", "runs of a job that failed, by job")
        self.answers = self._seconds("http.server.request.duration", "time to answer a question, by route, method and status")

    def _counter(self, name: str, unit: str, description: str) -> "Counter":
        return Counter(self._meter.create_counter(name, unit, description).add)

    def _seconds(self, name: str, description: str) -> "Timer":
        made = self._meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=SECONDS)
        return Timer(made.record)

    def watch_journal(self, look: Callable[[], "Depth"]) -> None:
        """Report how much waits in the journal whenever somebody reads the metrics."""
        self._gauge("merit.journal.entries", "{entry}", "what waits for the store", lambda: {"": look().entries})
        self._gauge("merit.journal.size", "By", "bytes that it takes on disk", lambda: {"": look().bytes})
        self._gauge("merit.journal.age", "s", "time since the oldest of it came", lambda: {"": look().seconds})

    def watch_storing(self, look: Callable[[], Mapping[str, "Stored"]]) -> None:
        """Report what became of journaled rows, by kind, whenever somebody reads the metrics."""

        def each(field: str) -> Look:
            return lambda: {kind: getattr(counts, field) for kind, counts in look().items()}

        kept, stored = "rows put on disk and acknowledged, by kind", "of these, rows that reached the store, by kind"
        self._total("merit.journal.kept", "{row}", kept, each("kept_rows"), "kind")
        self._total("merit.store.stored", "{row}", stored, each("stored_rows"), "kind")
        self._total("merit.store.retries", "{try}", "tries that the store could not take yet, by kind", each("retries"), "kind")
        self._total("merit.store.dead_letters", "{row}", "rows that it will never take, by kind", each("dead_rows"), "kind")

    def watch_open(self, spans: Callable[[], float], size: Callable[[], float]) -> None:
        """Report how many spans of unfinished traces are in memory, and their bytes, whenever somebody reads the metrics."""
        self._gauge("merit.open.spans", "{span}", "spans in memory of traces that are not finished", lambda: {"": spans()})
        self._gauge("merit.open.size", "By", "memory that these take", lambda: {"": size()})

    def _gauge(self, name: str, unit: str, description: str, look: "Look", by: str = "") -> None:
        self._meter.create_observable_gauge(name, [observing(look, by)], unit, description)

    def _total(self, name: str, unit: str, description: str, look: "Look", by: str = "") -> None:
        self._meter.create_observable_counter(name, [observing(look, by)], unit, description)


Look = Callable[[], Mapping[str, float]]
"""Values by that of the one attribute; without an attribute a single one, by the empty text."""


def observing(look: Look, by: str) -> Callable[[CallbackOptions], Iterator[Observation]]:
    """What OpenTelemetry calls to see `look`, by the attribute `by`."""

    def observe(_: CallbackOptions) -> Iterator[Observation]:
        for kind, value in look().items():
            yield Observation(value, {by: kind} if by else {})

    return observe


class Depth(NamedTuple):
    """What waits: how much, and since when."""

    entries: int
    bytes: int
    seconds: float


class Stored(Protocol):
    """What became of rows of one kind since the start."""

    kept_rows: int
    stored_rows: int
    retries: int
    dead_rows: int


class Counter:
    """Counts up; attributes are keywords."""

    def __init__(self, add: Callable[[float, dict[str, str]], None]) -> None:
        self._add = add

    def __call__(self, amount: float, **attributes: str) -> None:
        """Count `amount` more."""
        if amount:
            self._add(amount, attributes)


class Timer:
    """Measures durations in seconds; attributes are keywords."""

    def __init__(self, record: Callable[[float, dict[str, str]], None]) -> None:
        self._record = record

    def __call__(self, seconds: float, **attributes: str) -> None:
        """Record a duration that was measured elsewhere."""
        self._record(seconds, attributes)

    @contextmanager
    def of(self, **attributes: str) -> Iterator[None]:
        """Measure what happens inside, also if it fails."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._record(time.perf_counter() - begin, attributes)
