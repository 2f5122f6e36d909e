"""The addresses that Merit listens on, by the names of their settings."""

import socket

from merit.settings import Settings
from processors.listening import host_and_port

GRPC = "receivers.otlp.grpc.endpoint"
HTTP = "receivers.otlp.http.endpoint"
API = "query_api.endpoint"

Address = tuple[str, int]


def endpoints(settings: Settings) -> dict[str, Address]:
    """Host and port of each."""
    otlp = settings.receivers.otlp
    said = {GRPC: otlp.grpc.endpoint, HTTP: otlp.http.endpoint, API: settings.query_api.endpoint}
    return {name: host_and_port(endpoint) for name, endpoint in said.items()}


def bracketed(host: str) -> str:
    """A host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def why_not_bindable(host: str, port: int) -> str:
    """What the system says against listening there; empty if nothing. Listens nowhere."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        return error.strerror or str(error)
    return ""
