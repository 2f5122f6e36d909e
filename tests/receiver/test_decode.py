"""What a decoded span looks like."""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from processors.errors import Malformed
from processors.frames import RECEIVED
from receiver.reading import Outcome
from tests.receiver.builders import (
    INVALID_UTF8,
    NESTED_INVALID_UTF8,
    NOW,
    SPAN_ID,
    START_NS,
    TRACE_ID,
    attributes,
    body,
    decoded,
    field,
    plain_rows,
    request,
    row,
    span,
)


def test_a_frame_has_exactly_the_columns_of_received():
    frames = [decoded(body(span())).spans, decoded(body()).spans, decoded(b"").spans, decoded(b"\xff").spans]
    assert all(dict(frame.schema) == dict(RECEIVED) for frame in frames)


def test_a_span_keeps_what_it_says():
    sent = span(trace_state="a=b", status=Status(code=Status.STATUS_CODE_ERROR, message="boom"), parent_span_id=SPAN_ID)
    got = row(body(sent))
    assert got["Timestamp"] == START_NS
    assert got["TraceId"] == "000102030405060708090a0b0c0d0e0f"
    assert (got["SpanId"], got["ParentSpanId"]) == ("0000000000000001", "08090a0b0c0d0e0f")
    assert (got["SpanName"], got["SpanKind"], got["TraceState"]) == ("chat", "Client", "a=b")
    assert (got["StatusCode"], got["StatusMessage"]) == ("Error", "boom")
    assert got["Duration"] == 1_500_000_000
    assert got["IngestedAt"] == NOW


def test_events_and_links_stay_with_their_span():
    event = Span.Event(time_unix_nano=START_NS + 1, name="exception", attributes=attributes({"b": 2, "a": "x"}))
    link = Span.Link(trace_id=TRACE_ID, span_id=SPAN_ID, trace_state="s", attributes=attributes({"k": True}))
    without, has = decoded(body(span(1), span(2, events=[event, event], links=[link]))).spans.rows(named=True)
    assert without["Events.Name"] == without["Links.SpanId"] == without["Links.Attributes"] == []
    assert has["Events.Name"] == ["exception"] * 2
    assert has["Events.Attributes"] == [{"a": "x", "b": "2"}] * 2
    assert has["Links.TraceId"] == ["000102030405060708090a0b0c0d0e0f"]
    assert has["Links.Attributes"] == [{"k": "true"}]


def test_resource_and_scope_are_carried_to_every_span():
    spans = decoded(body(span(1), span(2), resource={"service.name": "shop", "host.name": "h"})).spans
    assert spans["ServiceName"].to_list() == ["shop", "shop"]
    assert spans["ResourceAttributes"].to_list() == [{"host.name": "h", "service.name": "shop"}] * 2
    assert spans["ScopeName"].to_list() == ["my.library"] * 2
    assert spans["ScopeVersion"].to_list() == ["1.2"] * 2


def test_attributes_of_the_scope_join_those_of_the_span_whose_value_wins():
    made = body(span(1, attributes=attributes({"a": "span", "z": 1})), span(2), scope={"a": "scope", "m": "scope"})
    assert decoded(made).spans["SpanAttributes"].to_list() == [
        {"a": "span", "m": "scope", "z": "1"},
        {"a": "scope", "m": "scope"},
    ]


def test_keys_are_sorted_and_the_last_of_two_values_wins():
    sent = span(attributes=[*attributes({"b": 1, "c": 2, "a": 3}), *attributes({"b": "last"})])
    assert row(body(sent))["SpanAttributes"] == [("a", "3"), ("b", "last"), ("c", "2")]


def test_a_span_without_resource_scope_or_status_is_taken():
    bare = request(span())
    bare.resource_spans[0].ClearField("resource")
    bare.resource_spans[0].scope_spans[0].ClearField("scope")
    got = row(bare.SerializeToString())
    assert (got["ServiceName"], got["ScopeName"], got["StatusCode"], got["ParentSpanId"]) == ("", "", "Unset", "")
    assert got["ResourceAttributes"] == []


def test_kinds_and_status_codes_have_the_names_of_the_collectors_exporter():
    kinds = [row(body(span(kind=number)))["SpanKind"] for number in range(7)]
    codes = [row(body(span(status=Status(code=number))))["StatusCode"] for number in range(4)]
    assert kinds == ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer", "Unspecified"]
    assert codes == ["Unset", "Ok", "Error", "Unset"]


def test_an_end_before_its_start_is_a_duration_of_zero():
    assert row(body(span(end_time_unix_nano=START_NS - 1)))["Duration"] == 0
    assert row(body(span(end_time_unix_nano=0)))["Duration"] == 0


