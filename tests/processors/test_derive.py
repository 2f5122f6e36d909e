"""What happened: statuses, sums, costs, complexity, and what never depends on how the spans came."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.conventions.read import Conventions
from processors.cost import Pricer
from processors.derive import Derived, Phase, derive
from tests.processors.build import NOW, START, TRACE, agent, chat, frame, happened, reading, span, spans, tool

CENT = Decimal("0.010000000000")


def task(derived: Derived, agent_id: str = "boss") -> dict[str, Any]:
    return derived.tasks.filter(agent_id=agent_id).row(0, named=True)


def workflow(derived: Derived) -> dict[str, Any]:
    return derived.workflows.row(0, named=True)


def test_a_task_adds_up_its_own_nodes_and_not_those_of_the_tasks_below() -> None:
    derived = happened(
        agent("a", "boss", lasts=8),
        chat("b", (100, 10), parent="a", CostUsd=CENT, ReasoningTokens=4, CachedInputTokens=60),
        tool("c", parent="a"),
        agent("d", "helper", parent="c"),
        chat("e", (7, 3), parent="d", CostUsd=CENT),
    )
    boss, helper = task(derived), task(derived, "helper")
    assert (boss["input_tokens"], boss["output_tokens"], boss["total_tokens"], boss["nodes"]) == (100, 10, 110, 2)
    assert (boss["cached_input_tokens"], boss["reasoning_tokens"], boss["cost_usd"]) == (60, 4, CENT)
    assert (boss["llm_calls"], boss["tool_calls"], boss["models"]) == (1, 1, ["gpt-4o"])
    assert (helper["input_tokens"], helper["parent_task_id"]) == (7, f"{TRACE}-a")
    assert (workflow(derived)["cost_usd"], workflow(derived)["total_tokens"]) == (2 * CENT, 120)
    assert (workflow(derived)["agents"], workflow(derived)["tasks"], workflow(derived)["spans"]) == (["boss", "helper"], 2, 5)


def test_parents_repeat_their_childrens_sums_and_are_not_counted() -> None:
    derived = happened(agent("a", "boss", InputTokens=100, OutputTokens=10, CostUsd=CENT), chat("b", parent="a", CostUsd=CENT))
    assert (task(derived)["input_tokens"], task(derived)["cost_usd"]) == (100, CENT)


def test_an_agent_whose_calls_say_no_usage_carries_its_total_itself() -> None:
    derived = happened(agent("a", "boss", InputTokens=100, OutputTokens=10, CostUsd=CENT), chat("b", None, parent="a"))
    assert (task(derived)["input_tokens"], task(derived)["cost_usd"], task(derived)["nodes"]) == (100, CENT, 2)
    assert derived.nodes.filter(span_id="a")["operation"].to_list() == ["invoke_agent"]


def test_a_call_whose_usage_an_agents_total_holds_is_not_unpriced() -> None:
    derived = happened(agent("a", "boss", InputTokens=100, OutputTokens=10, CostUsd=CENT), chat("b", None, parent="a"))
    assert (task(derived)["cost_usd"], task(derived)["unpriced_calls"]) == (CENT, 0)
    assert not derived.nodes["unpriced"].any()


@pytest.mark.parametrize(("include", "outer"), [(True, 60), (False, 100)])
def test_of_nested_totals_the_inner_one_counts_and_the_rest_of_the_outer(include: bool, outer: int) -> None:
    derived = happened(
        agent("a", "boss", InputTokens=100, OutputTokens=10, TotalsInclude=include),
        agent("b", "helper", parent="a", InputTokens=40, OutputTokens=4, TotalsInclude=include),
    )
    assert (task(derived)["input_tokens"], task(derived, "helper")["input_tokens"]) == (outer, 40)


def test_an_agent_with_nothing_below_it_is_its_own_node() -> None:
    derived = happened(agent("a", "boss"))
    assert (task(derived)["nodes"], task(derived)["cost_usd"]) == (1, Decimal(0))
    assert derived.nodes["task_id"].to_list() == [f"{TRACE}-a"]


def test_an_unknown_price_is_null_and_counted_as_unpriced() -> None:
    none, some = happened(agent("a", "boss"), chat("b", parent="a")), happened(
        agent("a", "boss"), chat("b", parent="a"), chat("c", parent="a", CostUsd=CENT)
    )  # fmt: skip
    assert (task(none)["cost_usd"], task(none)["unpriced_calls"]) == (None, 1)
    assert (task(some)["cost_usd"], task(some)["unpriced_calls"]) == (CENT, 1)


def test_a_failed_call_without_usage_has_no_price_to_know() -> None:
    derived = happened(agent("a", "boss"), chat("b", None, parent="a", IsFailure=True))
    assert (task(derived)["cost_usd"], task(derived)["unpriced_calls"]) == (Decimal(0), 0)


def test_a_failed_step_from_which_the_agent_recovered_fails_no_task() -> None:
    derived = happened(agent("a", "boss"), tool("b", parent="a", IsFailure=True, ErrorType="KeyError"), chat("c", parent="a"))
    assert task(derived)["status"] == "succeeded"
    assert derived.nodes.filter(span_id="b").select("success", "error_type").row(0) == (False, "KeyError")


def test_an_agent_span_that_failed_fails_its_task_and_says_why() -> None:
    failed = {"IsFailure": True, "ErrorType": "TimeoutError", "StatusMessage": "too slow"}
    derived = happened(agent("a", "boss", **failed), chat("b", parent="a"))
    assert (task(derived)["status"], task(derived)["error_type"], task(derived)["error_message"]) == (
        "failed",
        "TimeoutError",
        "too slow",
    )
    assert workflow(derived)["status"] == "failed"


@pytest.mark.parametrize(("said", "status"), [(True, "succeeded"), (False, "failed")])
def test_what_the_user_says_of_success_goes_before_the_status(said: bool, status: str) -> None:
    assert task(happened(agent("a", "boss", SaidSuccess=said, IsFailure=said), chat("b", parent="a")))["status"] == status


def test_a_step_that_fails_its_task_does() -> None:
    derived = happened(
        agent("a", "boss"), reading("t", "node", parent="a", IsFailure=True, FailsTask=True), chat("c", parent="t")
    )
    assert task(derived)["status"] == "failed"


def test_a_part_that_fails_the_step_above_it_says_why() -> None:
    derived = happened(
        agent("a", "boss"),
        tool("t", parent="a", NodeName="weather"),
        reading("p", "node", parent="t", IsFailure=True, FailsAbove=True, ErrorType="ToolError", StatusMessage="no wind"),
    )
    told = derived.nodes.filter(span_id="t").row(0, named=True)
    assert (told["success"], told["error_type"], told["error_message"]) == (False, "ToolError", "no wind")
    assert task(derived)["status"] == "succeeded"


def test_a_task_that_awaits_a_human_is_interrupted() -> None:
    derived = happened(agent("a", "boss"), reading("n", "node", parent="a", IsInterrupt=True))
    assert (task(derived)["status"], workflow(derived)["status"]) == ("interrupted", "interrupted")


def test_a_workflow_failed_when_its_root_did_else_when_its_last_task_did() -> None:
    ok, bad = agent("a", "first", parent="r"), agent("b", "second", parent="r", at=2, IsFailure=True)
    assert workflow(happened(reading("r", lasts=9), ok, bad))["status"] == "failed"
    first_bad, then_ok = bad | {"Timestamp": START}, ok | {"Timestamp": START + timedelta(seconds=4)}
    assert workflow(happened(reading("r", lasts=9), first_bad, then_ok))["status"] == "succeeded"
    assert workflow(happened(reading("r", lasts=9, IsFailure=True), ok))["status"] == "failed"


def test_an_implicit_task_is_as_the_topmost_span_that_encloses_only_its_members() -> None:
    failed = {"IsFailure": True, "ErrorType": "Boom"}
    alone = happened(reading("r", **failed), chat("c", parent="r"))
    beside = happened(reading("r", **failed), chat("c", parent="r"), agent("a", "boss", parent="r"))
    assert task(alone, "shop")["status"] == "failed"
    assert task(beside, "shop")["status"] == "succeeded"


def test_a_running_trace_shows_what_is_known_of_it() -> None:
    derived = happened(agent("a", "helper", parent="lost"), chat("b", parent="a"), phase=Phase.RUNNING)
    assert (task(derived, "helper")["status"], workflow(derived)["status"]) == ("running", "running")


@pytest.mark.parametrize(
    ("rows", "complexity"),
    [
        ([chat("b", parent="a")], 1),
        ([tool("b", parent="a")], 2),
        ([tool(f"t{n}", parent="a") for n in range(5)], 2),
        ([tool(f"t{n}", parent="a") for n in range(6)], 3),
        ([tool(f"t{n}", parent="a") for n in range(21)], 4),
        ([tool(f"t{n}", parent="a") for n in range(61)], 5),
        ([chat("b", parent="a"), agent("c", "helper", parent="a")], 4),
    ],
)
def test_complexity_follows_from_what_happened(rows: list[dict[str, Any]], complexity: int) -> None:
    derived = task(happened(agent("a", "boss"), *rows))
    assert (derived["complexity"], derived["complexity_said"]) == (complexity, False)


def test_over_a_minute_is_complexity_three_and_what_is_said_goes_before() -> None:
    assert task(happened(agent("a", "boss", lasts=61), chat("b", parent="a")))["complexity"] == 3
    said = task(happened(agent("a", "boss", Complexity=5), chat("b", parent="a")))
    assert (said["complexity"], said["complexity_said"]) == (5, True)


def test_what_is_said_of_a_task_may_stand_on_it_or_in_it_or_above_it() -> None:
    derived = happened(
        reading("r", UserId="u1", ExternalId="job-7", Category="research"),
        agent("a", "boss", parent="r", ConversationId="c1", Category="writing"),
        chat("b", parent="a", DecisionId="d1", Temperature=0.4),
    )
    found = task(derived)
    assert (found["user_id"], found["external_id"], found["category"]) == ("u1", "job-7", "writing")
    assert (found["conversation_id"], found["decision_id"], found["temperature"]) == ("c1", "d1", 0.4)


def test_input_and_output_are_the_agents_own_else_the_first_and_last_of_its_calls() -> None:
    own = happened(agent("a", "boss", Input="do", Output="done"), chat("b", parent="a", Input="x", Output="y"))
    calls = happened(
        agent("a", "boss"), chat("b", parent="a", Input="1", Output="2"), chat("c", parent="a", at=1, Input="3", Output="4")
    )
    assert (task(own)["input"], task(own)["output"]) == ("do", "done")
    assert (task(calls)["input"], task(calls)["output"]) == ("1", "4")


def test_the_version_grows_with_the_newest_span_and_then_with_the_derivation() -> None:
    early = happened(agent("a", "boss")).tasks["version"][0]
    again = happened(agent("a", "boss"), now=NOW + timedelta(minutes=1)).tasks["version"][0]
    newer = happened(agent("a", "boss"), chat("b", parent="a", IngestedAt=START + timedelta(milliseconds=1)), now=START).tasks[
        "version"
    ][0]
    assert early < again < newer


def test_a_span_that_came_twice_counts_once_and_the_later_one_holds() -> None:
    derived = happened(
        agent("a", "boss"), chat("b", (1, 1), parent="a"), chat("b", (5, 5), parent="a", IngestedAt=START + timedelta(seconds=3))
    )  # fmt: skip
    assert (task(derived)["input_tokens"], task(derived)["llm_calls"]) == (5, 1)


def test_traces_do_not_mix() -> None:
    other = {"TraceId": "f" * 32}
    derived = happened(agent("a", "boss"), chat("b", parent="a"), agent("a", "clerk", **other), chat("b", parent="a", **other))
    assert sorted(derived.tasks.select("agent_id", "nodes").rows()) == [("boss", 1), ("clerk", 1)]


def test_nothing_comes_of_nothing() -> None:
    derived = happened()
    assert (len(derived.nodes), len(derived.tasks), len(derived.workflows)) == (0, 0, 0)


@st.composite
def wild_traces(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Spans with any operation under any parent: missing, their own, in a cycle."""
    ids = [f"s{n}" for n in range(draw(st.integers(1, 12)))]
    operations = ["", "invoke_agent", "chat", "execute_tool", "node", "invoke_workflow", "handoff", "embeddings"]
    return [
        reading(
            span_id,
            draw(st.sampled_from(operations)),
            parent=draw(st.sampled_from(["", "lost", *ids])),
            at=draw(st.integers(0, 5)),
            lasts=draw(st.integers(0, 5)),
            AgentName=draw(st.sampled_from(["", "x", "y"])),
            Owner=draw(st.sampled_from(["", "x", "z"])),
            OwnerOpens=draw(st.booleans()),
            ScopeName=draw(st.sampled_from(["p", "q"])),
            InputTokens=draw(st.sampled_from([None, 3, 8])),
            OutputTokens=draw(st.sampled_from([None, 1])),
            CostUsd=draw(st.sampled_from([None, CENT])),
            IsFailure=draw(st.booleans()),
            TotalsInclude=draw(st.booleans()),
            TraceId=draw(st.sampled_from(["t", "u"])),
        )
        for span_id in ids
    ]


