"""What must hold for every request of logs and metrics: the columns say what the protobuf objects say."""

import math
import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Exemplar,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
    Summary,
    SummaryDataPoint,
)

from processors.errors import Rejected
from processors.signal_frames import LOGS, METRICS
from tests.receiver.builders import START_NS, plain_rows, value
from tests.receiver.signal_builders import logs_body, metric, metrics_body, point, read_logs, read_metrics, record
from tests.receiver.signal_reference import log_rows_of, point_rows_of
from tests.receiver.test_decode_properties import PAIRS, PLAIN, TEXT, TIMES, UINT32

NANOS = st.integers(0, 2**64 - 1)
COUNTS = st.integers(0, 2**64 - 1)
FLOATS = st.floats()
INT32 = st.integers(-(2**31), 2**31 - 1)
RECORDS = st.builds(
    LogRecord,
    time_unix_nano=st.just(0) | TIMES | st.just(START_NS),
    observed_time_unix_nano=TIMES | st.just(START_NS),
    severity_number=st.integers(-1, 30),
    severity_text=TEXT,
    body=st.none() | PLAIN.map(value),
    attributes=PAIRS,
    dropped_attributes_count=UINT32,
    flags=st.integers(0, 2**32 - 1),
    trace_id=st.just(b"") | st.just(bytes(16)) | st.binary(min_size=16, max_size=16),
    span_id=st.just(b"") | st.just(bytes(8)) | st.binary(min_size=8, max_size=8),
    event_name=TEXT,
)
NUMBERS = st.builds(dict, as_double=FLOATS) | st.builds(dict, as_int=st.integers(-(2**63), 2**63 - 1))
EXEMPLARS = st.lists(
    st.builds(
        lambda number, **said: Exemplar(**number, **said),
        NUMBERS | st.just({}),
        filtered_attributes=PAIRS,
        time_unix_nano=NANOS,
        span_id=st.binary(max_size=9),
        trace_id=st.binary(max_size=17),
    ),
    max_size=2,
)
COMMON = {"attributes": PAIRS, "start_time_unix_nano": NANOS, "time_unix_nano": TIMES, "flags": st.integers(0, 2**32 - 1)}
OPTIONAL = {name: st.none() | FLOATS for name in ("sum", "min", "max")}
BUCKETS = st.none() | st.builds(ExponentialHistogramDataPoint.Buckets, offset=INT32, bucket_counts=st.lists(COUNTS, max_size=3))
NUMBER_POINTS = st.lists(
    st.builds(lambda number, **said: NumberDataPoint(**number, **said), NUMBERS, exemplars=EXEMPLARS, **COMMON), max_size=2
)
HISTOGRAMS = st.lists(
    st.integers(0, 3).flatmap(
        lambda bounds: st.builds(
            HistogramDataPoint,
            count=COUNTS,
            bucket_counts=st.lists(COUNTS, min_size=bounds + 1, max_size=bounds + 1) if bounds else st.just([]),
            explicit_bounds=st.lists(FLOATS, min_size=bounds, max_size=bounds),
            exemplars=EXEMPLARS,
            **COMMON,
            **OPTIONAL,
        )
    ),
    max_size=2,
)
EXPONENTIALS = st.lists(
    st.builds(
        ExponentialHistogramDataPoint,
        count=COUNTS,
        scale=INT32,
        zero_count=COUNTS,
        zero_threshold=FLOATS,
        positive=BUCKETS,
        negative=BUCKETS,
        exemplars=EXEMPLARS,
        **COMMON,
        **OPTIONAL,
    ),
    max_size=2,
)
QUANTILES = st.lists(st.builds(SummaryDataPoint.ValueAtQuantile, quantile=FLOATS, value=FLOATS), max_size=3)
SUMMARIES = st.lists(st.builds(SummaryDataPoint, count=COUNTS, sum=FLOATS, quantile_values=QUANTILES, **COMMON), max_size=2)
TEMPORALITY = st.integers(-1, 3)
DATA: Any = st.one_of(
    st.just({}),
    st.builds(dict, gauge=st.builds(Gauge, data_points=NUMBER_POINTS)),
    st.builds(
        dict,
        sum=st.builds(Sum, data_points=NUMBER_POINTS, aggregation_temporality=TEMPORALITY, is_monotonic=st.booleans()),
    ),
    st.builds(dict, histogram=st.builds(Histogram, data_points=HISTOGRAMS, aggregation_temporality=TEMPORALITY)),
    st.builds(
        dict,
        exponential_histogram=st.builds(ExponentialHistogram, data_points=EXPONENTIALS, aggregation_temporality=TEMPORALITY),
    ),
    st.builds(dict, summary=st.builds(Summary, data_points=SUMMARIES)),
)
SENT_METRICS = st.builds(
    lambda data, **said: Metric(**data, **said),
    DATA,
    name=TEXT.filter(bool),
    description=TEXT,
    unit=TEXT,
    metadata=PAIRS,
)


