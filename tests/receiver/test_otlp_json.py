"""OTLP/JSON says the same as OTLP/protobuf."""

import json

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from processors.errors import Rejected
from receiver.otlp_json import to_protobuf
from receiver.signals import TRACES
from tests.receiver.builders import SPAN_ID, START_NS, TRACE_ID, decoded, row

SPAN = {
    "traceId": "000102030405060708090A0B0C0D0E0F",
    "spanId": "08090a0b0c0d0e0f",
    "parentSpanId": "",
    "name": "chat",
    "kind": 3,
    "startTimeUnixNano": str(START_NS),
    "endTimeUnixNano": START_NS + 5,
    "attributes": [
        {"key": "text", "value": {"stringValue": "x"}},
        {"key": "as text", "value": {"intValue": "12"}},
        {"key": "as number", "value": {"intValue": 12}},
        {"key": "list", "value": {"arrayValue": {"values": [{"doubleValue": 0.5}, {"boolValue": True}]}}},
        {"key": "bytes", "value": {"bytesValue": "/wA="}},
    ],
    "links": [{"traceId": TRACE_ID.hex(), "spanId": SPAN_ID.hex()}],
    "status": {"code": 2},
    "somethingNew": {"a": 1},
}


def document(**changes):
    return {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN | changes]}]}]}


def sent(document):
    return to_protobuf(json.dumps(document).encode(), TRACES)


def test_ids_are_hex_and_numbers_may_be_texts():
    got = row(sent(document()))
    assert (got["TraceId"], got["SpanId"], got["ParentSpanId"]) == (TRACE_ID.hex(), SPAN_ID.hex(), "")
    assert (got["SpanKind"], got["StatusCode"], got["Timestamp"], got["Duration"]) == ("Client", "Error", START_NS, 5)
    assert got["SpanAttributes"] == [
        ("as number", "12"),
        ("as text", "12"),
        ("bytes", "/wA="),
        ("list", "[0.5,true]"),
        ("text", "x"),
    ]
    assert got["Links.TraceId"] == [TRACE_ID.hex()]


def test_an_empty_object_is_an_empty_request():
    assert sent({}) == b""


def test_ids_of_a_wrong_length_are_left_for_the_decoder_to_reject_alone():
    parsed = ExportTraceServiceRequest.FromString(sent(document(spanId="abcd")))
    assert parsed.resource_spans[0].scope_spans[0].spans[0].span_id == b"\xab\xcd"


@pytest.mark.parametrize("name", ["traceId", "spanId", "parentSpanId"])
@pytest.mark.parametrize("text", ["abc", "AAECAwQFBgcICQoLDA0ODw==", "xyzxyzxy", "é", "\ud800", "z" * 1000])
def test_a_span_with_an_id_that_is_no_hex_is_rejected_alone_with_the_reason(name, text):
    body = sent({"resourceSpans": [{"scopeSpans": [{"spans": [SPAN, SPAN | {name: text}]}]}]})

    spans, (outcome,) = decoded(body)

    assert (outcome.accepted, outcome.rejected) == (1, 1)
    assert "is no hex of whole bytes: OTLP/JSON writes ids in hex" in outcome.reason
    assert spans["SpanId"].to_list() == [SPAN_ID.hex()]


def test_a_link_with_an_id_that_is_no_hex_leads_nowhere():
    got = row(sent(document(links=[{"traceId": "abc", "spanId": SPAN_ID.hex()}])))
    assert (got["Links.TraceId"], got["Links.SpanId"]) == ([""], [SPAN_ID.hex()])


DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
NESTED = {"stringValue": "x"}
for _ in range(150):
    NESTED = {"arrayValue": {"values": [NESTED]}}

BAD = {
    "no JSON": (b"{", "Expecting property name"),
    "no object": (b"[]", "expected a JSON object, found list"),
    "no UTF-8": (b'{"a":"\xff"}', "utf-8"),
    "nested without end": (DEEP, "nested too deeply"),
    "a value nested too deeply": (json.dumps(document(attributes=[{"key": "k", "value": NESTED}])).encode(), ""),
    "spans of a wrong type": (b'{"resourceSpans": 3}', "resourceSpans"),
    "a span that is a number": (b'{"resourceSpans": [{"scopeSpans": [{"spans": [7]}]}]}', ""),
    "a name that is a number": (json.dumps(document(name=7)).encode(), "name"),
    "half a surrogate pair": (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\\ud800"}]}]}]}', ""),
    "a time beyond 64 bits": (json.dumps(document(startTimeUnixNano=2**70)).encode(), ""),
}


@pytest.mark.parametrize(("body", "said"), BAD.values(), ids=BAD)
def test_what_is_no_request_is_rejected_with_the_reason(body, said):
    with pytest.raises(Rejected) as caught:
        to_protobuf(body, TRACES)
    assert said in str(caught.value)
