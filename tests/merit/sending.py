"""What the tests of crashes and faults send, and what is stored of it in the end."""

import json
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.merit.processes import ROOT, environment
from tests.receiver.builders import attributes, span
from tests.receiver.signal_builders import logs_body, metric, metrics_body, point, record

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
CHATS = 3
"""Model calls of each trace, below one agent span."""

COUNT = """
import json, sys
from exporters.settings import ClickHouseSettings
from exporters.store import Store
with Store(ClickHouseSettings.model_validate({"dsn": "chdb://" + sys.argv[1]})) as store:
    spans = store.query("SELECT TraceId, SpanId FROM otel_traces")
    views = store.query("SELECT count() FROM otel_traces_trace_id_ts").item()
    tasks = store.query("SELECT count(), sum(input_tokens), sum(llm_calls) FROM tasks FINAL WHERE status = 'succeeded'").row(0)
    nodes = store.query("SELECT count() FROM nodes FINAL").item()
    logs = store.query("SELECT Body FROM otel_logs")["Body"].to_list()
    points = store.query("SELECT Value FROM otel_metrics_gauge")["Value"].to_list()
    rated = store.query("SELECT comment FROM evaluations FINAL WHERE rating IS NOT NULL")["comment"].to_list()
    print(json.dumps({
        "spans": (spans["TraceId"] + spans["SpanId"]).to_list(), "tasks": tasks, "nodes": nodes, "views": views,
        "logs": logs, "points": points, "rated": rated,
    }))
"""


def trace_of(trace: bytes, random: Random, prompt: str = "") -> list[Span]:
    """The spans of an agent that calls a model, root last; `prompt` makes it as large as one likes."""
    now, root = time.time_ns(), random.randbytes(8)
    times = {"trace_id": trace, "start_time_unix_nano": now - 10**9, "end_time_unix_nano": now}
    said = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "worker", "prompt": prompt}
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 100}
    chats = [span(span_id=random.randbytes(8), parent_span_id=root, attributes=attributes(call), **times) for _ in range(CHATS)]
    return [*chats, span(span_id=root, name="invoke_agent worker", attributes=attributes(said), **times)]


def log_of(text: str) -> bytes:
    """A request with one log record of now."""
    now = time.time_ns()
    return logs_body(record(text, time_unix_nano=now, observed_time_unix_nano=now))


def point_of(value: int) -> bytes:
    """A request with one point of a gauge of now."""
    now = time.time_ns()
    return metrics_body(metric(point(as_int=value, time_unix_nano=now, start_time_unix_nano=now)))


def counted(folder: Path) -> dict[str, Any]:
    """What is stored, read without FINAL where nothing may be twice, and what was derived."""
    command = [sys.executable, "-c", COUNT, str(folder / "merit-data")]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
