"""What is worth knowing of one span beyond its fields: why it is whose it is, what of it counts, and what does not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from processors.conventions.grammar import MODEL_CALLS

TOKENS = {
    "input_tokens": "InputTokens",
    "output_tokens": "OutputTokens",
    "cached_input_tokens": "CachedInputTokens",
    "cache_write_tokens": "CacheWriteTokens",
    "reasoning_tokens": "ReasoningTokens",
}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What the steps made of one span."""

    row: Row
    """Its reading, columns READINGS and `Model`."""
    node: Row | None
    """Its node."""
    own_task: Row | None
    """The task that it opened."""
    task: Row | None
    """The task that it belongs to, if it is a task or a node."""
    implicit: bool
    """That task has no span of its own."""
    above: Row | None
    """The reading of its parent, if that is there."""
    call: Row | None
    """The reading of the call that it records as well."""
    said: Mapping[str, str]
    """What its dialects say, by field."""


def is_counted(facts: Facts) -> bool:
    """Whether the tokens and the cost of the span are part of its task's."""
    node = facts.node
    return node is not None and (node["operation"] in MODEL_CALLS or any(node[key] is not None for key in TOKENS))


def whose(facts: Facts) -> str:
    """Why the span belongs to its task; empty if it belongs to none."""
    row, task = facts.row, facts.task
    if task is None:
        return ""
    if facts.own_task is not None:
        return (
            "opens a task: an agent's span"
            if row["IsAgent"]
            else "opens a task: no step is above it, its owner is not its parent's, or it holds it"
        )
    name = task["agent_name"]
    if row["Owner"] and row["Owner"] == name:
        return "the span names its owner"
    if facts.implicit:
        named = {
            "ResourceAgent": "the agent said on it or its resource",
            "WorkflowName": "the workflow",
            "ServiceName": "the service",
        }
        like = next((words for column, words in named.items() if row[column] == name), "the root workflow")
        return f"implicit task: no agent span is above it; called like {like}"
    return "the nearest agent span above it"


def worth_knowing(facts: Facts) -> Iterator[str]:
    """Remarks on one span, the most important first."""
    yield from _link(facts)
    yield from _counting(facts)
    yield from _apart(facts)
    yield from _completed(facts)
    yield from _price(facts)
    yield from _status(facts)


def _link(facts: Facts) -> Iterator[str]:
    row = facts.row
    if facts.said.get("ignored") == "true":
        yield "left out on purpose by its dialect: stored, never derived"
    if row["ParentSpanId"] and facts.above is None:
        yield f"its parent {row['ParentSpanId']} is not here"
    if row["Operation"] == "invoke_agent" and facts.own_task is None and facts.node:
        yield "opens no task: it lies directly inside an agent span of the same name, or is no agent to its dialect"


def _counting(facts: Facts) -> Iterator[str]:
    row, call = facts.row, facts.call
    if call is not None:
        yield f"records the same call as {call['SpanName']!r} ({call['SpanId']}): counted there, not here"
    elif not says_usage(row):
        return
    elif not is_counted(facts):
        yield "a total, not counted: tokens are counted on the model calls"
    elif row["Operation"] not in MODEL_CALLS:
        yield "its total is counted: no model call below it says any usage"


def says_usage(row: Row) -> bool:
    """Whether the span says any tokens."""
    return row["InputTokens"] is not None or row["OutputTokens"] is not None


def _apart(facts: Facts) -> Iterator[str]:
    for field, parts in (("input_tokens", "cached and cache-write"), ("output_tokens", "reasoning")):
        whole, said = facts.row[TOKENS[field]], facts.said.get(field)
        if whole is not None and said is not None and whole != _number(said):
            yield f"{field} is {said} and the {parts} tokens, which this dialect says apart: {whole} together"


def _number(text: str) -> int | None:
    try:
        return round(float(text))
    except ValueError:
        return None


def _completed(facts: Facts) -> Iterator[str]:
    node, row = facts.node, facts.row
    if node is None or facts.call is not None or not is_counted(facts):
        return
    taken = [key for key, column in TOKENS.items() if (node[key] or 0) != (row[column] or 0)]
    if taken:
        yield f"{', '.join(taken)} not as the span says: completed from other spans of the same call, or less inner totals"


def _price(facts: Facts) -> Iterator[str]:
    node, row = facts.node, facts.row
    if node is None or not node["unpriced"]:
        return
    if not says_usage(row):
        yield "unpriced: it says no tokens"
    elif not (row["RequestModel"] or row["ResponseModel"]):
        yield "unpriced: it says no model"
    else:
        where = f" at {row['Provider']!r}" if row["Provider"] else ""
        yield f"unpriced: no price is known of {row['ResponseModel'] or row['RequestModel']!r}{where}"


def _status(facts: Facts) -> Iterator[str]:
    row = facts.row
    said_error = row["StatusCode"] == "Error"
    if said_error and not row["IsFailure"]:
        yield f"status Error, but no failure: {row['ErrorType'] or 'what was raised'} only steers"
    elif row["IsFailure"]:
        yield "failed: " + ("status Error" if said_error else "error.type" if row["ErrorType"] else "its result says so")
