"""The edge: the application on a socket, in a thread of its own."""

import asyncio
import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

from processors.errors import Unavailable
from processors.idle_connections import closing_idle
from processors.listening import Tls, speaking
from query_api.settings import QueryApiSettings

CONNECTION = closing_idle()
DRAIN_SECONDS = 5
START_SECONDS = 30
BACKLOG = 512
HEARD_BYTES = 1 << 16
"""The largest message that a WebSocket may send: nothing of it is listened to."""
UNREAD_MILLISECONDS = 60_000
"""A connection whose other side has not taken what was sent to it for this long is ended by the kernel (Linux)."""


class ApiServer:
    """Serves `app` from `start` to `stop`.

    Args:
        app: the application.
        settings: where to listen.
        tls: with which certificate, None without.
        http: speaks with those who connect.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: QueryApiSettings,
        tls: Tls | None = None,
        http: type[asyncio.Protocol] = CONNECTION,
    ) -> None:
        self._settings, self._scheme = settings, "https" if tls else "http"
        config = uvicorn.Config(
            app,
            loop="asyncio",  # uvloop, which is there for the receiver, answers no sooner here
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            backlog=BACKLOG,
            limit_concurrency=settings.max_connections + 1,  # uvicorn refuses the one that makes so many
            http=http,
            ws="websockets-sansio",
            ws_max_size=HEARD_BYTES,
            ws_per_message_deflate=False,  # 200 readers would have the same portion compressed 200 times
            **speaking(tls),
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None
        self.port = settings.port
        """The port that is bound, also where the settings say 0."""

    @property
    def url(self) -> str:
        """Where the API is."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"{self._scheme}://{host}:{self.port}"

    def start(self) -> None:
        """Listen and answer; on return it does.

        Raises:
            Unavailable: the address is taken or cannot be bound.
        """
        listener = listen(self._settings)
        self.port = listener.getsockname()[1]
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="query_api", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise Unavailable("query_api did not start: the log says why")
            time.sleep(0.005)

    def stop(self) -> None:
        """Take no more questions, finish those that are asked, let go of the port. Safe to call twice."""
        if self._thread:
            self._server.should_exit = True
            self._thread.join(DRAIN_SECONDS + 5)
            self._thread = None


def listen(settings: QueryApiSettings) -> socket.socket:
    """A listening socket at the endpoint."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Unavailable(
            f"query_api.endpoint {settings.endpoint} cannot be bound ({error.strerror}): "
            "stop what listens there, or set another address"
        ) from error
    # Connections inherit both. Where the listener does not say so, asyncio leaves Nagle's algorithm on: the second part of an
    # answer then waits for the other side to acknowledge the first, which it puts off by 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MILLISECONDS)
    return listener
