"""OTLP/gRPC as its clients see it."""

import queue
from datetime import timedelta

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from processors.errors import NoRoom, Unavailable
from tests.receiver.builders import INVALID_UTF8, body, span
from tests.receiver.signal_builders import logs_body, metric, metrics_body, point, record

TRACE = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"


@pytest.fixture
def channel(receiver):
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{receiver.grpc_port}", options=options) as opened:
        yield opened


def export(channel, made, method=TRACE, **options):
    return channel.unary_unary(method)(made, timeout=20, **options)


def failure(channel, made, method=TRACE, **options):
    with pytest.raises(grpc.RpcError) as caught:
        export(channel, made, method, **options)
    return caught.value


def rich_status(error):
    return Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])


def test_a_request_is_stored_and_answered_with_an_empty_response(channel, shelf):
    assert export(channel, body(span(name="a"), span(2, name="b"))) == b""
    assert shelf.names == ["a", "b"]


def test_an_empty_request_is_valid(channel, shelf):
    assert export(channel, b"") == b""
    assert shelf.frames == []


def test_a_request_without_a_message_is_told_so(channel, shelf):
    with pytest.raises(grpc.RpcError, match="there is no message") as caught:
        channel.stream_unary(TRACE)(iter([]), timeout=20)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert shelf.frames == []


def test_the_sdks_exporter_is_understood(present_receiver, shelf):
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{present_receiver.grpc_port}", insecure=True)
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("my.library").start_as_current_span("outer") as outer:
        outer.set_attribute("list", ["a", "b"])
    provider.shutdown()
    (frame,) = shelf.frames
    assert frame["ServiceName"].to_list() == ["shop"]
    assert frame["TraceId"].to_list() == [f"{outer.get_span_context().trace_id:032x}"]
    assert frame["SpanAttributes"].to_list() == [{"list": '["a","b"]'}]


@pytest.mark.parametrize("bad", [b"\xff" * 9, INVALID_UTF8], ids=["malformed", "invalid UTF-8"])
def test_bytes_that_are_no_otlp_get_invalid_argument_while_a_good_request_is_stored(channel, shelf, bad):
    call = channel.unary_unary(TRACE)
    good, wrong = call.future(body(span(name="good")), timeout=20), call.future(bad, timeout=20)
    assert good.result() == b""
    assert wrong.exception().code() is grpc.StatusCode.INVALID_ARGUMENT
    assert rich_status(wrong.exception()).code == 3
    assert shelf.names == ["good"]


def test_wrong_spans_are_told_as_a_partial_success(channel, shelf):
    answer = ExportTraceServiceResponse.FromString(export(channel, body(span(name="good"), span(2, trace_id=b"abc"))))
    assert answer.partial_success.rejected_spans == 1
    assert "trace_id is 3 bytes long; send 16 bytes" in answer.partial_success.error_message
    assert shelf.names == ["good"]


def test_a_store_that_is_away_is_unavailable_with_a_delay(channel, shelf):
    shelf.error = Unavailable("the store is away", retry_after=timedelta(seconds=5))
    error = failure(channel, body(span()))
    retry = RetryInfo()
    assert rich_status(error).details[0].Unpack(retry)
    assert (error.code(), error.details(), retry.retry_delay.seconds) == (grpc.StatusCode.UNAVAILABLE, "the store is away", 5)


def test_a_full_journal_is_resource_exhausted_with_a_delay(channel, shelf):
    shelf.full = NoRoom("the journal is full", retry_after=timedelta(seconds=5))
    error = failure(channel, body(span()))
    retry = RetryInfo()
    assert rich_status(error).details[0].Unpack(retry)
    assert (error.code(), retry.retry_delay.seconds) == (grpc.StatusCode.RESOURCE_EXHAUSTED, 5)


def test_no_room_is_resource_exhausted_with_a_delay_at_once(channel, shelf):
    shelf.go.clear()
    large = body(span(), resource={"x": "y" * 900_000})
    calls = [channel.unary_unary(TRACE).future(large, timeout=20) for _ in range(5)]  # four of them fit
    done: queue.SimpleQueue[grpc.Future] = queue.SimpleQueue()
    for call in calls:
        call.add_done_callback(done.put)
    error = done.get(timeout=10).exception()
    shelf.go.set()
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert rich_status(error).details[0].Is(RetryInfo.DESCRIPTOR)
    assert sum(call.exception() is None for call in calls) == 4


def test_a_fault_of_ours_is_told_without_its_cause(channel, shelf):
    shelf.error = ZeroDivisionError("secret")
    error = failure(channel, body(span()))
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert "secret" not in str(error)


def test_a_request_beyond_the_limit_is_refused_also_when_it_is_compressed(channel, shelf):
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        error = failure(channel, bytes(2 << 20), compression=compression)
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert shelf.frames == []


def test_a_compressed_request_is_stored(channel, shelf):
    export(channel, body(span(name="small")), compression=grpc.Compression.Gzip)
    assert shelf.names == ["small"]


def test_logs_and_metrics_are_kept_by_kind_of_row(channel, shelf):
    assert export(channel, logs_body(record("a"), record("b")), LOGS) == b""
    assert export(channel, metrics_body(metric(point()), metric(point("sum"), kind="sum")), METRICS) == b""
    assert [list(frames) for frames in shelf.kept] == [["logs"], ["gauge", "sum"]]
    assert shelf.of("logs")[0]["Body"].to_list() == ["a", "b"]


def test_of_logs_and_metrics_that_are_wrong_the_number_and_the_reason_are_told(channel, shelf):
    logs = export(channel, logs_body(record(), record(trace_id=b"abc"), record(span_id=b"abc")), LOGS)
    metrics = export(channel, metrics_body(metric(point(time_unix_nano=0), point())), METRICS)
    of_logs = ExportLogsServiceResponse.FromString(logs).partial_success
    of_metrics = ExportMetricsServiceResponse.FromString(metrics).partial_success
    assert (of_logs.rejected_log_records, of_metrics.rejected_data_points) == (2, 1)
    assert "trace_id is 3 bytes long; send 16 bytes" in of_logs.error_message
    assert "has no time; set time_unix_nano" in of_metrics.error_message
    assert (shelf.of("logs")[0].height, shelf.of("gauge")[0].height) == (1, 1)


@pytest.mark.parametrize("method", [LOGS, METRICS])
def test_empty_and_malformed_logs_and_metrics_are_told_apart(channel, shelf, method):
    assert export(channel, b"", method) == b""
    assert failure(channel, b"\xff" * 9, method).code() is grpc.StatusCode.INVALID_ARGUMENT
    assert shelf.kept == []


@pytest.mark.parametrize("method", [LOGS, METRICS])
def test_logs_and_metrics_are_not_acknowledged_while_they_cannot_be_kept(channel, shelf, method):
    shelf.error = Unavailable("the disk is full", retry_after=timedelta(seconds=5))
    made = logs_body(record()) if method is LOGS else metrics_body(metric(point()))
    assert failure(channel, made, method).code() is grpc.StatusCode.UNAVAILABLE


def test_an_unknown_method_is_unimplemented(channel):
    assert failure(channel, b"", TRACE.replace("Export", "Import")).code() is grpc.StatusCode.UNIMPLEMENTED
