"""What all commands share: how settings are named, and how a command that cannot go on says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from processors.errors import MeritError, Rejected

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings, YAML. Default: merit.yaml in this folder if there is one.", metavar="FILE"),
]


@contextmanager
def told() -> Iterator[None]:
    """Tell what stopped a command in a sentence, and end with the exit code that says of which kind it was."""
    try:
        yield
    except MeritError as error:
        Console(stderr=True).print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        raise typer.Exit(2 if isinstance(error, Rejected) else 1) from None
