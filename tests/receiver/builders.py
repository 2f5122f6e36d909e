"""Requests with fixed ids and times, as an SDK would send them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from receiver.decode import Decoded, decode
from receiver.limits import Limits

NOW = datetime(2026, 11, 21, 12, 0, 0, 250_000, tzinfo=UTC)
START_NS = int(NOW.timestamp()) * 10**9 - 60 * 10**9
TRACE_ID = bytes(range(16))
SPAN_ID = bytes(range(8, 16))


def value(plain: Any) -> AnyValue:
    """`plain` as an OTLP value."""
    match plain:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=plain)
        case int():
            return AnyValue(int_value=plain)
        case float():
            return AnyValue(double_value=plain)
        case str():
            return AnyValue(string_value=plain)
        case bytes():
            return AnyValue(bytes_value=plain)
        case list():
            return AnyValue(array_value=ArrayValue(values=[value(item) for item in plain]))
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=attributes(plain)))
    raise TypeError(plain)


def attributes(plain: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value(item)) for key, item in plain.items()]


def span(number: int = 1, **fields: Any) -> Span:
    """A valid span; `number` makes its id."""
    defaults = {
        "trace_id": TRACE_ID,
        "span_id": number.to_bytes(8, "big"),
        "name": "chat",
        "kind": Span.SPAN_KIND_CLIENT,
        "start_time_unix_nano": START_NS,
        "end_time_unix_nano": START_NS + 1_500_000_000,
    }
    return Span(**(defaults | fields))


def request(
    *spans: Span, resource: dict[str, Any] | None = None, scope: dict[str, Any] | None = None
) -> ExportTraceServiceRequest:
    """One request, one resource, one scope."""
    made = ExportTraceServiceRequest()
    outer = made.resource_spans.add()
    outer.resource.attributes.extend(attributes({"service.name": "shop"} if resource is None else resource))
    inner = outer.scope_spans.add()
    inner.scope.name, inner.scope.version = "my.library", "1.2"
    inner.scope.attributes.extend(attributes(scope or {}))
    inner.spans.extend(spans)
    return made


def body(*spans: Span, **parts: Any) -> bytes:
    serialized: bytes = request(*spans, **parts).SerializeToString()
    return serialized


def field(number: int, content: bytes) -> bytes:
    """A length-delimited protobuf field, for bytes that the protobuf library refuses to make."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    low = number & 127
    return bytes([low | 128]) + varint(number >> 7) if number > 127 else bytes([low])


INVALID_UTF8 = field(1, field(2, field(2, field(5, b"\xff\xfe"))))
"""A request with a span whose name is no UTF-8."""
NESTED_INVALID_UTF8 = field(1, field(2, field(2, field(9, field(1, b"k") + field(2, field(5, field(1, field(1, b"\xff"))))))))
"""A request with a span with an attribute that is an array of one text that is no UTF-8."""


def decoded(*bodies: bytes, **limits: Any) -> Decoded:
    return decode(bodies, Limits(**limits), NOW)


def row(made: bytes, **limits: Any) -> dict[str, Any]:
    """The only span in `made`."""
    frame: pl.DataFrame = decoded(made, **limits).spans
    assert frame.height == 1
    return plain_rows(frame)[0]


def plain_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows with maps as lists of pairs in their order and times as nanoseconds."""
    rows: list[dict[str, Any]] = frame.with_columns(_nanoseconds(frame)).to_arrow().to_pylist()
    return rows


def _nanoseconds(frame: pl.DataFrame) -> list[pl.Expr]:
    times = [pl.col(n).cast(pl.Int64) for n, kind in frame.schema.items() if kind == pl.Datetime("ns", "UTC")]
    lists = [pl.col(n).cast(pl.List(pl.Int64)) for n, kind in frame.schema.items() if kind == pl.List(pl.Datetime("ns", "UTC"))]
    return times + lists


def ago(**parts: float) -> int:
    """Nanoseconds of a time before `NOW`."""
    return int((NOW - timedelta(**parts)).timestamp()) * 10**9
