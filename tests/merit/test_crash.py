"""`kill -9` at random moments, again and again: everything acknowledged is stored, once, and counted exactly."""

import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import grpc
import pytest

from tests.merit.processes import ROOT, Server, environment
from tests.receiver.builders import attributes, body, span
from tests.running import eventually

KILLS = 20
WORKERS = 4
CHATS = 3
"""Model calls of each trace, below one agent span."""
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
FAST = {"MERIT_PROCESSORS__ASSEMBLE__QUIET_SECONDS": "0.2", "MERIT_JOBS__SWEEP__INTERVAL_SECONDS": "1"}

COUNT = """
import json, sys
from exporters.settings import ClickHouseSettings
from exporters.store import Store
with Store(ClickHouseSettings.model_validate({"dsn": "chdb://" + sys.argv[1]})) as store:
    spans = store.query("SELECT TraceId, SpanId FROM otel_traces")
    views = store.query("SELECT count() FROM otel_traces_trace_id_ts").item()
    tasks = store.query("SELECT count(), sum(input_tokens), sum(llm_calls) FROM tasks FINAL WHERE status = 'succeeded'").row(0)
    nodes = store.query("SELECT count() FROM nodes FINAL").item()
    print(json.dumps({"spans": (spans["TraceId"] + spans["SpanId"]).to_list(), "tasks": tasks, "nodes": nodes, "views": views}))
"""


@dataclass
class Sender:
    """Sends traces, each request until it is acknowledged, to wherever Merit listens now."""

    stop: threading.Event = field(default_factory=threading.Event)
    endpoint: str = ""
    acknowledged: list[str] = field(default_factory=list)
    traces: int = 0
    again: int = 0

    def work(self, number: int) -> None:
        """Trace after trace: the calls of an agent in requests of one or two spans, the agent span at last."""
        random = Random(number)
        while not self.stop.is_set():
            trace = random.randbytes(16)
            spans = trace_of(trace, random)
            cut = random.choice([1, 2, 3])
            for part in (spans[:cut], spans[cut:]):
                self.send(body(*part))
                self.acknowledged += [trace.hex() + each.span_id.hex() for each in part]
            self.traces += 1

    def send(self, request: bytes) -> None:
        """Return when it is acknowledged."""
        while True:
            with suppress(grpc.RpcError), grpc.insecure_channel(self.endpoint) as channel:
                channel.unary_unary(EXPORT)(request, timeout=2)
                return
            self.again += 1
            time.sleep(0.05)


def trace_of(trace: bytes, random: Random) -> list:
    """The spans of an agent that calls a model, root last."""
    now, root = time.time_ns(), random.randbytes(8)
    times = {"trace_id": trace, "start_time_unix_nano": now - 10**9, "end_time_unix_nano": now}
    said = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "worker"}
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 100}
    chats = [span(span_id=random.randbytes(8), parent_span_id=root, attributes=attributes(call), **times) for _ in range(CHATS)]
    return [*chats, span(span_id=root, name="invoke_agent worker", attributes=attributes(said), **times)]


def counted(folder: Path) -> dict:
    """What is stored, read without FINAL, and what was derived."""
    command = [sys.executable, "-c", COUNT, str(folder / "merit-data")]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.timeout(300)
def test_what_was_acknowledged_survives_kills_at_random_moments_once(tmp_path: Path) -> None:
    random, sender = Random(4), Sender()
    workers = [threading.Thread(target=sender.work, args=(number,)) for number in range(WORKERS)]
    for kill in range(KILLS):
        server = Server(tmp_path, **FAST)
        if kill % 5 != 4:  # each fifth is killed while it starts, with the journal half stored
            server.wait_until_ready()
            sender.endpoint = server.find(r"OTLP/gRPC on (\S+)")
            if not workers[0].is_alive():
                for worker in workers:
                    worker.start()
        time.sleep(random.uniform(0.05, 0.8))
        end(server)

    server = Server(tmp_path, **FAST)
    server.wait_until_ready()
    sender.endpoint = server.find(r"OTLP/gRPC on (\S+)")
    sender.stop.set()
    for worker in workers:
        worker.join(30)
    eventually(lambda: sum(one["tasks"] for one in server.get("/v1/agents")["agents"]) >= sender.traces, 60)
    assert end(server, signal.SIGTERM) == 0

    found = counted(tmp_path)
    assert len(found["spans"]) == len(set(found["spans"])), "a span is stored twice"
    assert set(found["spans"]) == set(sender.acknowledged)
    assert found["tasks"] == [sender.traces, 100 * CHATS * sender.traces, CHATS * sender.traces]
    assert found["nodes"] == CHATS * sender.traces
    assert sender.again >= KILLS // 2  # it was in the middle of something


def end(server: Server, number: int = signal.SIGKILL) -> int:
    """End it, and close what it wrote to."""
    code = server.end(number)
    assert server.process.stderr
    server.process.stderr.close()
    return code
