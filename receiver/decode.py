"""OTLP bytes to a frame of `RECEIVED` columns, many requests at once.

The Collector's ClickHouse exporter drops the attributes of a span's scope; here they join the span's own, whose value wins
where both have a key.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl
import pyarrow as pa
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from processors.errors import Rejected
from processors.frames import RECEIVED, empty
from receiver.admit import span_rules
from receiver.batch import flatten
from receiver.descriptors import Wire
from receiver.limits import Limits
from receiver.reading import Outcome, Part, Reading, read
from receiver.span_columns import span_columns

SPANS = "spans"
"""The kind of the rows that traces are made of."""
WIRE = Wire(ExportTraceServiceRequest)


class Decoded(NamedTuple):
    """The spans taken of all requests, in the order they came, and what became of each request."""

    spans: pl.DataFrame
    outcomes: list[Outcome | Rejected]


def decode(requests: Sequence[bytes], limits: Limits, now: datetime) -> Decoded:
    """Decode `requests` jointly; a malformed one gets `Malformed` for an outcome and harms no other.

    Args:
        requests: serialized `ExportTraceServiceRequest`s.
        limits: how much of a span is taken.
        now: becomes `IngestedAt`, and decides which times are out of range.
    """
    frames, outcomes, _ = read(READING, requests, limits, now)
    return Decoded(frames[SPANS], outcomes)


def _spans(columns: pa.ListArray, limits: Limits) -> dict[str, Part]:
    return {SPANS: Part(flatten(columns, "scope_spans", "spans", limits), span_rules, span_columns)}


READING = Reading(WIRE, _spans, {SPANS: empty(RECEIVED)})
