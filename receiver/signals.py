"""The three signals of OTLP: where they are sent, how they are read, and what an answer looks like."""

from dataclasses import dataclass

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

from receiver import decode, logs, metrics
from receiver.reading import Outcome, Reading


@dataclass(frozen=True)
class Signal:
    """A signal: its name, gRPC service, HTTP path, messages, the field that counts what was rejected, and how it is read.

    `kept` is what its records are called by the settings that say how long they are kept.
    """

    name: str
    kept: str
    service: str
    path: str
    request: type[Message]
    response: type[Message]
    rejected_field: str
    reading: Reading


SERVICE = "opentelemetry.proto.collector.{0}.v1.{1}Service"
TRACES = Signal(
    "traces",
    "spans",
    SERVICE.format("trace", "Trace"),
    "/v1/traces",
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
    "rejected_spans",
    decode.READING,
)
LOGS = Signal(
    "logs",
    "logs",
    SERVICE.format("logs", "Logs"),
    "/v1/logs",
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
    "rejected_log_records",
    logs.READING,
)
METRICS = Signal(
    "metrics",
    "metrics",
    SERVICE.format("metrics", "Metrics"),
    "/v1/metrics",
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
    "rejected_data_points",
    metrics.READING,
)
SIGNALS = (TRACES, LOGS, METRICS)


def response(signal: Signal, outcome: Outcome) -> Message:
    """The answer to a request; empty if all of it was taken."""
    if not outcome.rejected:
        return signal.response()
    return signal.response(partial_success={signal.rejected_field: outcome.rejected, "error_message": outcome.reason})
