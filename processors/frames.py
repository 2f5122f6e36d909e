"""The columns of every frame that travels between the parts, each declared once.

A frame is a `polars.DataFrame`. Column names are those of the tables (`otel_traces` speaks the names of the OpenTelemetry
Collector's ClickHouse exporter, Merit's own tables snake_case); a test holds these declarations against the tables that the
migrations make.
"""

from collections.abc import Mapping

import polars as pl

Columns = Mapping[str, pl.DataType]

STRING = pl.String()
MAP = pl.Map(pl.String(), pl.String())
TIME = pl.Datetime("ns", "UTC")
MILLIS = pl.Datetime("ms", "UTC")
MONEY = pl.Decimal(18, 12)
"""US dollars of one call, to the picodollar."""
SUM_OF_MONEY = pl.Decimal(38, 12)
"""US dollars of many calls: exact, and as many as there may be."""

EXPORTER_COLUMNS: Columns = {
    "Timestamp": TIME,
    "TraceId": STRING,
    "SpanId": STRING,
    "ParentSpanId": STRING,
    "TraceState": STRING,
    "SpanName": STRING,
    "SpanKind": STRING,
    "ServiceName": STRING,
    "ResourceAttributes": MAP,
    "ScopeName": STRING,
    "ScopeVersion": STRING,
    "SpanAttributes": MAP,
    "Duration": pl.UInt64(),
    "StatusCode": STRING,
    "StatusMessage": STRING,
    "Events.Timestamp": pl.List(TIME),
    "Events.Name": pl.List(STRING),
    "Events.Attributes": pl.List(MAP),
    "Links.TraceId": pl.List(STRING),
    "Links.SpanId": pl.List(STRING),
    "Links.TraceState": pl.List(STRING),
    "Links.Attributes": pl.List(MAP),
}
"""A span as the Collector's exporter stores it. `Duration` in nanoseconds; ids in lower-case hex."""

RECEIVED: Columns = {**EXPORTER_COLUMNS, "DroppedAttributes": pl.UInt32(), "IngestedAt": MILLIS}
"""What the receiver hands on: a span, how many of its attributes were dropped on the way, and when it came."""

SAID: Columns = {
    "Operation": STRING,
    "AgentId": STRING,
    "AgentName": STRING,
    "NodeName": STRING,
    "Provider": STRING,
    "RequestModel": STRING,
    "ResponseModel": STRING,
    "ResponseId": STRING,
    "InputTokens": pl.UInt64(),
    "OutputTokens": pl.UInt64(),
    "CachedInputTokens": pl.UInt64(),
    "CacheWriteTokens": pl.UInt64(),
    "ReasoningTokens": pl.UInt64(),
    "CostUsd": MONEY,
    "PriceSource": STRING,
    "ConversationId": STRING,
    "UserId": STRING,
    "ErrorType": STRING,
}
"""What each span says of itself, in Merit's words. Numbers are null where it says nothing, strings empty."""

SPANS: Columns = {**RECEIVED, **SAID}
"""A row of `otel_traces`."""

READINGS: Columns = {
    "TraceId": STRING,
    "SpanId": STRING,
    "ParentSpanId": STRING,
    "SpanName": STRING,
    "ServiceName": STRING,
    "ScopeName": STRING,
    "Timestamp": TIME,
    "Duration": pl.UInt64(),
    "StatusCode": STRING,
    "StatusMessage": STRING,
    "IngestedAt": MILLIS,
    **SAID,
    "Dialect": STRING,
    "Owner": STRING,
    "IsAgent": pl.Boolean(),
    "OwnerOpens": pl.Boolean(),
    "NameOnTop": STRING,
    "OwnerLasts": pl.Boolean(),
    "IsOuter": pl.Boolean(),
    "TotalsInclude": pl.Boolean(),
    "IsInterrupt": pl.Boolean(),
    "IsFailure": pl.Boolean(),
    "FailsTask": pl.Boolean(),
    "FailsAbove": pl.Boolean(),
    "WorkflowName": STRING,
    "TaskName": STRING,
    "ExternalId": STRING,
    "Category": STRING,
    "Complexity": pl.UInt8(),
    "SaidSuccess": pl.Boolean(),
    "AgentType": STRING,
    "Department": STRING,
    "Capabilities": STRING,
    "DecisionId": STRING,
    "FilesCreated": pl.UInt32(),
    "FilesModified": pl.UInt32(),
    "Temperature": pl.Float64(),
    "ReportedCostUsd": pl.Float64(),
    "ResourceAgent": STRING,
    "Input": STRING,
    "Output": STRING,
}
"""A span as `conventions` has read it: all that derivation needs, without the attributes; what open traces hold in memory.

`Owner`: the agent that the span itself names as the one who did it. `IsAgent`: it opens a task; `OwnerOpens`: it does if
its owner is not its parent's. `NameOnTop`: it does under this name if no step is above it. `OwnerLasts`: its owner is also
that of the steps beside it that come later and name nobody, and of all below them. `IsOuter`: a model call that wraps the
one which made the request. `TotalsInclude`: an agent span whose usage includes that of the agents below it. `IsInterrupt`:
it ended because a human is awaited. `IsFailure`: it failed, and if `FailsTask`, so did its agent; if `FailsAbove`, so did
the span above it.
"""

