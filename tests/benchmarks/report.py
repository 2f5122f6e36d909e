"""The result as tables for people and as JSON for comparison."""

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from tests.benchmarks.end_to_end import Result
from tests.benchmarks.floor import Floor
from tests.benchmarks.measure import timed
from tests.benchmarks.routing import Answered
from tests.benchmarks.stages import Stage

LIBRARIES = ("chdb", "clickhouse-connect", "grpcio", "polars", "protobuf", "ptars", "pyarrow")

FILES = 240


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": [round(load, 1) for load in psutil.getloadavg()],
        "file_us": round(file_us()),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "architecture": platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def file_us() -> float:
    """Microseconds to make and remove a file where the stores will be, in folders of a dozen: a part of a table is that.

    It decides what small inserts cost, and a file system may take many times longer when many files were deleted lately.
    """
    with tempfile.TemporaryDirectory(prefix="merit-bench-") as name:
        return timed(lambda: _folders(Path(name)), FILES, 5).wall_us


def _folders(where: Path) -> None:
    for number in range(FILES // 12):
        folder = where / str(number)
        folder.mkdir()
        for file in range(12):
            (folder / str(file)).touch()
    for folder in where.iterdir():
        shutil.rmtree(folder)


def table(title: str, *columns: str) -> Table:
    """A table whose first column is words and whose others are figures."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="")
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number else "left", no_wrap=True)
    return made


def print_floor(console: Console, floor: Floor) -> None:
    """What the libraries cost alone."""
    made = table("Floor: the libraries alone", "", "time µs/span", "CPU µs/span")
    for name, cost in (("decode, ptars", floor.decode), ("insert otel_traces", floor.spans), ("insert nodes", floor.nodes)):
        made.add_row(name, f"{cost.wall_us:.2f}", f"{cost.cpu_us:.2f}")
    made.add_section()
    made.add_row("floor", "", f"{floor.cpu_us:.2f}")
    console.print(made)
    bare = table("A gRPC server that does nothing", "spans a request", "requests/s", "CPU µs/request")
    for spans, rate in floor.requests_per_second.items():
        bare.add_row(str(spans), f"{rate:,.0f}", f"{floor.request_cpu_us[spans]:,.0f}")
    console.print(bare)


def print_stages(console: Console, stages: Sequence[Stage], floor: Floor) -> None:
    """What each stage costs; `of floor` against the whole floor, `of own` against its own part of it."""
    made = table("Stages", "", "spans joined", "time µs/span", "CPU µs/span", "× floor", "× own floor")
    before = None
    for stage in stages:
        if before not in (None, (stage.traffic, stage.spans)):
            made.add_section()
        before = (stage.traffic, stage.spans)
        cost = stage.cost
        own = f"{cost.cpu_us / stage.floor_us:.2f}" if stage.floor_us else ""
        figures = f"{cost.wall_us:.2f}", f"{cost.cpu_us:.2f}", f"{cost.cpu_us / floor.cpu_us:.2f}", own
        made.add_row(f"{stage.traffic}: {stage.name}", f"{stage.spans:,}", *figures)
    console.print(made)


def print_results(console: Console, results: Sequence[Result], floor: Floor) -> None:
    """What `merit serve` did: throughput and cost, then times, memory and disk."""
    did = table(
        "End to end",
        "load",
        "spans",
        "conns",
        "acked/s",
        "derived/s",
        "behind s",
        "sums s",
        "CPU µs/span",
        "× floor",
        "× bare gRPC",
        "sender",
    )
    took = table("", "load", "spans", "conns", "export ms p50/p95/p99", "fresh s p50/p95/p99", "RSS MB", "B/span", "all B/span")
    for one in results:
        case = one.case
        head = (case.load, str(case.spans), str(case.connections))
        did.add_row(
            *head, f"{one.acknowledged_per_second:,.0f}", f"{one.derived_per_second:,.0f}", f"{one.deriving_behind_seconds:.1f}",
            f"{one.sums_behind_seconds:.1f}", f"{one.cpu_us:.1f}", f"{one.cpu_us / floor.cpu_us:.2f}", against_bare(one, floor),
            f"{one.sender_cpu_us:.1f}",
        )  # fmt: skip
        took.add_row(
            *head, of(one.latency, 1000, 0), of(one.freshness, 1, 2), f"{one.peak_rss_mb:,.0f}",
            f"{one.otel_traces_bytes:.0f}", f"{one.all_bytes:.0f}",
        )  # fmt: skip
    console.print(did, took)
    for one in results:
        print_missing(console, one)


def print_missing(console: Console, result: Result) -> None:
    """What is not there although it was acknowledged."""
    for what in result.missing:
        console.print(f"[bold red]missing[/] {named(result)}: {what}", soft_wrap=True)


def named(result: Result) -> str:
    """A case in words."""
    case = result.case
    return f"{case.load}, {case.spans} spans a request, {case.connections} connections"


def against_bare(result: Result, floor: Floor) -> str:
    """Requests a second against the server that does nothing, at full load and where it was measured."""
    bare = floor.requests_per_second.get(result.case.spans)
    if not bare or result.case.rate:
        return ""
    return f"{result.acknowledged_per_second / result.case.spans / bare:.2f}"


def of(percentiles: dict[str, float], scale: float, digits: int) -> str:
    """`p50/p95/p99`, scaled."""
    return " / ".join(f"{value * scale:.{digits}f}" for value in percentiles.values())


def write(
    path: Path, floor: Floor, stages: Sequence[Stage], routed: Answered, results: Sequence[Result], facts: dict[str, Any]
) -> None:
    """Everything as JSON."""
    document = {
        "machine": facts,
        "floor": asdict(floor) | {"cpu_us": floor.cpu_us},
        "stages": [asdict(s) | {"ratio_to_floor": s.cost.cpu_us / floor.cpu_us} for s in stages],
        "routing": asdict(routed),
        "end_to_end": [asdict(r) | {"ratio_to_floor": r.cpu_us / floor.cpu_us} for r in results],
    }
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
