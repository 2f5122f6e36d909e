"""Adding up: the spans of a task to its row, the tasks of a trace to its workflow's row.

The frames that come in are those of `derive`: spans with `task` (a number, null where no task owns the span), `is_head`
(the task's own agent span), `is_node`, `is_call`, `counted` and `version`.
"""

from collections.abc import Callable, Iterator
from hashlib import blake2b

import numpy as np
import polars as pl

from processors.calls import says_usage
from processors.conventions.grammar import MODEL_CALLS
from processors.frames import SUM_OF_MONEY
from processors.objectives.objectives import GENERAL
from processors.tree import NONE, Forest, spread_up

Classify = Callable[[pl.Series], pl.Series]
"""The category of each input, by its words."""

SAID_ANYWHERE = {
    "external_id": "ExternalId",
    "category": "Category",
    "agent_type": "AgentType",
    "department": "Department",
    "capabilities": "Capabilities",
    "decision_id": "DecisionId",
    "conversation_id": "ConversationId",
    "user_id": "UserId",
}
"""What a task says on its own span, else on any span of its own, else (at the top) on a span above all tasks."""
SUMS = {
    "input_tokens": "InputTokens",
    "output_tokens": "OutputTokens",
    "cached_input_tokens": "CachedInputTokens",
    "cache_write_tokens": "CacheWriteTokens",
    "reasoning_tokens": "ReasoningTokens",
}
NO_COST = pl.lit(0).cast(SUM_OF_MONEY)


def end() -> pl.Expr:
    """When a span ended."""
    return pl.col("Timestamp") + pl.duration(nanoseconds=pl.col("Duration").cast(pl.Int64))


def unpriced() -> pl.Expr:
    """A counted call whose price is not known; one without usage has none to know if it failed, or an agent's total holds it."""
    none_to_know = ~says_usage() & (pl.col("IsFailure") | pl.col("in_total"))
    return pl.col("counted") & pl.col("CostUsd").is_null() & ~none_to_know


def seconds_between() -> pl.Expr:
    """From `started_at` to `ended_at`, to the nanosecond."""
    return ((pl.col("ended_at") - pl.col("started_at")).dt.total_nanoseconds() / 1e9).round(9)


def known_cost(cost: pl.Expr, priced: pl.Expr, without_price: pl.Expr) -> pl.Expr:
    """The sum of the known; null if no call has a price, 0 without calls."""
    return pl.when((priced > 0) | (without_price == 0)).then(pl.coalesce(cost, NO_COST))


def summarise_tasks(steps: pl.DataFrame, forest: Forest, *, running: bool, classify: Classify) -> pl.DataFrame:
    """One row for each task: the columns of TASKS, and `task` and `top` (the task above, null at the top)."""
    members = steps.with_row_index("row").filter(pl.col("task").is_not_null())
    members = members.with_columns(awaits=_awaits() if members["IsInterrupt"].any() else pl.lit(value=False))
    totals = members.group_by("task", maintain_order=True).agg(*_sums(), *_words(members), *_bounds())
    tasks = totals.join(_heads(members), on="task", how="left")
    tasks = _with_implicit_heads(tasks, steps, forest)
    tasks = _with_parents(tasks, members)
    tasks = _with_category(_with_words_from_above(tasks, steps), classify)
    return _worded(tasks, running=running)


def _awaits() -> pl.Expr:
    """Steps that wait for a human still: none of their name began after them, as one does when the run is resumed."""
    waits = pl.col("IsInterrupt")
    resumed = pl.col("Timestamp").filter(~waits).max().over("task", "NodeName") >= end()
    return waits & ~resumed.fill_null(value=False)


