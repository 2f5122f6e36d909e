"""`merit demo` as a user sees it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def shown(folder: Path) -> str:
    done = merit(folder, "demo", "--once", "--tasks", "60")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_ends_with_a_ranking_of_all_agents(shown: str) -> None:
    for agent in AGENTS:
        assert agent in shown


def test_nothing_is_lost_and_nothing_twice(shown: str) -> None:
    assert "derived: nothing lost, nothing twice." in shown


def test_it_leaves_nothing_behind(shown: str, folder: Path) -> None:
    assert shown
    assert list(folder.iterdir()) == []


def test_it_can_send_to_a_merit_that_runs_already(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        grpc, api = server.find(r"OTLP/gRPC on (\S+)"), server.find(r"API on (http://[^/]+)")

        done = merit(tmp_path, "demo", "--once", "--tasks", "20", "--endpoint", grpc, "--api", api)

        assert done.returncode == 0, done.stdout + done.stderr
        assert {row["agent_id"] for row in server.get("/v1/rankings?window=30d")["rankings"]} == set(AGENTS)


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
