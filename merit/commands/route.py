"""`merit route`: judge how tasks are given out, before and after."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from merit.commands.told import Config, told

route_app = typer.Typer(help="Judge how tasks are given out: on a table of outcomes, or on past decisions.", no_args_is_help=True)


@route_app.command()
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or Parquet; one row is one agent on one task.")],
    history: Annotated[
        Path | None, typer.Option("--history", metavar="FILE", help="Outcomes that are known beforehand, of all agents.")
    ] = None,
    profile: Annotated[str, typer.Option("--profile", help="Weights of quality, cost and speed; as in the settings.")] = "",
    strategy: Annotated[str, typer.Option("--strategy", help="thompson, ucb, greedy or epsilon.")] = "",
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=1000, help="How many passes, each with luck of its own.")] = 10,
    keep_order: Annotated[
        bool, typer.Option("--keep-order", help="Take the tasks as they stand in the file, not in an order drawn for each pass.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: Config = None,
) -> None:
    """Replay a table of known outcomes: what would routing have come to, seeing only the outcome of whom it chose?

    Columns: agent, task_id, category, score (0 to 1) or success; where known cost_usd, latency_s, description, complexity (1 to
    5). Without a description the task id is taken for one; beside score, success is not looked at. A sum of costs is unknown
    where one of them is. Scores and probabilities are those of /v1/route; nobody is on probation, failing or busy.
    """
    from merit import settings
    from merit.commands import replaying
    from processors.routing.policies import policy

    with told():
        routing = settings.load_here(config).processors.routing
        chosen = policy(routing, strategy, profile)
        asked = replaying.Asked(file, history, chosen, routing, seeds, keep_order)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("passes", total=None)
            result = replaying.replayed(asked, lambda done, of: progress.update(bar, completed=done, total=of))
    if as_json:
        typer.echo(replaying.as_json(result))
    else:
        replaying.show(result, Console(highlight=False))


@route_app.command()
def whatif(
    profile: Annotated[str, typer.Option("--profile", help="Weights of quality, cost and speed; as in the settings.")] = "",
    strategy: Annotated[str, typer.Option("--strategy", help="thompson, ucb, greedy or epsilon.")] = "",
    days: Annotated[float, typer.Option("--days", min=0.01, max=400, help="How far to look back.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: Config = None,
) -> None:
    """Judge another profile or strategy on the decisions that were made, before it is used.

    Inverse propensity, self-normalised and doubly robust, each with a 90 % interval. Needs the folder for itself: stop
    merit serve first, if the store is embedded.
    """
    from datetime import timedelta

    from exporters.store import Store
    from merit import clock, settings
    from merit.commands import what_if
    from processors.routing.policies import policy

    with told():
        loaded = settings.load_here(config)
        wanted, now = policy(loaded.processors.routing, strategy, profile), clock.now()
        with Store(loaded.exporters.clickhouse) as store, Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("decisions", total=None)
            result = what_if.judged(
                store,
                loaded,
                wanted,
                now - timedelta(days=days),
                now,
                lambda done, of: progress.update(bar, completed=done, total=of),
            )
    if as_json:
        typer.echo(what_if.as_json(result))
    else:
        what_if.show(result, Console(highlight=False))
