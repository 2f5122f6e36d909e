"""A plain orchestrator that asks Merit who should do each task, and goes on by itself if Merit does not answer or names nobody.

Run `merit serve`, then `python examples/orchestrator.py`. The agents are functions that succeed now and then; put yours in
their place. Needs opentelemetry-sdk and opentelemetry-exporter-otlp-proto-grpc.
"""

import argparse
import json
import random
import sys
import time
from http.client import HTTPException
from urllib.request import Request, urlopen

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

SKILL = {
    "ada": {"coding": 0.95, "writing": 0.40},
    "bob": {"coding": 0.30, "writing": 0.95},
    "cyd": {"coding": 0.60, "writing": 0.60},
}
TASKS = {"coding": "Fix the failing test in the parser", "writing": "Draft the announcement of the release"}


def who(api: str, category: str, description: str) -> tuple[str, str]:
    """An agent for the task and the id of the decision; our own choice and no id if nobody answers or nobody is named."""
    question = {"category": category, "description": description, "candidates": list(SKILL)}
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
    agent = random.choice(list(SKILL))
    print(f"{why} {agent} does it.", file=sys.stderr)
    return agent


def work(tracer: trace.Tracer, agent: str, category: str, description: str, decision_id: str) -> bool:
    """Have `agent` do the task; its span carries the decision, and so Merit learns what came of it."""
    with tracer.start_as_current_span(f"invoke_agent {agent}") as span:
        success = random.random() < SKILL[agent][category]
        span.set_attributes(
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": agent,
                "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": description}]}]),
                "merit.task.category": category,
                "merit.task.success": success,
                "merit.decision.id": decision_id,
            }
        )
    return success


def main() -> None:
    """Give out tasks and say who got how many."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--api", default="http://127.0.0.1:8080")
    parser.add_argument("--otlp", default="127.0.0.1:4317")
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between two tasks")
    said = parser.parse_args()
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(said.otlp, insecure=True), schedule_delay_millis=200))
    tracer = provider.get_tracer("orchestrator")
    given: dict[str, dict[str, int]] = {category: dict.fromkeys(SKILL, 0) for category in TASKS}
    succeeded = 0
    for number in range(said.tasks):
        category = list(TASKS)[number % len(TASKS)]
        agent, decision_id = who(said.api, category, TASKS[category])
        succeeded += work(tracer, agent, category, TASKS[category], decision_id)
        given[category][agent] += 1
        time.sleep(said.pause)
    provider.shutdown()
    print(json.dumps({"tasks": said.tasks, "succeeded": succeeded, "given": given}))


if __name__ == "__main__":
    main()
