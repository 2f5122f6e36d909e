"""OTLP/JSON to protobuf bytes, so that one path decodes both.

OTLP's JSON is protobuf's JSON except that trace and span ids are hex instead of base64.
A span or log record whose ids are no hex is rejected alone, by the rule that rejects ids of a wrong length; those of a
link or an exemplar are left empty.
Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from processors.errors import Rejected
from receiver.hexadecimal import not_hex
from receiver.signals import LOGS, METRICS, TRACES, Signal

IDS = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")
SNAKE = re.compile("[A-Z]")


def to_protobuf(body: bytes, signal: Signal) -> bytes:
    """The request in `body` as protobuf; fields that OTLP does not know are ignored.

    Raises:
        Rejected: it is no JSON, or no request of this signal.
    """
    try:
        document = json.loads(body.decode())
        if not isinstance(document, dict):
            raise Rejected(f"the body is no OTLP {signal.name} request: expected a JSON object, found {type(document).__name__}")
        DECODE_IDS[signal.name](document)
        return ParseDict(document, signal.request(), ignore_unknown_fields=True).SerializeToString()
    except RecursionError as error:
        raise Rejected("the JSON body is nested too deeply: an attribute may hold up to about 40 levels") from error
    except (ParseError, ValueError, TypeError, AttributeError) as error:
        raise Rejected(f"the JSON body is no OTLP {signal.name} request: {error}") from error


def _of_spans(document: dict[str, Any]) -> None:
    for span in _below(document, "resourceSpans", "scopeSpans", "spans"):
        _decode_ids(span, not_hex)
        for link in _objects(span, "links"):
            _decode_ids(link, _nothing)


def _of_logs(document: dict[str, Any]) -> None:
    for record in _below(document, "resourceLogs", "scopeLogs", "logRecords"):
        _decode_ids(record, not_hex)


def _of_metrics(document: dict[str, Any]) -> None:
    for metric in _below(document, "resourceMetrics", "scopeMetrics", "metrics"):
        for kind in (data for data in metric.values() if isinstance(data, dict)):
            for exemplar in _below(kind, "dataPoints", "exemplars"):
                _decode_ids(exemplar, _nothing)


DECODE_IDS = {TRACES.name: _of_spans, LOGS.name: _of_logs, METRICS.name: _of_metrics}


def _nothing(_text: str) -> bytes:
    return b""


def _below(parent: dict[str, Any], *path: str) -> Iterator[dict[str, Any]]:
    """The objects in the lists at the end of `path`, a name at each step as OTLP/JSON writes it or as protobuf does."""
    name, *further = path
    for child in _objects(parent, name, SNAKE.sub(lambda found: f"_{found[0].lower()}", name)):
        if further:
            yield from _below(child, *further)
        else:
            yield child


def _objects(parent: dict[str, Any], *names: str) -> Iterator[dict[str, Any]]:
    """The objects in the lists called `names`. What has another shape is left for the parser to complain of."""
    for name in dict.fromkeys(names):
        children = parent.get(name)
        if isinstance(children, list):
            yield from (child for child in children if isinstance(child, dict))


def _decode_ids(holder: dict[str, Any], instead: Callable[[str], bytes]) -> None:
    """Turn the ids of an object from hex into base64; what is no hex becomes `instead` of it."""
    for name in IDS:
        value = holder.get(name)
        if isinstance(value, str):
            try:
                decoded = bytes.fromhex(value)
            except ValueError:
                decoded = instead(value)
            holder[name] = base64.b64encode(decoded).decode()
