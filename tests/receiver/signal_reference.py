"""Logs and metrics converted record by record over protobuf objects: slow and plain, to hold the columns against."""

from collections import Counter
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from tests.receiver.builders import NOW
from tests.receiver.reference import pairs_of, text_of

LAST = 2**63 - 1


def log_rows_of(body: bytes) -> list[dict[str, Any]]:
    """The rows of a serialized request all of whose records are valid."""
    seen: Counter[tuple[int, int]] = Counter()
    rows = []
    for outer in ExportLogsServiceRequest.FromString(body).resource_logs:
        for inner in outer.scope_logs:
            for record in inner.log_records:
                times = record.time_unix_nano or record.observed_time_unix_nano, record.observed_time_unix_nano
                rows.append(log_row_of(record, outer, inner) | {"Occurrence": seen[times]})
                seen[times] += 1
    return rows


def log_row_of(record: LogRecord, outer: Any, inner: Any) -> dict[str, Any]:
    resource, scope = outer.resource, inner.scope
    return {
        "Timestamp": record.time_unix_nano or record.observed_time_unix_nano,
        "TraceId": record.trace_id.hex() if any(record.trace_id) else "",
        "SpanId": record.span_id.hex() if any(record.span_id) else "",
        "TraceFlags": record.flags & 0xFF,
        "SeverityText": record.severity_text,
        "SeverityNumber": record.severity_number if 0 <= record.severity_number <= 24 else 0,
        "ServiceName": dict(pairs_of(resource.attributes)).get("service.name", ""),
        "Body": text_of(record.body),
        "ResourceSchemaUrl": outer.schema_url,
        "ResourceAttributes": pairs_of(resource.attributes),
        "ScopeSchemaUrl": inner.schema_url,
        "ScopeName": scope.name,
        "ScopeVersion": scope.version,
        "ScopeAttributes": pairs_of(scope.attributes),
        "LogAttributes": pairs_of(record.attributes),
        "EventName": record.event_name,
        "DroppedAttributes": min(sum(part.dropped_attributes_count for part in (record, resource, scope)), 2**32 - 1),
        "IngestedAt": NOW,
        "ObservedTimestamp": min(record.observed_time_unix_nano, LAST),
    }


def point_rows_of(body: bytes) -> dict[str, list[dict[str, Any]]]:
    """The rows of a serialized request all of whose points are valid, by kind."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for outer in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        for inner in outer.scope_metrics:
            for metric in inner.metrics:
                for point in getattr(metric, metric.WhichOneof("data") or "gauge").data_points:
                    row = point_row_of(point, metric, outer, inner)
                    rows.setdefault(metric.WhichOneof("data") or "", []).append(row)
    return rows


def point_row_of(point: Any, metric: Metric, outer: Any, inner: Any) -> dict[str, Any]:
    resource, scope = outer.resource, inner.scope
    kind = metric.WhichOneof("data") or ""
    return {
        "ResourceAttributes": pairs_of(resource.attributes),
        "ResourceSchemaUrl": outer.schema_url,
        "ScopeName": scope.name,
        "ScopeVersion": scope.version,
        "ScopeAttributes": pairs_of(scope.attributes),
        "ScopeDroppedAttrCount": scope.dropped_attributes_count,
        "ScopeSchemaUrl": inner.schema_url,
        "ServiceName": dict(pairs_of(resource.attributes)).get("service.name", ""),
        "MetricName": metric.name,
        "MetricDescription": metric.description,
        "MetricUnit": metric.unit,
        "Attributes": pairs_of(point.attributes),
        "StartTimeUnix": min(point.start_time_unix_nano, LAST),
        "TimeUnix": point.time_unix_nano,
        **OF_KIND[kind](point, getattr(metric, kind)),
        "Flags": point.flags,
        **(exemplars_of(point) if kind != "summary" else {}),
        "DroppedAttributes": min(resource.dropped_attributes_count + scope.dropped_attributes_count, 2**32 - 1),
        "IngestedAt": NOW,
    }


def value_of(point: Any) -> float:
    return float(getattr(point, point.WhichOneof("value") or "as_double"))


def exemplars_of(point: Any) -> dict[str, Any]:
    return {
        "Exemplars.FilteredAttributes": [pairs_of(one.filtered_attributes) for one in point.exemplars],
        "Exemplars.TimeUnix": [min(one.time_unix_nano, LAST) for one in point.exemplars],
        "Exemplars.Value": [value_of(one) for one in point.exemplars],
        "Exemplars.SpanId": [one.span_id.hex() for one in point.exemplars],
        "Exemplars.TraceId": [one.trace_id.hex() for one in point.exemplars],
    }


def summarized(point: Any, data: Any) -> dict[str, Any]:
    said = {"Count": point.count, "Sum": point.sum, "Min": point.min, "Max": point.max}
    return said | {"AggregationTemporality": data.aggregation_temporality}


OF_KIND: dict[str, Any] = {
    "gauge": lambda point, _data: {"Value": value_of(point)},
    "sum": lambda point, data: {
        "Value": value_of(point),
        "AggregationTemporality": data.aggregation_temporality,
        "IsMonotonic": data.is_monotonic,
    },
    "histogram": lambda point, data: {
        **summarized(point, data),
        "BucketCounts": list(point.bucket_counts),
        "ExplicitBounds": list(point.explicit_bounds),
    },
    "exponential_histogram": lambda point, data: {
        **summarized(point, data),
        "Scale": point.scale,
        "ZeroCount": point.zero_count,
        "PositiveOffset": point.positive.offset,
        "PositiveBucketCounts": list(point.positive.bucket_counts),
        "NegativeOffset": point.negative.offset,
        "NegativeBucketCounts": list(point.negative.bucket_counts),
    },
    "summary": lambda point, _data: {
        "Count": point.count,
        "Sum": point.sum,
        "ValueAtQuantiles.Quantile": [one.quantile for one in point.quantile_values],
        "ValueAtQuantiles.Value": [one.value for one in point.quantile_values],
    },
}
