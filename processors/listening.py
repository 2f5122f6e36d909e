"""What every listener's settings have in common: where, and with which certificate."""

import ipaddress
import ssl
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Protocol, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator


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
    if not host or port is None or url.netloc != endpoint or url.username is not None:
        raise ValueError(f"{endpoint!r} is no endpoint: write host:port, for instance 127.0.0.1:4317 or [::1]:4317")
    return host, port


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class TlsSettings(BaseModel):
    """With which certificate a listener speaks TLS (1.2 or newer). The files are read again when they change."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    certificate: Path | None = None
    """The certificate, PEM, with the chain below its authority. Without one nothing is encrypted."""
    key: Path | None = None
    """Its private key, PEM, without a password."""
    client_ca: Path | None = None
    """The authority, PEM, whose certificates clients must have (mutual TLS). Without one they need none."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: name both files, or none")
        if self.client_ca and not self.certificate:
            raise ValueError("client_ca needs certificate and key: clients show theirs only over TLS")
        return self


class Pem(NamedTuple):
    """A certificate, its key and the authority of the clients' (None: they need none), as in their files."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None


class Tls(Protocol):
    """What a listener needs to speak TLS."""

    def context(self) -> ssl.SSLContext:
        """A context for OpenSSL; `renew` keeps it up to date."""

    def renew(self) -> None:
        """Look whether the files have changed; cheap."""

    def pem(self) -> Pem:
        """What the files hold now."""


def speaking(tls: Tls | None) -> dict[str, Any]:
    """What uvicorn is told to speak TLS, and to look for renewed certificates every second."""
    if tls is None:
        return {}

    async def renew() -> None:
        tls.renew()

    return {"ssl_context_factory": lambda _config, _default: tls.context(), "callback_notify": renew, "timeout_notify": 1}
