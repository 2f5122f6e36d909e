"""The floor: what the libraries cost alone, before Merit does anything. Everything else is given as a ratio to it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
import psutil
import pyarrow as pa
import pyarrow.compute as pc

from exporters.store import ENDLESS, INSERT, Store
from processors.conventions.read import Conventions
from processors.cost import Pricer
from processors.derive import Derived, Phase, derive
from processors.frames import SAID, SPANS, conform
from receiver.decode import WIRE, decode
from receiver.limits import Limits
from tests.benchmarks.children import bare_server, send
from tests.benchmarks.measure import Cost, sustained, timed
from tests.benchmarks.sender import Order
from tests.benchmarks.traffic import Traffic

BATCH = 20_000
"""Rows of a batch, as in the measurements of the design."""
SALTED = 8
"""Characters at the beginning of a trace id that make it another."""


@dataclass(frozen=True)
class Sample:
    """Requests, and what becomes of them on the way."""

    bodies: list[bytes]
    received: pl.DataFrame
    stored: pl.DataFrame
    priced: pl.DataFrame
    derived: Derived

    @property
    def spans(self) -> int:
        """How many spans the requests hold."""
        return len(self.received)


@dataclass(frozen=True)
class Floor:
    """CPU and time per span (inserts of nodes: per span that they are made of), and per request of a server that does nothing."""

    decode: Cost
    spans: Cost
    nodes: Cost
    requests_per_second: dict[int, float]
    request_cpu_us: dict[int, float]

    @property
    def cpu_us(self) -> float:
        """CPU per span: decoding, and the inserts into `otel_traces` and `nodes` with their merges."""
        return self.decode.cpu_us + self.spans.cpu_us + self.nodes.cpu_us


def traffic(spans: int, requests: int) -> list[bytes]:
    """So many requests of so many spans, times that end now."""
    made = Traffic(spans)
    return [body for _ in range(requests) for body in made.requests(time.time_ns())]


def sample(bodies: list[bytes]) -> Sample:
    """Take requests through all steps once."""
    now, price = datetime.now(UTC), Pricer()
    received = decode(bodies, Limits(), now).spans
    priced = price(Conventions()(received))
    stored = conform(received.with_columns(priced.select(c for c in SAID if c in SPANS)), SPANS)
    return Sample(bodies, received, stored, priced, derive(priced, Phase.WHOLE, now, price))


def measure(store: Store, seconds: float, rounds: int) -> Floor:
    """Measure the floor on an open store, whose tables are emptied afterwards."""
    of = sample(traffic(512, BATCH // 512 + 1))
    decoding = timed(lambda: WIRE.columns(of.bodies), of.spans, rounds)
    spans = _inserting(store, "otel_traces", of.stored, "TraceId", of.spans, seconds)
    nodes = _inserting(store, "nodes", of.derived.nodes, "trace_id", of.spans, seconds)
    rates, costs = {}, {}
    for size in (1, 512):
        rates[size], costs[size] = _acknowledging(size, seconds)
    return Floor(decoding, spans, nodes, rates, costs)


def _inserting(store: Store, table: str, frame: pl.DataFrame, key: str, spans: int, seconds: float) -> Cost:
    """Insert Arrow batches that are ready, past everything of Merit's, with the settings that it inserts with."""
    client = store._client(ENDLESS)

    def insert(batch: pa.Table) -> None:
        client.insert_arrow(table, batch, settings=INSERT)

    try:
        return sustained(store, _renewed(frame.to_arrow(), key), insert, spans, seconds)
    finally:
        empty_tables(store)


def _renewed(table: pa.Table, key: str) -> Iterator[pa.Table]:
    """The same rows again and again, each time of other traces."""
    place, number = table.column_names.index(key), 0
    while True:
        ids = pc.utf8_replace_slice(table[key], 0, SALTED, f"{number:0{SALTED}x}")
        yield table.set_column(place, key, ids)
        number += 1


def _acknowledging(spans: int, seconds: float) -> tuple[float, float]:
    """Requests a second, and microseconds of CPU a request, of a gRPC server that does nothing."""
    with bare_server() as (target, pid):
        process = psutil.Process(pid)
        before = sum(process.cpu_times()[:2])
        sent = send(Order(target, spans, seconds, connections=4))
        cpu = sum(process.cpu_times()[:2]) - before
    return sent.requests / (sent.ended - sent.began), cpu * 1e6 / sent.requests


def empty_tables(store: Store) -> None:
    """Begin afresh."""
    for table in ("otel_traces", "otel_traces_trace_id_ts", "nodes", "tasks", "workflows"):
        store.command("TRUNCATE TABLE {table:Identifier}", {"table": table})
