"""One call, several spans: counted once, with all that any of them knows."""

from datetime import timedelta
from random import Random
from typing import Any

import polars as pl
import pytest

from processors.calls import count_calls_once
from processors.tree import plant
from tests.processors.build import START, agent, chat, frame, happened, reading, tool


def counted(*rows: dict[str, Any]) -> list[tuple[str, int | None]]:
    """Span and input tokens of each call that counts, in order of time."""
    nodes = happened(agent("a", "boss", lasts=60), *rows).nodes.sort("started_at", "span_id")
    return [(n["span_id"], n["input_tokens"]) for n in nodes.iter_rows(named=True) if n["operation"] == "chat"]


def test_of_nested_spans_the_innermost_is_the_call_and_takes_what_it_lacks() -> None:
    derived = happened(
        agent("a", "boss"),
        chat("outer", parent="a", ScopeName="framework", CachedInputTokens=64, ReasoningTokens=5),
        chat("inner", parent="outer", ScopeName="client", CachedInputTokens=0, ResponseId="r1"),
    )
    outer, inner = derived.nodes.sort("span_id", descending=True).to_dicts()
    assert (outer["operation"], outer["input_tokens"], outer["cost_usd"]) == ("node", None, None)
    assert (inner["input_tokens"], inner["cached_input_tokens"], inner["reasoning_tokens"]) == (100, 64, 5)
    assert derived.tasks["llm_calls"].to_list() == [1]


def test_spans_of_no_operation_between_them_do_not_matter() -> None:
    assert counted(
        chat("outer", parent="a", ScopeName="framework"), reading("http", parent="outer"), chat("inner", parent="http")
    ) == [("inner", 100)]  # fmt: skip


def test_a_call_below_a_tool_or_an_agent_is_another_call() -> None:
    rows = [chat("outer", parent="a", ScopeName="framework"), tool("t", parent="outer"), chat("inner", parent="t", at=0.5)]
    assert counted(*rows) == [("outer", 100), ("inner", 100)]


def test_nested_spans_of_one_scope_are_two_calls_unless_one_is_the_outer_form() -> None:
    assert len(counted(chat("outer", parent="a"), chat("inner", parent="outer"))) == 2
    assert counted(chat("outer", parent="a", IsOuter=True), chat("inner", parent="outer")) == [("inner", 100)]


def test_the_same_response_id_is_the_same_call_wherever_it_stands() -> None:
    rows = [
        chat("x", parent="a", ScopeName="framework", ResponseId="r1"),
        tool("t", parent="a"),
        chat("y", parent="t", at=0.1, ResponseId="r1", CachedInputTokens=50),
    ]
    assert counted(*rows) == [("y", 100)]


def test_side_by_side_with_the_same_usage_and_one_interval_inside_the_other() -> None:
    rows = [
        chat("x", parent="a", ScopeName="framework", at=0, lasts=1),
        chat("y", parent="a", ScopeName="client", at=0.2, lasts=0.7, ResponseId="r1"),
    ]
    assert counted(*rows) == [("y", 100)]


def test_parallel_calls_that_look_alike_stay_several() -> None:
    rows = [chat(f"{scope}{n}", parent="a", ScopeName=scope, at=n / 100) for scope in ("client", "framework") for n in range(3)]
    assert len(counted(*rows)) == 3
    assert len(counted(*(r for r in rows if r["ScopeName"] == "client"))) == 3


def test_intervals_that_do_not_lie_inside_each_other_are_two_calls() -> None:
    rows = [chat("x", parent="a", ScopeName="framework", at=0), chat("y", parent="a", at=0.5)]
    assert len(counted(*rows)) == 2


@pytest.mark.parametrize("tokens", [None, (100, 1)], ids=["no usage", "the same usage"])
def test_two_models_that_are_asked_side_by_side_are_two_calls(tokens: tuple[int, int] | None) -> None:
    rows = [
        chat("x", tokens, parent="a", ScopeName="openai", RequestModel="gpt-4o", ResponseModel="gpt-4o-2024-08-06", lasts=2),
        chat("y", tokens, parent="a", ScopeName="anthropic", RequestModel="sonnet", ResponseModel="claude-sonnet-4-5", at=0.5),
    ]
    assert [span for span, _ in counted(*rows)] == ["x", "y"]


@pytest.mark.parametrize("tokens", [None, (100, 10)], ids=["no usage", "the same usage"])
def test_a_model_is_the_same_by_any_of_its_names(tokens: tuple[int, int] | None) -> None:
    rows = [
        chat("x", tokens, parent="a", ScopeName="framework", RequestModel="gpt-4o", ResponseModel="gpt-4o"),
        chat("y", tokens, parent="a", RequestModel="openai/gpt-4o", ResponseModel="gpt-4o-2024-05-13", at=0.1, lasts=0.8),
    ]
    assert len(counted(*rows)) == 1