NODES: Columns = {
    "task_id": STRING,
    "trace_id": STRING,
    "span_id": STRING,
    "parent_span_id": STRING,
    "agent_id": STRING,
    "agent_name": STRING,
    "node_name": STRING,
    "operation": STRING,
    "provider": STRING,
    "model": STRING,
    "request_model": STRING,
    "response_model": STRING,
    "service_name": STRING,
    "department": STRING,
    "category": STRING,
    "user_id": STRING,
    "started_at": TIME,
    "duration_seconds": pl.Float64(),
    "input_tokens": pl.UInt64(),
    "output_tokens": pl.UInt64(),
    "cached_input_tokens": pl.UInt64(),
    "cache_write_tokens": pl.UInt64(),
    "reasoning_tokens": pl.UInt64(),
    "cost_usd": MONEY,
    "price_source": STRING,
    "unpriced": pl.Boolean(),
    "success": pl.Boolean(),
    "error_type": STRING,
    "error_message": STRING,
    "again": pl.Boolean(),
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""A step inside a task. `model` is the plain name for grouping, the other two are as said. Tokens and cost are null on
everything that is not a counted model call. `again`: the trace had been derived before."""

TASKS: Columns = {
    "task_id": STRING,
    "external_id": STRING,
    "trace_id": STRING,
    "span_id": STRING,
    "parent_task_id": STRING,
    "agent_id": STRING,
    "agent_name": STRING,
    "agent_type": STRING,
    "department": STRING,
    "service_name": STRING,
    "name": STRING,
    "category": STRING,
    "complexity": pl.UInt8(),
    "complexity_said": pl.Boolean(),
    "status": STRING,
    "error_type": STRING,
    "error_message": STRING,
    "started_at": TIME,
    "ended_at": TIME,
    "duration_seconds": pl.Float64(),
    "nodes": pl.UInt32(),
    "llm_calls": pl.UInt32(),
    "tool_calls": pl.UInt32(),
    "input_tokens": pl.UInt64(),
    "output_tokens": pl.UInt64(),
    "cached_input_tokens": pl.UInt64(),
    "cache_write_tokens": pl.UInt64(),
    "reasoning_tokens": pl.UInt64(),
    "total_tokens": pl.UInt64(),
    "cost_usd": SUM_OF_MONEY,
    "unpriced_calls": pl.UInt32(),
    "files_created": pl.UInt32(),
    "files_modified": pl.UInt32(),
    "models": pl.List(STRING),
    "temperature": pl.Float64(),
    "conversation_id": STRING,
    "user_id": STRING,
    "decision_id": STRING,
    "agent_type_said": STRING,
    "department_said": STRING,
    "capabilities": STRING,
    "input": STRING,
    "output": STRING,
    "again": pl.Boolean(),
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""One agent doing one assignment. `parent_task_id` is empty at the top; `cost_usd` null if all calls are unpriced;
`agent_type` and `department` are as people have set them for the agent, else as its spans say, which is kept apart (`…_said`);
`capabilities` what the agent says that it can do, as it said it; `again` as of a step."""

WORKFLOWS: Columns = {
    "trace_id": STRING,
    "name": STRING,
    "root_agent_id": STRING,
    "agents": pl.List(STRING),
    "services": pl.List(STRING),
    "tasks": pl.UInt32(),
    "spans": pl.UInt32(),
    "status": STRING,
    "started_at": TIME,
    "duration_seconds": pl.Float64(),
    "input_tokens": pl.UInt64(),
    "output_tokens": pl.UInt64(),
    "total_tokens": pl.UInt64(),
    "cost_usd": SUM_OF_MONEY,
    "unpriced_calls": pl.UInt32(),
    "ingested_at": MILLIS,
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""A trace that holds at least one task. A derived trace without tasks has a row too, marked deleted: `spans` and
`ingested_at` (the newest span that was read) tell the sweep what the derivation knew. Of a trace whose spans have begun to expire
`spans` are those that were new."""


def empty(columns: Columns) -> pl.DataFrame:
    """A frame of no rows with `columns`."""
    return pl.DataFrame(schema=dict(columns))


def conform(frame: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Select exactly `columns`, in order and cast to their types; raises polars' ColumnNotFoundError if one is missing."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in columns.items())
