"""How an agent is instrumented: five kinds of spans of the OpenTelemetry GenAI conventions, in plain OpenTelemetry SDK.

This is what you would write around your own agent, but for one thing: the demo's agents do no work, so their spans carry
start and end times of a `Workday` that only pretends to pass. Leave out `start_time=`, `end_time=` and `timestamp=`, and
the SDK takes the real time.

Conventions: https://github.com/open-telemetry/semantic-conventions-genai
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer

Range = tuple[float, float]


class AgentError(Exception):
    """An agent, a tool or a model did not do what it was asked. The class's name becomes the span's `error.type`."""


class AnswerRejectedError(AgentError):
    """The agent's result did not pass its check."""


class ToolError(AgentError):
    """A tool failed."""


class RateLimitError(AgentError):
    """The model's provider wants us to come back later."""


@dataclass(frozen=True)
class Model:
    """A model as its provider calls it, and how fast it writes."""

    provider: str
    name: str
    tokens_per_second: float


class Workday:
    """One assignment's stretch of pretended time, with its share of luck.

    Args:
        tracer: gives the tracer of a service, named as in `service.name`.
        start: when the assignment begins.
        random: every duration, token count and failure comes from here.
    """

    def __init__(self, tracer: Callable[[str], Tracer], start: datetime, random: Random) -> None:
        self._tracer = tracer
        self._service = ""
        self._now_ns = int(start.timestamp()) * 1_000_000_000
        self.random = random
        self.tasks: list[str] = []
        """`<trace id>-<span id>` of every agent span: the ids of the tasks that Merit must know afterwards."""

    @contextmanager
    def invoke_agent(
        self, name: str, *, service: str, category: str, model: Model, assignment: str, kind: str = "worker"
    ) -> Iterator[Span]:
        """A task: one agent doing one assignment. What is raised inside makes it fail."""
        attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": name,
            "gen_ai.agent.id": name,
            "gen_ai.provider.name": model.provider,
            "gen_ai.request.model": model.name,
            "gen_ai.input.messages": message("user", assignment),
            "merit.task.category": category,
            "merit.agent.type": kind,
        }
        caller, self._service = self._service, service
        try:
            with self._span(f"invoke_agent {name}", attributes) as span:
                context = span.get_span_context()
                self.tasks.append(f"{trace.format_trace_id(context.trace_id)}-{trace.format_span_id(context.span_id)}")
                yield span
        finally:
            self._service = caller

    def chat(self, model: Model, *, prompt: int, answer: int, cached: float = 0, thinking: int = 0, refused: float = 0) -> None:
        """A model call.

        Args:
            model: who is asked.
            prompt: about how many tokens go in.
            answer: about how many tokens come out, thinking aside.
            cached: the share of the prompt that the provider had in its cache.
            thinking: about how many tokens of reasoning precede the answer.
            refused: how likely the provider is to answer "too many requests".
        """
        sent, reasoned = self._about(prompt), self._about(thinking)
        written = self._about(answer) + reasoned
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": model.provider,
            "gen_ai.request.model": model.name,
            "gen_ai.request.temperature": 0.2,
        }
        with self._span(f"chat {model.name}", attributes, SpanKind.CLIENT) as span:
            self._spend((0.2, 0.8))
            if self.random.random() < refused:
                raise RateLimitError(f"{model.name}: too many requests, try again in a moment")
            self._spend((written / model.tokens_per_second,) * 2)
            usage = {"input_tokens": sent, "output_tokens": written, "cache_read.input_tokens": int(sent * cached)}
            usage["reasoning.output_tokens"] = reasoned
            span.set_attributes({f"gen_ai.usage.{kind}": count for kind, count in usage.items() if count})
            span.set_attribute("gen_ai.response.id", f"resp-{self.random.getrandbits(64):016x}")
            span.set_attribute("gen_ai.response.model", model.name)

    def execute_tool(self, name: str, *, seconds: Range, fails: float = 0, **arguments: Any) -> None:
        """A tool call, which fails now and then."""
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.arguments": json.dumps(arguments),
        }
        with self._span(f"execute_tool {name}", attributes):
            self._spend(seconds)
            if self.random.random() < fails:
                raise ToolError(f"{name} came back with an error")

    def retrieve(self, source: str, query: str, *, seconds: Range) -> None:
        """A look into a knowledge base."""
        attributes = {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.data_source.id": source,
            "gen_ai.retrieval.query.text": query,
        }
        with self._span(f"retrieval {source}", attributes, SpanKind.CLIENT):
            self._spend(seconds)

    def check(self, reliability: float, problem: str) -> None:
        """The agent's own check of its result: passes with the likelihood `reliability`, else raises."""
        if self.random.random() >= reliability:
            raise AnswerRejectedError(problem)

    @contextmanager
    def _span(self, name: str, attributes: Mapping[str, Any], kind: SpanKind = SpanKind.INTERNAL) -> Iterator[Span]:
        tracer = self._tracer(self._service)
        span = tracer.start_span(name, kind=kind, attributes=attributes, start_time=self._now_ns)
        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                yield span
        except AgentError as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR, str(error))
            span.record_exception(error, timestamp=self._now_ns)
            raise
        finally:
            span.end(end_time=self._now_ns)

    def _spend(self, seconds: Range) -> None:
        self._now_ns += int(timedelta(seconds=self.random.uniform(*seconds)).total_seconds() * 1e9)

    def _about(self, tokens: int) -> int:
        return int(tokens * self.random.uniform(0.7, 1.4))


def message(role: str, text: str) -> str:
    """One chat message as the conventions write it."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])
