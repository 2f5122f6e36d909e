"""`merit serve` under load from other processes: what is acknowledged, and what is derived and can be asked for.

A span counts as done when its task is derived and queryable. Sums of model calls follow; how long after is a figure of its own.
At the end all must be there, exactly.
"""

import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.children import look_into, send
from tests.benchmarks.measure import percentiles
from tests.benchmarks.probes import PROBE, Probes
from tests.benchmarks.sender import Order, Sent
from tests.benchmarks.traffic import SPANS_IN_TRACE, template
from tests.merit.processes import Server, serving

DERIVING_SECONDS = 120
SUMS_SECONDS = 120
"""How long after the last task sums of model calls may follow, until they count as missing."""
LOOK_SECONDS = 0.5
SETTLING_SECONDS = 60
IDLE = 0.05
"""Cores that a server uses when nothing is left to do but to look whether there is."""


@dataclass(frozen=True)
class Case:
    """A load: so many spans a request, over so many connections, of so many attributes; `load` is said in tables."""

    load: str
    spans: int
    connections: int
    attributes: int = 7
    prompt_bytes: int = 0
    rate: float = 0


@dataclass
class Result:
    """What became of a case; times in seconds, `missing` in words, empty if everything is there."""

    case: Case
    spans: int
    requests: int
    retries: int
    acknowledged_per_second: float
    derived_per_second: float
    deriving_behind_seconds: float
    cpu_us: float
    sender_cpu_us: float
    peak_rss_mb: float
    latency: dict[str, float]
    freshness: dict[str, float]
    sums_behind_seconds: float = 0
    otel_traces_bytes: float = 0
    all_bytes: float = 0
    missing: list[str] = field(default_factory=list)


class Usage:
    """CPU of a process since the beginning, and its largest resident memory."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._before = sum(self._process.cpu_times()[:2])
        self.peak_rss = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def cpu_seconds(self) -> float:
        """User and system, all threads."""
        return float(sum(self._process.cpu_times()[:2]) - self._before)

    def wait_until_idle(self) -> None:
        """Merges go on after the last span is derived; they are part of its price."""
        deadline = time.monotonic() + SETTLING_SECONDS
        before = self.cpu_seconds
        while time.monotonic() < deadline:
            time.sleep(2)
            if (now := self.cpu_seconds) - before < 2 * IDLE:
                return
            before = now

    def __enter__(self) -> "Usage":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self.peak_rss = max(self.peak_rss, self._process.memory_info().rss)


def run(case: Case, seconds: float, *, probing: bool = False) -> Result:
    """Carry out a case on a server and a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="merit-bench-") as name, serving(Path(name)) as server:
        target = server.find(r"OTLP/gRPC on (\S+)")
        probes = Probes(server, target)
        probes.warm_up()
        order = order_of(case, target, seconds)
        with Usage(server.process.pid) as usage:
            with probes if probing else _nothing():
                sent = send(order)
            want = expected(case, sent, probes.traces)
            done = wait_for(server, want)
            have = settled(server, want) if done else {}
            summed = time.time()
            usage.wait_until_idle()
        result = _result(case, sent, usage, done, probes)
        result.sums_behind_seconds = summed - done if done else 0
        result.missing += differences(want, have) if done else [f"not derived within {DERIVING_SECONDS} s"]
        if server.end(signal.SIGTERM) != 0:
            result.missing.append(f"the server did not stop well: {server.log[-2000:]}")
        _look_into(result, f"{name}/merit-data", want)
    return result


def order_of(case: Case, target: str, seconds: float) -> Order:
    return Order(
        target,
        case.spans,
        seconds,
        case.connections,
        rate=case.rate,
        attributes=case.attributes,
        prompt_bytes=case.prompt_bytes,
    )


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def expected(case: Case, sent: Sent, probes: int) -> dict[str, int]:
    """What must be there when all sets and probe traces are derived, from the templates that they are made of."""
    each, probe = _of_template(case.spans), _of_template(PROBE)
    return {name: sent.sets * each[name] + probes * probe[name] for name in each}


