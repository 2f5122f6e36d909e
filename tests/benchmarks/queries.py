"""How fast questions are answered over a long past, and how that grows with it: `make bench-queries`.

Each question is asked of the API in this process, on a store that makes its own past (`past`). *Cold*: ClickHouse's caches are
empty and nothing is kept. *Anew*: scoring has gone on, so what is kept of the newest hours is no longer true. *Warm*: asked
again. CPU is that of this process; on a machine that is shared it says more than the time.
"""

import json as json_
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from fastapi.testclient import TestClient
from rich.console import Console
from rich.table import Table

from exporters import scores
from exporters.store import Store
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from tests.benchmarks import past, report
from tests.benchmarks.measure import settle
from tests.benchmarks.run import settings

QUESTIONS = {
    "ranking": "/v1/rankings",
    "ranking of a category": "/v1/rankings?category=category-3",
    "ranking of 1 day": "/v1/rankings?window=1d",
    "ranking of 7 days": "/v1/rankings?window=7d",
    "ranking of 30 days": "/v1/rankings?window=30d",
    "ranking, another profile": "/v1/rankings?profile=cost",
    "costs by agent": "/v1/costs",
    "costs by model": "/v1/costs?group_by=model",
    "costs by day": "/v1/costs?group_by=day",
    "models": "/v1/models",
    "providers": "/v1/providers",
    "an agent's profile": "/v1/agents/agent-7",
    "an agent's trends": "/v1/agents/agent-7/trends",
    "agents": "/v1/agents",
    "departments": "/v1/departments",
    "overview": "/v1/overview",
    "tasks of an agent that failed": "/v1/tasks?agent_id=agent-7&status=failed&window=1d",
    "tasks of a user": "/v1/tasks?user_id=user-7",
    "newest tasks": "/v1/tasks",
    "a trace's tasks": "/v1/tasks?trace_id={trace}",
    "a trace": "/v1/traces/{trace}",
    "a trace of 10,000 spans": f"/v1/traces/{past.LARGE}",
    "workflows": "/v1/workflows",
}
MOST_MERGING = 600.0
"""Seconds that merges of what was made are waited for at the most."""
CACHES = ("MARK CACHE", "UNCOMPRESSED CACHE", "QUERY CACHE", "PRIMARY INDEX CACHE")


def main(
    tasks: Annotated[list[int] | None, typer.Option(help="How many tasks; repeat it to see the growth.")] = None,
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="How often each question is asked cold, and anew.")] = 5,
    days: Annotated[int, typer.Option(min=2, max=395, help="Over how many days the tasks lie.")] = 29,
    only: Annotated[str, typer.Option(help="Only questions whose name or path contains this.")] = "",
    folder: Annotated[Path | None, typer.Option(help="Where pasts are made, and kept: what is there is not made again.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the result there.")] = None,
) -> None:
    """Measure questions on this machine."""
    console, facts = Console(width=max(Console().width, 125), highlight=False), report.machine()
    console.print(f"{facts['cores']} cores (load {facts['load']}), {facts['memory_gb']} GB", markup=False)
    results = {}
    for count in tasks or [1_000_000]:
        with ExitStack() as undo:
            own = folder / str(count) if folder else undo.enter_context(tempfile.TemporaryDirectory(prefix="merit-queries-"))
            store = undo.enter_context(Store(settings(str(own))))
            prepare(store, count, days, lambda said: console.print(said, markup=False))
            results[count] = measure(store, rounds, only, lambda said: console.print(said, markup=False))
        console.print(shown(count, results[count]))
    if len(results) > 1:
        console.print(growth(results))
    if json:
        json.write_text(json_.dumps({"machine": facts, "milliseconds": results}, indent=1))


