"""Whose span is it?"""

from typing import Any

from processors.derive import Derived, Phase
from tests.processors.build import agent, chat, happened, reading, tool


def who(derived: Derived) -> dict[str, str]:
    """Span id → agent of each node."""
    return dict(derived.nodes.select("span_id", "agent_id").rows())


def test_a_span_belongs_to_the_nearest_agent_above_it() -> None:
    derived = happened(
        agent("a", "boss"),
        chat("b", parent="a"),
        tool("c", parent="a"),
        agent("d", "helper", parent="c"),
        chat("e", parent="d"),
    )
    assert who(derived) == {"b": "boss", "c": "boss", "e": "helper"}


def test_spans_that_are_not_genai_still_link_children_to_parents() -> None:
    derived = happened(agent("a", "boss"), reading("h", parent="a"), reading("i", parent="h"), chat("b", parent="i"))
    assert who(derived) == {"b": "boss"}


def test_two_agent_spans_of_one_name_directly_inside_each_other_are_one_task() -> None:
    derived = happened(agent("a", "team"), agent("b", "team", parent="a"), chat("c", parent="b"))
    assert derived.tasks["span_id"].to_list() == ["a"]
    assert who(derived) == {"b": "team", "c": "team"}


def test_an_agent_that_calls_itself_through_a_tool_has_two_tasks() -> None:
    derived = happened(agent("a", "solver"), tool("t", parent="a"), agent("b", "solver", parent="t"), chat("c", parent="b"))
    assert derived.tasks.sort("span_id").select("span_id", "parent_task_id").rows()[1][1].endswith("-a")


def test_a_span_that_names_its_agent_belongs_to_the_agent_of_that_name_above() -> None:
    derived = happened(
        agent("a", "boss"), agent("b", "helper", parent="a"), chat("c", parent="b", Owner="boss"), chat("d", parent="b")
    )
    assert who(derived) == {"c": "boss", "d": "helper"}


def test_the_agent_may_stand_beside_the_work_that_names_it() -> None:
    derived = happened(
        agent("root", "team", lasts=10),
        agent("x1", "expert", parent="root", at=1, lasts=2),
        agent("x2", "expert", parent="root", at=5, lasts=2),
        reading("n1", "node", parent="root", at=1.5, lasts=1, Owner="expert"),
        chat("c2", parent="root", at=5.5, lasts=1, Owner="expert"),
    )
    tasks = dict(derived.nodes.select("span_id", "task_id").rows())
    assert tasks["n1"].endswith("-x1")
    assert tasks["c2"].endswith("-x2")


def test_work_of_an_agent_without_a_span_is_an_implicit_task() -> None:
    derived = happened(agent("a", "boss"), chat("c", parent="a", Owner="ghost"), chat("d", parent="a"))
    assert who(derived) == {"c": "ghost", "d": "boss"}
    ghost = derived.tasks.filter(agent_id="ghost").row(0, named=True)
    assert ghost["parent_task_id"].endswith("-a")


def test_model_calls_without_an_agent_belong_to_the_service() -> None:
    derived = happened(reading("r"), chat("c", parent="r"), tool("t", parent="r"))
    assert who(derived) == {"c": "shop", "t": "shop"}
    assert derived.tasks.row(0, named=True)["name"] == "shop"


def test_the_implicit_agent_is_called_like_the_resource_says_then_like_the_workflow() -> None:
    assert set(who(happened(chat("c", ResourceAgent="clerk", WorkflowName="flow"))).values()) == {"clerk"}
    assert set(who(happened(reading("r", WorkflowName="flow"), chat("c", parent="r"))).values()) == {"flow"}
    assert set(who(happened(chat("c", ServiceName=""))).values()) == {"unknown"}


def test_the_id_of_an_implicit_task_is_the_same_every_time() -> None:
    one, two = happened(chat("c")), happened(chat("d", at=3), chat("c"))
    assert one.tasks["task_id"].to_list() == two.tasks["task_id"].to_list()


def test_a_trace_without_model_calls_tools_or_retrievals_has_no_task() -> None:
    derived = happened(reading("r"), reading("n", "node", parent="r"), reading("g", "guardrail", parent="r"))
    assert derived.tasks.is_empty()
    assert derived.nodes.is_empty()
    assert derived.workflows.row(0, named=True)["is_deleted"] == 1