def _sums() -> Iterator[pl.Expr]:
    counted, tool = pl.col("counted"), (pl.col("Operation") == "execute_tool")
    yield pl.col("is_node").sum().alias("nodes")
    yield pl.col("is_call").sum().alias("llm_calls")
    yield (pl.col("is_node") & tool).sum().alias("tool_calls")
    yield unpriced().sum().alias("unpriced_calls")
    yield (counted & pl.col("CostUsd").is_not_null()).sum().alias("priced_calls")
    yield pl.when(counted).then("CostUsd").sum().alias("cost")
    for name, column in SUMS.items():
        yield pl.when(counted).then(column).sum().alias(name)
    yield pl.col("Model").filter(counted & (pl.col("Model") != "")).unique(maintain_order=True).alias("models")
    yield pl.col("Temperature").drop_nulls().first().alias("temperature")
    yield pl.col("FilesCreated").sum().alias("files_created")
    yield pl.col("FilesModified").sum().alias("files_modified")
    yield pl.col("Complexity").drop_nulls().first().alias("said_complexity")
    yield pl.col("SaidSuccess").drop_nulls().first().alias("said_success")
    yield (pl.col("FailsTask") & pl.col("IsFailure")).any().alias("is_broken")
    yield pl.col("awaits").any().alias("is_interrupted")


def _words(members: pl.DataFrame) -> Iterator[pl.Expr]:
    """The first that is said, on the task's own span if it says any; columns that say nothing at all cost nothing."""
    head, call = pl.col("is_head"), pl.col("Operation").is_in(MODEL_CALLS)
    for name, column in SAID_ANYWHERE.items():
        said = pl.col(column) != ""
        if (members[column] != "").any():
            yield pl.coalesce(pl.col(column).filter(said & head).first(), pl.col(column).filter(said).first()).alias(name)
        else:
            yield pl.lit(None, dtype=pl.String).alias(name)
    for name, column in (("input", "Input"), ("output", "Output")):
        said = pl.col(column) != ""
        others = pl.col(column).filter(said & call)
        yield pl.coalesce(pl.col(column).filter(said & head).first(), others.first() if name == "input" else others.last()).alias(
            name
        )


def _bounds() -> Iterator[pl.Expr]:
    node = pl.col("is_node")
    for name in ("TraceId", "agent_id", "agent_name", "version"):
        yield pl.col(name).first()
    yield pl.col("ServiceName").filter(pl.col("is_head") | node).first().alias("service_name")
    yield pl.col("host").first()
    yield pl.col("Timestamp").filter(node).min().alias("first_start")
    yield end().filter(node).max().alias("last_end")


def _heads(members: pl.DataFrame) -> pl.DataFrame:
    """What the agent span itself says; implicit tasks have none."""
    return members.filter("is_head").select(
        "task",
        "Timestamp",
        "Duration",
        "SpanName",
        "TaskName",
        "ErrorType",
        head_id="SpanId",
        message="StatusMessage",
        failed="IsFailure",
    )


def _with_implicit_heads(tasks: pl.DataFrame, steps: pl.DataFrame, forest: Forest) -> pl.DataFrame:
    """Implicit tasks are as the topmost span that encloses only their members, else as the root."""
    implicit = tasks.filter(pl.col("head_id").is_null())
    if implicit.is_empty():
        return tasks
    spans = _enclosing(implicit, steps, forest)
    said = steps.select("IsFailure", "ErrorType", "StatusMessage")[spans.clip(0)]
    found = implicit.select("task", "TraceId", "agent_id", "agent_name").with_columns(
        implicit_id=pl.Series([_hash(t, a) for t, a in implicit.select("TraceId", "agent_id").iter_rows()], dtype=pl.String),
        failed_=said["IsFailure"] & pl.Series(spans != NONE),
        error_=said["ErrorType"],
        message_=said["StatusMessage"],
    )
    joined = tasks.join(found.select("task", "implicit_id", "failed_", "error_", "message_"), on="task", how="left")
    return joined.with_columns(
        head_id=pl.coalesce("head_id", "implicit_id"),
        failed=pl.coalesce("failed", "failed_"),
        ErrorType=pl.coalesce("ErrorType", "error_"),
        message=pl.coalesce("message", "message_"),
        SpanName=pl.coalesce("SpanName", "agent_name"),
    )


def _hash(trace_id: str, agent_id: str) -> str:
    """The span id of an implicit task."""
    return blake2b(f"{trace_id}/{agent_id}".encode(), digest_size=8).hexdigest()


