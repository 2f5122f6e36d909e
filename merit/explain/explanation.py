"""What is told of each span: as what it was read, whose it is, what counts, and which source said each thing.

The steps are those of the pipeline, on the same spans; here their results are only laid side by side.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

import polars as pl

from merit.explain.remarks import TOKENS, Facts, is_counted, whose, worth_knowing
from processors.calls import match_repeats
from processors.conventions.explain import provenance
from processors.conventions.grammar import Flag, Number, Text
from processors.conventions.read import Conventions
from processors.conventions.unread import is_genai, unread
from processors.cost import Pricer
from processors.derive import Derived, Phase, derive
from processors.models import name_models
from processors.objectives.classify import classifier
from processors.settings import ProcessorSettings
from processors.tree import NONE, plant

ORDER = (
    *(field for field in get_args(Text) if field not in {"input", "output"}),
    *get_args(Number),
    *get_args(Flag),
    "input",
    "output",
)
"""Of the fields, in which they are told: the long ones last."""
EXCERPT = 500
"""Characters told of a value: messages may be megabytes."""


@dataclass(frozen=True)
class Reason:
    """Which source said one field of a span."""

    field: str
    value: str
    source: str
    said: str
    """What stands there, before anything was extracted or translated."""
    dialect: str
    """Empty: a rule of all dialects."""


@dataclass(frozen=True)
class Told:
    """How one span was read."""

    trace_id: str
    span_id: str
    parent_span_id: str
    span_name: str
    service_name: str
    scope_name: str
    started_at: datetime
    duration_seconds: float
    operation: str
    """Empty: not understood as a step of an agent."""
    dialect: str
    becomes: str
    """`task`, `node`, or empty: nothing but a link between its parent and its children."""
    agent_name: str
    task_id: str
    whose: str
    """Why it belongs to that task."""
    node_name: str
    provider: str
    model: str
    request_model: str
    response_model: str
    input_tokens: int | None
    output_tokens: int | None
    cached_input_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: float | None
    price_source: str
    counted: bool
    """Whether these tokens and this cost are part of the task's."""
    success: bool
    error_type: str
    error_message: str
    remarks: tuple[str, ...]
    why: tuple[Reason, ...]


@dataclass(frozen=True)
class Gaps:
    """What was not understood."""

    spans: list[dict[str, Any]]
    """Without an operation although they carry GenAI attributes: `span_name, scope_name, count, keys`."""
    attributes: list[dict[str, Any]]
    """Of understood spans, read by no dialect: `key, count, telling, example`."""
    unpriced: list[dict[str, Any]]
    """Calls without a known price: `provider, model, calls`."""


@dataclass(frozen=True)
class Explanation:
    """How some traces were read."""

    traces: list[dict[str, Any]]
    """Rows of `workflows`, also of traces without a task."""
    tasks: list[dict[str, Any]]
    """Rows of `tasks`."""
    spans: list[Told]
    """In order of time."""
    not_understood: Gaps
    rejected: tuple[str, ...] = ()
    """What of the payloads was not taken, and why."""


def explain(spans: pl.DataFrame, settings: ProcessorSettings, now: datetime, rejected: tuple[str, ...] = ()) -> Explanation:
    """Explain how `spans` are read.

    Args:
        spans: columns RECEIVED, each span once, in order of time. Traces are taken to be as whole as they will get.
        settings: the dialects and prices of the user.
        now: time of the derivation.
        rejected: handed through.
    """
    conventions, price = Conventions(settings.conventions.extra), Pricer(settings.cost)
    readings = price(conventions(spans))
    derived = derive(readings, Phase.OLD, now, price, classifier(settings.objectives))
    return Explanation(
        traces=derived.workflows.sort("started_at").to_dicts(),
        tasks=derived.tasks.sort("started_at").to_dicts(),
        spans=_told(readings, derived, _reasons(conventions, spans)),
        not_understood=_gaps(conventions, spans, readings, derived),
        rejected=rejected,
    )


