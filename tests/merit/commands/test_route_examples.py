"""The examples of routing, and the MCP server, on a real Merit."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from tests.examples import ROOT
from tests.running import Running, eventually, serving


@pytest.fixture(scope="module")
def merit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("merit")) as running:
        yield running


def run(example: str, merit: Running, *words: str):
    command = [sys.executable, str(ROOT / "examples" / example), "--api", merit.api, "--otlp", merit.grpc, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def known(merit: Running, category: str, count: int) -> bool:
    """Whether the outcome of so many decisions is known."""
    decisions = merit.get(f"/v1/route/decisions?limit=1000&category={category}")["decisions"]
    return sum(one["success"] is not None for one in decisions) >= count


def test_the_orchestrator_gives_out_tasks_and_merit_learns_what_came_of_them(merit: Running) -> None:
    found = run("orchestrator.py", merit, "--tasks", "30", "--pause", "0.02")

    assert sum(found["given"]["coding"].values()) == sum(found["given"]["writing"].values()) == 15
    assert eventually(lambda: known(merit, "coding", 15) or None)
    learnt = eventually(
        lambda: [one for one in ask(merit, "coding")["ranked"] if any("tasks of coding seen" in why for why in one["reasons"])]
    )
    assert {one["agent_id"] for one in learnt} <= {"ada", "bob", "cyd"}


def ask(merit: Running, category: str) -> dict:
    import httpx

    return httpx.post(f"{merit.api}/v1/route", json={"category": category}, timeout=10).raise_for_status().json()


def test_the_orchestrator_goes_on_where_nobody_answers(merit: Running) -> None:
    gone = Running(merit.grpc, merit.http, "http://127.0.0.1:9")

    assert run("orchestrator.py", gone, "--tasks", "4", "--pause", "0")["tasks"] == 4


@pytest.mark.skipif(importlib.util.find_spec("langgraph") is None, reason="langgraph is not installed")
def test_the_langgraph_supervisor_asks_before_each_step(merit: Running) -> None:
    done = run("langgraph_supervisor.py", merit, "--steps", "4")

    assert [step.partition(" by ")[0] for step in done] == ["research", "writing", "research", "writing"]
    assert eventually(lambda: known(merit, "research", 2) or None)


@pytest.mark.skipif(importlib.util.find_spec("mcp") is None, reason="mcp is not installed")
def test_agents_ask_for_themselves_over_mcp(merit: Running, tmp_path: Path) -> None:
    from mcp import ClientSession, StdioServerParameters, stdio_client

    async def talk() -> dict[str, object]:
        server = StdioServerParameters(command=sys.executable, args=["-m", "merit", "mcp", "--api", merit.api], cwd=ROOT)
        with (tmp_path / "errors").open("w") as errors:
            async with stdio_client(server, errors) as (read, write), ClientSession(read, write) as session:
                await session.initialize()
                found: dict[str, object] = {"tools": {tool.name for tool in (await session.list_tools()).tools}}
                for name, asked in (
                    ("route_task", {"category": "mcp", "candidates": ["x", "y"], "max_cost_usd": 1}),
                    ("rankings", {"limit": 3}),
                    ("agent_profile", {"agent_id": "nobody/here"}),
                    ("record_feedback", {"task_id": "job-1", "rating": 5, "comment": "well done"}),
                ):
                    found[name] = await session.call_tool(name, asked)
                return found

    found = anyio.run(talk)

    assert found["tools"] == {"route_task", "rankings", "agent_profile", "record_feedback"}
    routed = told(found["route_task"])
    assert routed["agent_id"] in ("x", "y")
    assert routed["decision_id"]
    assert "rankings" in told(found["rankings"])
    assert found["agent_profile"].is_error
    assert "404" in found["agent_profile"].content[0].text
    assert told(found["record_feedback"])["status"] == "pending"


def told(result) -> dict:
    assert not result.is_error, result.content
    return json.loads(result.content[0].text)
