"""Can a receiver be reached? A connection is made and closed again; nothing is sent, and no address told: they hold secrets."""

import socket
from typing import Any
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies

from exporters.notifications.carriers import receiver
from exporters.notifications.settings import Route

PORTS = {"http": 80, "https": 443}


def why_unreachable(route: Route, timeout_seconds: float) -> str:
    """What stands in the way of a connection to a route's receiver; empty if nothing does, or nobody knows where it is."""
    place = place_of(route)
    if place is None:
        return ""
    try:
        with socket.create_connection(place, timeout_seconds):
            return ""
    except TimeoutError:
        return "does not answer in time"
    except socket.gaierror:
        return "the name of its host is unknown"
    except OSError as error:
        return error.strerror or type(error).__name__


def place_of(route: Route) -> tuple[str, int] | None:
    """Host and port; None where a proxy is on the way, or apprise keeps the address to itself."""
    if route.webhook:
        return of_url(route.webhook.url.get_secret_value())
    assert route.url is not None
    target: Any = receiver(route.url)
    host, port = getattr(target, "smtp_host", None) or getattr(target, "host", None), getattr(target, "port", None)
    address = getattr(target, "notify_url", None)
    if isinstance(address, str) and address.startswith(tuple(f"{scheme}://" for scheme in PORTS)):
        return of_url(address)
    if not host:
        return None
    if port:
        return host, port
    scheme = "https" if getattr(target, "secure", False) else "http"
    return of_url(f"{scheme}://{host}") if route.url.get_secret_value().startswith(("json", "xml", "form")) else None


def of_url(url: str) -> tuple[str, int] | None:
    """Host and port of an address over HTTP; None if it is no whole one, or a proxy is on the way."""
    parts = urlsplit(url)
    if not parts.hostname or set("{}%") & set(parts.hostname) or get_environ_proxies(url):
        return None
    return parts.hostname, parts.port or PORTS[parts.scheme]
