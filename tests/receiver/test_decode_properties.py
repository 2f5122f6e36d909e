"""What must hold for every request: the columns say what the protobuf objects say, however requests are cut."""

import random

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from processors.errors import Rejected
from tests.receiver.builders import START_NS, body, decoded, plain_rows, value
from tests.receiver.reference import rows_of

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | TEXT | st.binary(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
PAIRS = st.lists(st.builds(KeyValue, key=st.sampled_from("abcdé") | TEXT, value=PLAIN.map(value)), max_size=6)
UINT32 = st.sampled_from([0, 0, 0, 1, 2**32 - 1])
TIMES = st.integers(START_NS - 10**12, START_NS + 10**12)
EVENTS = st.lists(st.builds(Span.Event, time_unix_nano=st.integers(0, 2**64 - 1), name=TEXT, attributes=PAIRS), max_size=3)
LINKS = st.lists(
    st.builds(Span.Link, trace_id=st.binary(max_size=17), span_id=st.binary(max_size=9), attributes=PAIRS), max_size=2
)
IDENTIFIERS = st.binary(min_size=8, max_size=8)
SPANS = st.builds(
    Span,
    trace_id=st.binary(min_size=16, max_size=16).filter(any),
    span_id=IDENTIFIERS.filter(any),
    parent_span_id=st.just(b"") | IDENTIFIERS,
    trace_state=TEXT,
    name=TEXT,
    kind=st.integers(-1, 9),
    start_time_unix_nano=TIMES,
    end_time_unix_nano=TIMES,
    attributes=PAIRS,
    dropped_attributes_count=UINT32,
    events=EVENTS,
    links=LINKS,
    status=st.none() | st.builds(Status, code=st.integers(-1, 4), message=TEXT),
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    made = ExportTraceServiceRequest()
    for _ in range(draw(st.integers(0, 2))):
        outer = made.resource_spans.add()
        outer.resource.attributes.extend(draw(PAIRS))
        if draw(st.booleans()):
            outer.resource.attributes.append(KeyValue(key="service.name", value=value(draw(TEXT))))
        for _ in range(draw(st.integers(0, 2))):
            inner = outer.scope_spans.add()
            if draw(st.booleans()):
                inner.scope.name, inner.scope.version = draw(TEXT), draw(TEXT)
                inner.scope.attributes.extend(draw(PAIRS))
                inner.scope.dropped_attributes_count = draw(UINT32)
            inner.spans.extend(draw(st.lists(SPANS, max_size=3)))
    serialized: bytes = made.SerializeToString()
    return serialized


@given(requests())
@settings(max_examples=150)
def test_the_columns_say_what_the_protobuf_objects_say(made):
    spans, (outcome,) = decoded(made)
    assert plain_rows(spans) == rows_of(made)
    assert (outcome.accepted, outcome.rejected) == (spans.height, 0)


@given(st.lists(requests(), min_size=1, max_size=4))
@settings(max_examples=40)
def test_joining_requests_keeps_every_row(bodies):
    jointly = decoded(*bodies)
    alone = [decoded(made) for made in bodies]
    assert jointly.spans.equals(pl.concat([part.spans for part in alone]))
    assert jointly.outcomes == [part.outcomes[0] for part in alone]


@given(st.lists(SPANS, min_size=1, max_size=5))
@settings(max_examples=30)
def test_splitting_a_request_keeps_every_row(spans):
    whole = decoded(body(*spans)).spans
    assert whole.equals(decoded(*(body(span) for span in spans)).spans)


@given(requests(), st.integers())
@settings(max_examples=150)
def test_bytes_that_were_changed_never_crash_and_harm_no_neighbour(made, seed):
    chance = random.Random(seed)
    changed = bytearray(made or b"x")
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    good = body(Span(trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=START_NS))
    spans, outcomes = decoded(good, bytes(changed[: chance.randint(0, len(changed))]), good)
    counted = sum(outcome.accepted for outcome in outcomes if not isinstance(outcome, Rejected))
    assert (outcomes[0].accepted, outcomes[2].accepted) == (1, 1)
    assert spans.height == counted
