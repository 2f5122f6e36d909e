"""The command line: `merit --help` lists what there is.

Parts are imported by the command that needs them, so that `merit --help` answers at once.
"""

import gc
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from merit.commands import alerts, deadletters, report, tokens
from merit.commands.route import route_app
from merit.commands.told import Config, told
from merit.version import version
from processors.errors import Rejected

EPILOG = """
[bold]Exit codes[/]

0   done

1   not now, or not right: the folder is in use, a port taken, the store away; check found something; the demo lost something

2   wrong in itself: the command, the settings, the data

130 stopped in a hurry by a second signal
"""

app = typer.Typer(
    name="merit",
    help="An OpenTelemetry backend that learns which AI agent to trust with which task.\n\nNew here? Try [bold]merit demo[/].",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,  # locals hold passwords
    context_settings={"help_option_names": ["-h", "--help"]},
)
job_app = typer.Typer(help="Look at the jobs that run in the background, or run one by hand.", no_args_is_help=True)
app.add_typer(job_app, name="job")
import_app = typer.Typer(help="Bring in what was made elsewhere.", no_args_is_help=True)
app.add_typer(import_app, name="import")
app.add_typer(deadletters.app, name="deadletter")
app.add_typer(alerts.app, name="alerts")
app.add_typer(tokens.app, name="token")
app.add_typer(route_app, name="route")
app.command("report")(report.report)


def print_version(wanted: bool) -> None:
    """Print the version and end, if it is wanted."""
    if wanted:
        typer.echo(f"merit {version()}")
        raise typer.Exit


@app.callback()
def merit(
    _version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """See the help of the application."""


@app.command()
def serve(config: Config = None) -> None:
    """Take spans in over OTLP, work them out, and answer over HTTP, until SIGTERM or Ctrl-C."""
    gc.disable()  # a fifth of the time of all these imports, which leave no garbage; `program.spare_what_stays` enables it

    from merit import clock, logs, program, settings

    with told():
        loaded = settings.load_here(config)
        logs.to_stderr(as_json=loaded.telemetry.logs == "json")
        program.serve(program.Program(loaded, clock.now))


@app.command()
def check(config: Config = None) -> None:
    """Say whether Merit would start with these settings, and what to mend if not. Disturbs no running Merit."""
    from merit import settings
    from merit.commands.check import check as findings

    console = Console(soft_wrap=True, highlight=False)
    wrong = 0
    for finding in findings(settings.load_here, config):
        wrong += not finding.ok
        mark = "[green]ok   [/]" if finding.ok else "[bold red]wrong[/]"
        console.print(f"{mark}  {finding.subject:<8}  {escape(finding.found)}")
        if finding.mend:
            console.print(f"{'':17}[yellow]→ {escape(finding.mend)}[/]")
    if wrong:
        raise typer.Exit(1)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the ranking; 0 if it is complete.")] = False,
    tasks: Annotated[int, typer.Option("--tasks", min=8, max=100_000, help="How many assignments to hand out.")] = 400,
    endpoint: Annotated[
        str, typer.Option("--endpoint", metavar="HOST:PORT", help="Send to a Merit that runs already; its OTLP/gRPC address.")
    ] = "",
    api: Annotated[
        str, typer.Option("--api", metavar="URL", help="The API of that Merit; with --endpoint.")
    ] = "http://127.0.0.1:8080",
    token_file: Annotated[
        typer.FileText | None,
        typer.Option(
            "--token-file", metavar="FILE", help="With --endpoint; holds a token with the roles ingest, read and write."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another number, other luck.")] = 1,
) -> None:
    """See Merit at work: eight agents, two weeks of their tasks, and how they rank.

    Runs a Merit of its own on a temporary folder, touches no data of yours.
    """
    from merit import logs
    from merit.demo import run

    logs.to_stderr(logging.WARNING)
    with told():
        elsewhere = run.Elsewhere(endpoint, api, token_file.read().strip() if token_file else "") if endpoint else None
        complete = run.run(Console(), assignments=tasks, seed=seed, once=once, elsewhere=elsewhere)
    if not complete:
        raise typer.Exit(1)


@app.command()
def explain(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|TRACE_ID...",
            help="OTLP requests as protobuf (.pb, .bin) or JSON (.json, .jsonl), folders of them, - for standard input; "
            "or the ids of stored traces.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object with the same content.")] = False,
    span: Annotated[str, typer.Option("--span", metavar="SPAN_ID", help="Show this span alone; its first digits will do.")] = "",
    config: Config = None,
) -> None:
    """Show how spans are read, and why: which attribute said so, in which dialect, and what nobody understood.

    The place to start when an agent, a model or tokens are missing, or counted where they should not be. Each span is shown
    with the field, its value, and the source that said it: [dim]input_tokens 1200 ← gen_ai.usage.input_tokens  (otel-genai)[/].
    Below stand spans and attributes that look like GenAI and that no dialect reads: teach Merit those under
    [bold]processors.conventions.extra[/] and look again.

    For example, let the Collector's file exporter (or a proxy) write what your agents send, then:

    [bold]merit explain request.json[/]   [bold]merit explain captures/ --span 00f067aa[/]

    [bold]merit explain 0af7651916cd43dd8448eb211c80319c --json | jq .not_understood[/]
    """
    from merit import clock, settings
    from merit.explain import run, tree

    with told():
        explanation = run.explained(
            targets, settings.load_here(config), clock.now(), lambda: typer.get_binary_stream("stdin"), span
        )
    if as_json:
        typer.echo(run.as_json(explanation))
    else:
        Console(highlight=False).print(tree.Rendered(explanation))


