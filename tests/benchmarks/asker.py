"""Asks /v1/route at a steady rate, in a process of its own: `python -m tests.benchmarks.asker ORDER`, its findings as JSON.

Each question is sent when it is due, whether or not others have been answered, and its latency counts from then. One thread
on bare sockets, its requests made beforehand: what asks must take little of the processors that what answers needs.
"""

import json
import selectors
import socket
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field

CONNECTIONS = 16
PATIENCE_SECONDS = 20.0
"""How long unanswered questions are waited for after the last."""


@dataclass(frozen=True)
class Order:
    """What to ask: `requests` by turns, of `host` and `port`; what is answered in the first `warm` seconds does not count."""

    host: str
    port: int
    bodies: list[str]
    rate: float
    seconds: float
    warm: float


@dataclass
class Found:
    """What came of it; latencies in seconds."""

    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0
    """From the first question that counts to the last answer."""
    cpu_seconds: float = 0.0
    """What asking took."""


class Connection:
    """One question at a time over one connection."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due, self._heard = 0.0, b""

    def ask(self, request: bytes, due: float) -> None:
        """Send a question that was due then."""
        self.due, self._heard = due, b""
        self.socket.sendall(request)

    def status(self) -> int | None:
        """Read what has come: the status of a whole answer, None if more is to come."""
        part = self.socket.recv(1 << 18)
        if not part:
            raise ConnectionError("the server has hung up")
        self._heard += part
        head = self._heard.find(b"\r\n\r\n")
        length = self._heard.find(b"content-length:", 0, head) + 15
        if head < 0 or len(self._heard) < head + 4 + int(self._heard[length : self._heard.find(b"\r\n", length)]):
            return None
        return int(self._heard[9:12])


def asked(order: Order) -> Found:
    """Carry out an order."""
    requests = [request(order.host, body.encode()) for body in order.bodies]
    free = deque(Connection(order.host, order.port) for _ in range(CONNECTIONS))  # by turns: a server hangs up on one left idle
    found, total, sent, answered = Found(), int(order.rate * (order.seconds + order.warm)), 0, 0
    begin, cpu = time.perf_counter() + 0.1, time.process_time()
    counted, end = begin + order.warm, begin + order.warm + order.seconds + PATIENCE_SECONDS
    with selectors.SelectSelector() as waiting:  # epoll would round the time of the next question up to a millisecond
        for connection in free:
            waiting.register(connection.socket, selectors.EVENT_READ, connection)
        while answered < total and time.perf_counter() < end:
            while free and sent < total and begin + sent / order.rate <= time.perf_counter():
                free.popleft().ask(requests[sent % len(requests)], begin + sent / order.rate)
                sent += 1
            more = max(0.0, begin + sent / order.rate - time.perf_counter()) if free and sent < total else PATIENCE_SECONDS
            for key, _ in waiting.select(more):
                if (status := key.data.status()) is not None:
                    answered += 1
                    found.failed += status != 200
                    free.append(key.data)
                    if key.data.due >= counted:
                        found.latencies.append(time.perf_counter() - key.data.due)
    found.failed += total - answered
    found.seconds, found.cpu_seconds = time.perf_counter() - counted, time.process_time() - cpu
    return found


def request(host: str, body: bytes) -> bytes:
    """A question as it goes over the wire."""
    head = f"POST /v1/route HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    print(json.dumps(asdict(asked(Order(**json.loads(sys.stdin.read()))))))
