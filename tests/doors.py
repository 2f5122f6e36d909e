"""Tokens and certificates for tests, and the three listeners over real connections."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import trustme

from exporters.store import Store
from merit.commands.tokens import line, made
from merit.listeners.doors import entrances
from merit.listeners.endpoints import API, GRPC, HTTP
from merit.settings import Settings
from processors.telemetry import Instruments
from query_api.web.app import create_app
from query_api.web.health import Condition
from query_api.web.server import ApiServer
from receiver.server import Receiver
from tests.builders import NOW
from tests.receiver import builders as sent
from tests.receiver.conftest import Shelf

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def token(*roles: str, name: str = "somebody") -> tuple[str, str]:
    """A token of these roles, and its line for the file."""
    text, entry = made(name, list(roles))
    return text, line(entry)


def settings(**sections: Any) -> Settings:
    """Settings with any free ports on loopback."""
    free = {"endpoint": "127.0.0.1:0"}
    receivers = {"otlp": {"grpc": free, "http": free, **sections.pop("otlp", {})}}
    return Settings.model_validate({"receivers": receivers, "query_api": free | sections.pop("query_api", {}), **sections})


@dataclass(frozen=True)
class Listeners:
    """The three, by where they are."""

    grpc: str
    http: str
    api: str
    shelf: Shelf

    def send_grpc(self, body: bytes, token: str = "", channel: grpc.Channel | None = None) -> bytes:
        """Send OTLP/gRPC; raises RpcError if it is refused."""
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        with channel or grpc.insecure_channel(self.grpc) as opened:
            answer: bytes = opened.unary_unary(EXPORT)(body, metadata=metadata, timeout=20)
            return answer

    def send_http(self, body: bytes, token: str = "", **more: Any) -> httpx.Response:
        """Send OTLP/HTTP."""
        headers = bearer(token) | {"content-type": "application/x-protobuf"} | more.pop("headers", {})
        return httpx.post(f"{self.http}/v1/traces", content=body, headers=headers, timeout=20, **more)

    def ask(self, path: str = "/v1/tasks", token: str = "", method: str = "GET", **more: Any) -> httpx.Response:
        """Ask the API."""
        headers = bearer(token) | more.pop("headers", {})
        return httpx.request(method, f"{self.api}{path}", headers=headers, timeout=20, **more)


def bearer(token: str) -> Mapping[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"} if token else {}


@contextmanager
def listening(said: Settings, store: Store, instruments: Instruments | None = None) -> Iterator[Listeners]:
    """The three listeners, with a shelf to keep what is sent."""
    at, shelf = entrances(said), Shelf()
    receiver = Receiver(said.receivers, shelf, lambda: sent.NOW, grpc=at[GRPC], http=at[HTTP], instruments=instruments)
    app = create_app(store, store.insert, said.query_api, lambda: NOW, Condition(), entrance=at[API])
    api = ApiServer(app, said.query_api, at[API].tls)
    receiver.start()
    api.start()
    scheme = "https" if at[HTTP].tls else "http"
    try:
        yield Listeners(f"127.0.0.1:{receiver.grpc_port}", f"{scheme}://127.0.0.1:{receiver.http_port}", api.url, shelf)
    finally:
        api.stop()
        receiver.stop()


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate and its key."""

    certificate: Path
    key: Path

    def named(self) -> dict[str, str]:
        """As settings."""
        return {"certificate": str(self.certificate), "key": str(self.key)}


def issue(authority: trustme.CA, folder: Path, name: str, *, of: str = "127.0.0.1") -> Certificate:
    """A certificate for `of`, written into `folder`."""
    issued = authority.issue_cert(of)
    found = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    found.certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    found.key.write_bytes(issued.private_key_pem.bytes())
    return found
