"""Settings of `query_api:`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from processors.listening import Endpoint, TlsSettings, host_and_port


class StreamSettings(BaseModel):
    """The live stream."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    events: Annotated[int, Field(ge=100, le=1_000_000)] = 50_000
    """How many of the latest events are kept in memory, about 1 KB each, for readers that come back or are slow."""
    readers: Annotated[int, Field(ge=1, le=10_000)] = 500
    """How many may read at the same time."""
    heartbeat_seconds: Annotated[float, Field(gt=0, le=60)] = 15
    """A reader is told that there is nothing new after this long, and asked whether its token still opens the door."""


class QueryApiSettings(BaseModel):
    """Where questions are answered, and how much one may cost."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    endpoint: Endpoint = "127.0.0.1:8080"
    """`host:port` of the API and `/docs`. Port 0 takes any free one."""
    insecure: bool = False
    """Let anybody who reaches this machine ask and edit. Any address but loopback needs this, or tokens (`auth`)."""
    tls: TlsSettings = TlsSettings()
    """With which certificate the API speaks TLS."""
    cors_origins: tuple[str, ...] = ()
    """Origins (`https://dash.example.org`) whose pages may ask from a browser. None by default; `*` is any."""
    query_seconds: Annotated[float, Field(gt=0, le=300)] = 10
    """A question that takes the store longer is ended and answered with 503."""
    max_request_mib: Annotated[int, Field(ge=1, le=256)] = 16
    """The largest body of `POST /v1/evaluations`; no other route takes more than 1 MiB."""
    threads: Annotated[int, Field(ge=1, le=64)] = 8
    """How many questions are answered at the same time; further ones wait."""
    max_connections: Annotated[int, Field(ge=1)] = 1000
    """Connections at the same time, readers of the live stream among them; one more is answered with 503."""

    stream: StreamSettings = StreamSettings()
    """`/v1/stream`."""

    @property
    def host(self) -> str:
        """The host of `endpoint`, without the brackets of an IPv6 address."""
        return host_and_port(self.endpoint)[0]

    @property
    def port(self) -> int:
        """The port of `endpoint`."""
        return host_and_port(self.endpoint)[1]