def prepare(store: Store, tasks: int, days: int, tell: Callable[[str], None]) -> None:
    """See to it that the store has its past, and that it rests."""
    begun = time.perf_counter()
    if scores.progress(store) is None:
        past.make(store, tasks, days, datetime.now(UTC), tell)
    settle(store, MOST_MERGING)  # also of a past that is there: what has expired since it was made is merged away
    size = store.query("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()").item()
    tell(f"{tasks:,} tasks there after {time.perf_counter() - begun:.0f} s, {size / 1e9:.1f} GB")


Times = dict[str, list[float]]
"""State to p50, p95 and p99 of the time, and the median of the CPU time, in milliseconds."""


def measure(store: Store, rounds: int, only: str, tell: Callable[[str], None]) -> dict[str, Times]:
    """Every question in every state."""
    trace = store.query("SELECT trace_id FROM tasks WHERE started_at >= now() - INTERVAL 1 DAY LIMIT 1").item()
    chosen = {name: path for name, path in QUESTIONS.items() if only in f"{name} {path}"}
    found = {}
    for name, path in chosen.items():
        found[name] = asked(store, path.format(trace=trace), rounds)
        tell(f"{name}: " + ", ".join(f"{state} {took[0]:,.0f} ms" for state, took in found[name].items()))
    return found


def asked(store: Store, path: str, rounds: int) -> Times:
    """One question in every state."""
    cold = []
    for _ in range(rounds):
        with api_on(store) as api:
            cold.append(timed(api, path, lambda: forget(store)))
    with api_on(store) as api:
        timed(api, path)
        anew = [timed(api, path, lambda: go_on(store)) for _ in range(rounds)]
        warm = [timed(api, path) for _ in range(4 * rounds)]
    return {state: summary(np.array(took)) for state, took in (("cold", cold), ("anew", anew), ("warm", warm))}


def summary(took: np.ndarray) -> list[float]:
    """p50, p95, p99 of the first column, the median of the second."""
    return [*(float(p) for p in np.percentile(took[:, 0], [50, 95, 99])), float(np.median(took[:, 1]))]


@contextmanager
def api_on(store: Store) -> Iterator[TestClient]:
    """An API that keeps nothing yet. Its first answer to anything is not what is measured."""
    settings = QueryApiSettings(query_seconds=60)
    with TestClient(create_app(store, store.insert, settings, lambda: datetime.now(UTC), Condition(dict))) as api:
        api.get("/healthz")
        yield api


def timed(api: TestClient, path: str, before: Callable[[], Any] = lambda: None) -> tuple[float, float]:
    """Milliseconds and CPU milliseconds that an answer takes."""
    before()
    begun, used = time.perf_counter(), time.process_time()
    answer = api.get(path)
    took = 1000 * (time.perf_counter() - begun), 1000 * (time.process_time() - used)
    assert answer.status_code in (200, 503), answer.text
    return took if answer.status_code == 200 else (float("inf"), took[1])  # it took too long


def forget(store: Store) -> None:
    """Empty ClickHouse's caches."""
    for cache in CACHES:
        store.command(f"SYSTEM DROP {cache}")


def go_on(store: Store) -> None:
    """As scoring does when it has scored something."""
    known = scores.progress(store)
    assert known
    scores.store_progress(store, known._replace(version=known.version + 1))


def shown(count: int, found: dict[str, Times]) -> Table:
    """The result as a table."""
    table = Table("ms, p50 / p95 / p99 (CPU)", *(next(iter(found.values()))), title=f"{count:,} tasks")
    for name, states in found.items():
        cells = (" / ".join(f"{value:,.0f}" for value in took[:3]) + f" ({took[3]:,.0f})" for took in states.values())
        table.add_row(name, *cells)
    return table


def growth(results: dict[int, dict[str, Times]]) -> Table:
    """How many times as much CPU the largest past takes as the smallest."""
    least, most = min(results), max(results)
    table = Table("growth of CPU", *(next(iter(results[least].values()))), title=f"{most / least:g} × the tasks")
    for name, states in results[least].items():
        table.add_row(name, *(f"{results[most][name][state][3] / values[3]:.2f}" for state, values in states.items()))
    return table


if __name__ == "__main__":
    typer.run(main)
