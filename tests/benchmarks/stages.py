"""Each stage of Merit alone, on frames as the stage before it makes them."""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from exporters import traces
from exporters.store import Store
from processors.assemble import OpenTraces
from processors.conventions.read import Conventions
from processors.cost import Pricer
from processors.derive import Phase, derive
from processors.frames import STRING
from processors.redact.redactor import Redactor
from processors.settings import AssembleSettings
from receiver.decode import decode
from receiver.journal import Journal
from receiver.limits import Limits
from receiver.reading import Outcome
from receiver.receipts import Receipt, digest
from tests.benchmarks import captures
from tests.benchmarks.floor import SALTED, Floor, Sample, empty_tables, sample, traffic
from tests.benchmarks.measure import Cost, sustained, timed

JOINED = 40
"""Requests of 512 spans joined: about what waits while one batch is stored under load."""


@dataclass(frozen=True)
class Stage:
    """What a stage costs per span; `floor_us` is the CPU of the libraries that do the bulk of it, where they can be told."""

    traffic: str
    spans: int
    name: str
    cost: Cost
    floor_us: float | None = None


def measure(store: Store, floor: Floor, seconds: float, rounds: int) -> Iterator[Stage]:
    """Measure every stage: joined requests, a request alone, and a dialect with JSON in strings."""
    langgraph = captures.requests(time.time_ns(), 512 * JOINED)
    kinds = (
        ("OTel GenAI", sample(traffic(512, JOINED)), True),
        ("OTel GenAI", sample(traffic(512, 1)), True),
        ("LangGraph, OpenInference", sample(langgraph), False),
        ("LangGraph, OpenInference", sample(langgraph[:1]), False),
    )
    for name, of, inserts in kinds:
        for stage, work in _pure(of).items():
            own = floor.decode.cpu_us if stage == "decode" and inserts else None
            yield Stage(name, of.spans, stage, timed(work, of.spans, rounds), own)
        yield Stage(name, of.spans, "journal", _journaling(of, rounds))
        if inserts:
            own = floor.spans.cpu_us
            yield Stage(name, of.spans, "insert otel_traces", _inserting_spans(store, of, seconds), own)
            yield Stage(name, of.spans, "insert derived rows", _inserting_derived(store, of, seconds), floor.nodes.cpu_us)


def _pure(of: Sample) -> dict[str, Callable[[], object]]:
    """The stages without a store."""
    now, limits, redact, conventions, price = datetime.now(UTC), Limits(), Redactor(), Conventions(), Pricer()
    readings = conventions(of.received)
    return {
        "decode": lambda: decode(of.bodies, limits, now),
        "redact": lambda: redact(of.received),
        "conventions": lambda: conventions(of.received),
        "cost": lambda: price(readings),
        "assemble": lambda: _assemble(of.priced, now),
        "derive": lambda: derive(of.priced, Phase.WHOLE, now, price),
    }


def _journaling(of: Sample, rounds: int) -> Cost:
    """On disk, begun as a batch and let go of: three transactions a batch."""

    def through() -> None:
        entry = journal.append({"spans": of.received}, [Receipt(digest("spans", body), Outcome(1)) for body in of.bodies])[
            "spans"
        ]
        journal.end(journal.begin("spans", entry, entry))

    with tempfile.TemporaryDirectory(prefix="merit-bench-") as folder:
        journal = Journal(Path(folder), lambda: datetime.now(UTC), 1 << 30, 1 << 30).open()
        try:
            return timed(through, of.spans, rounds)
        finally:
            journal.close()


def _assemble(readings: pl.DataFrame, now: datetime) -> None:
    """From the first span of all these traces until none is open."""
    open_traces = OpenTraces(AssembleSettings(), pl.Series([], dtype=STRING), now)
    open_traces.add(readings)
    for due in open_traces.due(now + timedelta(seconds=5)):
        open_traces.settle(due, [], now)
    assert len(open_traces) == 0


def _inserting_spans(store: Store, of: Sample, seconds: float) -> Cost:
    try:
        return sustained(store, _renewed(of.stored, "TraceId"), lambda frame: traces.store_spans(store, frame), of.spans, seconds)
    finally:
        empty_tables(store)


def _inserting_derived(store: Store, of: Sample, seconds: float) -> Cost:
    frames = (of.derived.nodes, of.derived.tasks, of.derived.workflows)
    batches = zip(*(_renewed(frame, "trace_id") for frame in frames), strict=True)

    def insert(batch: tuple[pl.DataFrame, ...]) -> None:
        nodes, tasks, workflows = batch
        traces.replace_derived(store, nodes, tasks, workflows, [])

    try:
        return sustained(store, batches, insert, of.spans, seconds)
    finally:
        empty_tables(store)


def _renewed(frame: pl.DataFrame, key: str) -> Iterator[pl.DataFrame]:
    """The same rows again and again, each time of other traces."""
    number = 0
    while True:
        yield frame.with_columns((pl.lit(f"{number:0{SALTED}x}") + pl.col(key).str.slice(SALTED)).alias(key))
        number += 1
