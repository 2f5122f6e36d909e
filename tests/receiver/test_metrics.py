"""What decoded data points look like, and which are rejected."""

import json
import math

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Exemplar, ExponentialHistogramDataPoint, SummaryDataPoint

from processors.errors import Malformed
from processors.signal_frames import METRICS
from receiver.limits import Limits
from receiver.metrics import READING
from receiver.otlp_json import to_protobuf
from receiver.reading import Outcome, read
from receiver.signals import METRICS as SIGNAL
from tests.receiver.builders import NOW, SPAN_ID, START_NS, TRACE_ID, ago, attributes, field
from tests.receiver.signal_builders import metric, metrics_body, metrics_request, point, point_rows, read_metrics

KINDS = list(METRICS)
INVALID_UTF8 = field(1, field(2, field(2, field(1, b"\xff\xfe"))))
"""A request with a metric whose name is no UTF-8."""
NESTED = field(1, b"k") + field(2, field(5, field(1, field(1, b"\xff"))))
NESTED_INVALID_UTF8 = field(1, field(2, field(2, field(1, b"m") + field(12, NESTED))))
"""A request with a metric whose metadata, which is not stored, holds an array of one text that is no UTF-8."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_point_of_any_kind_has_the_columns_of_its_table_and_what_it_shares_with_others(kind):
    sent = point(kind, attributes=attributes({"merit.agent.id": "editor"}), flags=1)
    frames, (outcome,), _ = read_metrics(metrics_body(metric(sent, kind=kind)))
    (row,) = point_rows(kind, metrics_body(metric(sent, kind=kind)))

    assert dict(frames[kind].schema) == dict(METRICS[kind])
    assert [name for name, frame in frames.items() if frame.height] == [kind]
    assert outcome == Outcome(accepted=1)
    assert (row["MetricName"], row["MetricDescription"], row["MetricUnit"]) == ("merit.queue.length", "Waiting", "{task}")
    assert (row["TimeUnix"], row["StartTimeUnix"], row["Flags"]) == (START_NS, START_NS - 10, 1)
    assert (row["ServiceName"], row["Attributes"]) == ("shop", [("merit.agent.id", "editor")])
    assert (row["ScopeName"], row["ScopeAttributes"], row["ScopeDroppedAttrCount"]) == ("my.library", [("scope", "1")], 3)
    assert (row["ResourceSchemaUrl"], row["ScopeSchemaUrl"]) == ("https://resource", "https://scope")


def test_numbers_are_doubles_however_they_were_sent():
    sent = [point(as_int=-7), point(as_double=0.5), point(as_double=math.inf), point(as_double=math.nan)]
    values = [row["Value"] for row in point_rows("gauge", metrics_body(metric(*sent)))]
    assert values[:3] == [-7.0, 0.5, math.inf]
    assert math.isnan(values[3])


def test_a_sum_says_whether_it_grows_and_since_when_it_counts():
    made = metric(point("sum"), kind="sum", is_monotonic=True, aggregation_temporality=2)
    (row,) = point_rows("sum", metrics_body(made))
    assert (row["Value"], row["IsMonotonic"], row["AggregationTemporality"]) == (7.0, True, 2)


def test_a_histogram_keeps_its_buckets_and_has_zeros_for_what_it_does_not_say():
    said = point("histogram", bucket_counts=[1, 2], explicit_bounds=[0.5], min=0.1, max=4)
    unsaid = point("histogram", sum=None)
    first, second = point_rows("histogram", metrics_body(metric(said, unsaid, kind="histogram", aggregation_temporality=1)))
    assert (first["Count"], first["Sum"], first["Min"], first["Max"]) == (3, 6.5, 0.1, 4.0)
    assert (first["BucketCounts"], first["ExplicitBounds"], first["AggregationTemporality"]) == ([1, 2], [0.5], 1)
    assert (second["Sum"], second["Min"], second["Max"], second["BucketCounts"]) == (0.0, 0.0, 0.0, [])


def test_an_exponential_histogram_keeps_both_sides():
    buckets = ExponentialHistogramDataPoint.Buckets(offset=-2, bucket_counts=[1, 2])
    said = point("exponential_histogram", scale=3, zero_count=4, positive=buckets)
    (row,) = point_rows("exponential_histogram", metrics_body(metric(said, kind="exponential_histogram")))
    assert (row["Scale"], row["ZeroCount"]) == (3, 4)
    assert (row["PositiveOffset"], row["PositiveBucketCounts"]) == (-2, [1, 2])
    assert (row["NegativeOffset"], row["NegativeBucketCounts"]) == (0, [])


def test_a_summary_keeps_its_quantiles():
    said = point("summary", quantile_values=[SummaryDataPoint.ValueAtQuantile(quantile=0.5, value=2)])
    (row,) = point_rows("summary", metrics_body(metric(said, kind="summary")))
    assert (row["ValueAtQuantiles.Quantile"], row["ValueAtQuantiles.Value"]) == ([0.5], [2.0])


def test_exemplars_stay_with_their_point():
    exemplar = Exemplar(
        filtered_attributes=attributes({"b": 1, "a": 2}),
        time_unix_nano=START_NS + 1,
        as_int=4,
        span_id=SPAN_ID,
        trace_id=TRACE_ID,
    )
    without, has = point_rows("gauge", metrics_body(metric(point(), point(exemplars=[exemplar]))))
    assert without["Exemplars.Value"] == []
    assert (has["Exemplars.Value"], has["Exemplars.TimeUnix"]) == ([4.0], [START_NS + 1])
    assert (has["Exemplars.TraceId"], has["Exemplars.SpanId"]) == ([TRACE_ID.hex()], [SPAN_ID.hex()])
    assert has["Exemplars.FilteredAttributes"] == [[("a", "2"), ("b", "1")]]


def test_metrics_of_every_kind_may_come_in_one_request():
    made = metrics_body(*(metric(point(kind), point(kind), kind=kind) for kind in KINDS))
    frames, (outcome,), _ = read_metrics(made)
    assert {kind: frame.height for kind, frame in frames.items()} == dict.fromkeys(KINDS, 2)
    assert outcome == Outcome(accepted=10)


def test_a_metric_without_points_or_without_data_makes_no_rows():
    made = metrics_request(metric(), metric(kind="sum"))
    made.resource_metrics[0].scope_metrics[0].metrics.add(name="bare")
    assert read_metrics(made.SerializeToString()).outcomes == [Outcome()]


def test_of_too_many_attributes_the_loss_is_counted():
    exemplar = Exemplar(filtered_attributes=attributes({"a": 1, "b": 2, "c": 3}))
    made = metrics_request(metric(point(attributes=attributes({"a": 1, "b": 2, "c": 3}), exemplars=[exemplar])))
    made.resource_metrics[0].resource.dropped_attributes_count = 100
    (row,) = point_rows("gauge", made.SerializeToString(), max_attributes=2)
    assert row["Attributes"] == [("a", "1"), ("b", "2")]
    assert row["DroppedAttributes"] == 1 + 1 + 100 + 3


WRONG = {
    "no name": (metric(point(), name=""), "a metric has no name; name it"),
    "no time": (metric(point(time_unix_nano=0), name="m"), "a data point of metric 'm' has no time; set time_unix_nano"),
    "too old": (metric(point(time_unix_nano=ago(days=31))), "older than the 30 days that metrics are kept; send metrics"),
    "in the future": (metric(point(time_unix_nano=ago(days=-2))), "is over a day ahead; set the sender's clock"),
    "no value": (metric(point(as_int=None)), "a data point has no value; set as_double or as_int"),
    "buckets that fit no bounds": (
        metric(point("histogram", bucket_counts=[1, 2, 3], explicit_bounds=[1]), kind="histogram"),
        "a histogram has 3 bucket counts for 1 bounds; send one count more than bounds, or none of both",
    ),
}


@pytest.mark.parametrize(("wrong", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_point_is_rejected_alone(wrong, said):
    frames, (outcome,), _ = read_metrics(metrics_body(metric(point()), wrong, metric(point("sum"), kind="sum")))
    assert (frames["gauge"].height, frames["sum"].height, frames["histogram"].height) == (1, 1, 0)
    assert (outcome.accepted, outcome.rejected) == (2, 1)
    assert said in outcome.reason


def test_the_end_of_a_stream_needs_no_value():
    (row,) = point_rows("gauge", metrics_body(metric(point(as_int=None, flags=1))))
    assert (row["Value"], row["Flags"]) == (0.0, 1)


def test_each_request_hears_of_its_own_points_of_all_kinds():
    bad = metrics_body(
        metric(point(time_unix_nano=0), point(), name="a"), metric(point("sum", time_unix_nano=0), kind="sum", name="b")
    )
    outcomes = read_metrics(metrics_body(metric(point())), bad, metrics_body(metric(point()))).outcomes
    assert [(outcome.accepted, outcome.rejected) for outcome in outcomes] == [(1, 0), (1, 2), (1, 0)]
    assert outcomes[1].reason == (
        "1 rejected: a data point of metric 'a' has no time; set time_unix_nano. "
        "1 rejected: a data point of metric 'b' has no time; set time_unix_nano"
    )


def test_malformed_requests_harm_no_others():
    good = metrics_body(metric(point()))
    frames, outcomes, _ = read_metrics(good, INVALID_UTF8, NESTED_INVALID_UTF8, b"\xff\xff", b"", good)
    assert frames["gauge"].height == 2
    assert [type(one) for one in outcomes] == [Outcome, Malformed, Malformed, Malformed, Outcome, Outcome]


def test_a_huge_description_repeated_on_very_many_points_of_several_kinds_is_rejected():
    bomb = metrics_request(metric(*(point() for _ in range(500))), metric(*(point("sum") for _ in range(500)), kind="sum"))
    for one in bomb.resource_metrics[0].scope_metrics[0].metrics:
        one.description = "x" * 100_000
    outcome, good = read_metrics(bomb.SerializeToString(), metrics_body(metric(point()))).outcomes
    assert (outcome.accepted, outcome.rejected, good) == (0, 1000, Outcome(accepted=1))


def test_json_says_the_same():
    exemplars = [{"asInt": "4", "traceId": TRACE_ID.hex(), "spanId": "no hex"}]
    whole = {"timeUnixNano": START_NS, "asInt": "7", "exemplars": exemplars}
    points = [{"timeUnixNano": str(START_NS), "asDouble": "NaN"}, whole]
    document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": points}}]}]}]}
    frames, outcomes, _ = read(READING, [to_protobuf(json.dumps(document).encode(), SIGNAL)], Limits(), NOW)
    first, second = frames["gauge"].rows(named=True)
    assert math.isnan(first["Value"])
    assert second["Value"] == 7.0
    assert (second["Exemplars.TraceId"], second["Exemplars.SpanId"]) == ([TRACE_ID.hex()], [""])
    assert outcomes == [Outcome(accepted=2)]
