"""The benchmark: the floor, each stage, and end to end, in one run. `make bench`, or python -m tests.benchmarks.run.

Ends with 1 if anything that was acknowledged is not there afterwards, exactly.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from exporters.settings import ClickHouseSettings
from exporters.store import Store
from tests.benchmarks import end_to_end, floor, report, routing, stages
from tests.benchmarks.end_to_end import Case, Result

LOAD = Case("full", 512, 4)
"""Whose throughput the lower loads are parts of."""

WIDTH = 125
"""Columns that the tables need, also where the output is no terminal."""


def main(
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="How long each case of the end-to-end part sends.")] = 60,
    quick: Annotated[bool, typer.Option("--quick", help="5 seconds a case, and fewer cases: a look, not a result.")] = False,
    json: Annotated[Path | None, typer.Option(help="Also write the result there.")] = None,
) -> None:
    """Measure Merit on this machine."""
    console, facts = Console(width=max(Console().width, WIDTH), highlight=False), report.machine()
    where = f"{facts['cores']} cores (load {facts['load']}), {facts['memory_gb']} GB, {facts['file_us']} µs to make a file"
    console.print(where, markup=False)
    console.print(", ".join(f"{name} {number}" for name, number in ({"Python": facts["python"]} | facts["libraries"]).items()))
    seconds, rounds = (min(seconds, 5), 3) if quick else (seconds, 7)
    with tempfile.TemporaryDirectory(prefix="merit-bench-") as name, Store(settings(name)) as store:
        least = floor.measure(store, seconds / 2, rounds)
        report.print_floor(console, least)
        each = list(stages.measure(store, least, seconds / 5, rounds))
        report.print_stages(console, each, least)
    routed = routing.measure(seconds)
    console.print(routing.described(routed), markup=False)
    results: list[Result] = []
    try:
        for result in end_to_end_results(seconds, quick=quick):
            results.append(result)
            console.print(f"{report.named(result)}: {result.derived_per_second:,.0f} spans/s derived")
    finally:
        report.print_results(console, results, least)
    if json:
        report.write(json, least, each, routed, results, facts)
    if any(result.missing for result in results):
        raise typer.Exit(1)


def settings(folder: str) -> ClickHouseSettings:
    """A store in `folder`."""
    return ClickHouseSettings.model_validate({"dsn": f"chdb://{folder}/store"})


def end_to_end_results(seconds: float, *, quick: bool) -> Iterator[Result]:
    """Every case at full load, then probes of freshness at half and at low load."""
    best = end_to_end.run(LOAD, seconds)
    yield best
    for case in cases(quick=quick):
        yield end_to_end.run(case, seconds)
    for load, part in (("half", 0.5), ("low", 0.05)):
        case = Case(load, LOAD.spans, LOAD.connections, rate=best.derived_per_second * part)
        yield end_to_end.run(case, max(seconds, 10), probing=True)


def cases(*, quick: bool) -> list[Case]:
    """The further cases at full load."""
    connections = (1, 4) if quick else (1, 4, 16)
    made = [Case("full", spans, number) for spans in (512, 64, 1) for number in connections]
    more = [] if quick else [Case("25 attributes", 512, 4, attributes=25), Case("4 KB prompts", 512, 4, prompt_bytes=4096)]
    return [case for case in [*made, *more] if case != LOAD]


if __name__ == "__main__":
    typer.run(main)
