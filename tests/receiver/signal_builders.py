"""Logs and metrics with fixed ids and times, as an SDK would send them."""

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)

from receiver import logs, metrics
from receiver.limits import Limits
from receiver.reading import Read, read
from tests.receiver.builders import NOW, SPAN_ID, START_NS, TRACE_ID, attributes, plain_rows, value

POINTS = {
    "gauge": NumberDataPoint,
    "sum": NumberDataPoint,
    "histogram": HistogramDataPoint,
    "exponential_histogram": ExponentialHistogramDataPoint,
    "summary": SummaryDataPoint,
}


def record(text: str = "hello", **fields: Any) -> LogRecord:
    """A valid log record that says `text`."""
    defaults = {
        "time_unix_nano": START_NS,
        "observed_time_unix_nano": START_NS + 5,
        "severity_number": 9,
        "severity_text": "INFO",
        "body": value(text),
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "flags": 1,
    }
    return LogRecord(**(defaults | fields))


def logs_request(*records: LogRecord, resource: dict[str, Any] | None = None) -> ExportLogsServiceRequest:
    """One request, one resource, one scope."""
    made = ExportLogsServiceRequest()
    outer = made.resource_logs.add(schema_url="https://resource")
    outer.resource.attributes.extend(attributes({"service.name": "shop"} if resource is None else resource))
    inner = outer.scope_logs.add(schema_url="https://scope")
    inner.scope.name, inner.scope.version = "my.library", "1.2"
    inner.scope.attributes.extend(attributes({"scope": 1}))
    inner.log_records.extend(records)
    return made


def logs_body(*records: LogRecord, **parts: Any) -> bytes:
    serialized: bytes = logs_request(*records, **parts).SerializeToString()
    return serialized


def point(kind: str = "gauge", **fields: Any) -> Any:
    """A valid data point of a metric of this kind."""
    plain: dict[str, Any] = {"time_unix_nano": START_NS, "start_time_unix_nano": START_NS - 10}
    plain |= {"as_int": 7} if kind in ("gauge", "sum") else {"count": 3, "sum": 6.5}
    return POINTS[kind](**(plain | fields))


def metric(*points: Any, kind: str = "gauge", name: str = "merit.queue.length", **data: Any) -> Metric:
    """A metric with these points."""
    made = Metric(name=name, description="Waiting", unit="{task}")
    getattr(made, kind).SetInParent()
    for field, said in data.items():
        setattr(getattr(made, kind), field, said)
    getattr(made, kind).data_points.extend(points)
    return made


def metrics_request(*sent: Metric, resource: dict[str, Any] | None = None) -> ExportMetricsServiceRequest:
    """One request, one resource, one scope."""
    made = ExportMetricsServiceRequest()
    outer = made.resource_metrics.add(schema_url="https://resource")
    outer.resource.attributes.extend(attributes({"service.name": "shop"} if resource is None else resource))
    inner = outer.scope_metrics.add(schema_url="https://scope")
    inner.scope.name, inner.scope.version, inner.scope.dropped_attributes_count = "my.library", "1.2", 3
    inner.scope.attributes.extend(attributes({"scope": 1}))
    inner.metrics.extend(sent)
    return made


def metrics_body(*sent: Metric, **parts: Any) -> bytes:
    serialized: bytes = metrics_request(*sent, **parts).SerializeToString()
    return serialized


def read_logs(*bodies: bytes, **limits: Any) -> Read:
    return read(logs.READING, bodies, Limits(**limits), NOW)


def read_metrics(*bodies: bytes, **limits: Any) -> Read:
    return read(metrics.READING, bodies, Limits(**limits), NOW)


def log_rows(*bodies: bytes, **limits: Any) -> list[dict[str, Any]]:
    return plain_rows(read_logs(*bodies, **limits).frames["logs"])


def point_rows(kind: str, *bodies: bytes, **limits: Any) -> list[dict[str, Any]]:
    return plain_rows(read_metrics(*bodies, **limits).frames[kind])
