"""The examples of routing, and the MCP server, on a real Merit."""

import importlib.util
import json
import socketserver
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

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


needs_langgraph = pytest.mark.skipif(importlib.util.find_spec("langgraph") is None, reason="langgraph is not installed")
EXAMPLES = [("orchestrator.py", "--tasks"), pytest.param("langgraph_supervisor.py", "--steps", marks=needs_langgraph)]
NOBODY = json.dumps({"agent_id": None, "decision_id": "d", "explanation": "Nobody of 2 can have it: all fail."}).encode()
ANSWERS = {
    "hangs up": (b"", "Merit does not answer: Remote end closed connection"),
    "hangs up in the middle": (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "Merit does not answer: IncompleteRead"),
    "does not answer in time": (None, "Merit does not answer: timed out."),
    "answers an error": (b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n", "Merit does not answer: HTTP Error 503: Away."),
    "answers no JSON": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<ok/>", "Merit does not answer: Expecting value"),
    "names nobody": (
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(NOBODY), NOBODY),
        "Nobody of 2 can have it: all fail.",
    ),
}


@contextmanager
def answering(said: bytes | None) -> Iterator[str]:
    """The address of what reads each request and answers `said`, then hangs up; nothing for a while if it is None."""

    class Answering(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.connection.recv(65_536)
            if said is None:
                time.sleep(3)
            else:
                self.wfile.write(said)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def done_alone(example: str, count: str, api: str, merit: Running) -> str:
    """What `example` says when it has done two tasks by its own choice."""
    command = [sys.executable, str(ROOT / "examples" / example), "--api", api, "--otlp", merit.grpc, count, "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    return done.stderr


@pytest.mark.parametrize(("example", "count"), EXAMPLES)
def test_an_example_goes_on_where_merit_is_away(merit: Running, example: str, count: str) -> None:
    assert done_alone(example, count, "http://127.0.0.1:9", merit).count("Merit does not answer: <urlopen error") == 2


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(("example", "count"), EXAMPLES)
def test_an_example_goes_on_where_merit(merit: Running, example: str, count: str, answer: str) -> None:
    said, told = ANSWERS[answer]
    with answering(said) as api:
        errors = done_alone(example, count, api, merit)

    assert errors.count(told) == errors.count(" does it.") == 2


@needs_langgraph
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
