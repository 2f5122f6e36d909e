"""The demo's agents speak the GenAI conventions, and their ids are known before Merit has seen them."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, format_span_id, format_trace_id

from merit.demo.traffic import HISTORY, POSTS, Providers, schedule, send

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

Sent = tuple[list[ReadableSpan], list[str]]


def sent(assignments: int, seed: int = 1) -> Sent:
    memory = InMemorySpanExporter()
    providers = Providers(lambda: memory)
    tasks = [task for each in send(providers, assignments, NOW, Random(seed)) for task in each]
    providers.shutdown()
    return list(memory.get_finished_spans()), tasks


@pytest.fixture(scope="module")
def traffic() -> Sent:
    return sent(300)


def operation(span: ReadableSpan) -> str:
    return str((span.attributes or {})["gen_ai.operation.name"])


def test_every_kind_of_step_is_there(traffic: Sent) -> None:
    assert {operation(span) for span in traffic[0]} == {"invoke_agent", "chat", "execute_tool", "retrieval"}


def test_the_ids_of_the_tasks_are_those_of_the_agent_spans(traffic: Sent) -> None:
    spans, tasks = traffic
    agents = [span.context for span in spans if operation(span) == "invoke_agent"]

    assert Counter(tasks) == Counter(
        f"{format_trace_id(each.trace_id)}-{format_span_id(each.span_id)}" for each in agents if each
    )
    assert set(Counter(tasks).values()) == {1}


def test_eight_agents_of_six_providers_work_and_some_fail(traffic: Sent) -> None:
    agents = [span.attributes or {} for span in traffic[0] if operation(span) == "invoke_agent"]
    failed = [span for span in traffic[0] if operation(span) == "invoke_agent" and span.status.status_code is StatusCode.ERROR]

    assert len({each["gen_ai.agent.name"] for each in agents}) == len(POSTS) == 8
    assert len({each["gen_ai.provider.name"] for each in agents}) == 6
    assert {each["merit.task.category"] for each in agents} == {"research", "coding", "analysis", "writing"}
    assert failed
    assert all("error.type" in (span.attributes or {}) for span in failed)


def test_some_tools_fail_within_tasks_that_succeed(traffic: Sent) -> None:
    spans = traffic[0]
    fine = {span.context.span_id for span in spans if span.context and span.status.status_code is not StatusCode.ERROR}
    recovered = [
        span
        for span in spans
        if operation(span) == "execute_tool" and span.status.status_code is StatusCode.ERROR
        if span.parent and span.parent.span_id in fine
    ]

    assert recovered


def test_the_supervisor_hands_work_to_agents_in_other_services(traffic: Sent) -> None:
    spans = traffic[0]
    services = {span.context.span_id: span.resource.attributes["service.name"] for span in spans if span.context}
    crossing = {
        (services[span.parent.span_id], span.resource.attributes["service.name"])
        for span in spans
        if span.parent and services[span.parent.span_id] != span.resource.attributes["service.name"]
    }

    assert crossing == {("newsroom", "research")}


def test_cached_tokens_are_part_of_the_input(traffic: Sent) -> None:
    calls = [span.attributes or {} for span in traffic[0] if operation(span) == "chat"]
    cached = [each for each in calls if "gen_ai.usage.cache_read.input_tokens" in each]

    assert cached
    assert all(
        int(str(each["gen_ai.usage.cache_read.input_tokens"])) <= int(str(each["gen_ai.usage.input_tokens"])) for each in cached
    )


def test_the_work_fills_two_weeks_that_are_over_and_children_lie_within_their_parents(traffic: Sent) -> None:
    spans = {span.context.span_id: span for span in traffic[0] if span.context}
    starts = [span.start_time or 0 for span in spans.values()]

    assert max(span.end_time or 0 for span in spans.values()) <= NOW.timestamp() * 1e9
    assert max(starts) - min(starts) > timedelta(days=12).total_seconds() * 1e9
    for span in spans.values():
        if span.parent:
            parent = spans[span.parent.span_id]
            assert (parent.start_time or 0) <= (span.start_time or 0) <= (span.end_time or 0) <= (parent.end_time or 0)


def test_the_same_seed_makes_the_same_work_apart_from_ids() -> None:
    first, second = (
        [(span.name, span.start_time, span.end_time, span.status.status_code) for span in sent(40, seed=3)[0]] for _ in range(2)
    )

    assert sorted(first, key=str) == sorted(second, key=str)


def test_every_agent_gets_at_least_one_assignment() -> None:
    planned = schedule(len(POSTS), NOW, Random(1))

    assert {post.agent for _, post in planned} == {post.agent for post in POSTS}
    assert all(NOW - HISTORY < start < NOW for start, _ in planned)