@settings(max_examples=150)
@given(wild_traces(), st.sampled_from(Phase), st.randoms(use_true_random=False))
def test_whatever_comes_adds_up_and_does_not_depend_on_the_order(rows: list[dict[str, Any]], phase: Phase, chance: Any) -> None:
    derived = derive(frame(*rows), phase, NOW)
    shuffled = rows * 2
    chance.shuffle(shuffled)
    again = derive(frame(*shuffled), phase, NOW)

    nodes, tasks, workflows = derived.nodes, derived.tasks, derived.workflows.filter(is_deleted=0)
    for column in ("cost_usd", "input_tokens", "output_tokens"):
        assert len({frame[column].sum() or 0 for frame in (nodes, tasks, workflows)}) == 1
    assert len(nodes.unique(["trace_id", "span_id"])) == len(nodes)
    assert len(tasks.unique("task_id")) == len(tasks)
    assert set(nodes["task_id"]) == set(tasks["task_id"])
    assert set(tasks["parent_task_id"]) <= {*tasks["task_id"], ""}
    assert not (tasks["parent_task_id"] == tasks["task_id"]).any()
    for one, two, key in ((nodes, again.nodes, "span_id"), (tasks, again.tasks, "task_id")):
        assert one.sort("trace_id", key).equals(two.sort("trace_id", key))


