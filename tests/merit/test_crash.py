"""`kill -9` at random moments, again and again: everything acknowledged is stored, once, and counted exactly."""

import json
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.error import URLError
from urllib.request import Request, urlopen

import grpc
import pytest

from tests.merit.processes import Server
from tests.merit.sending import CHATS, EXPORT, counted, log_of, point_of, trace_of
from tests.receiver.builders import body
from tests.running import eventually

KILLS = 20
WORKERS = 2
FAST = {"MERIT_PROCESSORS__ASSEMBLE__QUIET_SECONDS": "0.2", "MERIT_JOBS__SWEEP__INTERVAL_SECONDS": "1"}
LOGS, METRICS = (f"/opentelemetry.proto.collector.{name}Service/Export" for name in ("logs.v1.Logs", "metrics.v1.Metrics"))


@dataclass
class Senders:
    """Send everything that Merit takes, each request until it is acknowledged, to wherever it listens now."""

    stop: threading.Event = field(default_factory=threading.Event)
    grpc: str = ""
    api: str = ""
    spans: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    points: list[int] = field(default_factory=list)
    rated: list[str] = field(default_factory=list)
    traces: int = 0
    again: int = 0

    def at(self, server: Server) -> None:
        """Send to this one from now on."""
        self.grpc, self.api = server.find(r"OTLP/gRPC on (\S+)"), server.find(r"API on (http://[^/]+)/")

    def threads(self) -> list[threading.Thread]:
        """A few that send traces, and one for each other kind."""
        each = [*[self._traces] * WORKERS, self._logs, self._points, self._ratings]
        return [threading.Thread(target=self._work, args=(work, number)) for number, work in enumerate(each)]

    def _work(self, work: Callable[[Random, int], None], number: int) -> None:
        random, count = Random(number), 0
        while not self.stop.is_set():
            work(random, count)
            count += 1

    def _traces(self, random: Random, _: int) -> None:
        """A trace: the calls of an agent in requests of one or two spans, the agent span at last."""
        trace = random.randbytes(16)
        spans = trace_of(trace, random)
        cut = random.choice([1, 2, 3])
        for part in (spans[:cut], spans[cut:]):
            self._send(EXPORT, body(*part))
            self.spans += [trace.hex() + each.span_id.hex() for each in part]
        self.traces += 1

    def _logs(self, _: Random, count: int) -> None:
        self._send(LOGS, log_of(f"log {count}"))
        self.logs.append(f"log {count}")

    def _points(self, _: Random, count: int) -> None:
        self._send(METRICS, point_of(count))
        self.points.append(count)

    def _ratings(self, random: Random, count: int) -> None:
        url = f"/v1/tasks/{random.randbytes(16).hex()}/feedback"
        self._until_taken(lambda: self._post(url, {"rating": 5, "comment": f"rating {count}"}))
        self.rated.append(f"rating {count}")

    def _send(self, method: str, request: bytes) -> None:
        def send() -> None:
            with grpc.insecure_channel(self.grpc) as channel:
                channel.unary_unary(method)(request, timeout=2)

        self._until_taken(send)

    def _post(self, path: str, content: dict[str, object]) -> None:
        request = Request(self.api + path, json.dumps(content).encode(), {"Content-Type": "application/json"})
        with urlopen(request, timeout=5) as reply:
            assert reply.status == 202

    def _until_taken(self, send: Callable[[], None]) -> None:
        while True:
            with suppress(grpc.RpcError, URLError, ConnectionError, TimeoutError):
                send()
                return
            self.again += 1
            time.sleep(0.05)


@pytest.mark.timeout(600)
def test_what_was_acknowledged_survives_kills_at_random_moments_once(tmp_path: Path) -> None:
    random, senders = Random(4), Senders()
    threads = senders.threads()
    for kill in range(KILLS):
        server = Server(tmp_path, **FAST)
        if kill % 4 == 3:  # each fourth is killed while it starts, with the journal half stored
            eventually(lambda server=server: "wait in the journal" in server.log or server.is_ready, 60)
            time.sleep(random.uniform(0, 0.2))
        else:
            server.wait_until_ready()
            senders.at(server)
            if kill == 0:
                for thread in threads:
                    thread.start()
            time.sleep(random.uniform(0.05, 0.5))
        server.kill()

    server = Server(tmp_path, **FAST)
    server.wait_until_ready()
    senders.at(server)
    senders.stop.set()
    for thread in threads:
        thread.join(30)
    eventually(lambda: sum(one["tasks"] for one in server.get("/v1/agents")["agents"]) >= senders.traces, 60)
    assert server.end(signal.SIGTERM) == 0
    server.kill()

    found = counted(tmp_path)
    assert len(found["spans"]) == len(set(found["spans"])), "a span is stored twice"
    assert set(found["spans"]) == set(senders.spans)
    assert found["tasks"] == [senders.traces, 100 * CHATS * senders.traces, CHATS * senders.traces]
    assert found["nodes"] == CHATS * senders.traces
    assert sorted(found["logs"]) == sorted(senders.logs)
    assert sorted(found["points"]) == senders.points
    assert sorted(found["rated"]) == sorted(senders.rated)
    assert senders.again >= KILLS // 2  # it was in the middle of something