def _reasons(conventions: Conventions, spans: pl.DataFrame) -> dict[int, list[Reason]]:
    found: dict[int, list[Reason]] = defaultdict(list)
    for row in provenance(conventions, spans).to_dicts():
        found[row["row"]].append(
            Reason(row["field"], row["value"][:EXCERPT], row["source"], row["said"][:EXCERPT], row["dialect"])
        )
    return {row: sorted(reasons, key=lambda reason: ORDER.index(reason.field)) for row, reasons in found.items()}


def _told(readings: pl.DataFrame, derived: Derived, reasons: Mapping[int, list[Reason]]) -> list[Told]:
    forest = plant(readings)
    _, calls = match_repeats(readings, forest)
    rows = name_models(readings).to_dicts()
    tasks = {task["task_id"]: task for task in derived.tasks.to_dicts()}
    own_ids = {f"{row['TraceId']}-{row['SpanId']}" for row in rows}
    nodes = {(node["trace_id"], node["span_id"]): node for node in derived.nodes.to_dicts()}
    told = []
    for i, row in enumerate(rows):
        node = nodes.get((row["TraceId"], row["SpanId"]))
        own = tasks.get(f"{row['TraceId']}-{row['SpanId']}")
        task = own or (tasks[node["task_id"]] if node else None)
        implicit = task is not None and task["task_id"] not in own_ids
        above = rows[forest.parent[i]] if forest.parent[i] != NONE else None
        call = rows[calls[i]] if calls[i] != NONE else None
        said = {reason.field: reason.value for reason in reasons.get(i, ())}
        told.append(_span(Facts(row, node, own, task, implicit, above, call, said), reasons.get(i, [])))
    return told


def _span(facts: Facts, why: list[Reason]) -> Told:
    row, node, task = facts.row, facts.node, facts.task
    counted = is_counted(facts)
    usage = node if counted and node else {key: row[column] for key, column in TOKENS.items()}
    cost = node["cost_usd"] if counted and node else row["CostUsd"]
    return Told(
        trace_id=row["TraceId"],
        span_id=row["SpanId"],
        parent_span_id=row["ParentSpanId"],
        span_name=row["SpanName"],
        service_name=row["ServiceName"],
        scope_name=row["ScopeName"],
        started_at=row["Timestamp"],
        duration_seconds=row["Duration"] / 1e9,
        operation=row["Operation"],
        dialect=row["Dialect"],
        becomes="task" if facts.own_task else "node" if node else "",
        agent_name=task["agent_name"] if task else row["AgentName"],
        task_id=task["task_id"] if task else "",
        whose=whose(facts),
        node_name=row["NodeName"],
        provider=row["Provider"],
        model=node["model"] if node else row["Model"],
        request_model=row["RequestModel"],
        response_model=row["ResponseModel"],
        **{key: usage[key] for key in TOKENS},
        cost_usd=None if cost is None else float(cost),
        price_source=node["price_source"] if counted and node else row["PriceSource"],
        counted=counted,
        success=not row["IsFailure"],
        error_type=row["ErrorType"],
        error_message=row["StatusMessage"],
        remarks=tuple(worth_knowing(facts)),
        why=tuple(why),
    )


def _gaps(conventions: Conventions, spans: pl.DataFrame, readings: pl.DataFrame, derived: Derived) -> Gaps:
    understood = readings["Operation"] != ""
    unpriced = derived.nodes.filter("unpriced").group_by("provider", "model").agg(calls=pl.len())
    return Gaps(
        spans=_silent(spans.filter(~understood & (readings["Dialect"] == ""))),
        attributes=unread(conventions, spans.filter(understood)).to_dicts(),
        unpriced=unpriced.sort("calls", "model", descending=[True, False]).to_dicts(),
    )


def _silent(spans: pl.DataFrame) -> list[dict[str, Any]]:
    """Spans without an operation that carry attributes of GenAI all the same, by name and scope."""
    counts: Counter[tuple[str, str]] = Counter()
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, scope, attributes in spans.select("SpanName", "ScopeName", pl.col("SpanAttributes").map.keys()).iter_rows():
        if telling := {key for key in attributes if is_genai(key)}:
            counts[name, scope] += 1
            keys[name, scope] |= telling
    return [
        {"span_name": name, "scope_name": scope, "count": count, "keys": sorted(keys[name, scope])}
        for (name, scope), count in counts.most_common()
    ]
