"""How long after the last span of a trace its tasks can be asked for: small traces sent beside the load, and watched.

To ask ten times a second whether they are there took a tenth of a core. So the live stream is listened to, which says when tasks
are worth asking for; what counts is the answer to the question that follows.
"""

import json
import threading
import time
from contextlib import suppress
from http.client import HTTPException
from typing import Self
from urllib.request import urlopen

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
AGENT = b"supervisor", b"probe-lead"
"""The name of its first agent in other traffic, and its own, as long: by it the stream is told from that of the load."""
EVERY_SECONDS = 0.25
LOOK_SECONDS = 0.1
UNTOLD_SECONDS = 2.0
"""How often all that are on the way are asked for, whatever the stream says."""
PATIENCE_SECONDS = 60
SEED = 10**6


class Probes:
    """Sends a trace four times a second, and asks for those that the stream says are derived until they are there.

    Args:
        server: asked for tasks.
        target: its OTLP/gRPC address.
    """

    def __init__(self, server: Server, target: str) -> None:
        self._server, self._target = server, target
        self._traffic = Traffic(PROBE, seed=SEED)
        self._pending: dict[str, float] = {}
        self._told: set[str] = set()
        self._heard = threading.Event()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._send, self._look)]
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self.traces = 0
        self.freshness: list[float] = []

    def warm_up(self) -> None:
        """Send one trace and wait for its tasks: imports, prices and first parts are not the load's."""
        with grpc.insecure_channel(self._target) as channel:
            self._send_one(channel)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._pending and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
            self._look_once(set(self._pending))
        assert not self._pending, f"the first trace was never derived\n{self._server.log}"
        self.freshness.clear()

    def __enter__(self) -> Self:
        for thread in (self._listener, *self._threads):
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
        body = body.replace(*AGENT)
        trace = next(spans_of(ExportTraceServiceRequest.FromString(body))).trace_id.hex()
        self._pending[trace] = time.monotonic()
        channel.unary_unary(f"/{TRACES.service}/Export")(body, timeout=PATIENCE_SECONDS)
        self.traces += 1

    def _listen(self) -> None:
        """Note which traces the stream tells of, until the server ends it."""
        path = f"/v1/stream?type=task.finished&agent_id={AGENT[1].decode()}"
        url = self._server.find(r"API on (http://[^/]+)/") + path
        with suppress(OSError, HTTPException), urlopen(url, timeout=PATIENCE_SECONDS) as lines:
            for line in lines:
                if line.startswith(b"data: "):
                    self._told.add(json.loads(line[6:]).get("trace_id"))  # what opens the stream is about none
                    self._heard.set()

    def _look(self) -> None:
        deadline, asked = float("inf"), time.monotonic()
        while time.monotonic() < deadline and not (self._over.is_set() and not self._pending):
            self._heard.wait(LOOK_SECONDS)
            self._heard.clear()
            if self._over.is_set():
                deadline = min(deadline, time.monotonic() + PATIENCE_SECONDS)
            pending = set(self._pending)
            wanted = pending if time.monotonic() > asked + UNTOLD_SECONDS else pending & self._told
            if wanted:
                asked = time.monotonic()
                self._look_once(wanted)

    def _look_once(self, wanted: set[str]) -> None:
        """One question for several traces."""
        if not wanted:
            return
        path = "/v1/tasks?limit=1000&" + "&".join(f"trace_id={trace}" for trace in wanted)
        try:
            tasks = self._server.get(path)["tasks"]
        except OSError:
            return  # too busy to answer: it is looked again
        now = time.monotonic()
        there = [task["trace_id"] for task in tasks if task["status"] != "running"]
        for trace in wanted:
            if there.count(trace) >= TASKS:
                self.freshness.append(now - self._pending.pop(trace))
