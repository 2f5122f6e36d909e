"""Who reads what Merit reports of itself: Prometheus by `/metrics`, and an OTLP endpoint if one is set.

Both read the same OpenTelemetry instruments (`processors/telemetry.py`), so that no number is kept twice.
"""

from contextlib import ExitStack

from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from merit.settings import TelemetrySettings
from processors.telemetry import Instruments


class Telemetry:
    """The instruments and their readers.

    Args:
        settings: of `telemetry:`.
        version: of this Merit; with `service.name` part of the resource.
    """

    def __init__(self, settings: TelemetrySettings, version: str) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)  # memory, CPU, open files
        readers: list[MetricReader] = [PrometheusMetricReader(registry=self._registry, scope_info_enabled=False)]
        if settings.otlp_endpoint:
            exporter = OTLPMetricExporter(settings.otlp_endpoint, insecure=settings.otlp_insecure)
            readers.append(PeriodicExportingMetricReader(exporter, settings.interval_seconds * 1000))
        resource = Resource({"service.name": "merit", "service.version": version})
        provider = MeterProvider(readers, resource, shutdown_on_exit=False)
        self.instruments = Instruments(provider.get_meter("merit"))
        self._stops = ExitStack()
        self._stops.callback(provider.shutdown)

    def exposition(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def stop(self) -> None:
        """Send what was not sent yet, and read no more. Safe to call twice."""
        self._stops.close()
