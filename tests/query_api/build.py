"""Builders of rows with fixed ids and times: say what matters to a test, the rest is plain."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from exporters.calls import take_calls
from exporters.looks import Stretch
from exporters.store import Store
from exporters.traces import EPOCH
from processors.agents import AGENTS, EDITS
from processors.evaluations import EVALUATIONS
from processors.frames import NODES, SPANS, TASKS, WORKFLOWS
from tests import builders
from tests.builders import NOTHING_SAID, NOW, Row, frame, span_of, trace_of

START = NOW - timedelta(hours=1)


def task(number: int, **more: Any) -> Row:
    """A task that is trace `number`, its span 1: one model call of 0.001 dollars in 2 s, begun `number` seconds after START."""
    trace_id, span_id = more.get("trace_id", trace_of(number)), more.get("span_id", span_of(1))
    started_at = more.get("started_at", START + timedelta(seconds=number))
    seconds = more.get("duration_seconds", 2.0)
    plain = {
        **dict.fromkeys((name for name, dtype in TASKS.items() if dtype == pl.String), ""),
        **dict.fromkeys((name for name, dtype in TASKS.items() if dtype.is_integer()), 0),
        "task_id": f"{trace_id}-{span_id}",
        "trace_id": trace_id,
        "span_id": span_id,
        "agent_id": "researcher",
        "agent_name": "Researcher",
        "service_name": "app",
        "name": "invoke_agent",
        "category": "general",
        "complexity": 1,
        "complexity_said": False,
        "status": "succeeded",
        "started_at": started_at,
        "ended_at": started_at + timedelta(seconds=seconds),
        "duration_seconds": seconds,
        "nodes": 1,
        "llm_calls": 1,
        "input_tokens": 100,
        "output_tokens": 10,
        "total_tokens": 110,
        "cost_usd": Decimal("0.001"),
        "models": ["gpt-4o-mini"],
        "temperature": None,
        "again": True,
        "version": 1,
    }
    return plain | more


def node(number: int, span: int = 2, **more: Any) -> Row:
    """A model call that is span `span` of the task `task(number)`."""
    trace_id = more.get("trace_id", trace_of(number))
    plain = {
        **dict.fromkeys((name for name, dtype in NODES.items() if dtype == pl.String), ""),
        "task_id": f"{trace_id}-{span_of(1)}",
        "trace_id": trace_id,
        "span_id": span_of(span),
        "parent_span_id": span_of(1),
        "agent_id": "researcher",
        "agent_name": "Researcher",
        "node_name": "gpt-4o-mini",
        "operation": "chat",
        "provider": "openai",
        "model": "gpt-4o-mini",
        "service_name": "app",
        "category": "general",
        "started_at": START + timedelta(seconds=number, milliseconds=span),
        "duration_seconds": 1.0,
        "input_tokens": 100,
        "output_tokens": 10,
        "cached_input_tokens": None,
        "cache_write_tokens": None,
        "reasoning_tokens": None,
        "cost_usd": Decimal("0.001"),
        "unpriced": False,
        "success": True,
        "again": True,
        "version": 1,
        "is_deleted": 0,
    }
    return plain | more


def tool(number: int, span: int = 3, **more: Any) -> Row:
    """A tool call that is span `span` of the task `task(number)`."""
    plain = {"node_name": "search", "operation": "execute_tool", "provider": "", "model": ""}
    return node(number, span, **plain | {"input_tokens": None, "output_tokens": None, "cost_usd": None} | more)


def known_agent(agent_id: str, **more: Any) -> Row:
    """What the registry has of an agent: last seen at START, since ten days before."""
    plain = {
        **dict.fromkeys(("agent_name", "agent_type", "department"), ""),
        **{name: [] for name in ("capabilities", "services", "models.model", "models.since", "models.last_seen")},
        "agent_id": agent_id,
        "first_seen": START - timedelta(days=10),
        "last_seen": START,
        "version": 1,
        "is_deleted": 0,
    }
    return plain | more


def workflow(number: int, **more: Any) -> Row:
    """The job of the task `task(number)`."""
    plain = {
        "trace_id": trace_of(number),
        "name": "job",
        "root_agent_id": "researcher",
        "agents": ["researcher"],
        "services": ["app"],
        "tasks": 1,
        "spans": 2,
        "status": "succeeded",
        "started_at": START + timedelta(seconds=number),
        "duration_seconds": 2.0,
        "input_tokens": 100,
        "output_tokens": 10,
        "total_tokens": 110,
        "cost_usd": Decimal("0.001"),
        "unpriced_calls": 0,
        "ingested_at": NOW,
        "version": 1,
        "is_deleted": 0,
    }
    return plain | more


def evaluation(number: int, evaluator: str, **more: Any) -> Row:
    """What `evaluator`, a judge, says of the task `task(number)` as a whole."""
    trace_id = trace_of(number)
    plain = {
        **dict.fromkeys((name for name, dtype in EVALUATIONS.items() if dtype == pl.String), ""),
        "evaluation_id": f"{evaluator}-{number}-{more.get('criterion', '')}",
        "target": f"job-{number}",
        "task_id": f"{trace_id}-{span_of(1)}",
        "trace_id": trace_id,
        "evaluator": evaluator,
        "evaluator_type": "llm",
        "score": 0.5,
        "rating": None,
        "cost_usd": None,
        "source": "api",
        "evaluated_at": NOW - timedelta(minutes=number),
        "received_at": NOW,
        "version": 1,
        "is_deleted": 0,
    }
    return plain | more


def span(trace: int, number: int, parent: int | None = None, **more: Any) -> Row:
    """Span `number` of trace `trace`, 1 s long, begun `number` milliseconds after START; a row of SPANS."""
    begun = START + timedelta(milliseconds=number)
    return builders.span(trace, number, parent, Timestamp=begun, said={"number": number}) | NOTHING_SAID | more


def put(store: Store, table: str, rows: Iterable[Row]) -> None:
    """Store `rows` in `table`."""
    store.insert(table, frame(rows, COLUMNS[table]))


def put_calls(store: Store, rows: Iterable[Row]) -> None:
    """Store `rows` as nodes, and have their model calls added up by task, as scoring would."""
    put(store, "nodes", rows)
    take_calls(store, Stretch(EPOCH, FAR), version=1)


FAR = NOW.replace(year=2100)
"""After whatever the store's own clock says."""

COLUMNS = {
    "agents": AGENTS,
    "agent_edits": EDITS,
    "evaluations": EVALUATIONS,
    "nodes": NODES,
    "otel_traces": SPANS,
    "tasks": TASKS,
    "workflows": WORKFLOWS,
}