def _enclosing(implicit: pl.DataFrame, steps: pl.DataFrame, forest: Forest) -> np.ndarray:
    """For each implicit task the row of the topmost span that encloses all its members and no others, else of the root."""
    task = steps["task"].fill_null(NONE).to_numpy()
    known = task != NONE
    lowest = spread_up(forest.parent, np.where(known, task, np.iinfo(np.int64).max), np.minimum)
    highest = spread_up(forest.parent, np.where(known, task, NONE), np.maximum)
    pure = (lowest == highest) & (highest != NONE)
    inside = forest.parent != NONE
    topmost = pure.copy()
    topmost[inside] &= ~pure[forest.parent[inside]]
    tops = pl.DataFrame({"task": highest[topmost], "row": np.flatnonzero(topmost)})
    only = tops.group_by("task").agg(pl.col("row").first(), n=pl.len()).filter(pl.col("n") == 1)
    roots = steps.select("TraceId").with_row_index("root").filter(pl.Series(forest.root)).unique("TraceId", keep="first")
    found = implicit.select("task", "TraceId").join(only, on="task", how="left", maintain_order="left")
    found = found.join(roots, on="TraceId", how="left", maintain_order="left")
    return found.select(row=pl.coalesce("row", pl.col("root").cast(pl.Int64)).fill_null(NONE))["row"].to_numpy()