@app.command()
def rederive(
    since: Annotated[str, typer.Option(help="From when on, e.g. 2026-11-01 or 2026-11-01T12:00:00Z (UTC if it says no zone).")],
    until: Annotated[str, typer.Option(help="Until when; now if not given.")] = "",
    config: Config = None,
) -> None:
    """Work stored spans out again, e.g. after a price or a mapping has changed."""
    from rich.progress import Progress

    from exporters.store import Store
    from merit import clock, settings
    from merit.program import pipeline_on

    with told():
        begin, end = moment(since, "--since"), moment(until, "--until") if until else clock.now()
        loaded = settings.load_here(config)
        store = Store(loaded.exporters.clickhouse)
        pipeline = pipeline_on(store, loaded, clock.now)
        pipeline.refuse_bad_range(begin, end)
        with store, Progress(console=Console(stderr=True)) as progress:
            bar = progress.add_task("traces", total=None)
            count = pipeline.rederive(begin, end, lambda done, of: progress.update(bar, completed=done, total=of))
        typer.echo(f"derived {count} traces again")


@job_app.command("list")
def list_jobs(config: Config = None) -> None:
    """Name the jobs and how often each runs."""
    from exporters.store import Store
    from merit import clock, settings
    from merit.program import jobs_on, pipeline_on

    with told():
        loaded = settings.load_here(config)
        store = Store(loaded.exporters.clickhouse)
        for job in jobs_on(store, pipeline_on(store, loaded, clock.now), loaded, clock.now):
            typer.echo(f"{job.name}\tevery {job.interval.total_seconds():g} s")


@job_app.command("run")
def run_job(name: Annotated[str, typer.Argument(help="As `merit job list` names it.")], config: Config = None) -> None:
    """Run one job now, once. Harmless to repeat; a Merit that holds the same folder must be stopped first."""
    from exporters.store import Store
    from merit import clock, settings
    from merit.program import jobs_on, pipeline_on

    with told():
        loaded = settings.load_here(config)
        store = Store(loaded.exporters.clickhouse)
        found = {job.name: job for job in jobs_on(store, pipeline_on(store, loaded, clock.now), loaded, clock.now)}
        if name not in found:
            raise Rejected(f"there is no job {name!r}; there are {', '.join(found)}")
        with store:
            found[name].run()
        typer.echo(f"{name}: done")


@import_app.command("evaluations")
def import_evaluations(
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or JSON lines (.jsonl, .ndjson), by its ending.", metavar="FILE")],
    api: Annotated[str, typer.Option("--api", metavar="URL", help="The API of the Merit that runs.")] = "http://127.0.0.1:8080",
    token_file: Annotated[
        typer.FileText | None, typer.Option("--token-file", metavar="FILE", help="Holds a token with the role write.")
    ] = None,
) -> None:
    """Send judgements in a file to a running Merit: ratings of users, scores of judges, of checks, of peers.

    Columns are named as in the API: [bold]task_id[/], evaluator, evaluator_type, score (or rating), criterion, comment,
    span_id, model, cost_usd, evaluated_at. Scores that Langfuse exported are understood as they are. The same file again
    changes nothing.
    """
    from merit.api_client import Api
    from merit.commands import import_evaluations as importing

    with told():
        counts = list(importing.run(file, Api(api, token_file.read().strip() if token_file else "")))
    kept, waiting = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0)
    typer.echo(f"kept {kept} evaluations, {waiting} of them wait for their task")


@app.command()
def mcp(
    api: Annotated[str, typer.Option("--api", metavar="URL", help="The API of the Merit that runs.")] = "http://127.0.0.1:8080",
    token_file: Annotated[
        typer.FileText | None, typer.Option("--token-file", metavar="FILE", help="Holds a token with the roles read and write.")
    ] = None,
) -> None:
    r"""Let agents ask a running Merit by the Model Context Protocol, on standard input and output.

    Tools: route_task, rankings, agent_profile, record_feedback. Needs [bold]pip install 'agentmerit\[mcp]'[/].
    """
    from merit.api_client import Api

    with told():
        try:
            from merit.commands.mcp_server import server
        except ModuleNotFoundError as error:
            raise Rejected(f"the package {error.name} is not installed: pip install 'agentmerit[mcp]'") from None
        server(Api(api, token_file.read().strip() if token_file else "")).run("stdio")


def moment(text: str, option: str) -> datetime:
    """A point in time as RFC 3339 or a date alone; UTC unless it names a zone."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise Rejected(f"{option} is {text!r}: write a date like 2026-11-01 or a time like 2026-11-01T12:00:00Z") from None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


@app.command("version")
def show_version() -> None:
    """Print the version."""
    print_version(True)