def test_models_of_no_usage_are_told_apart_in_whatever_order_they_begin() -> None:
    rows = [
        chat(f"{scope} {model}", None, parent="a", ScopeName=scope, RequestModel=model, at=at, lasts=2)
        for scope, order in (("framework", ("gpt-4o", "claude")), ("client", ("claude", "gpt-4o")))
        for at, model in enumerate(order)
    ]
    rows = [row | {"Timestamp": START + timedelta(milliseconds=10 * n)} for n, row in enumerate(rows)]
    assert sorted(span.split()[1] for span, _ in counted(*rows)) == ["claude", "gpt-4o"]


def test_a_call_that_failed_at_once_and_the_one_after_it_are_two() -> None:
    rows = [
        chat("x", None, parent="a", ScopeName="azure", lasts=0.02, IsFailure=True),
        chat("y", None, parent="a", ScopeName="openai", at=0.02),
    ]
    assert [span for span, _ in counted(*rows)] == ["x", "y"]


def test_a_repeat_of_several_calls_gives_its_sum_to_none_of_them() -> None:
    rows = [
        chat("outer", (300, 30), parent="a", ScopeName="framework", lasts=5, CachedInputTokens=80),
        chat("try1", (100, 10), parent="outer", at=1),
        chat("try2", (200, 20), parent="outer", at=3),
    ]
    assert counted(*rows) == [("try1", 100), ("try2", 200)]


def test_a_repeat_of_retries_that_know_no_usage_gives_it_to_the_last() -> None:
    rows = [
        chat("outer", (300, 30), parent="a", ScopeName="framework", lasts=5),
        chat("try1", None, parent="outer", at=1, IsFailure=True),
        chat("try2", None, parent="outer", at=3),
    ]
    assert counted(*rows) == [("try1", None), ("try2", 300)]


def test_three_records_of_one_call_are_one() -> None:
    rows = [
        chat("framework", parent="a", ScopeName="framework", Temperature=0.3),
        chat("sdk", None, parent="framework", ScopeName="sdk"),
        chat("http", None, parent="sdk", ScopeName="proxy", ResponseId="r"),
    ]
    derived = happened(agent("a", "boss"), *rows)
    call = derived.nodes.filter(operation="chat").row(0, named=True)
    assert (call["span_id"], call["input_tokens"]) == ("http", 100)
    assert derived.tasks["temperature"].to_list() == [0.3]


def chain(links: int, chance: Random) -> pl.DataFrame:
    """Records of one call, each inside the one before, that each know something."""
    rows = [{"n": str(n), "above": str(n - 1) if n else "", "scope": "ab"[n % 2], "know": chance.random()} for n in range(links)]
    said = pl.DataFrame(rows).with_columns(
        id=pl.when(pl.col("know") < 0.2).then("n").otherwise(pl.lit("")),
        cached=pl.when(pl.col("know") > 0.7).then((pl.col("know") * 1000).cast(pl.UInt64)),
        warm=pl.when(pl.col("know").is_between(0.4, 0.6)).then("know"),
    )
    alike = frame(chat("x", None)).drop("SpanId", "ParentSpanId", "ScopeName", "ResponseId", "CachedInputTokens", "Temperature")
    named = said.select(
        SpanId="n", ParentSpanId="above", ScopeName="scope", ResponseId="id", CachedInputTokens="cached", Temperature="warm"
    )
    return named.join(alike, how="cross")


@pytest.mark.parametrize("links", [2, 3, 7, 64, 50_000])
def test_along_a_chain_of_records_each_takes_the_nearest_that_is_known_above_it(links: int) -> None:
    spans = chain(links, Random(links))
    expected = spans.with_columns(
        pl.when(pl.col("ResponseId") != "").then("ResponseId").forward_fill().fill_null(""),
        pl.col("Temperature").forward_fill(),
        pl.col("CachedInputTokens").cum_max().forward_fill(),  # of parts the largest
    )

    enriched, repeats = count_calls_once(spans, plant(spans))

    assert enriched.equals(expected)
    assert repeats.tolist() == [True] * (links - 1) + [False]


def test_the_call_belongs_to_the_agent_that_any_of_its_records_names() -> None:
    derived = happened(
        agent("a", "boss", lasts=9),
        agent("b", "expert", parent="a", lasts=8),
        chat("x", parent="a", ScopeName="framework", at=1, lasts=2, Owner="expert"),
        chat("y", parent="a", at=1.1, lasts=1.5, ResponseId="r"),
    )
    assert derived.nodes.filter(operation="chat")["agent_id"].to_list() == ["expert"]


def test_a_tool_call_that_two_instrumentations_record_is_counted_once() -> None:
    derived = happened(
        agent("a", "boss"),
        tool("outer", parent="a", ScopeName="instrumentation", NodeName="search"),
        tool("inner", parent="outer", ScopeName="framework", NodeName="search", IsFailure=True),
    )
    assert dict(derived.nodes.select("span_id", "operation").rows()) == {"outer": "node", "inner": "execute_tool"}
    assert derived.tasks["tool_calls"].to_list() == [1]


def test_a_tool_that_calls_another_is_two_calls() -> None:
    derived = happened(
        agent("a", "boss"),
        tool("outer", parent="a", ScopeName="instrumentation", NodeName="research"),
        tool("inner", parent="outer", ScopeName="framework", NodeName="search"),
    )
    assert derived.tasks["tool_calls"].to_list() == [2]
