"""A LangGraph supervisor that asks Merit which worker gets the next step, and chooses by itself if Merit does not.

Run `merit serve`, then `python examples/langgraph_supervisor.py`. The supervisor is a node that asks; the workers are nodes
that stand in for agents of yours. Needs langgraph, opentelemetry-sdk and opentelemetry-exporter-otlp-proto-grpc.
"""

import argparse
import json
import random
import sys
from http.client import HTTPException
from typing import TypedDict
from urllib.request import Request, urlopen

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

SKILL = {"researcher": {"research": 0.9, "writing": 0.3}, "writer": {"research": 0.3, "writing": 0.9}}


class State(TypedDict):
    """What goes through the graph: the steps still to do, those done, and the decision behind the present one."""

    steps: list[str]
    done: list[str]
    decision_id: str


def supervisor_of(api: str):
    """A node that asks Merit who does the next step."""

    def supervisor(state: State) -> Command:
        if not state["steps"]:
            return Command(goto=END)
        step = state["steps"][0]
        agent, decision_id = who(api, step)
        return Command(goto=agent, update={"decision_id": decision_id})

    return supervisor


def who(api: str, step: str) -> tuple[str, str]:
    """A worker for the step and the id of the decision; our own choice and no id if nobody answers or nobody is named."""
    question = {"category": step, "candidates": list(SKILL), "description": f"{step} about databases"}
    request = Request(f"{api}/v1/route", json.dumps(question).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=1) as answer:
            found = json.load(answer)
    except (OSError, HTTPException, ValueError) as error:  # away, an error, too slow; hung up in the middle; no JSON
        return own_choice(f"Merit does not answer: {error}."), ""
    if found["agent_id"] is None:
        return own_choice(found["explanation"]), ""
    return found["agent_id"], found["decision_id"]


def own_choice(why: str) -> str:
    """Whom we would ask without Merit: here anybody, in yours perhaps whoever did it until now."""
    worker = random.choice(list(SKILL))
    print(f"{why} {worker} does it.", file=sys.stderr)
    return worker


def worker_of(name: str, tracer: trace.Tracer):
    """A node that does a step as `name`, and says on its span which decision it comes of."""

    def worker(state: State) -> Command:
        step, *rest = state["steps"]
        with tracer.start_as_current_span(f"invoke_agent {name}") as span:
            span.set_attributes(
                {
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.agent.name": name,
                    "merit.task.category": step,
                    "merit.task.success": random.random() < SKILL[name][step],
                    "merit.decision.id": state["decision_id"],
                }
            )
        return Command(goto="supervisor", update={"steps": rest, "done": [*state["done"], f"{step} by {name}"]})

    return worker


def main() -> None:
    """Run the graph and say who did what."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--api", default="http://127.0.0.1:8080")
    parser.add_argument("--otlp", default="127.0.0.1:4317")
    parser.add_argument("--steps", type=int, default=6)
    said = parser.parse_args()
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(said.otlp, insecure=True)))
    graph = StateGraph(State)
    graph.add_node("supervisor", supervisor_of(said.api), destinations=(*SKILL, END))
    for name in SKILL:
        graph.add_node(name, worker_of(name, provider.get_tracer("supervisor")))
    graph.add_edge(START, "supervisor")
    steps = [("research", "writing")[number % 2] for number in range(said.steps)]
    final = graph.compile().invoke({"steps": steps, "done": [], "decision_id": ""}, {"recursion_limit": 4 * said.steps + 10})
    provider.shutdown()
    print(json.dumps(final["done"]))


if __name__ == "__main__":
    main()
