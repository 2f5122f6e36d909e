"""How fast /v1/route answers: 500 agents, 20 categories, 200 questions a second, sent on time whether or not answers come.

`python -m tests.benchmarks.routing` runs it alone, some times over, and prints the medians. What the server takes of the
processors is the figure that other work on the machine touches least.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from os import getloadavg
from pathlib import Path
from statistics import median

import httpx
import numpy as np
import polars as pl
import psutil
import typer

from exporters.settings import ClickHouseSettings
from exporters.store import Store
from processors.frames import TASKS, conform
from tests.benchmarks.asker import Found, Order
from tests.benchmarks.children import child
from tests.builders import trace_of
from tests.running import Running, eventually, serving

AGENTS, CATEGORIES, EACH = 500, 20, 4
"""Each agent has done so many tasks of each category."""
QUESTIONS = 2_000
"""Questions before the first is asked again."""
WARM_SECONDS, BARE_SECONDS = 3.0, 5.0
ANSWER_BYTES = 7_000
"""Of an answer that shows 20 candidates."""


@dataclass(frozen=True)
class Answered:
    """Latencies in milliseconds, counted from when a question was due; memory of the whole process in MiB."""

    questions: float
    failed: float
    per_second: float
    cpu_ms: float
    """User and system time of the server for each question, all its jobs included."""
    p50_ms: float
    p95_ms: float
    p99_ms: float
    longest_ms: float
    bare_p50_ms: float
    """The same of a server that does nothing and is alone in its process, asked just before."""
    bare_p99_ms: float
    asking_cpu_ms: float
    """What it took to ask."""
    rss_mib: float
    fresh_seconds: float
    """From when an outcome was reported until an answer showed it."""
    load: float
    """Of the machine, at the end."""


def measure(seconds: float, rate: float = 200.0) -> Answered:
    """Ask for so long."""
    bare = asked_of_nothing(rate)
    with tempfile.TemporaryDirectory(prefix="merit-bench-") as name, served(Path(name)) as merit:
        (process,) = (each for each in psutil.Process().children() if "serve" in each.cmdline())
        before = process.cpu_times()
        found = ask(merit.api, seconds, rate)
        cpu = sum(process.cpu_times()[:2]) - sum(before[:2])
        answers = round(rate * (seconds + WARM_SECONDS)) - found.failed
        p50, p95, p99, longest = np.percentile(found.latencies, (50, 95, 99, 100)) * 1000
        return Answered(
            questions=len(found.latencies),
            failed=found.failed,
            per_second=len(found.latencies) / found.seconds,
            cpu_ms=1000 * cpu / answers,
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            longest_ms=longest,
            bare_p50_ms=float(np.percentile(bare.latencies, 50)) * 1000,
            bare_p99_ms=float(np.percentile(bare.latencies, 99)) * 1000,
            asking_cpu_ms=1000 * found.cpu_seconds / answers,
            rss_mib=process.memory_info().rss / 2**20,
            fresh_seconds=freshness(merit),
            load=getloadavg()[0],
        )


def asked_of_nothing(rate: float) -> Found:
    """What the machine, the wire and the asking take, without anything of Merit."""
    with child("bare_http", str(ANSWER_BYTES)) as process:
        assert process.stdout
        return ask(f"http://127.0.0.1:{int(process.stdout.readline())}", BARE_SECONDS, rate)


def ask(api: str, seconds: float, rate: float) -> Found:
    """Have a process of its own ask."""
    url = httpx.URL(api)
    order = Order(url.host, url.port or 80, [json.dumps(question(n)) for n in range(QUESTIONS)], rate, seconds, WARM_SECONDS)
    with child("asker") as process:
        answer, _ = process.communicate(json.dumps(asdict(order)), timeout=seconds + 120)
    return Found(**json.loads(answer))


def question(number: int) -> dict[str, object]:
    """A question like others, but not the same."""
    return {
        "category": f"category-{number % CATEGORIES}",
        "description": f"summarise report {number} for the board",
        "max_cost_usd": 0.05,
        "profile": "balanced",
    }


@contextmanager
def served(folder: Path) -> Iterator[Running]:
    """Merit on a store of tasks, once it has learnt from them."""
    with Store(ClickHouseSettings.model_validate({"dsn": f"chdb://{folder}/data"})) as store:
        store.insert("tasks", tasks())
    with serving(folder) as merit:
        post = f"{merit.api}/v1/route"
        eventually(lambda: httpx.post(post, json=question(0), timeout=10).json()["candidates"] == AGENTS, 120)
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


def freshness(merit: Running) -> float:
    """Seconds until an outcome that was reported is in an answer."""
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
        f"/v1/route, {AGENTS} agents, {CATEGORIES} categories: {found.per_second:.0f} questions/s, "
        f"{found.cpu_ms:.2f} ms of CPU each (asking {found.asking_cpu_ms:.2f}), "
        f"p50 {found.p50_ms:.1f} ms, p95 {found.p95_ms:.1f} ms, p99 {found.p99_ms:.1f} ms, longest {found.longest_ms:.0f} ms "
        f"(a server that does nothing: p50 {found.bare_p50_ms:.1f}, p99 {found.bare_p99_ms:.1f} ms), "
        f"{found.failed:.0f} failed; learnt {found.fresh_seconds:.1f} s after an outcome; process {found.rss_mib:.0f} MiB; "
        f"load {found.load:.1f}"
    )


def middle(runs: list[Answered]) -> Answered:
    """The median of each figure."""
    return Answered(**{each.name: median(getattr(run, each.name) for run in runs) for each in fields(Answered)})


def main(seconds: float = 20, rate: float = 200, runs: int = 3) -> None:
    """Measure routing alone."""
    found = []
    for _ in range(runs):
        found.append(measure(seconds, rate))
        print(described(found[-1]))
    print(f"median of {runs}: {described(middle(found))}")


if __name__ == "__main__":
    typer.run(main)
