"""`merit alerts`: whether those who are to be told of alerts can be."""

from typing import Annotated

import typer

from merit.commands.told import Config, told

app = typer.Typer(help="See whether those who are to be told of alerts can be.", no_args_is_help=True)


@app.callback()
def alerts() -> None:
    """See the help of the application."""


@app.command("test")
def try_routes(
    route: Annotated[str, typer.Option("--route", metavar="NAME", help="This route alone.")] = "", config: Config = None
) -> None:
    """Send a preview to the routes of exporters.notifications, and say who took it."""
    from merit import clock, settings
    from merit.jobs.notify import try_out
    from processors.errors import Rejected

    with told():
        said = settings.load_here(config).exporters.notifications
        names = [each.name for each in said.routes]
        if not names:
            raise Rejected("exporters.notifications.routes names nobody: see docs/notifications.md")
        if route and route not in names:
            raise Rejected(f"--route {route!r}: there is none, known are {', '.join(names)}")
    failures = 0
    for name in [route] if route else names:
        trouble = try_out(said, name, clock.now())
        failures += bool(trouble)
        typer.echo(f"wrong  {name}: {trouble}" if trouble else f"ok     {name}: took the preview")
    if failures:
        raise typer.Exit(1)