def test_an_agent_span_that_repeats_the_one_around_it_carries_the_total_that_only_it_says() -> None:
    usage = {"InputTokens": 100, "OutputTokens": 10, "CostUsd": CENT}
    alone = happened(agent("a", "boss"), agent("b", "boss", parent="a", **usage))
    beside = happened(agent("a", "boss"), chat("c", (5, 1), parent="a"), agent("b", "boss", parent="a", **usage))
    assert (task(alone)["input_tokens"], task(alone)["cost_usd"], task(alone)["nodes"]) == (100, CENT, 1)
    assert task(beside)["input_tokens"] == 105


def test_a_total_said_twice_of_one_run_costs_once() -> None:
    usage = {"InputTokens": 1000, "OutputTokens": 100, "RequestModel": "gpt-4o", "Provider": "openai"}
    readings = frame(agent("a", "boss", **usage), agent("b", "boss", parent="a", **usage))
    price = Pricer()
    boss = task(derive(price(readings), Phase.WHOLE, NOW, price))
    assert (boss["input_tokens"], boss["output_tokens"], boss["cost_usd"]) == (1000, 100, Decimal("0.0035"))


def test_a_reported_total_that_includes_another_gives_what_that_cost() -> None:
    usage = {"InputTokens": 100, "OutputTokens": 10, "TotalsInclude": True}
    readings = frame(
        agent("a", "boss", ReportedCostUsd=0.03, **usage),
        agent("b", "helper", parent="a", ReportedCostUsd=0.01, **usage),
    )
    price = Pricer()
    derived = derive(price(readings), Phase.WHOLE, NOW, price)
    assert (task(derived)["cost_usd"], task(derived, "helper")["cost_usd"]) == (2 * CENT, CENT)


