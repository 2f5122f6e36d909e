"""Payloads captured from a real framework (openai with OpenTelemetry's GenAI instrumentation, November 2026)."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from receiver.decode import decode
from receiver.limits import Limits
from tests.receiver.builders import plain_rows
from tests.receiver.reference import row_of

PAYLOADS = sorted((Path(__file__).parents[1] / "golden" / "openai-genai-semconv").glob("*/*.otlp.pb"))
CAPTURED = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_captured_payload_is_stored_whole(path):
    made = path.read_bytes()
    spans, (outcome,) = decode([made], Limits(), CAPTURED)
    parsed = ExportTraceServiceRequest.FromString(made)
    expected = [
        row_of(span, outer.resource, inner.scope) | {"IngestedAt": CAPTURED}
        for outer in parsed.resource_spans
        for inner in outer.scope_spans
        for span in inner.spans
    ]
    assert plain_rows(spans) == expected
    assert (outcome.accepted, outcome.rejected) == (len(expected), 0)


def test_there_are_payloads_and_they_may_be_decoded_jointly():
    bodies = [path.read_bytes() for path in PAYLOADS]
    jointly = decode(bodies, Limits(), CAPTURED).spans
    assert len(PAYLOADS) == 19
    assert jointly.equals(pl.concat([decode([made], Limits(), CAPTURED).spans for made in bodies]))
