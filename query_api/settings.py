"""Settings of `query_api:`."""

from ipaddress import ip_address
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator


class QueryApiSettings(BaseModel):
    """Where questions are answered, and how much one may cost."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    endpoint: str = "127.0.0.1:8080"
    """`host:port` of the API and `/docs`. Port 0 takes any free one."""
    insecure: bool = False
    """Say `true` to listen on an address that other machines reach although nobody is asked who they are."""
    query_seconds: Annotated[float, Field(gt=0, le=300)] = 10
    """A question that takes the store longer is ended and answered with 503."""
    max_request_mib: Annotated[int, Field(ge=1, le=256)] = 16
    """The largest body of `POST /v1/evaluations`; no other route takes more than 1 MiB."""
    threads: Annotated[int, Field(ge=1, le=64)] = 8
    """How many questions are answered at the same time; further ones wait."""

    @property
    def host(self) -> str:
        """The host of `endpoint`, without the brackets of an IPv6 address."""
        return urlsplit(f"//{self.endpoint}").hostname or ""

    @property
    def port(self) -> int:
        """The port of `endpoint`."""
        return urlsplit(f"//{self.endpoint}").port or 0

    @model_validator(mode="after")
    def _closed_by_default(self) -> Self:
        if not has_host_and_port(self.endpoint):
            raise ValueError(f"{self.endpoint!r} is no endpoint: write host:port, for example 127.0.0.1:8080")
        if not self.insecure and not is_loopback(self.host):
            raise ValueError(
                f"query_api.endpoint {self.endpoint!r} can be reached from other machines, and whoever reaches it "
                "may read everything: bind to 127.0.0.1, or allow it with query_api.insecure: true"
            )
        return self


def has_host_and_port(endpoint: str) -> bool:
    """Whether `endpoint` is `host:port`."""
    try:
        parts = urlsplit(f"//{endpoint}")
        return bool(parts.hostname) and parts.port is not None and parts.netloc == endpoint and "@" not in endpoint
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether `host` can only be reached from this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