@pytest.mark.parametrize(("again", "status"), [("ask", "succeeded"), ("other", "interrupted")])
def test_a_task_resumed_in_the_same_trace_no_longer_awaits_a_human(again: str, status: str) -> None:
    derived = happened(
        agent("a", "boss", lasts=9),
        reading("n", "node", parent="a", at=1, NodeName="ask", IsInterrupt=True),
        reading("m", "node", parent="a", at=5, NodeName=again),
    )
    assert task(derived)["status"] == status


def test_a_step_beside_the_one_that_awaits_a_human_does_not_resume_it() -> None:
    derived = happened(
        agent("a", "boss", lasts=9),
        reading("n", "node", parent="a", at=1, lasts=2, NodeName="ask", IsInterrupt=True),
        reading("m", "node", parent="a", at=2, lasts=2, NodeName="ask"),
    )
    assert task(derived)["status"] == "interrupted"


def test_a_call_under_no_agent_is_of_the_agent_that_the_user_says() -> None:
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "merit.agent.id": "books"}
    readings = Conventions()(spans(span("chat", said)))
    assert derive(readings, Phase.WHOLE, NOW).tasks["agent_id"].to_list() == ["books"]


@pytest.mark.parametrize(
    ("scope", "name", "inner", "agent_id"),
    [
        ("openinference.instrumentation.crewai", "Report.kickoff", "Report.draft", "Report"),
        ("openinference.instrumentation.dspy", "Answer.forward", "Summary.forward", "Answer"),
    ],
)
def test_a_workflow_below_a_request_names_the_implicit_agent_as_it_would_at_the_root(
    scope: str, name: str, inner: str, agent_id: str
) -> None:
    chain = {"openinference.span.kind": "CHAIN"}
    later = {"Timestamp": START + timedelta(seconds=1)}
    rows = spans(
        span("POST /ask", SpanId="a"),
        span(name, chain, SpanId="b", ParentSpanId="a", ScopeName=scope),
        span(inner, chain, SpanId="c", ParentSpanId="b", ScopeName=scope, **later),
        span("chat", {"openinference.span.kind": "LLM"}, SpanId="d", ParentSpanId="c", ScopeName="openai", **later),
    )
    assert derive(Conventions()(rows), Phase.WHOLE, NOW).tasks["agent_id"].to_list() == [agent_id]
