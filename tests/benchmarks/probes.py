"""How long after the last span of a trace its tasks can be asked for: small traces sent beside the load, and watched."""

import threading
import time
from typing import Self

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from receiver.signals import TRACES
from tests.benchmarks.captures import spans_of
from tests.benchmarks.traffic import Traffic
from tests.merit.processes import Server

PROBE = 16
"""Spans of a probe: one trace, in one request."""
TASKS = 3
"""Its agents."""
EVERY_SECONDS = 0.25
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 60
SEED = 10**6


class Probes:
    """Sends a trace four times a second and asks ten times a second which of them are there.

    Args:
        server: asked for tasks.
        target: its OTLP/gRPC address.
    """

    def __init__(self, server: Server, target: str) -> None:
        self._server, self._target = server, target
        self._traffic = Traffic(PROBE, seed=SEED)
        self._pending: dict[str, float] = {}
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._send, self._look)]
        self.traces = 0
        self.freshness: list[float] = []

    def warm_up(self) -> None:
        """Send one trace and wait for its tasks: imports, prices and first parts are not the load's."""
        with grpc.insecure_channel(self._target) as channel:
            self._send_one(channel)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._pending and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
            self._look_once()
        assert not self._pending, f"the first trace was never derived\n{self._server.log}"
        self.freshness.clear()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        with grpc.insecure_channel(self._target) as channel:
            while not self._over.wait(EVERY_SECONDS):
                self._send_one(channel)

    def _send_one(self, channel: grpc.Channel) -> None:
        (body,) = self._traffic.requests(time.time_ns())
        trace = next(spans_of(ExportTraceServiceRequest.FromString(body))).trace_id.hex()
        self._pending[trace] = time.monotonic()
        channel.unary_unary(f"/{TRACES.service}/Export")(body, timeout=PATIENCE_SECONDS)
        self.traces += 1

    def _look(self) -> None:
        deadline = float("inf")
        while time.monotonic() < deadline and not (self._over.is_set() and not self._pending):
            time.sleep(LOOK_SECONDS)
            if self._over.is_set():
                deadline = min(deadline, time.monotonic() + PATIENCE_SECONDS)
            self._look_once()

    def _look_once(self) -> None:
        """One question for all that are on the way."""
        pending = dict(self._pending)
        if not pending:
            return
        path = "/v1/tasks?limit=1000&" + "&".join(f"trace_id={trace}" for trace in pending)
        try:
            tasks = self._server.get(path)["tasks"]
        except OSError:
            return  # too busy to answer: it is looked again
        now = time.monotonic()
        there = [task["trace_id"] for task in tasks if task["status"] != "running"]
        for trace in pending:
            if there.count(trace) >= TASKS:
                self.freshness.append(now - self._pending.pop(trace))
