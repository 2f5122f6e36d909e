"""Those who are told: a real HTTP server and a real SMTP server."""

import email
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Hook:
    """What a webhook was sent, and how it answers: with these statuses, one after the other, then 200."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    headers: list[Message] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/merit"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was sent, read."""
        return [json.loads(body) for body in self.bodies]


@contextmanager
def served(handler: type[BaseHTTPRequestHandler], port: int = 0) -> Iterator[int]:
    """An HTTP server on this port, or on any free one; which it is."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def hook(said: Hook | None = None) -> Iterator[Hook]:
    """An HTTP server on any free port, or on the one of `said`. Status 0: it closes the connection without an answer."""
    said = said or Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said.headers.append(self.headers)
            said.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            status = said.answers.pop(0) if said.answers else 200
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Retry-After", "120")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with served(Handler, said.port) as said.port:
        yield said


@contextmanager
def dripping() -> Iterator[Hook]:
    """An HTTP server that begins an answer and sends header after header, for as long as it is listened to."""
    said = Hook()
    over = Event()

    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            self.connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.05):
                self.connection.sendall(b"X-Wait: a little\r\n")

    with served(Handler) as said.port:
        try:
            yield said
        finally:
            over.set()


class Letters:
    """An SMTP server's handler: keeps what comes."""

    def __init__(self) -> None:
        self.port = 0
        self.received: list[Message] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.received.append(email.message_from_bytes(envelope.content))
        return "250 OK"

    @property
    def url(self) -> str:
        """As apprise writes it."""
        return f"mailto://127.0.0.1:{self.port}?from=merit@example.org&to=ops@example.org"


@contextmanager
def letters() -> Iterator[Letters]:
    """A real SMTP server."""
    kept = Letters()
    with socket.create_server(("127.0.0.1", 0)) as free:  # aiosmtpd wants to know its port
        kept.port = free.getsockname()[1]
    controller = Controller(kept, hostname="127.0.0.1", port=kept.port)
    controller.start()
    try:
        yield kept
    finally:
        controller.stop()
