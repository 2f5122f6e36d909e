"""Does memory level off? Full load for minutes, looked at every second. `make soak`, or python -m tests.benchmarks.soak.

Merit keeps nothing by the hour but what is bounded: what waits, open traces, known traces for a quarter of an hour, and
ClickHouse's caches and merges. Ends with 1 if memory goes on growing, or if anything that was acknowledged is missing.
"""

import signal
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Self

import psutil
import typer
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from tests.benchmarks.children import look_into, send
from tests.benchmarks.end_to_end import SUMS_SECONDS, Case, differences, expected, order_of, settled, wait_for
from tests.benchmarks.measure import percentiles
from tests.merit.processes import Server, serving

MEBIBYTE = 2**20
GROWTH = 1.10
"""The last third of the time may need this much more than the middle one, and still be level."""


@dataclass
class Moment:
    """What was seen at one time: resident memory, and what Merit says it holds."""

    at: float
    rss: int
    said: dict[str, float] = field(default_factory=dict)


class Watch:
    """Looks at a server every second while it is entered."""

    def __init__(self, server: Server) -> None:
        self._server, self._process = server, psutil.Process(server.process.pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.moments: list[Moment] = []

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def peak(self, begin: float, end: float) -> float:
        """The most memory between two parts of the time, 0 to 1, in MiB."""
        last = self.moments[-1].at
        return max(moment.rss for moment in self.moments if begin * last <= moment.at <= end * last) / MEBIBYTE

    def _look(self) -> None:
        while not self._over.wait(1):
            self.moments.append(Moment(time.monotonic() - self._began, self._process.memory_info().rss, self._metrics()))

    def _metrics(self) -> dict[str, float]:
        try:
            families = text_string_to_metric_families(self._server.text("/metrics"))
        except OSError:
            return {}  # too busy to answer: it is looked again
        return {sample.name: sample.value for family in families for sample in family.samples if sample.name in SHOWN}


SHOWN = {
    "merit_journal_size_bytes": "journal, MiB",
    "merit_open_spans": "spans in memory",
}


def main(
    minutes: Annotated[float, typer.Option(min=0.1, max=240, help="How long to send.")] = 10,
    connections: Annotated[int, typer.Option(min=1, max=64, help="How many senders' connections.")] = 4,
) -> None:
    """Send at full load and watch the memory of `merit serve`."""
    console, case = Console(highlight=False, width=110), Case("soak", 512, connections)
    with tempfile.TemporaryDirectory(prefix="merit-soak-") as name, serving(Path(name)) as server:
        with Watch(server) as watch:
            sent = send(order_of(case, server.find(r"OTLP/gRPC on (\S+)"), minutes * 60))
            want = expected(case, sent, 0)
            done = wait_for(server, want)
        behind = differences(want, settled(server, want))
        stopped = server.end(signal.SIGTERM) == 0
        found = look_into(f"{name}/merit-data")
        missing = differences(want, {kind: found[kind] for kind in ("spans", "nodes", "tasks", "workflows")})
        missing += [] if stopped else ["a server that stops well"]
    console.print(table(watch))
    middle, last = watch.peak(1 / 3, 2 / 3), watch.peak(2 / 3, 1)
    console.print(
        f"{sent.spans:,} spans in {sent.ended - sent.began:.0f} s, {sent.retries} requests sent again; "
        f"export latency p99 {percentiles(sent.latencies)['p99'] * 1000:.0f} ms"
    )
    console.print(f"peak memory of the middle third {middle:,.0f} MiB, of the last {last:,.0f} MiB ({last / middle:.2f} times)")
    console.print(
        f"derived {done - sent.ended:.0f} s after the last request" if done else "not derived in time, or the API was too slow"
    )
    for each in behind:
        console.print(f"not in the sums of the API {SUMS_SECONDS} s later: {each}")
    for each in missing:
        console.print(f"[red]missing[/] {each}")
    if missing or last > GROWTH * middle:
        raise typer.Exit(1)


def table(watch: Watch) -> Table:
    """Ten looks, each at the most of its tenth."""
    made = Table("minute", "memory, MiB", *SHOWN.values())
    for column in made.columns:
        column.justify = "right"
    for tenth in range(10):
        begin, end = tenth / 10, (tenth + 1) / 10
        last = watch.moments[-1].at
        within = [moment for moment in watch.moments if begin * last <= moment.at <= end * last]
        most = {name: max((m.said.get(name, 0) for m in within), default=0) for name in SHOWN}
        journal, spans = most["merit_journal_size_bytes"] / MEBIBYTE, most["merit_open_spans"]
        made.add_row(f"{end * last / 60:.1f}", f"{watch.peak(begin, end):,.0f}", f"{journal:,.1f}", f"{spans:,.0f}")
    return made


if __name__ == "__main__":
    typer.run(main)
