"""Reading spans: what each says of itself, in Merit's words."""

from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from processors.conventions.grammar import Dialect, Vocabulary, shipped
from processors.conventions.read import Conventions
from processors.frames import READINGS
from tests.processors.build import span, spans

conventions = Conventions()


def read(attributes: dict[str, str], name: str = "span", **said: Any) -> dict[str, Any]:
    return conventions(spans(span(name, attributes, **said))).row(0, named=True)


def test_a_batch_keeps_its_rows_and_has_the_declared_columns() -> None:
    readings = conventions(spans(*[span(SpanId=f"{n:016x}") for n in range(5)]))
    assert readings["SpanId"].to_list() == [f"{n:016x}" for n in range(5)]
    assert dict(readings.schema) == dict(READINGS)


def test_an_empty_batch_is_read() -> None:
    assert conventions(spans(span())[:0]).is_empty()


def test_a_span_that_is_not_genai_has_no_operation() -> None:
    reading = read({"http.request.method": "GET", "gen_ai.agent.name": "billing"})
    assert (reading["Operation"], reading["IsAgent"], reading["NodeName"]) == ("", False, "")


def test_an_agent_span_names_its_agent() -> None:
    reading = read({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "billing", "gen_ai.conversation.id": "c1"})
    assert reading["IsAgent"]
    assert (reading["AgentName"], reading["AgentId"], reading["ConversationId"]) == ("billing", "billing", "c1")


def test_an_agent_without_a_name_attribute_is_named_by_its_span() -> None:
    assert read({"gen_ai.operation.name": "invoke_agent"}, "invoke_agent planner")["AgentName"] == "planner"


@pytest.mark.parametrize(
    ("said", "agent_id"),
    [
        ("billing-agent-2", "billing-agent-2"),
        ("finance/eu", "finance/eu"),
        ("asst_2a9007d21616", "billing"),
        ("0195a3f1-7a44-7cc2-b4d1-2f9a7d0be111", "billing"),
    ],
)
def test_an_agent_id_is_taken_if_somebody_chose_it(said: str, agent_id: str) -> None:
    spoken = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "billing", "gen_ai.agent.id": said}
    assert read(spoken)["AgentId"] == agent_id


def test_what_the_user_says_goes_before_everything() -> None:
    spoken = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "billing", "gen_ai.agent.id": "bill-1"}
    assert read(spoken | {"merit.agent.id": "invoices"})["AgentId"] == "invoices"


def test_a_model_call_says_its_model_and_tokens() -> None:
    reading = read({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "OpenAI", "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.response.id": "r1", "gen_ai.usage.input_tokens": "1200",
        "gen_ai.usage.output_tokens": "30", "gen_ai.usage.cache_read.input_tokens": "1024",
        "gen_ai.usage.reasoning.output_tokens": "12", "gen_ai.request.temperature": "0.2",
    })  # fmt: skip
    assert (reading["Provider"], reading["RequestModel"], reading["ResponseModel"]) == ("openai", "gpt-4o", "gpt-4o-2024-08-06")
    assert (reading["InputTokens"], reading["OutputTokens"], reading["CachedInputTokens"]) == (1200, 30, 1024)
    assert (reading["ReasoningTokens"], reading["CacheWriteTokens"], reading["Temperature"]) == (12, None, 0.2)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens"), (7, 3)),
        (("llm.usage.prompt_tokens", "llm.usage.completion_tokens"), (7, 3)),
    ],
)
def test_the_older_names_are_understood(keys: tuple[str, str], expected: tuple[int, int]) -> None:
    reading = read({"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o", keys[0]: "7", keys[1]: "3"})
    assert (reading["InputTokens"], reading["OutputTokens"]) == expected
    assert (reading["Operation"], reading["Provider"]) == ("chat", "openai")