def fill(draw: st.DrawFn, made: Any, outers: str, inners: str, records: str, one: st.SearchStrategy[Any]) -> bytes:
    """`made`, a request, with resources, scopes and records as they come."""
    for _ in range(draw(st.integers(0, 2))):
        outer = getattr(made, outers).add(schema_url=draw(TEXT))
        outer.resource.attributes.extend(draw(PAIRS))
        outer.resource.dropped_attributes_count = draw(UINT32)
        for _ in range(draw(st.integers(0, 2))):
            inner = getattr(outer, inners).add(schema_url=draw(TEXT))
            if draw(st.booleans()):
                inner.scope.name, inner.scope.version = draw(TEXT), draw(TEXT)
                inner.scope.attributes.extend(draw(PAIRS))
                inner.scope.dropped_attributes_count = draw(UINT32)
            getattr(inner, records).extend(draw(st.lists(one, max_size=3)))
    serialized: bytes = made.SerializeToString()
    return serialized


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    return fill(draw, ExportLogsServiceRequest(), "resource_logs", "scope_logs", "log_records", RECORDS)


@st.composite
def metrics(draw: st.DrawFn) -> bytes:
    return fill(draw, ExportMetricsServiceRequest(), "resource_metrics", "scope_metrics", "metrics", SENT_METRICS)


def comparable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rows with a word for each NaN, which equals nothing."""
    return [{name: _comparable(said) for name, said in row.items()} for row in rows]


def _comparable(said: Any) -> Any:
    if isinstance(said, list):
        return [_comparable(one) for one in said]
    return "NaN" if isinstance(said, float) and math.isnan(said) else said


@given(logs())
@settings(max_examples=80)
def test_the_columns_of_logs_say_what_the_protobuf_objects_say(made):
    frames, (outcome,), _ = read_logs(made)
    assert plain_rows(frames["logs"]) == log_rows_of(made)
    assert (outcome.accepted, outcome.rejected) == (frames["logs"].height, 0)
    assert dict(frames["logs"].schema) == dict(LOGS)


@given(metrics())
@settings(max_examples=150)
def test_the_columns_of_metrics_say_what_the_protobuf_objects_say(made):
    frames, (outcome,), _ = read_metrics(made)
    expected = point_rows_of(made)
    for kind, frame in frames.items():
        assert comparable(plain_rows(frame)) == comparable(expected.get(kind, []))
        assert dict(frame.schema) == dict(METRICS[kind])
    assert (outcome.accepted, outcome.rejected) == (sum(frame.height for frame in frames.values()), 0)


@given(st.lists(logs(), min_size=1, max_size=4), st.lists(metrics(), min_size=1, max_size=4))
@settings(max_examples=25)
def test_joining_requests_keeps_every_row(some_logs, some_metrics):
    for one, bodies in ((read_logs, some_logs), (read_metrics, some_metrics)):
        jointly, alone = one(*bodies), [one(made) for made in bodies]
        for kind, frame in jointly.frames.items():
            assert frame.equals(pl.concat([part.frames[kind] for part in alone]))
        assert jointly.outcomes == [part.outcomes[0] for part in alone]


@pytest.mark.parametrize("of", ["logs", "metrics"])
@given(st.data(), st.integers())
@settings(max_examples=80)
def test_bytes_that_were_changed_never_crash_and_harm_no_neighbour(of, data, seed):
    made, one, good = {
        "logs": (logs(), read_logs, logs_body(record())),
        "metrics": (metrics(), read_metrics, metrics_body(metric(point()))),
    }[of]
    chance = random.Random(seed)
    changed = bytearray(data.draw(made) or b"x")
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    frames, outcomes, _ = one(good, bytes(changed[: chance.randint(0, len(changed))]), good)
    counted = sum(outcome.accepted for outcome in outcomes if not isinstance(outcome, Rejected))
    assert (outcomes[0].accepted, outcomes[2].accepted) == (1, 1)
    assert sum(frame.height for frame in frames.values()) == counted
