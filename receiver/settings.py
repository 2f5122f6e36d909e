"""Settings of `receivers:`."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _checked(endpoint: str) -> str:
    host_and_port(endpoint)
    return endpoint


Endpoint = Annotated[str, AfterValidator(_checked)]


def host_and_port(endpoint: str) -> tuple[str, int]:
    """The parts of `host:port` (an IPv6 host in brackets); raises ValueError if it is not that."""
    try:
        url = urlsplit(f"//{endpoint}")
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
    if not host or port is None or url.path or url.username is not None:
        raise ValueError(f"{endpoint!r} is no endpoint: write host:port, for instance 127.0.0.1:4317 or [::1]:4317")
    return host, port


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
    insecure: bool = False
    """Let anybody who reaches this machine send spans. Needed to bind to anything but loopback."""
    max_request_mib: Annotated[int, Field(ge=1, le=60)] = 16
    """The largest request, after inflating. Columns count bytes in 31 bits, which a larger one could exceed once what its
    spans share is repeated on each."""
    max_waiting_mib: Annotated[int, Field(ge=1)] = 128
    """What may wait in memory, to be written to the journal and, as much again, to be stored; beyond it senders are told
    to come back later, and what waits to be stored is read back from the journal."""
    max_attributes: Annotated[int, Field(ge=1, le=100_000)] = 256
    """Attributes kept of a span (log record, data point), of its resource and of each event: first those that Merit
    reads, then in the order sent; the rest is counted as dropped.
    Twice the OpenTelemetry SDKs' own limit of 128: instrumentations that flatten messages into attributes raise that."""
    max_attribute_bytes: Annotated[int, Field(ge=1024)] = 256 * 1024
    """Bytes kept of an attribute's value; what was cut is counted as dropped. Prompts are wanted, and this is a prompt of
    some 60,000 tokens."""

    @model_validator(mode="after")
    def _closed_by_default(self) -> Self:
        for name, endpoint in (("grpc", self.grpc.endpoint), ("http", self.http.endpoint)):
            if not self.insecure and not is_loopback(host_and_port(endpoint)[0]):
                raise ValueError(
                    f"receivers.otlp.{name}.endpoint {endpoint!r} can be reached from other machines, and whoever reaches it "
                    "may send spans: bind to 127.0.0.1, or allow it with receivers.otlp.insecure: true"
                )
        return self

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
