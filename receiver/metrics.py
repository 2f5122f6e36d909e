"""OTLP metrics to frames of `METRICS` columns, one for each kind of metric; a row is a data point."""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from processors.frames import empty
from processors.signal_frames import METRICS
from receiver.admit_points import point_rules
from receiver.attributes import Integers, capped_pairs, maps, value_texts
from receiver.batch import Batch, children, flatten, text_bytes
from receiver.columns import as_lists, dropped_in_all, summed, times
from receiver.descriptors import Wire
from receiver.hexadecimal import hex_texts
from receiver.limits import Limits
from receiver.reading import Part, Reading

TEXTS = {"MetricName": "name", "MetricDescription": "description", "MetricUnit": "unit"}

OfKind = Callable[[pa.StructArray, pa.StructArray, pa.Array], dict[str, pa.Array]]
"""Of points, the kind's message of each metric, and the row of each point's metric: the columns that only this kind has."""


def _numbers(points: pa.StructArray, _metrics: pa.StructArray, _row: pa.Array) -> dict[str, pa.Array]:
    return {"Value": _values(points)}


def _sums(points: pa.StructArray, metrics: pa.StructArray, row: pa.Array) -> dict[str, pa.Array]:
    return {
        "Value": _values(points),
        "AggregationTemporality": metrics.field("aggregation_temporality").take(row),
        "IsMonotonic": metrics.field("is_monotonic").take(row),
    }


def _histograms(points: pa.StructArray, metrics: pa.StructArray, row: pa.Array) -> dict[str, pa.Array]:
    return {
        **_summarized(points, metrics, row),
        "BucketCounts": points.field("bucket_counts"),
        "ExplicitBounds": points.field("explicit_bounds"),
    }


def _exponential_histograms(points: pa.StructArray, metrics: pa.StructArray, row: pa.Array) -> dict[str, pa.Array]:
    positive, negative = points.field("positive"), points.field("negative")
    return {
        **_summarized(points, metrics, row),
        "Scale": points.field("scale"),
        "ZeroCount": points.field("zero_count"),
        "PositiveOffset": positive.field("offset"),
        "PositiveBucketCounts": positive.field("bucket_counts"),
        "NegativeOffset": negative.field("offset"),
        "NegativeBucketCounts": negative.field("bucket_counts"),
    }


def _summaries(points: pa.StructArray, _metrics: pa.StructArray, _row: pa.Array) -> dict[str, pa.Array]:
    lists = points.field("quantile_values")
    quantiles = lists.flatten()
    return {
        "Count": points.field("count"),
        "Sum": points.field("sum"),
        "ValueAtQuantiles.Quantile": as_lists(lists, quantiles.field("quantile")),
        "ValueAtQuantiles.Value": as_lists(lists, quantiles.field("value")),
    }


OF_KIND: dict[str, OfKind] = {
    "gauge": _numbers,
    "sum": _sums,
    "histogram": _histograms,
    "exponential_histogram": _exponential_histograms,
    "summary": _summaries,
}


def _summarized(points: pa.StructArray, metrics: pa.StructArray, row: pa.Array) -> dict[str, pa.Array]:
    """What both histograms say; 0 for a sum and an extreme that they do not say, as the Collector's exporter has it."""
    said = {"Sum": "sum", "Min": "min", "Max": "max"}
    return {
        "Count": points.field("count"),
        **{name: points.field(field).fill_null(0.0) for name, field in said.items()},
        "AggregationTemporality": metrics.field("aggregation_temporality").take(row),
    }


def point_columns(
    kind: str, metrics: pa.StructArray, row: Integers, batch: Batch, limits: Limits, _admitted: npt.NDArray[np.bool_]
) -> dict[str, pa.Array]:
    """What each point of `kind` says, and the metric in its `row` of `metrics`."""
    points, rows = batch.records, pa.array(row)
    own = capped_pairs(points.field("attributes"), limits)
    exemplars, dropped = _exemplars(points.field("exemplars"), limits) if kind != "summary" else ({}, 0)
    return {
        **{name: metrics.field(field).take(rows) for name, field in TEXTS.items()},
        "Attributes": maps(own.pairs),
        "StartTimeUnix": times(points.field("start_time_unix_nano")),
        "TimeUnix": times(points.field("time_unix_nano")),
        **OF_KIND[kind](points, metrics.field(kind), rows),
        "Flags": points.field("flags"),
        **exemplars,
        "DroppedAttributes": dropped_in_all(batch, own.dropped + dropped),
    }


def _exemplars(lists: pa.ListArray, limits: Limits) -> tuple[dict[str, pa.Array], Integers]:
    exemplars = lists.flatten()
    attributes = capped_pairs(exemplars.field("filtered_attributes"), limits)
    columns = {
        "Exemplars.FilteredAttributes": as_lists(lists, maps(attributes.pairs)),
        "Exemplars.TimeUnix": as_lists(lists, times(exemplars.field("time_unix_nano"))),
        "Exemplars.Value": as_lists(lists, _values(exemplars)),
        "Exemplars.SpanId": as_lists(lists, hex_texts(exemplars.field("span_id"))),
        "Exemplars.TraceId": as_lists(lists, hex_texts(exemplars.field("trace_id"))),
    }
    return columns, summed(lists, attributes.dropped)


def _values(column: pa.StructArray) -> pa.DoubleArray:
    """The number, however it was sent: the table has one column of doubles; 0 where there is none, as in the exporter."""
    return pc.coalesce(column.field("as_double"), column.field("as_int").cast(pa.float64(), safe=False), pa.scalar(0.0))


def _metrics(columns: pa.ListArray, limits: Limits) -> dict[str, Part]:
    found = flatten(columns, "scope_metrics", "metrics", limits)
    metrics = found.records
    value_texts(metrics.field("metadata").flatten().field("value"))  # not stored, but malformed values in it must be noticed
    texts = sum((text_bytes(metrics.field(name)) for name in TEXTS.values()), np.zeros(len(metrics), np.int64))
    parts = {}
    for kind in METRICS:
        points, row = children(metrics.field(kind).field("data_points"))
        rules = partial(point_rules, kind, metrics.field("name"), row)
        parts[kind] = Part(found.below(points, row, texts), rules, partial(point_columns, kind, metrics, row))
    return parts


READING = Reading(Wire(ExportMetricsServiceRequest), _metrics, {kind: empty(columns) for kind, columns in METRICS.items()})
