"""Builders of received spans with fixed ids and times: say what matters to a test, the rest is plain."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import polars as pl

from exporters.settings import Retention
from exporters.store import Store
from processors.frames import RECEIVED, SAID, Columns, conform
from processors.signal_frames import METRICS

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
LONG_DAYS = 10_000
LONG = Retention.model_validate(dict.fromkeys(Retention.model_fields, LONG_DAYS))
"""Keeps rows of the fixed time however late the tests are run."""
SIGNALS = ("otel_logs", *(f"otel_metrics_{kind}" for kind in METRICS))
TABLES = (
    "tasks",
    "nodes",
    "workflows",
    "agents",
    "agent_edits",
    "goals",
    "evaluations",
    "task_scores",
    "medians",
    "scoring_progress",
    "agent_minutely",
    "agent_hourly",
    "agent_daily",
    "agent_four_daily",
    "agent_work_hourly",
    "agent_work_daily",
    "agent_work_four_daily",
    "task_calls",
    "model_hourly",
    "model_daily",
    "model_work_hourly",
    "model_work_daily",
    "judgements",
    "objectives",
    "alerts",
    "alert_events",
    "alert_rules",
    "silences",
    "notifications",
    "optimizations",
    "routing_decisions",
    "routing_outcomes",
    "otel_traces",
    "otel_traces_trace_id_ts",
    *SIGNALS,
)

Row = dict[str, Any]

NOTHING_SAID: Row = {name: "" if dtype == pl.String else None for name, dtype in SAID.items()}
"""What the columns SAID hold of a span that says nothing."""


class Clock:
    """Time that only passes when it is told to."""

    def __init__(self, moment: datetime = NOW) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def tick(self, seconds: float) -> datetime:
        self.moment += timedelta(seconds=seconds)
        return self.moment


def trace_of(number: int) -> str:
    return f"{number:032x}"


def span_of(number: int) -> str:
    return f"{number:016x}"


def span(trace: int, number: int, parent: int | None = None, **more: Any) -> Row:
    """Span `number` of trace `trace`, 1 s long, begun `number` milliseconds after NOW; `said` are its attributes."""
    said = more.pop("said", {})
    plain = {
        "Timestamp": NOW + timedelta(milliseconds=number),
        "TraceId": trace_of(trace),
        "SpanId": span_of(number),
        "ParentSpanId": "" if parent is None else span_of(parent),
        "TraceState": "",
        "SpanName": "step",
        "SpanKind": "Internal",
        "ServiceName": "app",
        "ResourceAttributes": {"service.name": "app"},
        "ScopeName": "tests",
        "ScopeVersion": "1",
        "SpanAttributes": {name: str(value) for name, value in sorted(said.items())},
        "Duration": 1_000_000_000,
        "StatusCode": "Unset",
        "StatusMessage": "",
        **{name: [] for name, dtype in RECEIVED.items() if isinstance(dtype, pl.List)},
        "DroppedAttributes": 0,
        "IngestedAt": NOW,
    }
    return plain | more


def agent(trace: int, number: int, parent: int | None = None, name: str = "writer", **more: Any) -> Row:
    """An agent's span: it opens a task."""
    said = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name} | more.pop("said", {})
    return span(trace, number, parent, SpanName=f"invoke_agent {name}", said=said, **more)


def chat(trace: int, number: int, parent: int | None = None, model: str = "gpt-4o-mini", **more: Any) -> Row:
    """A model call of 100 tokens in and 10 out."""
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
    } | more.pop("said", {})
    return span(trace, number, parent, SpanName=f"chat {model}", SpanKind="Client", said=said, **more)


def tool(trace: int, number: int, parent: int | None = None, **more: Any) -> Row:
    """A tool call."""
    said = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"} | more.pop("said", {})
    return span(trace, number, parent, SpanName="execute_tool search", said=said, **more)


def job(trace: int) -> list[Row]:
    """A supervisor (span 1) that asks a researcher (span 3): 3 model calls, a failed tool call, an HTTP request in it."""
    return [
        agent(trace, 1, None, "supervisor"),
        chat(trace, 2, 1),
        agent(trace, 3, 1, "researcher"),
        chat(trace, 4, 3, "gpt-4o"),
        tool(trace, 5, 3, StatusCode="Error", StatusMessage="no such page"),
        span(trace, 6, 5, SpanName="GET", SpanKind="Client", said={"http.request.method": "GET"}),
        chat(trace, 7, 1),
    ]


def frame(rows: Iterable[Row], columns: Columns = RECEIVED) -> pl.DataFrame:
    """`rows` as a frame of `columns`."""
    rows = list(rows)
    values = {name: pl.Series(name, [row[name] for row in rows], dtype=dtype) for name, dtype in columns.items()}
    return conform(pl.DataFrame(values), columns)


def said_nothing(received: pl.DataFrame) -> pl.DataFrame:
    """`received` as if conventions had found nothing in it: columns SPANS."""
    return received.with_columns(pl.lit(value, dtype=SAID[name]).alias(name) for name, value in NOTHING_SAID.items())


def truncate(store: Store) -> None:
    """Drop every row."""
    for table in TABLES:
        store.command("TRUNCATE TABLE {table:Identifier}", {"table": table})


@contextmanager
def benchmarks_as_shipped(store: Store) -> Iterator[None]:
    """Whatever is set meanwhile is gone afterwards, and what it replaced, which a merge may have dropped, is there again."""
    shipped = store.query("SELECT * FROM benchmarks FINAL")
    yield
    store.command("TRUNCATE TABLE benchmarks")
    store.insert("benchmarks", shipped, token=uuid4().hex)  # the same rows again are else taken for a repetition
