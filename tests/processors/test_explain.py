"""Why each field was read: the provenance says what the reading says, for every field of every span of every capture."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from processors.conventions.explain import provenance
from processors.conventions.grammar import Condition, Dialect, Source
from processors.conventions.read import EXCERPT, Conventions
from processors.conventions.unread import unread
from receiver.decode import decode
from receiver.limits import Limits
from tests.golden.truth import Run, runs
from tests.processors.build import span, spans

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
READ = Conventions()
TEXTS = (
    "agent_id", "agent_name", "node_name", "request_model", "response_model", "response_id", "conversation_id", "user_id",
    "error_type", "owner", "workflow_name", "task_name", "external_id", "category", "agent_type", "department", "decision_id",
    "resource_agent",
)  # fmt: skip
FLAGS = ("fails_task", "totals_include")
Said = dict[str, str]


def column(field: str) -> str:
    return "".join(word.capitalize() for word in field.split("_"))


def real(said: Said, field: str) -> float | None:
    """Some write `NOT_GIVEN`."""
    try:
        return float(said[field])
    except (KeyError, ValueError):
        return None


def number(said: Said, field: str) -> int | None:
    return None if (found := real(said, field)) is None else round(found)


def added_up(said: Said, parts: int, thoughts: int) -> tuple[int | None, int | None]:
    """Input and output with what was said apart from them: by the dialect, as too large a part, or as a total betrays."""
    whole_in, whole_out, total = (number(said, f) for f in ("input_tokens", "output_tokens", "total_tokens"))
    apart = said.get("cached_apart") == "true" or (whole_in is not None and parts > whole_in)
    thought = said.get("reasoning_apart") == "true" or (whole_out is not None and thoughts > whole_out)
    if total is not None and whole_in is not None and whole_out is not None:
        rest = total - whole_in - parts * apart - whole_out - thoughts * thought
        if rest in {parts, parts + thoughts}:
            apart = True
        if rest != parts and rest in {thoughts, parts + thoughts}:
            thought = True
    return (
        whole_in if whole_in is None else whole_in + parts * apart,
        whole_out if whole_out is None else whole_out + thoughts * thought,
    )


def expected(said: Said, name: str) -> dict[str, Any]:
    """The reading that follows from what was said, worked out here by hand."""
    operation = "" if said.get("ignored") == "true" else said.get("operation", "")
    cached, written, thought = (number(said, f) for f in ("cached_input_tokens", "cache_write_tokens", "reasoning_tokens"))
    whole_in, whole_out = added_up(said, (cached or 0) + (written or 0), thought or 0)
    return {
        **{column(f): said.get(f, "") for f in TEXTS},
        **{column(f): said.get(f) == "true" for f in FLAGS},
        "SpanName": name,
        "Operation": operation,
        "Provider": said.get("provider", "").lower(),
        "Input": said.get("input", "")[:EXCERPT],
        "Output": said.get("output", "")[:EXCERPT],
        "InputTokens": whole_in,
        "OutputTokens": whole_out,
        "CachedInputTokens": cached,
        "CacheWriteTokens": written,
        "ReasoningTokens": thought,
        "Temperature": real(said, "temperature"),
        "ReportedCostUsd": real(said, "reported_cost_usd"),
        "IsAgent": operation == "invoke_agent" and said.get("is_agent", "true") == "true",
        "OwnerOpens": operation != "" and said.get("owner_opens") == "true",
    }


@pytest.mark.parametrize("run", runs(), ids=str)
def test_the_reasons_add_up_to_the_reading(run: Run) -> None:
    received = decode(run.payloads, Limits(retention=timedelta(days=36_500)), NOW).spans
    said: list[Said] = [{} for _ in range(len(received))]
    for row in provenance(READ, received).to_dicts():
        assert row["field"] not in said[row["row"]], "one reason a field"
        said[row["row"]][row["field"]] = row["value"]

    for reasons, reading in zip(said, READ(received).to_dicts(), strict=True):
        wanted = expected(reasons, reading["SpanName"])
        assert {name: reading[name] for name in wanted} == wanted


def why(field: str, attributes: dict[str, str], conventions: Conventions = READ, **more: Any) -> tuple[str, str, str, str]:
    rows = provenance(conventions, spans(span(attributes=attributes, **more))).to_dicts()
    (found,) = [row for row in rows if row["field"] == field]
    return found["value"], found["source"], found["said"], found["dialect"]


def test_a_field_is_said_by_the_first_attribute_that_is_there() -> None:
    both = {"gen_ai.usage.prompt_tokens": "7", "gen_ai.usage.input_tokens": "8"}

    assert why("input_tokens", both) == ("8", "gen_ai.usage.input_tokens", "8", "gen-ai")
    del both["gen_ai.usage.input_tokens"]
    assert why("input_tokens", both) == ("7", "gen_ai.usage.prompt_tokens", "7", "gen-ai")


def test_what_stood_there_is_told_beside_what_it_became() -> None:
    assert why("operation", {"openinference.span.kind": "LLM"}) == ("chat", "openinference.span.kind", "LLM", "openinference")


def test_a_constant_is_told_with_the_condition_that_chose_it() -> None:
    value, source, _, dialect = why("operation", {"gen_ai.request.model": "gpt-4o"})

    assert (value, dialect) == ("chat", "gen-ai")
    assert source.startswith("constant, where there is gen_ai.request.model and there is no gen_ai.operation.name")


def test_what_stands_in_for_a_field_that_nobody_says_is_a_rule() -> None:
    assert why("node_name", {"gen_ai.operation.name": "chat"}) == ("span", "the span's name", "span", "")
    assert why("agent_id", {"gen_ai.agent.name": "writer", "gen_ai.operation.name": "chat"})[1] == "the agent's name"


def test_a_users_own_dialect_is_named() -> None:
    house = Dialect(
        dialect="house",
        when=Condition(scope=("acme.*",)),
        fields={"agent_name": [Source(key="acme.who", extract=r"^agent:(\w+)$", when=Condition(root=True))]},
    )

    found = why("agent_name", {"acme.who": "agent:writer"}, Conventions([house]), ScopeName="acme.agents")

    assert found == ("writer", "acme.who, where the span is a root", "agent:writer", "house")


def test_attributes_that_look_like_genai_and_that_nobody_reads_are_found_the_telling_ones_first() -> None:
    found = unread(
        READ,
        spans(
            span(attributes={"gen_ai.tool.definitions": "[]", "acme.token_count": "12", "http.method": "GET"}),
            span(attributes={"llm.input_messages.0.message.role": "user", "llm.input_messages.1.message.role": "system"}),
            span(attributes={"user_agent.original": "curl", "gen_ai.operation.name": "chat", "acme.token_count": "13"}),
        ),
    )

    assert found.rows() == [
        ("acme.token_count", 2, True, "12"),
        ("gen_ai.tool.definitions", 1, False, "[]"),
        ("llm.input_messages.*.message.role", 2, False, "user"),
    ]
