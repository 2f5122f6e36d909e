"""The three signals of OTLP as the two servers see them: where they are sent, and what an answer looks like.

Only traces are stored. Logs and metrics are answered honestly: a partial success that counts every record as rejected.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

from processors.errors import Rejected


@dataclass(frozen=True)
class Signal:
    """A signal: its name, gRPC service, HTTP path, messages, the field that counts what was rejected, and how to count."""

    name: str
    service: str
    path: str
    request: type[Message]
    response: type[Message]
    rejected_field: str
    count: Callable[[Any], int]


def _count_spans(request: ExportTraceServiceRequest) -> int:
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)


def _count_records(request: ExportLogsServiceRequest) -> int:
    return sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)


def _count_points(request: ExportMetricsServiceRequest) -> int:
    scopes = (scope for resource in request.resource_metrics for scope in resource.scope_metrics)
    metrics = (metric for scope in scopes for metric in scope.metrics)
    return sum(len(getattr(metric, kind).data_points) for metric in metrics if (kind := metric.WhichOneof("data")))


SERVICE = "opentelemetry.proto.collector.{0}.v1.{1}Service"
TRACES = Signal(
    "traces",
    SERVICE.format("trace", "Trace"),
    "/v1/traces",
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
    "rejected_spans",
    _count_spans,
)
LOGS = Signal(
    "logs",
    SERVICE.format("logs", "Logs"),
    "/v1/logs",
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
    "rejected_log_records",
    _count_records,
)
METRICS = Signal(
    "metrics",
    SERVICE.format("metrics", "Metrics"),
    "/v1/metrics",
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
    "rejected_data_points",
    _count_points,
)
UNSTORED = (LOGS, METRICS)


def response(signal: Signal, rejected: int = 0, reason: str = "") -> Message:
    """The answer to a request of which `rejected` records were not taken; empty if all were."""
    if not rejected:
        return signal.response()
    return signal.response(partial_success={signal.rejected_field: rejected, "error_message": reason})


def answer_unstored(signal: Signal, body: bytes) -> Message:
    """The answer to a request of a signal that is not stored; raises Rejected if it is malformed."""
    try:
        count = signal.count(signal.request.FromString(body))
    except DecodeError as error:
        raise Rejected(f"the body is no OTLP {signal.name} request: {error}") from error
    return response(signal, count, f"{signal.name} are not stored yet: turn their exporter off, or send them elsewhere")