@pytest.mark.parametrize(("said", "tokens"), [("12", 12), ("12.0", 12), ("-3", None), ("many", None), ("", None), ("NaN", None)])
def test_numbers_come_as_texts_and_as_floats_and_as_nonsense(said: str, tokens: int | None) -> None:
    assert read({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": said})["InputTokens"] == tokens


def test_more_tokens_than_any_call_can_use_are_unknown() -> None:
    assert read({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": str(2**62)})["InputTokens"] is None


def test_cached_tokens_beyond_the_input_were_reported_apart() -> None:
    spoken = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": "10", "gen_ai.usage.output_tokens": "1"}
    cache = {"gen_ai.usage.cache_read.input_tokens": "900", "gen_ai.usage.cache_creation.input_tokens": "100"}
    assert read(spoken | cache)["InputTokens"] == 1010


@pytest.mark.parametrize(
    ("total", "expected"),
    [(150, (100, 50)), (180, (130, 50)), (170, (100, 70)), (200, (130, 70)), (999, (100, 50))],
)
def test_a_total_tells_which_parts_are_said_apart(total: int, expected: tuple[int, int]) -> None:
    said = {"input_tokens": 100, "output_tokens": 50, "cache_read.input_tokens": 30, "reasoning.output_tokens": 20}
    usage = {f"gen_ai.usage.{name}": str(count) for name, count in (said | {"total_tokens": total}).items()}
    reading = read({"gen_ai.operation.name": "chat", **usage})
    assert (reading["InputTokens"], reading["OutputTokens"]) == expected


@pytest.mark.parametrize("said", ["openai.RateLimitError", "<class 'openai.RateLimitError'>"])
def test_an_error_type_is_a_failure_whatever_the_status(said: str) -> None:
    reading = read({"gen_ai.operation.name": "chat", "error.type": said})
    assert (reading["IsFailure"], reading["ErrorType"]) == (True, "openai.RateLimitError")


def test_an_exception_event_names_the_error_of_a_span_that_failed_and_proves_nothing_else() -> None:
    raised = {"Events.Timestamp": [None], "Events.Name": ["exception"], "Events.Attributes": [{"exception.type": "KeyError"}]}
    failed = read({"gen_ai.operation.name": "execute_tool"}, StatusCode="Error", **raised)
    recovered = read({"gen_ai.operation.name": "execute_tool"}, **raised)
    assert (failed["IsFailure"], failed["ErrorType"]) == (True, "KeyError")
    assert (recovered["IsFailure"], recovered["ErrorType"]) == (False, "")


def test_what_is_raised_to_steer_is_no_failure() -> None:
    steering = read({"gen_ai.operation.name": "execute_task", "error.type": "ParentCommand"}, StatusCode="Error")
    waiting = read({"gen_ai.operation.name": "execute_task", "error.type": "langgraph.errors.GraphInterrupt"}, StatusCode="Error")
    assert (steering["IsFailure"], steering["IsInterrupt"]) == (False, False)
    assert (waiting["IsFailure"], waiting["IsInterrupt"]) == (False, True)


def test_merit_attributes_are_read() -> None:
    reading = read({
        "gen_ai.operation.name": "invoke_agent", "merit.task.id": "t-9", "merit.task.category": "research",
        "merit.task.complexity": "4", "merit.task.success": "false", "merit.agent.type": "cognitive",
        "merit.agent.department": "legal", "merit.decision.id": "d-1", "merit.files.created": "2",
        "merit.files.modified": '["a.py", "b \\"c\\".py", "d.py"]',
    })  # fmt: skip
    assert (reading["ExternalId"], reading["Category"], reading["Complexity"]) == ("t-9", "research", 4)
    assert reading["SaidSuccess"] is False
    assert (reading["AgentType"], reading["Department"], reading["DecisionId"]) == ("cognitive", "legal", "d-1")
    assert (reading["FilesCreated"], reading["FilesModified"]) == (2, 3)


def test_type_department_and_capabilities_may_stand_on_the_resource() -> None:
    resource = {"merit.agent.type": "tool_maker", "merit.agent.department": "sales", "merit.agent.capabilities": "writing"}
    reading = read({"gen_ai.operation.name": "invoke_agent"}, ResourceAttributes=resource)
    assert (reading["AgentType"], reading["Department"], reading["Capabilities"]) == ("tool_maker", "sales", "writing")


def test_json_in_one_span_that_is_no_json_harms_no_other() -> None:
    scope = "openinference.instrumentation.langchain"
    good = {"openinference.span.kind": "LLM", "metadata": '{"lc_agent_name": "sql", "ls_model_name": "gpt-4o"}'}
    readings = conventions(
        spans(span(attributes=good, ScopeName=scope), span(attributes=good | {"metadata": '{"lc_agent'}, ScopeName=scope))
    )
    assert readings["Owner"].to_list() == ["sql", ""]


def test_an_excerpt_is_four_thousand_characters_at_most() -> None:
    reading = read({"gen_ai.operation.name": "chat", "gen_ai.input.messages": "ä" * 10_000})
    assert reading["Input"] == "ä" * 4096


def test_product_telemetry_is_no_trace_of_a_run() -> None:
    reading = read({"gen_ai.operation.name": "chat"}, ScopeName="crewai.telemetry")
    assert reading["Operation"] == ""


def test_what_stands_in_events_is_read_from_the_last_that_has_it() -> None:
    own = Dialect.model_validate({
        "dialect": "ours",
        "when": {"scope": "acme"},
        "fields": {"operation": {"value": "chat"}, "input_tokens": {"event": "used"}, "request_model": {"event": "model"}},
    })  # fmt: skip
    events = [{"model": "gpt-4o"}, {"used": "5"}, {"used": "7"}]
    said = {"Events.Timestamp": [None] * 3, "Events.Name": ["start", "chunk", "end"], "Events.Attributes": events}
    frame = spans(span(ScopeName="acme", **said), span(ScopeName="other", **said))
    assert Conventions([own])(frame).select("InputTokens", "RequestModel").rows() == [(7, "gpt-4o"), (None, "")]


def test_a_users_own_names_are_preferred_to_the_shipped_ones() -> None:
    own = Dialect.model_validate({
        "dialect": "ours",
        "when": {"scope": "acme.*"},
        "fields": {
            "operation": {"key": "acme.step", "translate": {"ask": "chat"}, "otherwise": "node"},
            "input_tokens": "acme.tokens.in",
            "agent_name": {"key": "acme.who", "json": "agent.name"},
        },
    })  # fmt: skip
    attributes = {
        "acme.step": "ask",
        "acme.tokens.in": "5",
        "gen_ai.usage.input_tokens": "99",
        "acme.who": '{"agent": {"name": "x"}}',
    }
    reading = Conventions([own])(spans(span(attributes=attributes, ScopeName="acme.sdk"))).row(0, named=True)
    assert (reading["Operation"], reading["InputTokens"], reading["AgentName"], reading["Dialect"]) == ("chat", 5, "x", "ours")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"dialect": "x", "fields": {"tokens": "a"}}, "tokens"),
        ({"dialect": "x", "fields": {"operation": {"key": "a", "translate": {"b": "chatting"}}}}, "chatting"),
        ({"dialect": "x", "fields": {"operation": {"key": "a", "value": "chat"}}}, "exactly one"),
        ({"dialect": "x", "fields": {"node_name": {"key": "a", "extract": "("}}}, "regular expression"),
        ({"dialect": "x", "fields": {"node_name": {"key": "a", "jsn": "b"}}}, "jsn"),
    ],
)
def test_a_wrong_dialect_is_refused_with_what_is_wrong(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Dialect.model_validate(wrong)


def test_the_shipped_file_is_valid_and_its_dialects_have_names_of_their_own() -> None:
    names = [d.dialect for d in shipped().dialects]
    assert len(names) == len(set(names))


def test_the_order_of_dialects_is_the_order_of_preference() -> None:
    def speaks(key: str) -> Dialect:
        return Dialect.model_validate({"dialect": key, "fields": {"operation": {"value": "chat"}, "node_name": key}})

    vocabulary = Vocabulary(control_flow=("A",), interrupts=("B",), dialects=[speaks("one"), speaks("two")])
    reading = Conventions(vocabulary=vocabulary)(spans(span(attributes={"two": "2", "one": "1"}), span(attributes={"two": "2"})))
    assert reading["NodeName"].to_list() == ["1", "2"]


def test_the_cost_of_a_batch_is_its_attributes_not_the_dialects() -> None:
    wide = conventions.widen(spans(span(attributes={"gen_ai.operation.name": "chat", "nobody.asks": "x"})))
    assert [c for c in wide.columns if c.startswith("@")] == ["@gen_ai.operation.name"]
    assert isinstance(wide, pl.DataFrame)


def test_scopes_are_told_apart_as_far_as_dialects_ask_and_however_long_they_are() -> None:
    called = ["", "shop", "mlflow.openai", "mlflow." + "x" * 100_000, "crewai", "y" * 100_000, *(f"z{n}" for n in range(1_000))]

    read = conventions.scopes(spans(*[span(ScopeName=scope) for scope in called]))

    assert read == {"*", "mlflow.*", "crewai"}


@pytest.mark.parametrize(
    ("scope", "pattern", "speaks"),
    [
        ("ab", "ab", True),
        ("abc", "ab", False),
        ("abc", "ab*", True),
        ("ab", "ab*", True),
        ("a", "ab*", False),
        ("ab*", "ab", False),
    ],
)
@pytest.mark.parametrize("others", [[], [""], ["ab", "abd", "a"]])
def test_a_dialect_of_a_scope_is_spoken_by_its_spans_only(scope: str, pattern: str, speaks: bool, others: list[str]) -> None:
    asked = [{"dialect": "asked", "when": {"scope": pattern}, "fields": {"operation": {"value": "chat"}}}]
    asked += [{"dialect": of, "when": {"scope": of}, "fields": {"user_id": {"value": of}}} for of in ("ab", "abc", "a*")]
    dialects = [Dialect.model_validate(one) for one in asked]
    vocabulary = Vocabulary(control_flow=("A",), interrupts=("B",), dialects=dialects)
    rows = [span(ScopeName=scope, SpanId=f"{n:016x}") for n, scope in enumerate([scope, *others])]

    reading = Conventions(vocabulary=vocabulary)(spans(*rows)).row(0, named=True)

    assert reading["Operation"] == ("chat" if speaks else "")
    assert reading["UserId"] == (scope if scope in ("ab", "abc") else "a*")


@pytest.mark.parametrize(
    ("name", "parent", "expected"),
    [
        ("support", "", ("invoke_agent", "support", "support", "")),
        ("support", "00f067aa0ba902b8", ("node", "", "", "support")),
        ("LangGraph", "", ("invoke_agent", "", "", "")),
        ("LangGraph", "00f067aa0ba902b8", ("node", "", "", "")),
        ("RunnableSequence", "", ("node", "", "", "")),
        ("RunnableSequence", "00f067aa0ba902b8", ("node", "", "", "")),
    ],
)
def test_a_graph_is_known_by_the_name_it_was_given_and_not_by_its_class(
    name: str, parent: str, expected: tuple[str, ...]
) -> None:
    scope = "openinference.instrumentation.langchain"
    reading = read({"openinference.span.kind": "CHAIN"}, name, ScopeName=scope, ParentSpanId=parent)
    assert tuple(reading[c] for c in ("Operation", "AgentName", "WorkflowName", "NameOnTop")) == expected


def test_a_model_call_outside_any_chain_is_no_workflow() -> None:
    scope = "openinference.instrumentation.langchain"
    assert read({"openinference.span.kind": "LLM"}, "ChatOpenAI", ScopeName=scope)["WorkflowName"] == ""


@pytest.mark.parametrize(("said", "name"), [("LangGraph", ""), ("support", "support")])
def test_openllmetry_calls_an_unnamed_graph_by_its_class(said: str, name: str) -> None:
    spoken = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": said, "traceloop.workflow.name": said}
    reading = read(spoken, ScopeName="opentelemetry.instrumentation.langchain")
    assert (reading["AgentName"], reading["Owner"], reading["WorkflowName"]) == (name, name, name)


@pytest.mark.parametrize(
    ("name", "attributes", "expected"),
    [
        ("OpenAI Agents trace: {name}", {"name": "billing"}, ("invoke_workflow", "")),
        ("Agent run: {name!r}", {"name": "triage", "gen_ai.system": "openai"}, ("invoke_agent", "triage")),
        ("Function: {name}", {"name": "refund"}, ("execute_tool", "refund")),
        ("Guardrail {name!r} {triggered=}", {"name": "polite"}, ("guardrail", "polite")),
        ("Handoff: {from_agent} → {to_agent}", {"from_agent": "triage"}, ("handoff", "Handoff: {from_agent} → {to_agent}")),
        ("Responses API with {gen_ai.request.model!r}", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"},
         ("chat", "Responses API with {gen_ai.request.model!r}")),
    ],
)  # fmt: skip
def test_logfire_calls_spans_of_the_openai_agents_sdk_by_templates(
    name: str, attributes: dict[str, str], expected: tuple[str, str]
) -> None:
    reading = read(attributes, name, ScopeName="logfire.openai_agents")
    who = {"invoke_agent": "AgentName", "invoke_workflow": "AgentName"}.get(expected[0], "NodeName")
    assert (reading["Operation"], reading[who]) == expected


@pytest.mark.parametrize(
    ("attributes", "operation"),
    [
        ({"gen_ai.operation.name": "invoke_agent"}, "invoke_workflow"),
        ({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "triage"}, "invoke_agent"),
        ({"gen_ai.operation.name": "response", "gen_ai.request.model": "gpt-4o"}, "chat"),
        ({"traceloop.span.kind": "handoff"}, "handoff"),
    ],
)
def test_opentelemetry_of_the_openai_agents_sdk(attributes: dict[str, str], operation: str) -> None:
    assert read(attributes, ScopeName="opentelemetry.instrumentation.openai_agents")["Operation"] == operation


def test_an_agent_that_only_says_its_id_is_called_by_it() -> None:
    reading = read({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.id": "billing"})
    assert (reading["AgentId"], reading["AgentName"]) == ("billing", "billing")


def test_a_misspelt_field_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ValidationError, match="unknown field 'input_tokenz': did you mean input_tokens\\?") as refused:
        Dialect.model_validate({"dialect": "mine", "fields": {"input_tokenz": "my.in"}})
    assert refused.value.error_count() == 1
