"""What a decoded log record looks like, and which are rejected."""

import json

import pytest

from processors.errors import Malformed
from processors.signal_frames import LOGS
from receiver.limits import Limits
from receiver.logs import READING
from receiver.otlp_json import to_protobuf
from receiver.reading import Outcome, read
from receiver.signals import LOGS as SIGNAL
from tests.receiver.builders import NOW, SPAN_ID, START_NS, TRACE_ID, ago, attributes, field, value
from tests.receiver.signal_builders import log_rows, logs_body, logs_request, read_logs, record

INVALID_UTF8 = field(1, field(2, field(2, field(3, b"\xff\xfe"))))
"""A request with a record whose severity text is no UTF-8."""
NESTED_INVALID_UTF8 = field(1, field(2, field(2, field(5, field(5, field(1, field(1, b"\xff")))))))
"""A request with a record whose body is an array of one text that is no UTF-8."""


def test_a_record_keeps_what_it_says():
    (row,) = log_rows(logs_body(record(event_name="gen_ai.evaluation.result", attributes=attributes({"b": 2, "a": "x"}))))

    assert (row["Timestamp"], row["ObservedTimestamp"], row["IngestedAt"]) == (START_NS, START_NS + 5, NOW)
    assert (row["TraceId"], row["SpanId"], row["TraceFlags"]) == (TRACE_ID.hex(), SPAN_ID.hex(), 1)
    assert (row["SeverityText"], row["SeverityNumber"], row["Body"]) == ("INFO", 9, "hello")
    assert (row["EventName"], row["LogAttributes"]) == ("gen_ai.evaluation.result", [("a", "x"), ("b", "2")])
    assert (row["ServiceName"], row["ResourceSchemaUrl"], row["ScopeSchemaUrl"]) == ("shop", "https://resource", "https://scope")
    assert (row["ScopeName"], row["ScopeVersion"], row["ScopeAttributes"]) == ("my.library", "1.2", [("scope", "1")])


def test_without_a_time_of_its_own_a_record_has_the_time_at_which_it_was_observed():
    (row,) = log_rows(logs_body(record(time_unix_nano=0)))
    assert row["Timestamp"] == START_NS + 5


def test_a_record_may_lie_in_no_trace():
    rows = log_rows(logs_body(record(trace_id=b"", span_id=b""), record(trace_id=bytes(16), span_id=bytes(8))))
    assert [(row["TraceId"], row["SpanId"]) for row in rows] == [("", ""), ("", "")]


def test_a_body_that_is_no_text_becomes_one_as_the_collectors_exporter_writes_it():
    bodies = [{"b": [1, None], "a": True}, 0.5, b"\xff", None]
    assert [row["Body"] for row in log_rows(logs_body(*(record(body=value(said)) for said in bodies)))] == [
        '{"a":true,"b":[1,null]}',
        "0.5",
        "/w==",
        "",
    ]


def test_of_what_is_too_much_the_loss_is_counted():
    sent = logs_request(record("é" * 10, attributes=attributes({"a": 1, "b": 2, "c": 3}), dropped_attributes_count=100))
    sent.resource_logs[0].resource.dropped_attributes_count = 1000
    (row,) = log_rows(sent.SerializeToString(), max_attributes=2, max_attribute_bytes=11)
    assert (row["Body"], row["LogAttributes"]) == ("é" * 5, [("a", "1"), ("b", "2")])
    assert row["DroppedAttributes"] == 1102


def test_records_of_one_moment_are_told_apart_by_their_place_in_the_request():
    twins, other = [record("same"), record("same")], record("other", time_unix_nano=START_NS + 1)
    alone = log_rows(logs_body(twins[0], other, twins[1]))
    jointly = log_rows(logs_body(record("first")), logs_body(twins[0], other, twins[1]))
    assert [row["Occurrence"] for row in alone] == [0, 0, 1]
    assert [row["Occurrence"] for row in jointly] == [0, 0, 0, 1]


WRONG = {
    "trace id too short": (record(trace_id=b"abc"), "trace_id is 3 bytes long; send 16 bytes, or none if it belongs to no trace"),
    "span id too long": (record(span_id=bytes(9)), "span_id is 9 bytes long; send 8 bytes, or none if it belongs to no span"),
    "no time": (
        record(time_unix_nano=0, observed_time_unix_nano=0),
        "time is missing; set time_unix_nano or observed_time_unix_nano",
    ),
    "too old": (
        record(time_unix_nano=ago(days=31)),
        "time 2026-10-21T12:00:00+00:00 is older than the 30 days that logs",
    ),
    "in the future": (record(time_unix_nano=ago(days=-2)), "time 2026-11-23T12:00:00+00:00 is over a day ahead"),
}


@pytest.mark.parametrize(("wrong", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_record_is_rejected_alone(wrong, said):
    frames, (outcome,), _ = read_logs(logs_body(record("a"), wrong, record("b")))
    assert frames["logs"]["Body"].to_list() == ["a", "b"]
    assert (outcome.accepted, outcome.rejected) == (2, 1)
    assert said in outcome.reason


def test_malformed_requests_harm_no_others():
    frames, outcomes, _ = read_logs(
        logs_body(record("a")), INVALID_UTF8, NESTED_INVALID_UTF8, b"\xff\xff", b"", logs_body(record("b"))
    )
    assert frames["logs"]["Body"].to_list() == ["a", "b"]
    assert [type(one) for one in outcomes] == [Outcome, Malformed, Malformed, Malformed, Outcome, Outcome]
    assert dict(frames["logs"].schema) == dict(LOGS)


def test_a_huge_resource_repeated_on_very_many_records_is_rejected():
    made = logs_body(*(record("") for _ in range(1000)), resource={"big": "x" * 200_000})
    frames, (bomb, good), _ = read_logs(made, logs_body(record()))
    assert (bomb.accepted, bomb.rejected, good) == (0, 1000, Outcome(accepted=1))
    assert "repeated on each record" in bomb.reason
    assert frames["logs"].height == 1


def from_json(*records):
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]}
    return read(READING, [to_protobuf(json.dumps(document).encode(), SIGNAL)], Limits(), NOW)


def test_json_says_the_same():
    sent = {
        "timeUnixNano": str(START_NS),
        "body": {"stringValue": "hello"},
        "severityNumber": 9,
        "traceId": TRACE_ID.hex().upper(),
        "spanId": SPAN_ID.hex(),
    }
    frames, (outcome,), _ = from_json(sent, sent | {"traceId": "no hex"})
    row = frames["logs"].row(0, named=True)
    assert (row["TraceId"], row["SpanId"], row["Body"], row["SeverityNumber"]) == (TRACE_ID.hex(), SPAN_ID.hex(), "hello", 9)
    assert (outcome.accepted, outcome.rejected) == (1, 1)
    assert "trace_id 'no hex' is no hex of whole bytes" in outcome.reason
