"""Two results of the benchmark side by side. `make bench-compare A=before.json B=after.json`.

A rate or a time of a shared machine says little alone; the ratios to the floor, each to that of its own run, say more.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tests.benchmarks.report import table

Figures = dict[tuple[str, str], float]
"""By part of the benchmark and name of the figure."""


def main(
    before: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help='What `make bench ARGS="--json a.json"` wrote.')],
    after: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What another run wrote.")],
) -> None:
    """Show two results of the benchmark side by side, and how the second differs."""
    console = Console(width=max(Console().width, 125), highlight=False)
    documents = [json.loads(path.read_text("utf-8")) for path in (before, after)]
    for path, document in zip((before, after), documents, strict=True):
        console.print(f"{path.name}: {described(document['machine'])}", markup=False)
    for what, one, other in unlike(*(document["machine"] for document in documents)):
        console.print(f"[yellow]not the same: {what}: {one} and {other}[/]")
    first, second = (figures(document) for document in documents)
    shown = table("", "", before.name, after.name, "after / before")
    for (part, name), one, other in both(first, second):
        shown.add_row(f"{part}: {name}", f"{one:,.4g}", f"{other:,.4g}", f"{other / one:.2f}" if one else "")
    console.print(shown)
    for name, left in (before.name, first.keys() - second.keys()), (after.name, second.keys() - first.keys()):
        if left:
            console.print(f"{len(left)} figures are in {name} only", markup=False)


def both(first: Figures, second: Figures) -> Iterator[tuple[tuple[str, str], float, float]]:
    """The figures that both have, in the order of the first."""
    return ((key, value, second[key]) for key, value in first.items() if key in second)


def figures(document: dict[str, Any]) -> Figures:
    """Every figure of a result."""
    found: Figures = {("floor", "CPU µs/span"): document["floor"]["cpu_us"]}
    for name in ("decode", "spans", "nodes"):
        found["floor", f"{name}: CPU µs/span"] = document["floor"][name]["cpu_us"]
    for stage in document["stages"]:
        part = f"{stage['traffic']}, {stage['spans']} spans: {stage['name']}"
        found[part, "CPU µs/span"] = stage["cost"]["cpu_us"]
        found[part, "× floor"] = stage["ratio_to_floor"]
    for name, value in document.get("routing", {}).items():
        found["/v1/route", name] = value
    for result in document["end_to_end"]:
        case = result["case"]
        part = f"{case['load']}, {case['spans']} × {case['connections']}"
        found[part, "derived spans/s"] = result["derived_per_second"]
        found[part, "CPU µs/span"] = result["cpu_us"]
        found[part, "× floor"] = result["ratio_to_floor"]
        for of in ("latency", "freshness"):
            found |= {(part, f"{of} s {name}"): value for name, value in result[of].items()}
        if "sums_behind_seconds" in result:
            found[part, "sums s behind tasks"] = result["sums_behind_seconds"]
        found[part, "peak RSS MB"] = result["peak_rss_mb"]
        found[part, "bytes/span in otel_traces"] = result["otel_traces_bytes"]
        found[part, "bytes/span in all tables"] = result["all_bytes"]
    return found


def described(machine: dict[str, Any]) -> str:
    """When and where a result was made."""
    return f"{machine['at']}, {machine['cores']} cores at load {machine['load']}, {machine['file_us']} µs to make a file"


def unlike(one: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, object, object]]:
    """What differs between two machines, but for the time and the load."""
    flat = [{**machine, **machine["libraries"]} for machine in (one, other)]
    names = [name for name in flat[0] if name not in ("at", "load", "file_us", "libraries")]
    return [(name, flat[0][name], flat[1].get(name)) for name in names if flat[0][name] != flat[1].get(name)]


if __name__ == "__main__":
    typer.run(main)
