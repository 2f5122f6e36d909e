"""The command line: help that helps, exit codes that say of which kind a failure is."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from merit.cli import app
from tests.merit.processes import FREE_PORTS, merit


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_help_names_every_command_and_the_exit_codes() -> None:
    output = run("--help").output

    for command in ("serve", "check", "demo", "explain", "rederive", "job", "version", "Exit codes"):
        assert command in output


def test_without_a_command_the_help_is_shown() -> None:
    assert "serve" in run().output


@pytest.mark.parametrize("command", ["serve", "check", "demo", "explain", "rederive", "job list", "job run", "version"])
def test_every_command_explains_itself(command: str) -> None:
    result = run(*command.split(), "--help")

    assert result.exit_code == 0
    assert len(result.output) > 200


def test_the_version_is_printed_either_way() -> None:
    assert re.match(r"merit \S+", run("--version").output)
    assert run("version").output == run("--version").output


def test_settings_that_cannot_be_right_end_with_2() -> None:
    Path("merit.yaml").write_text("job: {}\n")

    result = run("serve")

    assert result.exit_code == 2
    assert "merit.yaml, line 1: job is no setting; did you mean jobs?" in result.output


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01"])
def test_a_time_that_is_none_is_refused_with_an_example(text: str) -> None:
    result = run("rederive", "--since", text)

    assert result.exit_code == 2
    assert "--since is" in result.output
    assert "2026-11-01" in result.output


def test_jobs_are_listed_with_their_intervals() -> None:
    Path("merit.yaml").write_text("jobs: {sweep: {interval_seconds: 5}}\n")

    assert run("job", "list").output.startswith("derive\tevery 1 s\nsweep\tevery 5 s\n")


def test_a_job_runs_by_hand(tmp_path: Path) -> None:
    done = merit(tmp_path, "job", "run", "sweep", **FREE_PORTS)

    assert (done.returncode, done.stdout) == (0, "sweep: done\n"), done.stderr


def test_an_unknown_job_is_refused_and_the_known_ones_named() -> None:
    result = run("job", "run", "nap")

    assert result.exit_code == 2
    assert "there is no job 'nap'; there are derive, sweep" in result.output


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (["--since", "2020-01-01"], "error: spans are kept for 30 days"),
        (["--since", "2026-11-02", "--until", "2026-11-01"], "error: since (2026-11-02 00:00) must be before until"),
    ],
)
def test_a_time_that_cannot_be_rederived_is_refused_before_the_store_is_opened(
    tmp_path: Path, times: list[str], said: str
) -> None:
    refused = merit(tmp_path, "rederive", *times)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(said)
    assert list(tmp_path.iterdir()) == []
