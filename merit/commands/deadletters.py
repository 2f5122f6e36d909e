"""`merit deadletter`: look at the rows that the store would not take, and give them another try."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from merit.commands.told import Config, told

if TYPE_CHECKING:
    from receiver.journal_file import JournalFile

app = typer.Typer(help="Look at the rows that the store would not take, or give them another try.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="Which, by its number in the list.", metavar="NUMBER")]
Numbers = Annotated[list[int] | None, typer.Argument(help="Which, by their numbers in the list.", metavar="NUMBER…")]


@contextmanager
def opened(config: Path | None) -> Iterator["JournalFile"]:
    """The file of the journal. A running Merit is not disturbed."""
    from merit import settings
    from merit.pipeline.keeping import journal_folder
    from processors.errors import Rejected
    from receiver.journal_file import JournalFile

    with told():
        file = JournalFile(journal_folder(settings.load_here(config)))
        if not file.path.exists():
            raise Rejected(f"there is no journal {file.path}: is this the folder, are these the settings of merit serve?")
        file.open()
        try:
            yield file
        finally:
            file.close()


@app.command("list")
def list_letters(config: Config = None) -> None:
    """Every dead letter: when, of what, how many rows, and what the store said."""
    from receiver.dead_letters import letters

    with opened(config) as file:
        found = letters(file)
    table = Table("number", "when", "kind", "rows", "reason", box=None)
    for letter in found:
        table.add_row(str(letter.id), f"{letter.at:%Y-%m-%d %H:%M:%S}", letter.kind, str(letter.rows), letter.reason)
    Console(highlight=False, markup=False).print(table if found else "no dead letters")


@app.command()
def show(number: Number, config: Config = None) -> None:
    """The rows of a dead letter, as JSON, one to a line."""
    from receiver.dead_letters import rows_of

    with opened(config) as file:
        typer.echo(rows_of(file, number).write_ndjson().rstrip())


@app.command()
def retry(
    numbers: Numbers = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    config: Config = None,
) -> None:
    """Put dead letters back into the journal: a running Merit stores them at once, else the next start does."""
    from processors.errors import Rejected
    from receiver.dead_letters import letters, put_back

    with opened(config) as file:
        if bool(numbers) == every:
            raise Rejected("say which dead letters, by their numbers, or --all")
        rows = put_back(file, [letter.id for letter in letters(file)] if every else numbers or [])
    typer.echo(f"{rows} rows are back in the journal")
