"""Spans of another dialect: LangGraph under OpenInference, as captured, as often as wanted, each time with new ids."""

import random
from collections.abc import Iterator
from itertools import count

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.golden.truth import Run, runs

DIALECT = "langgraph-openinference"


def requests(now_ns: int, wanted: int, size: int = 512, seed: int = 0) -> list[bytes]:
    """Requests of about `size` spans each, at least `wanted` spans in all; every trace is whole and ended by `now_ns`."""
    chance = random.Random(seed)
    captured = [_merged(run) for run in runs() if run.folder.parent.name == DIALECT]
    made: list[bytes] = []
    total, request = 0, ExportTraceServiceRequest()
    for number in count():
        if total >= wanted:
            break
        copy = ExportTraceServiceRequest()
        copy.CopyFrom(captured[number % len(captured)])
        _renew(list(spans_of(copy)), now_ns, chance)
        request.MergeFrom(copy)
        total += sum(1 for _ in spans_of(copy))
        if sum(1 for _ in spans_of(request)) >= size:
            made.append(request.SerializeToString())
            request = ExportTraceServiceRequest()
    return [*made, request.SerializeToString()] if request.resource_spans else made


def spans_of(request: ExportTraceServiceRequest) -> Iterator[Span]:
    """Every span of a request."""
    return (span for outer in request.resource_spans for scope in outer.scope_spans for span in scope.spans)


def _merged(run: Run) -> ExportTraceServiceRequest:
    whole = ExportTraceServiceRequest()
    for payload in run.payloads:
        whole.MergeFromString(payload)
    return whole


def _renew(spans: list[Span], now_ns: int, chance: random.Random) -> None:
    """Give equal ids equal new ones, and move the last end to `now_ns`."""
    new: dict[bytes, bytes] = {b"": b""}
    later = now_ns - max(span.end_time_unix_nano for span in spans)
    for span in spans:
        for name in ("trace_id", "span_id", "parent_span_id"):
            old = getattr(span, name)
            setattr(span, name, new.setdefault(old, chance.randbytes(len(old))))
        span.start_time_unix_nano += later
        span.end_time_unix_nano += later
        for event in span.events:
            event.time_unix_nano += later
