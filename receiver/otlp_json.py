"""OTLP/JSON to protobuf bytes, so that one path decodes both.

OTLP's JSON is protobuf's JSON except that trace and span ids are hex instead of base64.
Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from processors.errors import Rejected
from receiver.signals import TRACES, Signal

IDS = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")


def to_protobuf(body: bytes, signal: Signal) -> bytes:
    """The request in `body` as protobuf; fields that OTLP does not know are ignored.

    Raises:
        Rejected: it is no JSON, or no request of this signal.
    """
    try:
        document = json.loads(body.decode())
        if not isinstance(document, dict):
            raise Rejected(f"the body is no OTLP {signal.name} request: expected a JSON object, found {type(document).__name__}")
        if signal is TRACES:
            for holder in _holders(document):
                _decode_ids(holder)
        return ParseDict(document, signal.request(), ignore_unknown_fields=True).SerializeToString()
    except RecursionError as error:
        raise Rejected("the JSON body is nested too deeply: an attribute may hold up to about 40 levels") from error
    except (ParseError, ValueError, TypeError, AttributeError) as error:
        raise Rejected(f"the JSON body is no OTLP {signal.name} request: {error}") from error


def _holders(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every span and link."""
    for resource in _objects(document, "resourceSpans", "resource_spans"):
        for scope in _objects(resource, "scopeSpans", "scope_spans"):
            for span in _objects(scope, "spans"):
                yield span
                yield from _objects(span, "links")


def _objects(parent: dict[str, Any], *names: str) -> Iterator[dict[str, Any]]:
    """The objects in the lists called `names`. What has another shape is left for the parser to complain of."""
    for name in names:
        children = parent.get(name)
        if isinstance(children, list):
            yield from (child for child in children if isinstance(child, dict))


def _decode_ids(holder: dict[str, Any]) -> None:
    for name in IDS:
        value = holder.get(name)
        if isinstance(value, str):
            try:
                holder[name] = base64.b64encode(bytes.fromhex(value)).decode()
            except ValueError as error:
                raise Rejected(f"{name} {value[:64]!r} is no hex: OTLP/JSON writes ids in hex, not in base64") from error
