"""Spans that are wrong are rejected alone, with a reason that says what to change."""

import pytest

from receiver.reading import Outcome
from tests.receiver.builders import ago, body, decoded, span

WRONG = {
    "trace id too short": (span(2, trace_id=b"abc"), "trace_id is 3 bytes long; send 16 bytes"),
    "trace id missing": (span(2, trace_id=b""), "trace_id is 0 bytes long"),
    "trace id too long": (span(2, trace_id=bytes(17)), "trace_id is 17 bytes long"),
    "trace id of zeros": (span(2, trace_id=bytes(16)), "trace_id is all zero"),
    "span id too long": (span(2, span_id=b"123456789"), "span_id is 9 bytes long; send 8 bytes"),
    "span id of zeros": (span(2, span_id=bytes(8)), "span_id is all zero"),
    "parent id too short": (span(2, parent_span_id=b"12"), "parent_span_id is 2 bytes long; send 8 bytes, or none"),
    "too old": (span(2, start_time_unix_nano=ago(days=31)), "2026-10-21T12:00:00+00:00 is older than the 30 days"),
    "no start": (span(2, start_time_unix_nano=0), "start time 1970-01-01T00:00:00+00:00 is older"),
    "starts in the future": (
        span(2, start_time_unix_nano=ago(days=-1, seconds=-1)),
        "start time 2026-11-22T12:00:01+00:00 is over a day",
    ),
    "ends in the future": (span(2, end_time_unix_nano=2**63), "end time 2262-04-11T23:47:16+00:00 is over a day ahead"),
    "beyond all calendars": (span(2, start_time_unix_nano=2**64 - 1), "start time 2554-07-21T23:34:33+00:00 is over a day"),
}


@pytest.mark.parametrize(("wrong", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_span_is_rejected_alone(wrong, said):
    spans, (outcome,) = decoded(body(span(1), wrong, span(3)))
    assert spans["SpanId"].str.slice(-1).to_list() == ["1", "3"]
    assert isinstance(outcome, Outcome)
    assert (outcome.accepted, outcome.rejected) == (2, 1)
    assert said in outcome.reason


def test_times_at_the_edges_are_taken():
    spans = [span(1, start_time_unix_nano=ago(days=29, hours=23)), span(2, start_time_unix_nano=ago(hours=-23))]
    assert decoded(body(*spans)).outcomes == [Outcome(accepted=2)]


def test_each_request_hears_of_its_own_spans_only():
    bad = span(9, trace_id=b"abc")
    outcomes = decoded(body(span(1)), body(bad, bad, span(2, parent_span_id=b"1")), body(span(3))).outcomes
    assert [(outcome.accepted, outcome.rejected) for outcome in outcomes] == [(1, 0), (0, 3), (1, 0)]
    assert outcomes[1].reason.startswith(
        "2 rejected: trace_id is 3 bytes long; send 16 bytes that are not all zero. 1 rejected: parent"
    )
    assert outcomes[0].reason == outcomes[2].reason == ""


def test_of_several_faults_of_a_span_the_first_is_told():
    reason = decoded(body(span(1, trace_id=b"", span_id=b""))).outcomes[0].reason
    assert reason == "1 rejected: trace_id is 0 bytes long; send 16 bytes that are not all zero"


def test_a_huge_resource_repeated_on_very_many_spans_is_rejected_before_it_is_blown_up():
    tiny = [span(n + 1, name="") for n in range(1000)]
    made = body(*tiny, resource={"big": "x" * 200_000})
    spans, (bomb, good) = decoded(made, body(span(5)))
    assert spans.height == 1
    assert bomb.rejected == 1000
    assert "repeated on each record, make" in bomb.reason
    assert "make 200003000 bytes" not in bomb.reason  # scope name and version count as well
    assert "bytes; send fewer or shorter resource attributes" in bomb.reason
    assert good == Outcome(accepted=1)


def test_attributes_that_say_nothing_are_not_for_nothing():
    tiny = [span(n + 1, name="") for n in range(1000)]
    empty = {f"{n:02x}": "" for n in range(120)}
    usual = {f"k8s.label.{n:02}": "v" * 56 for n in range(30)}
    spans, (bomb, good) = decoded(
        body(*tiny, resource=empty), body(*[span(n + 1, name="n" * 50) for n in range(100)], resource=usual)
    )
    assert (bomb.accepted, bomb.rejected) == (0, 1000)
    assert good == Outcome(accepted=100)
    assert spans.height == 100
