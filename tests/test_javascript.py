"""Agents in JavaScript and in Python, each with its own SDK and protocol, are one company of agents."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples import blocks
from tests.running import Running, eventually, serving

HERE = Path(__file__).parent / "javascript"
OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")


@pytest.fixture(scope="module")
def program(pytestconfig: pytest.Config) -> Path:
    """agent.mjs with its packages beside it; they are installed once and kept in pytest's cache."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node.js and npm are not installed")
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("javascript")
    wanted, installed = HERE / "package.json", folder / "installed.json"
    shutil.copy(wanted, folder)
    shutil.copy(HERE / "agent.mjs", folder)
    if not installed.exists() or installed.read_bytes() != wanted.read_bytes():
        npm = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], cwd=folder, capture_output=True, text=True
        )
        if npm.returncode and any(reason in npm.stderr for reason in OFFLINE):
            pytest.skip("npm reaches no registry")
        assert npm.returncode == 0, npm.stderr
        shutil.copy(wanted, installed)
    return folder / "agent.mjs"


def run_javascript(program: Path, name: str, encoding: str, merit: Running) -> None:
    subprocess.run(["node", program, name, encoding, f"{merit.http}/v1/traces"], check=True, timeout=60)


def run_python(merit: Running) -> None:
    """The example of the README."""
    (source,) = blocks("README.md", "python")
    subprocess.run([sys.executable, "-c", source.replace("127.0.0.1:4317", merit.grpc)], check=True, timeout=60)


@pytest.mark.node
def test_agents_in_javascript_and_python_appear_side_by_side(program: Path, tmp_path: Path) -> None:
    with serving(tmp_path) as merit:
        run_javascript(program, "protobuf-writer", "protobuf", merit)
        run_javascript(program, "json-writer", "json", merit)
        run_python(merit)
        seen = eventually(lambda: finished(merit, at_least=3))

    assert set(seen) == {"protobuf-writer", "json-writer", "editor"}
    # 1,000 × 0.15 $ and 100 × 0.60 $ per million tokens of gpt-4o-mini
    assert seen["json-writer"]["total_cost_usd"] == seen["protobuf-writer"]["total_cost_usd"] == pytest.approx(0.00021)
    assert {name: (agent["services"], agent["llm_calls"]) for name, agent in seen.items()} == {
        "protobuf-writer": (["javascript"], 1),
        "json-writer": (["javascript"], 1),
        "editor": (["newsroom"], 1),
    }


def finished(merit: Running, at_least: int) -> dict[str, dict[str, object]] | None:
    """The agents by name, once as many have succeeded in a task."""
    agents = {agent["agent_name"]: agent for agent in merit.get("/v1/agents")["agents"] if agent["succeeded"]}
    return agents if len(agents) >= at_least else None
