"""The same conversion written span by span over protobuf objects: slow and plain, to hold the columns against."""

import base64
import json
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.receiver.builders import NOW

KINDS = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"]
CODES = ["Unset", "Ok", "Error"]


def rows_of(body: bytes) -> list[dict[str, Any]]:
    """The rows of a serialized request all of whose spans are valid."""
    parsed = ExportTraceServiceRequest.FromString(body)
    return [
        row_of(span, outer.resource, inner.scope)
        for outer in parsed.resource_spans
        for inner in outer.scope_spans
        for span in inner.spans
    ]


def row_of(span: Span, resource: Any, scope: Any) -> dict[str, Any]:
    """One row as `plain_rows` gives it."""
    dropped = [span, resource, scope, *span.events, *span.links]
    return {
        "Timestamp": span.start_time_unix_nano,
        "TraceId": span.trace_id.hex(),
        "SpanId": span.span_id.hex(),
        "ParentSpanId": span.parent_span_id.hex() if any(span.parent_span_id) else "",
        "TraceState": span.trace_state,
        "SpanName": span.name,
        "SpanKind": KINDS[span.kind] if 0 <= span.kind < len(KINDS) else KINDS[0],
        "ServiceName": dict(pairs_of(resource.attributes)).get("service.name", ""),
        "ResourceAttributes": pairs_of(resource.attributes),
        "ScopeName": scope.name,
        "ScopeVersion": scope.version,
        "SpanAttributes": pairs_of([*scope.attributes, *span.attributes]),
        "Duration": max(0, span.end_time_unix_nano - span.start_time_unix_nano),
        "StatusCode": CODES[span.status.code] if 0 <= span.status.code < len(CODES) else CODES[0],
        "StatusMessage": span.status.message,
        "Events.Timestamp": [min(event.time_unix_nano, 2**63 - 1) for event in span.events],
        "Events.Name": [event.name for event in span.events],
        "Events.Attributes": [pairs_of(event.attributes) for event in span.events],
        "Links.TraceId": [link.trace_id.hex() for link in span.links],
        "Links.SpanId": [link.span_id.hex() for link in span.links],
        "Links.TraceState": [link.trace_state for link in span.links],
        "Links.Attributes": [pairs_of(link.attributes) for link in span.links],
        "DroppedAttributes": min(sum(part.dropped_attributes_count for part in dropped), 2**32 - 1),
        "IngestedAt": NOW,
    }


def pairs_of(attributes: Iterable[KeyValue]) -> list[tuple[str, str]]:
    last = {pair.key: text_of(pair.value) for pair in attributes}
    return sorted(last.items(), key=lambda pair: pair[0].encode())


def text_of(value: AnyValue) -> str:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return str(value.bool_value).lower()
        case "int_value":
            return str(value.int_value)
        case "double_value":
            return number_text(value.double_value)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value" | "kvlist_value":
            return json.dumps(plain_of(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return ""


def plain_of(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case "array_value":
            return [plain_of(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: plain_of(pair.value) for pair in value.kvlist_value.values}
        case "string_value" | "bytes_value":
            return text_of(value)
        case None:
            return None
        case "double_value" if not math.isfinite(value.double_value):
            return number_text(value.double_value)
    number = getattr(value, value.WhichOneof("value"))
    return int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 2**53 else number


def number_text(number: float) -> str:
    """ECMAScript's Number::toString, from the digits of `repr` (https://tc39.es/ecma262/#sec-numeric-types-number-tostring)."""
    if math.isnan(number):
        return "NaN"
    sign = "-" if math.copysign(1, number) < 0 else ""
    if math.isinf(number):
        return sign + "Infinity"
    if number == 0:
        return sign + "0"  # Go, unlike ECMAScript, keeps the sign of zero
    _, parts, exponent = Decimal(repr(abs(number))).normalize().as_tuple()
    digits = "".join(map(str, parts))
    k, n = len(digits), len(digits) + int(exponent)
    if k <= n <= 21:
        return sign + digits + "0" * (n - k)
    if 0 < n <= 21:
        return f"{sign}{digits[:n]}.{digits[n:]}"
    if -6 < n <= 0:
        return f"{sign}0.{'0' * -n}{digits}"
    tail = f".{digits[1:]}" if k > 1 else ""
    return f"{sign}{digits[0]}{tail}e{n - 1:+d}"