def _of_template(spans: int) -> dict[str, int]:
    whole = template(max(spans, SPANS_IN_TRACE), 7).resource_spans[0].scope_spans[0].spans
    said = [{pair.key: pair.value for pair in span.attributes} for span in whole]
    operations = [one["gen_ai.operation.name"].string_value for one in said]
    return {
        "spans": len(whole),
        "workflows": len(whole) // SPANS_IN_TRACE,
        "tasks": operations.count("invoke_agent"),
        "nodes": len(whole) - operations.count("invoke_agent"),
        "calls": operations.count("chat"),
        "input_tokens": sum(one["gen_ai.usage.input_tokens"].int_value for one in said if "gen_ai.usage.input_tokens" in one),
    }


def seen(server: Server) -> dict[str, int]:
    """What the API says is there."""
    total = server.get("/v1/costs")["total"]
    return {"tasks": tasks_seen(server), "calls": total["calls"], "input_tokens": total["input_tokens"]}


def tasks_seen(server: Server) -> int:
    """The tasks that the API says are there. Running ones are none yet."""
    return sum(agent["tasks"] - agent["running"] for agent in server.get("/v1/agents?limit=1000")["agents"])


def wait_for(server: Server, want: dict[str, int]) -> float:
    """When the last task was seen through the API; 0 if that was not in time."""
    deadline = time.time() + DERIVING_SECONDS
    while time.time() < deadline:
        if asked(lambda: {"tasks": tasks_seen(server)}).get("tasks", 0) >= want["tasks"]:
            return time.time()
        time.sleep(LOOK_SECONDS)
    return 0


def settled(server: Server, want: dict[str, int]) -> dict[str, int]:
    """What the API says is there once its sums have followed, or when they take too long; nothing if it never answers."""
    deadline, have = time.time() + SUMS_SECONDS, dict[str, int]()
    while time.time() < deadline:
        have = asked(lambda: seen(server)) or have
        if have and not differences(want, have):
            break
        time.sleep(LOOK_SECONDS)
    return have


def asked(question: Callable[[], dict[str, int]]) -> dict[str, int]:
    """An answer; nothing if the server is too busy to give one."""
    try:
        return question()
    except OSError:
        return {}


def _result(case: Case, sent: Sent, usage: Usage, done: float, probes: Probes) -> Result:
    return Result(
        case,
        spans=sent.spans,
        requests=sent.requests,
        retries=sent.retries,
        acknowledged_per_second=sent.spans / (sent.ended - sent.began),
        derived_per_second=sent.spans / (done - sent.began) if done else 0,
        deriving_behind_seconds=done - sent.ended if done else 0,
        cpu_us=usage.cpu_seconds * 1e6 / sent.spans,
        sender_cpu_us=sent.cpu_seconds * 1e6 / sent.spans,
        peak_rss_mb=usage.peak_rss / 2**20,
        latency=percentiles(sent.latencies),
        freshness=percentiles(probes.freshness),
        missing=[f"{sent.refused} requests were never acknowledged"] if sent.refused else [],
    )


def _look_into(result: Result, folder: str, want: dict[str, int]) -> None:
    found: dict[str, Any] = look_into(folder)
    result.missing += differences(want, {name: found[name] for name in ("spans", "nodes", "tasks", "workflows")})
    size = {table["table"]: table["bytes"] for table in found["tables"]}
    result.otel_traces_bytes = size["otel_traces"] / want["spans"]
    result.all_bytes = sum(size.values()) / want["spans"]


def differences(want: dict[str, int], have: dict[str, int]) -> list[str]:
    """What of `have` is not as in `want`, in words."""
    return [f"{name}: {count:,}, expected {want[name]:,}" for name, count in have.items() if count != want[name]]
