"""`merit token`: makes tokens and lists them. Nothing is stored: the line that is printed goes where the settings say."""

import json
import secrets
from typing import Annotated

import typer
from pydantic import ValidationError

from merit.commands.told import Config, told
from processors.access import RANDOM_BYTES, Token, hashed
from processors.errors import Rejected

app = typer.Typer(help="Make tokens, with which agents and people come in, or list them.", no_args_is_help=True)


@app.command("new")
def new_token(
    name: Annotated[str, typer.Option("--name", help="Whose it is; for people.")],
    role: Annotated[list[str], typer.Option("--role", help="ingest, read or write; may be repeated.")],
) -> None:
    """Make a token and print it, once, with the line for the file of auth.tokens_file. The line holds only its hash."""
    with told():
        token, entry = made(name, role)
    typer.echo(f"The token, shown only this once:\n\n  {token}\n")
    typer.echo(f"The line for the file of auth.tokens_file (or below auth.tokens):\n\n{line(entry)}")


@app.command("list")
def list_tokens(config: Config = None) -> None:
    """Name the tokens that the settings know, and what each may do."""
    from merit import settings
    from merit.listeners.doors import tokens_of

    with told():
        tokens = tokens_of(settings.load_here(config).auth)
    for token in tokens:
        typer.echo(f"{token.name}\t{', '.join(token.roles)}\t{token.sha256[:8]}…")
    if not tokens:
        typer.echo("there are no tokens: nobody is asked, and everything listens on loopback unless it says insecure")


def made(name: str, roles: list[str]) -> tuple[str, Token]:
    """A new token and its entry; raises Rejected if there is no such role, or the name cannot be one."""
    token = f"merit_{secrets.token_urlsafe(RANDOM_BYTES)}"
    try:
        return token, Token.model_validate({"name": name, "roles": tuple(dict.fromkeys(roles)), "sha256": hashed(token)})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Rejected(f"--{'role' if first['loc'][0] == 'roles' else 'name'} {first['input']!r}: {first['msg']}") from None


def line(entry: Token) -> str:
    """The entry as a line of YAML."""
    return f"- {{name: {json.dumps(entry.name)}, roles: [{', '.join(entry.roles)}], sha256: {entry.sha256}}}"
