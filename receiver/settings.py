"""Settings of `receivers:`."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from processors.listening import Endpoint, TlsSettings


class GrpcSettings(BaseModel):
    """OTLP over gRPC."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    endpoint: Endpoint = "127.0.0.1:4317"
    """Where OTLP/gRPC is served, `host:port`; port 0 lets the system choose."""


class HttpSettings(BaseModel):
    """OTLP over HTTP."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    endpoint: Endpoint = "127.0.0.1:4318"
    """Where OTLP/HTTP is served, `host:port`; port 0 lets the system choose."""


class OtlpSettings(BaseModel):
    """How OTLP comes in."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    grpc: GrpcSettings = GrpcSettings()
    """The gRPC server."""
    http: HttpSettings = HttpSettings()
    """The HTTP server."""
    tls: TlsSettings = TlsSettings()
    """With which certificate both servers speak TLS."""
    insecure: bool = False
    """Let anybody who reaches this machine send spans. Any address but loopback needs this, or tokens (`auth`)."""
    max_request_mib: Annotated[int, Field(ge=1, le=60)] = 16
    """The largest request, after inflating. Columns count bytes in 31 bits, which a larger one could exceed once what its
    spans share is repeated on each."""
    max_waiting_mib: Annotated[int, Field(ge=1)] = 128
    """What may wait in memory, to be written to the journal and, as much again, to be stored; beyond it senders are told
    to come back later, and what waits to be stored is read back from the journal."""
    max_concurrent_requests: Annotated[int, Field(ge=1)] = 1000
    """Requests under way at once, over gRPC and HTTP together; one more is told to come back later before its body is read."""
    max_connections: Annotated[int, Field(ge=1)] = 1000
    """Connections of each of the two servers; one more is refused (gRPC: UNAVAILABLE, HTTP: 503)."""
    max_attributes: Annotated[int, Field(ge=1, le=100_000)] = 256
    """Attributes kept of a span (log record, data point), of its resource and of each event: first those that Merit
    reads, then in the order sent; the rest is counted as dropped.
    Twice the OpenTelemetry SDKs' own limit of 128: instrumentations that flatten messages into attributes raise that."""
    max_attribute_bytes: Annotated[int, Field(ge=1024)] = 256 * 1024
    """Bytes kept of an attribute's value; what was cut is counted as dropped. Prompts are wanted, and this is a prompt of
    some 60,000 tokens."""

    @model_validator(mode="after")
    def _a_request_fits(self) -> Self:
        if self.max_waiting_mib < 2 * self.max_request_mib:
            raise ValueError("receivers.otlp.max_waiting_mib must be at least twice receivers.otlp.max_request_mib")
        return self


class JournalSettings(BaseModel):
    """Where what has been accepted is kept until it is stored."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    folder: Path | None = None
    """Where the journal is. None: `journal` in the folder of the embedded engine; with a server, `./merit-journal`."""
    max_mib: Annotated[int, Field(ge=1)] = 4096
    """What may wait on disk, while the store is away or slow; beyond it senders are told to come back later."""
    max_dead_letter_mib: Annotated[int, Field(ge=1)] = 256
    """Rows that the store will never take are kept up to this much; then the oldest of them go."""


class ReceiverSettings(BaseModel):
    """Settings of `receivers:`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    otlp: OtlpSettings = OtlpSettings()
    """OpenTelemetry's own protocol."""
    journal: JournalSettings = JournalSettings()
    """What makes sure that nothing acknowledged is lost."""
