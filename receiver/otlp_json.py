"""OTLP/JSON to protobuf bytes, so that one path decodes both.

OTLP's JSON is protobuf's JSON except that trace and span ids are hex instead of base64.
A span whose ids are no hex is rejected alone, by the rule that rejects ids of a wrong length; a link's are left empty.
Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from processors.errors import Rejected
from receiver.hexadecimal import not_hex
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
            for span in _spans(document):
                _decode_ids(span, not_hex)
                for link in _objects(span, "links"):
                    _decode_ids(link, lambda _text: b"")
        return ParseDict(document, signal.request(), ignore_unknown_fields=True).SerializeToString()
    except RecursionError as error:
        raise Rejected("the JSON body is nested too deeply: an attribute may hold up to about 40 levels") from error
    except (ParseError, ValueError, TypeError, AttributeError) as error:
        raise Rejected(f"the JSON body is no OTLP {signal.name} request: {error}") from error


def _spans(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in _objects(document, "resourceSpans", "resource_spans"):
        for scope in _objects(resource, "scopeSpans", "scope_spans"):
            yield from _objects(scope, "spans")


def _objects(parent: dict[str, Any], *names: str) -> Iterator[dict[str, Any]]:
    """The objects in the lists called `names`. What has another shape is left for the parser to complain of."""
    for name in names:
        children = parent.get(name)
        if isinstance(children, list):
            yield from (child for child in children if isinstance(child, dict))


def _decode_ids(holder: dict[str, Any], instead: Callable[[str], bytes]) -> None:
    """Turn the ids of a span or link from hex into base64; what is no hex becomes `instead` of it."""
    for name in IDS:
        value = holder.get(name)
        if isinstance(value, str):
            try:
                decoded = bytes.fromhex(value)
            except ValueError:
                decoded = instead(value)
            holder[name] = base64.b64encode(decoded).decode()
