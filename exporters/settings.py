"""Settings of `exporters:`."""

from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from exporters.notifications.settings import NotificationSettings

Days = Annotated[int, Field(ge=1, le=20_000)]


class Retention(BaseModel):
    """How many days each kind of row is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    spans: Days = 30
    """`otel_traces`. What was derived of a trace whose spans have begun to expire stays as it is."""
    logs: Days = 30
    """`otel_logs`."""
    metrics: Days = 30
    """`otel_metrics_gauge`, `_sum`, `_histogram`, `_exponential_histogram` and `_summary`."""
    nodes: Days = 30
    """`nodes`."""
    tasks: Days = 395
    """`tasks`, their scores and model calls, `workflows`: 13 months."""
    evaluations: Days = 395
    """`evaluations` and `judgements`: 13 months."""
    alerts: Days = 395
    """`alerts`, `alert_events`, `silences`, `notifications` and `optimizations`: 13 months."""
    decisions: Days = 395
    """`routing_decisions` and `routing_outcomes`: 13 months."""
    rollups: Days = 395
    """Sums of tasks and of model calls by hour and by day: 13 months."""
    minutes: Annotated[int, Field(ge=3, le=20_000)] = 3
    """Sums by minute, which are read for the newest hours only."""


class ClickHouseSettings(BaseModel):
    """Where the rows go: the embedded engine or a server."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)

    dsn: SecretStr = SecretStr("chdb:///./merit-data")
    """`chdb:///./folder` (relative) or `chdb:///var/lib/merit` (absolute) for the embedded engine;
    `clickhouse://user:password@host:8123/merit` or `clickhouses://…:8443/merit` (TLS) for a server."""
    retention: Retention = Retention()
    """Days to keep, per table."""
    system_log_days: Days = 7
    """Days that ClickHouse keeps the tables about itself (`system.query_log` and its like) if nobody has set another bound."""
    query_seconds: Annotated[float, Field(gt=0)] = 30
    """A query that takes longer is ended."""
    memory_mib: Annotated[int, Field(ge=512)] = 1536
    """What the embedded engine may take for queries, inserts, merges and caches, all together. What would need more is ended,
    or waits: rows in the journal, merges in the background. A server has a limit of its own."""

    @field_validator("dsn")
    @classmethod
    def _known_scheme(cls, dsn: SecretStr) -> SecretStr:
        url = urlsplit(dsn.get_secret_value())
        if url.scheme not in SCHEMES:
            raise ValueError(f"unknown scheme {url.scheme!r}: use one of {', '.join(f'{s}://' for s in SCHEMES)}")
        if url.scheme == "chdb" and (url.netloc or not url.path.strip("/")):
            raise ValueError("write chdb:///./folder for a folder below this one, or chdb:///var/lib/merit for any other")
        if url.scheme != "chdb" and not url.hostname:
            raise ValueError(f"no host: write {url.scheme}://user:password@host:8123/merit")
        if url.query or url.fragment or not _has_port(url):
            raise ValueError(
                "the host, port or path holds a sign with a meaning of its own: write %23 for #, %3F for ?, %2F for /"
            )
        return dsn


def _has_port(url: SplitResult) -> bool:
    """Whether the port, if there is one, is a port. Python's own message would show a part of the password."""
    try:
        return url.port is None or url.port > 0
    except ValueError:
        return False


Scheme = Literal["chdb", "clickhouse", "clickhouses"]
SCHEMES: tuple[Scheme, ...] = ("chdb", "clickhouse", "clickhouses")


class ExporterSettings(BaseModel):
    """Settings of `exporters:`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)

    clickhouse: ClickHouseSettings = ClickHouseSettings()
    """The store."""
    notifications: NotificationSettings = NotificationSettings()
    """Who is told of alerts."""
