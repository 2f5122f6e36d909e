"""`merit token`: what it prints is what the settings take."""

import re
from pathlib import Path

import yaml
from typer.testing import CliRunner

from merit.cli import app
from processors.access import SHAPE, hashed


def test_a_new_token_is_printed_once_with_a_line_that_holds_its_hash_alone() -> None:
    told = CliRunner().invoke(app, ["token", "new", "--name", "agents", "--role", "ingest", "--role", "read"])

    (token,) = re.findall(SHAPE, told.stdout)
    (entry,) = yaml.safe_load(told.stdout.strip().splitlines()[-1])
    assert entry == {"name": "agents", "roles": ["ingest", "read"], "sha256": hashed(token)}
    assert told.stdout.count(token) == 1


def test_two_tokens_are_never_the_same() -> None:
    told = [CliRunner().invoke(app, ["token", "new", "--name", "a", "--role", "read"]).stdout for _ in range(2)]

    assert told[0] != told[1]


def test_a_role_that_there_is_none_of_is_refused() -> None:
    told = CliRunner().invoke(app, ["token", "new", "--name", "a", "--role", "king"])

    assert told.exit_code == 2
    assert "'ingest', 'read' or 'write'" in told.stderr


def test_tokens_are_listed_without_a_way_back_to_them(tmp_path: Path) -> None:
    line = CliRunner().invoke(app, ["token", "new", "--name", "agents", "--role", "ingest"]).stdout.strip().splitlines()[-1]
    (tmp_path / "tokens.yaml").write_text(line)
    (tmp_path / "merit.yaml").write_text(f"auth: {{tokens_file: {tmp_path}/tokens.yaml}}")

    told = CliRunner().invoke(app, ["token", "list", "--config", str(tmp_path / "merit.yaml")])

    assert told.stdout.startswith("agents\tingest\t")
    assert yaml.safe_load(line)[0]["sha256"] not in told.stdout
