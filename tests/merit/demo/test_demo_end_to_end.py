"""`merit demo` as a user sees it."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from merit.api_client import Api
from merit.clock import now
from tests.doors import token
from tests.merit.processes import WAIT_SECONDS, environment, merit, serving

AGENTS = (
    "research-scout",
    "deep-researcher",
    "code-smith",
    "code-sprinter",
    "data-analyst",
    "trainee-analyst",
    "copywriter",
    "managing-editor",
)


@contextmanager
def hold(port: int) -> Iterator[None]:
    """Listen there, unless somebody does already: either way it is taken."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            listener.bind(("127.0.0.1", port))
            listener.listen()
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def shown(folder: Path) -> str:
    with hold(4317), hold(4318), hold(8080):
        done = merit(folder, "demo", "--once", "--tasks", "60")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_ends_with_a_ranking_of_all_agents(shown: str) -> None:
    for agent in AGENTS:
        assert agent in shown


def test_nothing_is_lost_and_nothing_twice(shown: str) -> None:
    assert "derived: nothing lost, nothing twice." in shown


def test_taken_ports_are_told_and_free_ones_taken(shown: str) -> None:
    for endpoint in ("127.0.0.1:4317", "127.0.0.1:4318", "127.0.0.1:8080"):
        assert re.search(rf"{endpoint} for \S+: Address already in use; taking a free port instead", shown)


def test_it_leaves_nothing_behind(shown: str, folder: Path) -> None:
    assert shown
    assert list(folder.iterdir()) == []


def test_it_can_send_to_a_merit_that_runs_already_and_its_spans_can_be_derived_again(tmp_path: Path) -> None:
    shown, entry = token("ingest", "read", "write")
    (tmp_path / "tokens.yaml").write_text(entry)
    (tmp_path / "token").write_text(shown)
    with serving(tmp_path, MERIT_AUTH__TOKENS_FILE="tokens.yaml") as server:
        grpc, api = server.find(r"OTLP/gRPC on (\S+)"), server.find(r"API on (http://[^/]+)")

        done = merit(tmp_path, "demo", "--once", "--tasks", "20", "--endpoint", grpc, "--api", api, "--token-file", "token")

        assert done.returncode == 0, done.stdout + done.stderr
        assert {row["agent_id"] for row in Api(api, shown).get("/v1/rankings", window="30d")["rankings"]} == set(AGENTS)
        assert server.end(signal.SIGTERM) == 0

    again = merit(tmp_path, "rederive", "--since", (now() - timedelta(days=20)).isoformat())
    assert (again.returncode, again.stdout) == (0, "derived 20 traces again\n"), again.stderr


def test_without_a_merit_at_the_given_address_it_says_so(tmp_path: Path) -> None:
    done = merit(tmp_path, "demo", "--once", "--endpoint", "127.0.0.1:1", "--api", "http://127.0.0.1:1")

    assert done.returncode == 1
    assert "no API answers at http://127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_goes_on_serving_until_ctrl_c(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "merit", "demo", "--tasks", "8"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process, process.stdout:
        text = ""
        while "goes on serving" not in text:
            line = process.stdout.readline()
            assert line, text
            text += line
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_SECONDS) == 0
    assert "curl 'http://127.0.0.1:" in text
