"""The demo from end to end: start a Merit, send the agents' spans over gRPC, wait for the tasks, rate them, show the ranking."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from merit import clock
from merit.api_client import Api, Row
from merit.demo.ranking import table
from merit.demo.ratings import rate
from merit.demo.traffic import HISTORY, Providers, over_grpc, send
from merit.listeners.endpoints import endpoints, why_not_bindable
from merit.program import Program, stop_asked, whereabouts
from merit.settings import Settings

PATIENCE_SECONDS = 60
"""Give up when not one more task has been derived, or scored, or its rating counted, for so long."""

FINAL = frozenset({"succeeded", "failed", "interrupted"})


class Elsewhere(NamedTuple):
    """A Merit: where it takes spans over gRPC, its API, and the token that both ask for, if they do."""

    endpoint: str
    api: str
    token: str = ""


def run(console: Console, *, assignments: int, seed: int, once: bool, elsewhere: Elsewhere | None) -> bool:
    """Run the demo.

    Args:
        console: where it is shown.
        assignments: how many are handed out.
        seed: of everything random.
        once: end after the ranking instead of serving on.
        elsewhere: a Merit that runs already; None starts one on a temporary folder.

    Returns:
        Whether there is a ranking and every task that was sent is there, once.
    """
    with nullcontext(elsewhere) if elsewhere else own_merit(console) as there:
        api = Api(there.api, there.token)
        api.get("/healthz")
        outcome = compare(console, api, send_all(console, there, assignments, seed))
        rated = rate(api, outcome.tasks, Random(seed))  # noqa: S311 - nobody's secret depends on it
        ranked = show_ranking(console, api, outcome.sent, rated)
        console.print(outcome.told(), style="" if outcome.complete else "bold red", highlight=False)
        if not once:
            show_way_on(console, there.api)
        if not once and not elsewhere:
            wait = stop_asked()
            console.print("\nMerit goes on serving. Ctrl-C ends it and removes the demo's data.")
            wait()
    return ranked and outcome.complete


@contextmanager
def own_merit(console: Console) -> Iterator[Elsewhere]:
    """A Merit on a temporary folder and the usual ports, or free ones where those are taken."""
    with (
        tempfile.TemporaryDirectory(prefix="merit-demo-") as folder,
        Program(own_settings(console, Path(folder)), clock.now) as merit,
    ):
        for line in whereabouts(merit):
            console.print(f"[dim]{line}[/]", highlight=False, soft_wrap=True)
        yield Elsewhere(merit.grpc_endpoint, merit.api_url)


def own_settings(console: Console, folder: Path) -> Settings:
    """The shipped settings on a folder of the demo's own: neither a merit.yaml nor MERIT_* variables have a say."""
    free: dict[str, str] = {}
    for name, (host, port) in endpoints(Settings()).items():
        if problem := why_not_bindable(host, port):
            console.print(
                f"[yellow]{host}:{port} for {name}: {problem}; taking a free port instead[/]", highlight=False, soft_wrap=True
            )
            free[name] = f"{host}:0"
    return with_values(Settings(), {"exporters.clickhouse.dsn": f"chdb://{folder}", **free})


def with_values(settings: Settings, values: dict[str, str]) -> Settings:
    """`settings` with other values at some dotted names."""
    raw = settings.model_dump(exclude_defaults=True)
    for name, value in values.items():
        *above, key = name.split(".")
        section = raw
        for each in above:
            section = section.setdefault(each, {})
        section[key] = value
    return Settings.model_validate(raw)


def send_all(console: Console, there: Elsewhere, assignments: int, seed: int) -> list[str]:
    """Let the agents work with the OpenTelemetry SDK; the ids of all their tasks."""
    providers = Providers(lambda: over_grpc(there.endpoint, there.token))
    random = Random(seed)  # noqa: S311 - nobody's secret depends on it
    sent: list[str] = []
    try:
        with bar(console) as progress:
            row = progress.add_task("tasks given, spans sent over gRPC", total=assignments)
            for tasks in send(providers, assignments, clock.now(), random):
                sent += tasks
                progress.advance(row)
    finally:
        providers.shutdown()
    return sent


@dataclass(frozen=True)
class Outcome:
    """What Merit made of the tasks that were sent."""

    sent: int
    missing: int
    surplus: int
    tasks: Sequence[Row]
    """Those that are there, as `/v1/tasks` shows them."""

    @property
    def complete(self) -> bool:
        """Whether every task is there, once."""
        return not self.missing and not self.surplus

    def told(self) -> str:
        """In a sentence."""
        if self.complete:
            return f"{self.sent} tasks sent, {self.sent} derived: nothing lost, nothing twice."
        return f"{self.sent} tasks sent: {self.missing} missing, {self.surplus} that nobody sent."


def compare(console: Console, api: Api, sent: list[str]) -> Outcome:
    """Wait until the tasks are derived, or no further one is for a while, and hold them against those that were sent."""
    expected = set(sent)
    traces = {task.split("-")[0] for task in sent}
    tasks: list[Row] = []
    found: Counter[str] = Counter()
    with bar(console) as progress:
        row = progress.add_task("tasks derived, once quiet for 2 s", total=len(expected))
        latest = time.monotonic()
        while len(expected & found.keys()) < len(expected) and time.monotonic() - latest < PATIENCE_SECONDS:
            begun = time.monotonic()
            known = len(found)
            tasks = derived(api, traces)
            found = Counter(row["task_id"] for row in tasks)
            latest = begun if len(found) != known else latest
            progress.update(row, completed=len(expected & found.keys()))
            time.sleep(0.3 + (time.monotonic() - begun))
    surplus = found.total() - len(expected & found.keys())
    return Outcome(len(expected), len(expected - found.keys()), surplus, tasks)


def derived(api: Api, traces: set[str]) -> list[Row]:
    """The finished tasks of `traces`, as they are listed."""
    since = (clock.now() - 2 * HISTORY).isoformat()
    return [row for row in api.listed("tasks", since=since) if row["trace_id"] in traces and row["status"] in FINAL]


def show_ranking(console: Console, api: Api, sent: int, rated: int) -> bool:
    """Print the ranking once all tasks are scored and all ratings count; whether there is one."""
    latest, known = time.monotonic(), -1
    while True:
        begun = time.monotonic()
        ranking = api.get("/v1/rankings", window=f"{HISTORY.days + 1}d")["rankings"]
        tasks, judged = (sum(row[name] for row in ranking) for name in ("tasks", "rated_tasks"))
        latest, known = (begun, tasks + judged) if tasks + judged != known else (latest, known)
        if (tasks >= sent and judged >= rated) or time.monotonic() - latest > PATIENCE_SECONDS:
            break
        time.sleep(0.5 + (time.monotonic() - begun))
    console.print(table(ranking))
    return bool(ranking)


def show_way_on(console: Console, url: str) -> None:
    """What to try next."""
    console.print(f"\nThe API and its description: {url}/docs. Try:", highlight=False, soft_wrap=True)
    for question in (
        "rankings?by=cost_per_success&category=research",
        "agents/code-smith",
        "tasks?agent_id=managing-editor&limit=1",
    ):
        console.print(f"  curl '{url}/v1/{question}'", highlight=False, soft_wrap=True)


def bar(console: Console) -> Progress:
    """A progress bar that says how many of how many."""
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console)
