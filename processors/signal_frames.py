"""The columns of received logs and metrics, each declared once, named as by the Collector's ClickHouse exporter.

They are rows of `otel_logs` and `otel_metrics_*` as they are stored; nothing is worked out of them on the way.
"""

import polars as pl

from processors.frames import MAP, MILLIS, STRING, TIME, Columns

UINT32, UINT64, FLOAT = pl.UInt32(), pl.UInt64(), pl.Float64()

EXPORTER_LOGS: Columns = {
    "Timestamp": TIME,
    "TraceId": STRING,
    "SpanId": STRING,
    "TraceFlags": pl.UInt8(),
    "SeverityText": STRING,
    "SeverityNumber": pl.UInt8(),
    "ServiceName": STRING,
    "Body": STRING,
    "ResourceSchemaUrl": STRING,
    "ResourceAttributes": MAP,
    "ScopeSchemaUrl": STRING,
    "ScopeName": STRING,
    "ScopeVersion": STRING,
    "ScopeAttributes": MAP,
    "LogAttributes": MAP,
    "EventName": STRING,
}
"""A log record as the Collector's exporter stores it; `TimestampTime` beside `Timestamp` is made by the store."""

LOGS: Columns = {
    **EXPORTER_LOGS,
    "DroppedAttributes": UINT32,
    "IngestedAt": MILLIS,
    "ObservedTimestamp": TIME,
    "Occurrence": UINT32,
}
"""A row of `otel_logs`. `Occurrence`: of the records of its request that have both its times the how-manieth it is, from 0;
with what it says that tells a record that was sent twice from two that say the same."""

_OF_RESOURCE_AND_SCOPE: Columns = {
    "ResourceAttributes": MAP,
    "ResourceSchemaUrl": STRING,
    "ScopeName": STRING,
    "ScopeVersion": STRING,
    "ScopeAttributes": MAP,
    "ScopeDroppedAttrCount": UINT32,
    "ScopeSchemaUrl": STRING,
    "ServiceName": STRING,
    "MetricName": STRING,
    "MetricDescription": STRING,
    "MetricUnit": STRING,
    "Attributes": MAP,
    "StartTimeUnix": TIME,
    "TimeUnix": TIME,
}
_EXEMPLARS: Columns = {
    "Exemplars.FilteredAttributes": pl.List(MAP),
    "Exemplars.TimeUnix": pl.List(TIME),
    "Exemplars.Value": pl.List(FLOAT),
    "Exemplars.SpanId": pl.List(STRING),
    "Exemplars.TraceId": pl.List(STRING),
}
_COUNTED: Columns = {"Count": UINT64, "Sum": FLOAT}
_RANGE: Columns = {"Flags": UINT32, "Min": FLOAT, "Max": FLOAT, "AggregationTemporality": pl.Int32()}
_OF_MERIT: Columns = {"DroppedAttributes": UINT32, "IngestedAt": MILLIS}

GAUGE: Columns = {**_OF_RESOURCE_AND_SCOPE, "Value": FLOAT, "Flags": UINT32, **_EXEMPLARS, **_OF_MERIT}
"""A row of `otel_metrics_gauge`."""
SUM: Columns = {
    **_OF_RESOURCE_AND_SCOPE,
    "Value": FLOAT,
    "Flags": UINT32,
    **_EXEMPLARS,
    "AggregationTemporality": pl.Int32(),
    "IsMonotonic": pl.Boolean(),
    **_OF_MERIT,
}
"""A row of `otel_metrics_sum`. `AggregationTemporality`: 1 delta, 2 cumulative."""
HISTOGRAM: Columns = {
    **_OF_RESOURCE_AND_SCOPE,
    **_COUNTED,
    "BucketCounts": pl.List(UINT64),
    "ExplicitBounds": pl.List(FLOAT),
    **_EXEMPLARS,
    **_RANGE,
    **_OF_MERIT,
}
"""A row of `otel_metrics_histogram`. `Sum`, `Min` and `Max` are 0 where the point does not say them, as in the exporter."""
EXPONENTIAL_HISTOGRAM: Columns = {
    **_OF_RESOURCE_AND_SCOPE,
    **_COUNTED,
    "Scale": pl.Int32(),
    "ZeroCount": UINT64,
    "PositiveOffset": pl.Int32(),
    "PositiveBucketCounts": pl.List(UINT64),
    "NegativeOffset": pl.Int32(),
    "NegativeBucketCounts": pl.List(UINT64),
    **_EXEMPLARS,
    **_RANGE,
    **_OF_MERIT,
}
"""A row of `otel_metrics_exponential_histogram`."""
SUMMARY: Columns = {
    **_OF_RESOURCE_AND_SCOPE,
    **_COUNTED,
    "ValueAtQuantiles.Quantile": pl.List(FLOAT),
    "ValueAtQuantiles.Value": pl.List(FLOAT),
    "Flags": UINT32,
    **_OF_MERIT,
}
"""A row of `otel_metrics_summary`."""

METRICS: dict[str, Columns] = {
    "gauge": GAUGE,
    "sum": SUM,
    "histogram": HISTOGRAM,
    "exponential_histogram": EXPONENTIAL_HISTOGRAM,
    "summary": SUMMARY,
}
"""Each kind of metric with the columns of its points, in the order in which OTLP numbers them."""
NO_RECORDED_VALUE = 1
"""The bit of `Flags` that says: this stream has ended, the point has no value."""