def test_a_parent_of_zeros_is_no_parent():
    assert row(body(span(parent_span_id=bytes(8))))["ParentSpanId"] == ""


def test_an_event_beyond_the_year_2262_does_not_wrap_around():
    event = Span.Event(time_unix_nano=2**64 - 1)
    assert row(body(span(events=[event])))["Events.Timestamp"] == [2**63 - 1]


@pytest.mark.parametrize("around", [[], [1], [1, 2], [1, 2, 2], [1, 2, 2, 9], [1, 2, 2, 9, 2]])
@pytest.mark.parametrize("groups", [20_000, 1_000_000])
def test_groups_that_are_deeper_than_a_stack_are_refused_wherever_they_are(around, groups):
    deep = b"\x33" * groups + b"\x34" * groups  # of field 6, which no message has that is read here, begin and end
    for number in reversed(around):
        deep = field(number, deep)
    outcomes = decoded(body(span()), deep, body(span(2))).outcomes
    assert [type(outcome) for outcome in outcomes] == [Outcome, Malformed, Outcome]


def test_a_text_that_looks_like_groups_is_a_text():
    text = "3csk{" * 10_000
    assert dict(row(body(span(attributes=attributes({"prompt": text}))))["SpanAttributes"])["prompt"] == text


def test_malformed_requests_harm_no_others():
    bodies = [body(span(1)), b"\xff\xff", body(span(2)), INVALID_UTF8, b"", NESTED_INVALID_UTF8, body(span(3))]
    spans, outcomes = decoded(*bodies)
    assert spans["SpanId"].str.slice(-1).to_list() == ["1", "2", "3"]
    assert [type(outcome) for outcome in outcomes] == [Outcome, Malformed, Outcome, Malformed, Outcome, Malformed, Outcome]
    assert "UTF-8" in str(outcomes[3])


def test_invalid_utf8_inside_a_nested_value_of_a_rejected_span_is_noticed_too():
    outcome = decoded(NESTED_INVALID_UTF8).outcomes[0]
    assert isinstance(outcome, Malformed)


def test_ten_thousand_attributes_are_cut_to_the_first_and_counted():
    sent = span(attributes=attributes({f"k{n:05}": n for n in range(10_000)}), dropped_attributes_count=7)
    got = row(body(sent), max_attributes=256)
    assert len(got["SpanAttributes"]) == 256
    assert got["SpanAttributes"][-1] == ("k00255", "255")
    assert got["DroppedAttributes"] == 10_000 - 256 + 7


def test_of_too_many_attributes_those_that_are_read_stay_wherever_they_were_sent():
    filler = {f"k{n:05}": n for n in range(1_000)}
    sent = span(attributes=attributes(filler | {"gen_ai.agent.name": "billing", "gen_ai.operation.name": "invoke_agent"}))
    few = span(attributes=attributes({"a": 1}))
    made = decoded(body(sent, few), max_attributes=3, kept_first=frozenset({"gen_ai.agent.name", "gen_ai.operation.name"}))
    kept, untouched = plain_rows(made.spans)
    assert [key for key, _ in kept["SpanAttributes"]] == ["gen_ai.agent.name", "gen_ai.operation.name", "k00000"]
    assert kept["DroppedAttributes"] == 999
    assert untouched["SpanAttributes"] == [("a", "1")]


def test_long_values_are_cut_at_a_whole_character_and_counted():
    sent = span(attributes=attributes({"long": "é" * 10, "short": "x", "list": ["y" * 20]}))
    got = row(body(sent), max_attribute_bytes=11)
    assert got["SpanAttributes"] == [("list", '["yyyyyyyyy'), ("long", "é" * 5), ("short", "x")]
    assert got["DroppedAttributes"] == 2


def test_what_was_dropped_of_events_links_resource_and_scope_is_counted_on_the_span():
    made = request(
        span(
            events=[Span.Event(dropped_attributes_count=1), Span.Event(attributes=attributes({"a": 1, "b": 2, "c": 3}))],
            links=[Span.Link(dropped_attributes_count=10)],
        )
    )
    made.resource_spans[0].resource.dropped_attributes_count = 100
    made.resource_spans[0].scope_spans[0].scope.dropped_attributes_count = 1000
    assert row(made.SerializeToString(), max_attributes=2)["DroppedAttributes"] == 1112


def test_dropped_attributes_beyond_what_the_column_holds_stay_at_its_largest():
    made = request(span(dropped_attributes_count=2**32 - 1))
    made.resource_spans[0].resource.dropped_attributes_count = 5
    assert row(made.SerializeToString())["DroppedAttributes"] == 2**32 - 1