def _with_parents(tasks: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """`parent_task_id` from the agent above the task's agent span; an implicit task's from the one above its first member."""
    above = members.select(pl.col("row").cast(pl.Int64), parent="task")
    ids = tasks.select(parent="task", parent_task_id=pl.col("TraceId") + "-" + pl.col("head_id"))
    joined = tasks.join(above, left_on="host", right_on="row", how="left", maintain_order="left")
    joined = joined.with_columns(parent=pl.when(pl.col("parent") != pl.col("task")).then("parent"))
    return joined.join(ids, on="parent", how="left", maintain_order="left").with_columns(
        parent_task_id=pl.col("parent_task_id").fill_null("")
    )


def _with_words_from_above(tasks: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """What spans that belong to no task say (a request's root span, a workflow) holds for the tasks at the top."""
    outside = steps.filter(pl.col("task").is_null())
    said = {name: column for name, column in SAID_ANYWHERE.items() if (outside[column] != "").any()}
    for name in ("agent_type", "capabilities"):  # of whom they would be said is not clear
        said.pop(name, None)
    if not said:
        return tasks
    words = outside.group_by("TraceId").agg(
        pl.col(c).filter(pl.col(c) != "").first().alias(f"{n}_above") for n, c in said.items()
    )
    top = pl.col("parent_task_id") == ""
    joined = tasks.join(words, on="TraceId", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce(n, pl.when(top).then(f"{n}_above")).alias(n) for n in said)


def _with_category(tasks: pl.DataFrame, classify: Classify) -> pl.DataFrame:
    """The category that was said, else the one that the input's words tell, else `general`."""
    rows = tasks.select((pl.col("category").is_null() & (pl.col("input") != "")).arg_true()).to_series()
    told = tasks["category"].scatter(rows, classify(tasks["input"].gather(rows))) if len(rows) else tasks["category"]
    return tasks.with_columns(category=told.fill_null(GENERAL))


def _worded(tasks: pl.DataFrame, *, running: bool) -> pl.DataFrame:
    """The columns of TASKS."""
    failed = pl.coalesce(~pl.col("said_success"), pl.col("failed") | pl.col("is_broken"))
    status = (
        pl.lit("running")
        if running
        else pl.when(failed)
        .then(pl.lit("failed"))
        .when("is_interrupted")
        .then(pl.lit("interrupted"))
        .otherwise(pl.lit("succeeded"))
    )
    tasks = tasks.with_columns(
        started_at=pl.coalesce("Timestamp", "first_start"),
        ended_at=pl.coalesce(end(), "last_end"),
        status=status,
        task_id=pl.col("TraceId") + "-" + pl.col("head_id"),
    ).with_columns(duration_seconds=seconds_between())
    is_failed = pl.col("status") == "failed"
    return tasks.with_columns(
        trace_id="TraceId",
        span_id="head_id",
        name=pl.when(pl.col("TaskName") != "").then("TaskName").otherwise("SpanName"),
        complexity=pl.coalesce("said_complexity", _complexity(tasks)).clip(1, 5),
        complexity_said=pl.col("said_complexity").is_not_null(),
        error_type=pl.when(is_failed).then("ErrorType").fill_null(""),
        error_message=pl.when(is_failed).then("message").fill_null(""),
        total_tokens=pl.col("input_tokens") + pl.col("output_tokens"),
        cost_usd=known_cost(pl.col("cost"), pl.col("priced_calls"), pl.col("unpriced_calls")),
        is_deleted=pl.lit(0),
        **{name: pl.col(name).fill_null("") for name in (*SAID_ANYWHERE, "input", "output") if name != "category"},
    )


def _complexity(tasks: pl.DataFrame) -> pl.Expr:
    """1 a single model call; 2 up to 5 nodes; 3 up to 20 or over a minute; 4 several agents or up to 60; 5 beyond."""
    parents = tasks.filter(pl.col("parent_task_id") != "")["parent_task_id"].unique().to_list()
    nodes, calls = pl.col("nodes"), pl.col("llm_calls")
    simple = pl.when((nodes == 1) & (calls == 1)).then(1).when(nodes <= 5).then(2)
    by_nodes = simple.when(nodes <= 20).then(3).when(nodes <= 60).then(4).otherwise(5)
    slow = pl.when(pl.col("duration_seconds") > 60).then(3).otherwise(1)
    several = pl.when(pl.col("task_id").is_in(parents)).then(4).otherwise(1)
    return pl.max_horizontal(by_nodes, slow, several).cast(pl.UInt8)


def summarise_workflows(steps: pl.DataFrame, tasks: pl.DataFrame, *, running: bool) -> pl.DataFrame:
    """One row for each trace: the columns of WORKFLOWS. Without tasks the row is marked deleted."""
    root = pl.col("ParentSpanId") == ""
    said = pl.col("WorkflowName") != ""
    named = pl.col("WorkflowName").filter(said & root).first(), pl.col("SpanName").filter(root).first()
    traces = steps.group_by("TraceId", maintain_order=True).agg(
        pl.col("version").first(),
        pl.col("Timestamp").min().alias("started_at"),
        pl.col("IngestedAt").max().alias("ingested_at"),
        pl.coalesce(*named, pl.col("WorkflowName").filter(said).first()).alias("named"),
        (root & pl.col("IsFailure") & ~pl.col("is_head")).any().alias("root_failed"),
        pl.col("ServiceName").filter(pl.col("ServiceName") != "").unique().sort().alias("services"),
        end().max().alias("ended_at"),
        pl.len().alias("spans"),
    )
    joined = traces.join(_per_trace(tasks), left_on="TraceId", right_on="trace_id", how="left", maintain_order="left")
    status = pl.lit("running") if running else pl.when("root_failed").then(pl.lit("failed")).otherwise("last_status")
    return joined.with_columns(
        trace_id="TraceId",
        name=pl.coalesce("named", "first_name").fill_null(""),
        status=status.fill_null(""),
        duration_seconds=seconds_between(),
        cost_usd=known_cost(pl.col("cost"), pl.col("priced_calls"), pl.col("unpriced_calls")),
        root_agent_id=pl.col("root_agent_id").fill_null(""),
        agents=pl.coalesce("agents", pl.lit([], dtype=pl.List(pl.String))),
        is_deleted=pl.col("tasks").is_null().cast(pl.UInt8),
    ).with_columns(pl.col("tasks", *_ADDED).fill_null(0))


_ADDED = ("input_tokens", "output_tokens", "total_tokens", "unpriced_calls")


def _per_trace(tasks: pl.DataFrame) -> pl.DataFrame:
    top = pl.col("parent_task_id") == ""
    last = pl.col("status").filter(top).sort_by(pl.col("ended_at").filter(top)).last()
    return tasks.sort("started_at").group_by("trace_id").agg(
        pl.col("agent_id").filter(top).first().alias("root_agent_id"),
        pl.col("name").filter(top).first().alias("first_name"),
        pl.col("agent_id").unique().sort().alias("agents"),
        last.alias("last_status"),
        pl.len().alias("tasks"),
        pl.col("cost", "priced_calls", *_ADDED).sum(),
    )  # fmt: skip
