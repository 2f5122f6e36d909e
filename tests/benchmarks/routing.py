"""How fast /v1/route answers: 500 agents, 20 categories, 200 questions a second, sent on time whether or not answers come.

`python -m tests.benchmarks.routing` runs it alone.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import numpy as np
import polars as pl
import psutil
import typer

from exporters.settings import ClickHouseSettings
from exporters.store import Store
from processors.frames import TASKS, conform
from tests.builders import trace_of
from tests.running import Running, eventually, serving

AGENTS, CATEGORIES, EACH = 500, 20, 4
"""Each agent has done so many tasks of each category."""
CONNECTIONS = 8
WARM_SECONDS = 3.0


@dataclass(frozen=True)
class Answered:
    """Latencies in milliseconds, counted from when a question was due; memory of the whole process in MiB."""

    questions: int
    failed: int
    p50_ms: float
    p99_ms: float
    longest_ms: float
    per_second: float
    cpu_ms: float
    """CPU time of the process for each question, all its jobs included."""
    rss_mib: float
    fresh_seconds: float
    """From when a task was stored until what it showed was in an answer."""


def measure(seconds: float, rate: float = 200.0) -> Answered:
    """Ask for so long."""
    with tempfile.TemporaryDirectory(prefix="merit-bench-") as name, served(Path(name)) as merit:
        (process,) = (each for each in psutil.Process().children() if "serve" in each.cmdline())
        before = process.cpu_times()
        latencies, failed, took = asked(merit.api, seconds, rate)
        cpu = sum(process.cpu_times()[:2]) - sum(before[:2])
        return Answered(
            questions=len(latencies),
            failed=failed,
            p50_ms=float(np.percentile(latencies, 50)),
            p99_ms=float(np.percentile(latencies, 99)),
            longest_ms=float(np.max(latencies)),
            per_second=len(latencies) / took,
            cpu_ms=1000 * cpu / (rate * (seconds + WARM_SECONDS)),
            rss_mib=process.memory_info().rss / 2**20,
            fresh_seconds=freshness(merit),
        )


@contextmanager
def served(folder: Path) -> Iterator[Running]:
    """Merit on a store of tasks, once it has learnt from them."""
    with Store(ClickHouseSettings.model_validate({"dsn": f"chdb://{folder}/data"})) as store:
        store.insert("tasks", tasks())
    with serving(folder) as merit:
        eventually(lambda: ask(HTTPConnection(urlsplit(merit.api).netloc), 0)["candidates"] == AGENTS, 120)
        yield merit


def tasks() -> pl.DataFrame:
    """The work of the last hours."""
    count = AGENTS * CATEGORIES * EACH
    number = np.arange(count)
    random = np.random.default_rng(1)
    ended = datetime.now(UTC) - timedelta(hours=1)
    known = {
        "task_id": [f"{trace_of(each)}-{1:016x}" for each in number],
        "trace_id": [trace_of(each) for each in number],
        "span_id": [f"{1:016x}"] * count,
        "agent_id": [f"agent-{each % AGENTS}" for each in number],
        "category": [f"category-{each // AGENTS % CATEGORIES}" for each in number],
        "status": np.where(random.random(count) < 0.5 + number % AGENTS / AGENTS / 2, "succeeded", "failed"),
        "input": [f"summarise report {each} for the board" for each in number],
        "started_at": [ended] * count,
        "ended_at": [ended] * count,
        "duration_seconds": random.lognormal(1, 0.5, count),
        "cost_usd": random.lognormal(-5, 0.5, count),
    }
    plain = {
        name: pl.lit("" if dtype == pl.String else [] if isinstance(dtype, pl.List) else 0 if dtype.is_numeric() else None)
        for name, dtype in TASKS.items()
        if name not in known
    }
    return conform(pl.DataFrame(known).with_columns(**{name: value.cast(TASKS[name]) for name, value in plain.items()}), TASKS)


def asked(api: str, seconds: float, rate: float) -> tuple[np.ndarray, int, float]:
    """Latencies, how many were not answered, and how long it took."""
    latencies: list[float] = []
    failures: list[str] = []
    begin = time.perf_counter() + 0.2
    end = begin + WARM_SECONDS + seconds

    def caller(first: int) -> None:
        connection, number = HTTPConnection(urlsplit(api).netloc, timeout=10), first
        while (due := begin + number / rate) < end:
            time.sleep(max(0.0, due - time.perf_counter()))
            try:
                ask(connection, number)
            except (OSError, ValueError) as error:
                failures.append(repr(error))
                connection.close()
            if due >= begin + WARM_SECONDS:
                latencies.append((time.perf_counter() - due) * 1000)
            number += CONNECTIONS

    threads = [Thread(target=caller, args=(first,)) for first in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return np.array(latencies), len(failures), time.perf_counter() - begin - WARM_SECONDS


def ask(connection: HTTPConnection, number: int) -> dict[str, object]:
    """One question; ValueError if it is not answered."""
    question = {
        "category": f"category-{number % CATEGORIES}",
        "description": f"summarise report {number} for the board",
        "max_cost_usd": 0.05,
        "profile": "balanced",
    }
    connection.request("POST", "/v1/route", json.dumps(question), {"content-type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    if response.status != 200:
        raise ValueError(text)
    answer: dict[str, object] = json.loads(text)
    return answer


def freshness(merit: Running) -> float:
    """Seconds until an outcome that was reported is in an answer."""
    import httpx

    with httpx.Client(base_url=merit.api, timeout=10) as client:
        question = {"category": "fresh", "candidates": ["newcomer"]}
        decision = client.post("/v1/route", json=question).json()["decision_id"]
        begun = time.perf_counter()
        client.post(f"/v1/route/decisions/{decision}/outcome", json={"success": True}).raise_for_status()
        while "1 tasks of fresh seen" not in client.post("/v1/route", json=question).json()["ranked"][0]["reasons"]:
            time.sleep(0.02)
        return time.perf_counter() - begun


def described(found: Answered) -> str:
    """The result in a line."""
    return (
        f"/v1/route, {AGENTS} agents, {CATEGORIES} categories: {found.per_second:.0f} questions/s, p50 {found.p50_ms:.1f} ms, "
        f"p99 {found.p99_ms:.1f} ms, longest {found.longest_ms:.0f} ms, {found.failed} failed; "
        f"{found.cpu_ms:.1f} ms of CPU a question; learnt {found.fresh_seconds:.1f} s after an outcome; "
        f"process {found.rss_mib:.0f} MiB"
    )


def main(seconds: float = 20, rate: float = 200) -> None:
    """Measure routing alone."""
    print(described(measure(seconds, rate)))


if __name__ == "__main__":
    typer.run(main)
