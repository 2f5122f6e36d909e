"""`merit report`: how a day, a week or a month went."""

from enum import StrEnum
from typing import Annotated

import typer

from merit.commands.told import told


class Period(StrEnum):
    """What a report is about."""

    daily = "daily"
    weekly = "weekly"
    monthly = "monthly"


class Form(StrEnum):
    """What a report is printed as."""

    markdown = "markdown"
    html = "html"
    json = "json"


def report(
    period: Annotated[Period, typer.Argument(help="A day, a week from Monday, or a month.")] = Period.daily,
    date: Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="A day of it; unsaid: the last that is over.")] = "",
    form: Annotated[Form, typer.Option("--format", help="Rendered on a terminal, if it is Markdown.")] = Form.markdown,
    api: Annotated[str, typer.Option("--api", metavar="URL", help="The API of the Merit that runs.")] = "http://127.0.0.1:8080",
    token_file: Annotated[
        typer.FileText | None, typer.Option("--token-file", metavar="FILE", help="Holds a token with the role read.")
    ] = None,
) -> None:
    """Print how a day, a week or a month went, against the one before: agents, ranks, cost, alerts, advice."""
    from rich.console import Console
    from rich.markdown import Markdown

    from merit.api_client import Api

    with told():
        asked = {"format": form.value} | ({"date": date} if date else {})
        text = Api(api, token_file.read().strip() if token_file else "").text(f"/v1/reports/{period.value}", **asked)
    console = Console()
    if form is Form.markdown and console.is_terminal:
        console.print(Markdown(text, hyperlinks=False))
    else:
        typer.echo(text)
