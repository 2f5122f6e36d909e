"""Traces in; nodes, tasks and workflows out: what happened, worked out from all spans that are known of a trace.

Order of arrival does not matter and spans may come twice: the first thing done is to sort by time and drop repeats.
The frames keep the spans as rows until `summaries` adds them up, so that every rule here is a column and not a loop.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import numpy as np
import polars as pl

from processors.calls import count_calls_once, says_usage
from processors.conventions.grammar import MODEL_CALLS
from processors.frames import NODES, TASKS, WORKFLOWS, conform
from processors.models import name_models
from processors.objectives.objectives import GENERAL
from processors.owners import Owners, find_owners, hand_down
from processors.summaries import SUMS, Classify, summarise_tasks, summarise_workflows, unpriced
from processors.tree import NONE, Forest, Mask, nearest, plant, spread_up

OWN_TASK = (*MODEL_CALLS, "execute_tool", "retrieval")
"""Operations for which an implicit task is made where no agent span is above them."""
LAG_BITS = 22
"""Bits of a version for the seconds from the newest span read to the derivation (48 days, then it stays)."""


Price = Callable[[pl.DataFrame], pl.DataFrame]


def general(inputs: pl.Series) -> pl.Series:
    """Every task is `general` whose category nobody has said."""
    return pl.repeat(GENERAL, len(inputs), eager=True)


class Phase(Enum):
    """How much of a trace is there."""

    RUNNING = "running"
    """Its root has not come: its tasks are `running`."""
    WHOLE = "whole"
    """Derived; spans whose parent has not come still wait for it."""
    OLD = "old"
    """Open for so long that missing parents are no longer expected."""


@dataclass(frozen=True)
class Derived:
    """What became of a batch of traces: frames of NODES, TASKS and WORKFLOWS (one row for every trace)."""

    nodes: pl.DataFrame
    tasks: pl.DataFrame
    workflows: pl.DataFrame
    waiting: list[str]
    """Ids of traces with steps that nobody owns yet, because a parent has not come."""


def derive(
    readings: pl.DataFrame, phase: Phase, now: datetime, price: Price = lambda r: r, classify: Classify = general
) -> Derived:
    """Work out what happened in the traces of `readings`.

    Args:
        readings: all spans that are known of any number of traces; columns READINGS.
        phase: how much of these traces is there.
        now: time of this derivation, for the version.
        price: prices again what took usage from another span's record of it, or gave some of its total.
        classify: tells the category of tasks whose category nobody has said.

    Returns:
        Nodes, tasks and workflows; a trace without tasks has a workflow row marked deleted.
    """
    spans = _ordered(readings, now)
    forest = plant(spans)
    spans, repeats = count_calls_once(spans, forest)
    if repeats.any():
        spans = price(spans)
    spans = name_models(spans)
    spans = hand_down(_fail_above(spans, forest), forest)
    owners = find_owners(spans, forest)
    steps = _count(_assign(spans, forest, owners, phase), forest, owners, repeats, price)
    running = phase is Phase.RUNNING
    tasks = summarise_tasks(steps, forest, running=running, classify=classify)
    workflows = summarise_workflows(steps, tasks, running=running)
    nodes = steps.filter("is_node").join(
        tasks.select("task", "task_id", "category", "department", "user_id"), on="task", how="left"
    )
    waits = pl.Series(forest.incomplete) & steps["task"].is_null() & (steps["Operation"] != "")
    return Derived(
        conform(_worded(nodes), NODES),
        conform(tasks.with_columns(agent_type_said="agent_type", department_said="department", again=pl.lit(value=False)), TASKS),
        conform(workflows, WORKFLOWS),
        steps["TraceId"].filter(waits).unique().to_list(),
    )


def _ordered(readings: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Each span once (the one that came last), in order of time, with the version of its trace's rows."""
    latest = readings.sort("IngestedAt", maintain_order=True).unique(["TraceId", "SpanId"], keep="last", maintain_order=True)
    newest = pl.col("IngestedAt").max().over("TraceId").dt.epoch("ms")
    lag = ((int(now.timestamp() * 1000) - newest) // 1000).clip(0, 2**LAG_BITS - 1)
    return latest.sort("Timestamp", "SpanId").with_columns(version=newest.cast(pl.UInt64) * 2**LAG_BITS + lag.cast(pl.UInt64))


def _fail_above(spans: pl.DataFrame, forest: Forest) -> pl.DataFrame:
    """Where only a part of a step says that the step failed, let the step say it, and why."""
    failed = (spans["FailsAbove"] & spans["IsFailure"]).to_numpy() & (forest.parent != NONE)
    if not failed.any():
        return spans
    part = np.flatnonzero(failed)
    why = spans.select("IsFailure", "ErrorType", "StatusMessage")[part]
    told = why.with_columns(row=pl.Series(forest.parent[part]).cast(pl.UInt32)).unique("row", keep="first", maintain_order=True)
    return spans.with_row_index("row").update(told, on="row").drop("row")


def _assign(spans: pl.DataFrame, forest: Forest, owners: Owners, phase: Phase) -> pl.DataFrame:
    """Add to each span the `task` that it belongs to and that task's agent.

    A task is known by the row of its agent span; implicit tasks are numbered on from there. Null: no task.
    """
    rows = pl.Series(owners.owner, dtype=pl.Int64)
    rows = rows.set(rows == NONE, None).cast(pl.UInt32)
    ids = pl.select(
        pl.when(spans["IsAgent"] & (spans["AgentId"] != "")).then(spans["AgentId"]).otherwise(owners.names)
    ).to_series()
    implicit = _implicit_agent(spans)
    names = pl.select(pl.when(owners.names != "").then(owners.names).otherwise(implicit)).to_series()
    ids = pl.select(pl.when(ids != "").then(ids).otherwise(implicit)).to_series()
    lost = (owners.owner == NONE) & (spans["Operation"] != "").to_numpy()
    if phase is not Phase.OLD:
        lost &= ~forest.incomplete
    assigned = spans.with_columns(
        task=rows.cast(pl.Int64),
        host=pl.Series(owners.above, dtype=pl.Int64),
        is_head=pl.Series(owners.agent),
        agent_name=names.gather(rows),
        agent_id=ids.gather(rows),
    )
    return _with_implicit_tasks(assigned, implicit, lost) if lost.any() else assigned


def _with_implicit_tasks(spans: pl.DataFrame, implicit: pl.Series, lost: Mask) -> pl.DataFrame:
    """One task per trace and agent for the model calls, tool calls and retrievals among `lost`, and what goes with them."""
    keyed = spans.with_row_index("row").select("row", "TraceId", "Operation", agent=implicit).filter(pl.Series(lost))
    groups = keyed.group_by("TraceId", "agent", maintain_order=True).agg(wanted=pl.col("Operation").is_in(OWN_TASK).any())
    groups = groups.filter("wanted").with_row_index("number", offset=len(spans))
    found = keyed.join(groups, on=["TraceId", "agent"]).select("row", "agent", number=pl.col("number").cast(pl.Int64))
    joined = spans.with_row_index("row").join(found, on="row", how="left", maintain_order="left")
    return joined.with_columns(
        task=pl.coalesce("task", "number"),
        agent_name=pl.coalesce("agent_name", "agent"),
        agent_id=pl.coalesce("agent_id", "agent"),
    ).drop("row", "agent", "number")


def _implicit_agent(spans: pl.DataFrame) -> pl.Series:
    """Who did what no agent span owns: who the span names, the resource's agent, the root workflow, the service."""
    said = pl.col("WorkflowName") != ""
    root = pl.col("WorkflowName").filter(said).first().over("TraceId") if (spans["WorkflowName"] != "").any() else pl.lit(None)
    named = [pl.when(pl.col(c) != "").then(c) for c in ("Owner", "ResourceAgent")]
    return spans.select(a=pl.coalesce(*named, root, pl.when(pl.col("ServiceName") != "").then("ServiceName"), pl.lit("unknown")))[
        "a"
    ]


def _count(spans: pl.DataFrame, forest: Forest, owners: Owners, repeats: Mask, price: Price) -> pl.DataFrame:
    """Mark what is a node, what is a call, and leave tokens and cost on what is counted only."""
    call = spans["Operation"].is_in(MODEL_CALLS).to_numpy() & ~repeats
    carries = _carries_total(spans, forest, owners, call)
    in_task = spans["task"].is_not_null().to_numpy()
    node = in_task & (spans["Operation"] != "").to_numpy() & (~owners.agent | carries)
    has_node = np.zeros(len(node), dtype=np.bool_)
    has_node[owners.owner[node & (owners.owner != NONE)]] = True
    node |= owners.agent & ~has_node  # a task has one node at least: its own span
    counted = in_task & (call | carries)
    held = nearest(forest.parent, carries) != NONE
    held |= (owners.owner != NONE) & carries[owners.owner]
    return _less_nested_totals(spans, forest, owners, carries, price).with_columns(
        is_node=pl.Series(node),
        is_call=pl.Series(call & node),
        counted=pl.Series(counted),
        in_total=pl.Series(held & call),
        Operation=pl.when(pl.Series(repeats)).then(pl.lit("node")).otherwise("Operation"),
    )


def _carries_total(spans: pl.DataFrame, forest: Forest, owners: Owners, call: Mask) -> Mask:
    """Agent spans that say their usage and have no call below that says any: they stand for the calls they hide."""
    usage = spans.select(u=says_usage())["u"].to_numpy()
    says: Mask = (owners.agent | spans["IsAgent"].to_numpy()) & usage  # a run said twice may say it once
    if not says.any():
        return says
    spends = (call & usage).astype(np.int64)
    below = spread_up(forest.parent, spends, np.maximum)
    owned = owners.owner != NONE
    np.maximum.at(below, owners.owner[owned], spends[owned])
    alone: Mask = says & (below == 0)
    return alone


TOKENS = tuple(SUMS.values())


def _less_nested_totals(spans: pl.DataFrame, forest: Forest, owners: Owners, carries: Mask, price: Price) -> pl.DataFrame:
    """Of nested totals the inner one counts, and of the outer one what is left, where its dialect's totals include them."""
    outer = nearest(forest.parent, carries)
    includes = spans["TotalsInclude"].to_numpy()
    inner = np.flatnonzero(carries & (outer != NONE))
    inner = inner[includes[outer[inner]] | ~owners.agent[inner]]  # a run said twice is in itself
    if not len(inner):
        return spans
    nested = (
        spans[inner]
        .select(*TOKENS, ReportedCostUsd=pl.col("CostUsd").cast(pl.Float64))
        .with_columns(row=pl.Series(outer[inner], dtype=pl.UInt32))
    )
    sums = nested.group_by("row").agg(pl.col(*TOKENS, "ReportedCostUsd").sum())
    joined = spans.with_row_index("row").join(sums, on="row", how="left", suffix="_nested", maintain_order="left")
    rest = {t: (pl.col(t).cast(pl.Int64) - pl.col(f"{t}_nested").cast(pl.Int64)).clip(0).cast(pl.UInt64) for t in TOKENS}
    rest["ReportedCostUsd"] = (pl.col("ReportedCostUsd") - pl.col("ReportedCostUsd_nested")).clip(0)
    outermost = pl.col("InputTokens_nested").is_not_null()
    less = joined.with_columns(pl.when(outermost).then(left).otherwise(name).alias(name) for name, left in rest.items())
    return price(less.select(spans.columns))


def _worded(nodes: pl.DataFrame) -> pl.DataFrame:
    """The columns of NODES out of those of the spans."""
    counted = {name: pl.when("counted").then(column) for name, column in SUMS.items()}
    return nodes.select(
        "agent_id", "agent_name", "category", "department", "user_id", "version",
        task_id="task_id",
        trace_id="TraceId",
        span_id="SpanId",
        parent_span_id="ParentSpanId",
        node_name="NodeName",
        operation="Operation",
        provider="Provider",
        model="Model",
        request_model="RequestModel",
        response_model="ResponseModel",
        service_name="ServiceName",
        started_at="Timestamp",
        duration_seconds=(pl.col("Duration") / 1e9).round(9),
        **counted,
        cost_usd=pl.when("counted").then("CostUsd"),
        price_source=pl.when("counted").then("PriceSource").fill_null(""),
        unpriced=unpriced(),
        success=~pl.col("IsFailure"),
        error_type=pl.when("IsFailure").then("ErrorType").otherwise(pl.lit("")),
        error_message=pl.when("IsFailure").then("StatusMessage").otherwise(pl.lit("")),
        again=pl.lit(value=False),
        is_deleted=pl.lit(0),
    )  # fmt: skip
