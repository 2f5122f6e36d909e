"""Two results of the benchmark side by side."""

import json
from pathlib import Path
from typing import Any

from typer import Typer
from typer.testing import CliRunner

from tests.benchmarks import compare


def a_result(cpu: float, chdb: str = "4.4.0") -> dict[str, Any]:
    """A result whose every cost is `cpu`, with one stage and one case."""
    cost = {"wall_us": cpu, "cpu_us": cpu}
    ways = {"latency": {"p50": 0.1}, "freshness": {}, "peak_rss_mb": 1000, "otel_traces_bytes": 57, "all_bytes": 95}
    return {
        "machine": {"at": "2026-11-21", "cores": 2, "load": [0.1], "file_us": 20, "libraries": {"chdb": chdb}},
        "floor": {"cpu_us": 10.0, "decode": cost, "spans": cost, "nodes": cost},
        "stages": [{"name": "decode", "traffic": "OTel", "spans": 512, "cost": cost, "ratio_to_floor": cpu / 10}],
        "routing": {"p99_ms": cpu},
        "end_to_end": [
            {"case": {"load": "full", "spans": 512, "connections": 4}, "derived_per_second": 1000, "cpu_us": cpu}
            | {"ratio_to_floor": cpu / 10}
            | ways
        ],
    }


def shown(tmp_path: Path, *results: dict[str, Any]) -> str:
    """What is printed of two results."""
    app = Typer()
    app.command()(compare.main)
    files = [tmp_path / f"{number}.json" for number in range(len(results))]
    for file, result in zip(files, results, strict=True):
        file.write_text(json.dumps(result))
    run = CliRunner().invoke(app, [str(file) for file in files])
    assert run.exit_code == 0, run.output
    return run.output


def test_each_figure_that_both_have_is_shown_with_how_it_differs(tmp_path: Path) -> None:
    rows = [" ".join(line.replace("│", " ").split()) for line in shown(tmp_path, a_result(4), a_result(2)).splitlines()]
    assert "OTel, 512 spans: decode: CPU µs/span 4 2 0.50" in rows
    assert "/v1/route: p99_ms 4 2 0.50" in rows
    assert "full, 512 × 4: × floor 0.4 0.2 0.50" in rows


def test_what_only_one_has_and_what_is_unlike_is_said(tmp_path: Path) -> None:
    lacking = a_result(4, "4.5.0") | {"end_to_end": []}
    said = shown(tmp_path, a_result(4), lacking)
    assert "not the same: chdb: 4.4.0 and 4.5.0" in said
    assert "7 figures are in 0.json only" in said