def test_spans_whose_parent_has_not_come_make_no_implicit_task_until_the_trace_is_old() -> None:
    rows: list[dict[str, Any]] = [chat("c", parent="lost")]
    assert happened(*rows, phase=Phase.WHOLE).tasks.is_empty()
    assert happened(*rows, phase=Phase.WHOLE).waiting != []
    assert len(happened(*rows, phase=Phase.OLD).tasks) == 1


def test_a_run_opens_where_the_owner_changes_and_takes_the_graph_that_is_called_like_it() -> None:
    opens = {"OwnerOpens": True}
    derived = happened(
        agent("root", "team", **opens),
        reading("s", "node", parent="root", SpanName="supervisor", **opens),
        reading("g", "node", parent="s", SpanName="supervisor", **opens),
        reading("n", "node", parent="g", SpanName="agent", Owner="supervisor", **opens),
        chat("c", parent="n", Owner="supervisor", **opens),
        reading("m", "node", parent="g", SpanName="tools", Owner="supervisor", **opens),
    )
    assert sorted(derived.tasks["agent_id"]) == ["supervisor", "team"]
    assert who(derived) == {"s": "team", "n": "supervisor", "c": "supervisor", "m": "supervisor"}


def test_an_agent_that_does_not_say_its_name_is_called_what_its_steps_call_it() -> None:
    derived = happened(
        agent("a", "", SpanName="FunctionAgent.run"),
        reading("s", "node", parent="a", Owner="writer"),
        chat("c", parent="s"),
    )
    assert derived.tasks.select("agent_id", "span_id").rows() == [("writer", "a")]
    assert who(derived) == {"s": "writer", "c": "writer"}


def test_where_agents_take_turns_a_step_that_names_nobody_is_of_the_one_before_it() -> None:
    lasts = {"parent": "run", "OwnerLasts": True}
    derived = happened(
        reading("run", "invoke_workflow", lasts=9),
        reading("s1", "node", at=1, Owner="triage", **lasts),
        chat("c1", parent="s1", at=1),
        reading("s2", "node", at=2, **lasts),
        tool("t2", parent="s2", at=2),
        reading("s3", "node", at=3, Owner="expert", **lasts),
        reading("s4", "node", at=4, **lasts),
        tool("t4", parent="s4", at=4),
    )
    of = {"s1": "triage", "c1": "triage", "s2": "triage", "t2": "triage", "s3": "expert", "s4": "expert", "t4": "expert"}
    assert {span: agent_id for span, agent_id in who(derived).items() if span != "run"} == of


def test_a_nameless_agent_run_as_a_tool_is_called_like_the_tool() -> None:
    derived = happened(
        agent("a", "boss"), tool("t", parent="a", NodeName="researcher"), agent("b", "", parent="t"), chat("c", parent="b")
    )
    assert set(derived.tasks["agent_id"]) == {"boss", "researcher"}


def test_a_nameless_agent_directly_inside_another_is_the_same_run() -> None:
    derived = happened(agent("a", "boss"), agent("b", "", parent="a"), chat("c", parent="b"))
    assert derived.tasks["agent_id"].to_list() == ["boss"]


def test_an_outermost_run_below_a_request_opens_a_task_as_it_would_at_the_root() -> None:
    derived = happened(
        reading("http", ""),
        reading("g", "node", parent="http", NameOnTop="graph"),
        reading("n", "node", parent="g", NameOnTop="draft"),
        chat("c", parent="n"),
    )
    assert derived.tasks.select("agent_id", "span_id").rows() == [("graph", "g")]
    assert who(derived) == {"n": "graph", "c": "graph"}


def test_an_outermost_run_below_an_agent_is_a_step_of_it() -> None:
    derived = happened(agent("a", "boss"), reading("g", "node", parent="a", NameOnTop="graph"), chat("c", parent="g"))
    assert who(derived) == {"g": "boss", "c": "boss"}


def test_agents_that_are_above_each_other_are_both_at_the_top_of_a_workflow_that_ends() -> None:
    derived = happened(agent("a", "boss", parent="b"), agent("b", "helper", parent="a"))
    assert derived.tasks["parent_task_id"].to_list() == ["", ""]
    assert derived.workflows["status"].to_list() == ["succeeded"]
