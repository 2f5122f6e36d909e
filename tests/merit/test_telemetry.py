"""What Merit reports of itself reaches Prometheus and an OTLP endpoint, once and under the names that are documented."""

import json
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import (
    MetricsServiceServicer,
    add_MetricsServiceServicer_to_server,
)
from prometheus_client.parser import text_string_to_metric_families

from merit.logs import json_lines
from merit.settings import TelemetrySettings
from merit.telemetry import Telemetry
from processors.telemetry import Depth, Instruments
from receiver.storing import Counts

DECLARED = Path(__file__).parents[2] / "processors" / "telemetry.py"
MONITORING = Path(__file__).parents[2] / "docs" / "monitoring.md"


class Collector(MetricsServiceServicer):
    """Takes what is exported."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def Export(self, request: ExportMetricsServiceRequest, _: grpc.ServicerContext) -> ExportMetricsServiceResponse:
        scopes = (scope for resource in request.resource_metrics for scope in resource.scope_metrics)
        self.names |= {metric.name for scope in scopes for metric in scope.metrics}
        return ExportMetricsServiceResponse()


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    made = Telemetry(TelemetrySettings(), "1.2.3")
    yield made
    made.stop()


def samples(telemetry: Telemetry) -> dict[tuple[str, str], float]:
    """Name and attributes to value."""
    families = text_string_to_metric_families(telemetry.exposition().decode())
    found = (sample for family in families for sample in family.samples)
    return {(s.name, ",".join(f"{k}={v}" for k, v in sorted(s.labels.items()))): s.value for s in found}


def test_what_is_counted_can_be_read_by_prometheus(telemetry: Telemetry) -> None:
    telemetry.instruments.received(512, signal="traces")
    telemetry.instruments.received(8, signal="traces")
    telemetry.instruments.rejected(3, signal="traces", reason="too old")

    found = samples(telemetry)

    assert found["merit_otlp_received_total", "signal=traces"] == 520
    assert found["merit_otlp_rejected_total", "reason=too old,signal=traces"] == 3


def test_a_stage_that_fails_is_measured_too(telemetry: Telemetry) -> None:
    with pytest.raises(ZeroDivisionError), telemetry.instruments.stage.of(stage="decode"):
        1 / 0  # noqa: B018

    assert samples(telemetry)["merit_stage_duration_seconds_count", "stage=decode"] == 1


def test_a_gauge_is_measured_when_somebody_looks(telemetry: Telemetry) -> None:
    waiting = [Depth(1, 100, 0.5)]
    telemetry.instruments.watch_journal(lambda: waiting[0])
    waiting[0] = Depth(2, 300, 61.5)

    found = samples(telemetry)

    assert (found["merit_journal_entries", ""], found["merit_journal_size_bytes", ""]) == (2, 300)
    assert found["merit_journal_age_seconds", ""] == 61.5


def test_what_becomes_of_rows_is_told_by_kind(telemetry: Telemetry) -> None:
    telemetry.instruments.watch_storing(lambda: {"spans": Counts(kept_rows=9, stored_rows=7, retries=3, dead_rows=2)})

    found = samples(telemetry)

    names = (
        "merit_journal_kept_total",
        "merit_store_stored_total",
        "merit_store_retries_total",
        "merit_store_dead_letters_total",
    )
    assert [found[name, "kind=spans"] for name in names] == [9, 7, 3, 2]


def test_nothing_is_counted_where_nobody_reads() -> None:
    Instruments().received(1, signal="traces")


def test_stopping_sends_what_was_not_sent_yet_and_is_safe_twice() -> None:
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(1))
    add_MetricsServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    telemetry = Telemetry(TelemetrySettings(otlp_endpoint=f"127.0.0.1:{port}", otlp_insecure=True), "1.2.3")
    telemetry.instruments.derived(4, table="tasks")

    telemetry.stop()
    telemetry.stop()
    server.stop(None).wait()

    assert collector.names == {"merit.derived"}


def test_every_metric_is_documented_and_every_documented_metric_exists() -> None:
    declared = set(re.findall(r'"((?:merit|http)\.[a-z_.]+)"', DECLARED.read_text()))

    documented = set(re.findall(r"^\| `((?:merit|http)\.[a-z_.]+)` \|", MONITORING.read_text(), re.MULTILINE))

    assert documented == declared


def test_a_log_line_in_json_is_one_object_with_its_traceback() -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        record = logging.LogRecord("merit", logging.ERROR, "", 0, "job %s failed", ("sweep",), (ValueError, error, None))

    line = json_lines().format(record)

    said = json.loads(line)
    assert "\n" not in line
    assert (said["level"], said["logger"], said["message"]) == ("ERROR", "merit", "job sweep failed")
    assert "ValueError: no" in said["exc_info"]
