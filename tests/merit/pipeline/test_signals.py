"""Logs and metrics of real senders, through the journal, into the real store."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from exporters.store import Store
from merit.pipeline.signals import signal_consumers
from processors.errors import Unavailable
from receiver.journal import Journal
from receiver.server import Receiver
from receiver.spool import Spool
from receiver.storing import Consume
from tests.builders import SIGNALS, truncate
from tests.receiver.conftest import receiver_settings
from tests.receiver.signal_builders import logs_body, metric, metrics_body, point, record
from tests.running import eventually

RESOURCE = Resource.create({"service.name": "newsroom", "merit.agent.id": "editor"})
PROTOBUF = {"Content-Type": "application/x-protobuf"}


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def receiving(folder: Path, consumers: dict[str, Consume]) -> Iterator[Receiver]:
    """A receiver, its journal in `folder`, and who stores what is in it."""
    journal = Journal(folder, now, 64 << 20, 64 << 20).open()
    spool = Spool(journal, consumers, lambda _table, _rows, _token: None, 64 << 20)
    spool.start()
    running = Receiver(receiver_settings(), spool, now, grace=timedelta(seconds=5))
    running.start()
    try:
        yield running
    finally:
        running.stop()
        spool.stop(timedelta(seconds=5))
        journal.close()


@pytest.fixture
def receiver(tmp_path: Path, store: Store) -> Iterator[Receiver]:
    """A receiver whose logs and metrics go into the store."""
    truncate(store)
    with receiving(tmp_path, signal_consumers(store)) as running:
        yield running
    truncate(store)


def found(store: Store, table: str) -> Callable[[], list[dict[str, Any]]]:
    return lambda: store.query("SELECT * FROM {table:Identifier}", {"table": table}).rows(named=True)


def logs_exporter(protocol: str, receiver: Receiver) -> Any:
    if protocol == "grpc":
        return GrpcLogs(endpoint=f"http://127.0.0.1:{receiver.grpc_port}", insecure=True)
    return HttpLogs(f"http://127.0.0.1:{receiver.http_port}/v1/logs")


def metrics_exporter(protocol: str, receiver: Receiver) -> Any:
    if protocol == "grpc":
        return GrpcMetrics(endpoint=f"http://127.0.0.1:{receiver.grpc_port}", insecure=True)
    return HttpMetrics(f"http://127.0.0.1:{receiver.http_port}/v1/metrics")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the handler is to move to another package of OpenTelemetry's
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_what_a_program_logs_is_stored(receiver: Receiver, store: Store, protocol: str) -> None:
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(BatchLogRecordProcessor(logs_exporter(protocol, receiver)))
    logger = logging.getLogger(f"newsroom.{protocol}")
    logger.propagate = False
    logger.addHandler(LoggingHandler(logger_provider=provider))
    with TracerProvider().get_tracer("t").start_as_current_span("edit") as span:
        logger.warning("%d articles wait", 3, extra={"desk": "politics"})
    provider.shutdown()

    (row,) = eventually(found(store, "otel_logs"))
    assert (row["ServiceName"], row["Body"], row["ScopeName"]) == ("newsroom", "3 articles wait", f"newsroom.{protocol}")
    assert (row["SeverityText"], row["SeverityNumber"]) == ("WARN", 13)
    assert row["TraceId"] == f"{span.get_span_context().trace_id:032x}"
    assert row["SpanId"] == f"{span.get_span_context().span_id:016x}"
    assert dict(row["LogAttributes"])["desk"] == "politics"
    assert dict(row["ResourceAttributes"])["merit.agent.id"] == "editor"
    assert now() - timedelta(minutes=1) < row["Timestamp"] <= row["ObservedTimestamp"] < now()


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_what_a_program_measures_is_stored(receiver: Receiver, store: Store, protocol: str) -> None:
    reader = PeriodicExportingMetricReader(metrics_exporter(protocol, receiver), export_interval_millis=3_600_000)
    scaled = View(instrument_name="latency", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], resource=RESOURCE, views=[scaled])
    meter = provider.get_meter("newsroom")
    meter.create_gauge("merit.queue.length", unit="{task}").set(4, {"desk": "politics"})
    meter.create_counter("articles").add(2)
    meter.create_up_down_counter("open").add(-1)
    meter.create_histogram("words", unit="{word}").record(700)
    meter.create_histogram("latency", unit="s").record(0.5)
    provider.shutdown()

    (gauge,) = eventually(found(store, "otel_metrics_gauge"))
    assert (gauge["MetricName"], gauge["MetricUnit"], gauge["Value"]) == ("merit.queue.length", "{task}", 4.0)
    assert (gauge["ServiceName"], gauge["Attributes"]) == ("newsroom", {"desk": "politics"})
    sums = {row["MetricName"]: row for row in eventually(found(store, "otel_metrics_sum"))}
    assert [(row["Value"], row["IsMonotonic"]) for row in (sums["articles"], sums["open"])] == [(2.0, True), (-1.0, False)]
    (words,) = eventually(found(store, "otel_metrics_histogram"))
    assert (words["Count"], words["Sum"], words["Max"], words["AggregationTemporality"]) == (1, 700.0, 700.0, 2)
    assert sum(words["BucketCounts"]) == 1
    (latency,) = eventually(found(store, "otel_metrics_exponential_histogram"))
    assert (latency["Count"], latency["Min"], latency["PositiveBucketCounts"]) == (1, 0.5, [1])


def test_a_summary_is_stored_as_prometheus_has_it(receiver: Receiver, store: Store) -> None:
    body = metrics_body(metric(point("summary", time_unix_nano=time.time_ns()), kind="summary", name="rpc"))
    answer = httpx.post(f"http://127.0.0.1:{receiver.http_port}/v1/metrics", content=body, headers=PROTOBUF)

    assert (answer.status_code, answer.content) == (200, b"")
    (row,) = eventually(found(store, "otel_metrics_summary"))
    assert (row["MetricName"], row["Count"], row["Sum"]) == ("rpc", 3, 6.5)


def test_a_request_that_is_sent_again_is_stored_once(receiver: Receiver, store: Store) -> None:
    present = time.time_ns()
    bodies = {
        "logs": logs_body(record(time_unix_nano=present)),
        "metrics": metrics_body(metric(point(time_unix_nano=present)), metric(point("sum", time_unix_nano=present), kind="sum")),
    }
    for _ in range(3):
        for name, body in bodies.items():
            answer = httpx.post(f"http://127.0.0.1:{receiver.http_port}/v1/{name}", content=body, headers=PROTOBUF)
            assert answer.content == b""

    for table in ("otel_logs", "otel_metrics_gauge", "otel_metrics_sum"):
        assert len(eventually(found(store, table))) == 1


def test_what_was_acknowledged_while_the_store_was_away_is_stored_by_the_next_process(tmp_path: Path, store: Store) -> None:
    def away(_rows: Any, _token: str) -> None:
        raise Unavailable("the store is away")

    truncate(store)
    present, consumers = time.time_ns(), signal_consumers(store)
    with receiving(tmp_path, dict.fromkeys(consumers, away)) as running:
        url = f"http://127.0.0.1:{running.http_port}/v1"
        of_all = [metric(point(kind, time_unix_nano=present), kind=kind) for kind in consumers if kind != "logs"]
        logged = httpx.post(f"{url}/logs", content=logs_body(record(time_unix_nano=present)), headers=PROTOBUF)
        measured = httpx.post(f"{url}/metrics", content=metrics_body(*of_all), headers=PROTOBUF)
    assert (logged.status_code, logged.content, measured.status_code, measured.content) == (200, b"", 200, b"")
    assert [len(found(store, table)()) for table in SIGNALS] == [0] * 6

    with receiving(tmp_path, consumers):
        assert [len(eventually(found(store, table))) for table in SIGNALS] == [1] * 6
    truncate(store)
