"""A process that sends OTLP over gRPC as fast as it is answered, or at a steady rate, and says how that went.

Run by the suite: python -m tests.benchmarks.sender '{"target": …}'; prints a `Sent` as JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import grpc
import grpc.aio

from receiver.signals import TRACES
from tests.benchmarks.traffic import SPANS_IN_TRACE, Traffic

METHOD = f"/{TRACES.service}/Export"
AGAIN = {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE}
OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", 1 << 26)]
"""Without the first all channels of a process share one connection."""


@dataclass(frozen=True)
class Order:
    """What to send.

    `in_flight` requests wait for their answers on each connection; `rate` is in spans a second over all
    connections, 0 as fast as they are answered; `attributes` are those of each span.
    """

    target: str
    spans: int
    seconds: float
    connections: int = 1
    in_flight: int = 8
    rate: float = 0
    attributes: int = 7
    prompt_bytes: int = 0
    seed: int = 0


@dataclass
class Sent:
    """What was sent and acknowledged; `latencies` in seconds, when at a steady rate from when a request was due."""

    spans: int = 0
    sets: int = 0
    requests: int = 0
    retries: int = 0
    refused: int = 0
    began: float = 0
    ended: float = 0
    cpu_seconds: float = 0
    latencies: list[float] = field(default_factory=list)


class Connection:
    """One connection: whole sets of traces until the time is over."""

    def __init__(self, order: Order, seed: int, sent: Sent) -> None:
        self._order, self._sent = order, sent
        self._traffic = Traffic(order.spans, order.attributes, order.prompt_bytes, seed)
        self._set = max(order.spans, SPANS_IN_TRACE)
        self._begun = time.monotonic()
        self._bodies = self._endless()

    async def run(self) -> None:
        """Send with `in_flight` requests on the way."""
        async with grpc.aio.insecure_channel(self._order.target, options=OPTIONS) as channel:
            export = channel.unary_unary(METHOD)
            await asyncio.gather(*(self._send(export) for _ in range(self._order.in_flight)))

    def _endless(self) -> Iterator[tuple[float, bytes]]:
        """When a request is due, and the request; ends after a whole set, so that no trace stays open."""
        per_second, spans = self._order.rate / self._order.connections, 0
        while time.monotonic() - self._begun < self._order.seconds:
            for body in self._traffic.requests(time.time_ns()):
                yield (self._begun + spans / per_second if per_second else 0), body
                spans += self._order.spans
            self._sent.sets += 1

    async def _send(self, export: grpc.aio.UnaryUnaryMultiCallable) -> None:
        for due, body in self._bodies:
            if (early := due - time.monotonic()) > 0:
                await asyncio.sleep(early)
            started = due or time.monotonic()
            if await self._acknowledged(export, body):
                self._sent.latencies.append(time.monotonic() - started)
                self._sent.requests += 1
                self._sent.spans += self._order.spans

    async def _acknowledged(self, export: grpc.aio.UnaryUnaryMultiCallable, body: bytes) -> bool:
        """Send until it is acknowledged, as exporters do, within a minute after the end."""
        while time.monotonic() - self._begun < self._order.seconds + 60:
            try:
                await export(body, timeout=60)
            except grpc.aio.AioRpcError as error:
                if error.code() not in AGAIN:
                    raise
                self._sent.retries += 1
                await asyncio.sleep(0.1)
            else:
                return True
        self._sent.refused += 1
        return False


async def send(order: Order) -> Sent:
    """Carry out an order."""
    sent = Sent(began=time.time())
    connections = [Connection(order, order.seed + number, sent) for number in range(order.connections)]
    await asyncio.gather(*(connection.run() for connection in connections))
    sent.ended, sent.cpu_seconds = time.time(), time.process_time()
    return sent


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(send(Order(**json.loads(sys.argv[1])))))))
