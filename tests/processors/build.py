"""Spans and readings for tests, with fixed ids and times. Offsets are in seconds from `START`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from processors.derive import Derived, Phase, derive
from processors.frames import MAP, READINGS, RECEIVED

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW = START + timedelta(minutes=5)
TRACE = "0af7651916cd43dd8448eb211c80319c"
ENTRIES = pl.List(pl.Struct({"key": pl.String(), "value": pl.String()}))


def _typed(rows: list[dict[str, Any]], columns: dict[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(columns))


def reading(
    span_id: str, operation: str = "", *, parent: str = "", at: float = 0, lasts: float = 1, **said: Any
) -> dict[str, Any]:
    """A row of READINGS: a span that says nothing but what is given."""
    blank = {"String": "", "Boolean": False}
    row: dict[str, Any] = {name: blank.get(str(dtype)) for name, dtype in READINGS.items()}
    row |= {
        "SaidSuccess": None,
        "TraceId": TRACE,
        "SpanId": span_id,
        "ParentSpanId": parent,
        "SpanName": f"{operation} {span_id}",
    }
    row |= {"Timestamp": START + timedelta(seconds=at), "Duration": int(lasts * 1e9), "StatusCode": "Unset", "IngestedAt": START}
    row |= {"Operation": operation, "NodeName": span_id, "ServiceName": "shop", "IsAgent": operation == "invoke_agent"}
    return row | said


def agent(span_id: str, name: str, **said: Any) -> dict[str, Any]:
    """An agent span."""
    return reading(span_id, "invoke_agent", **({"AgentName": name, "AgentId": name} | said))


def chat(span_id: str, tokens: tuple[int, int] | None = (100, 10), **said: Any) -> dict[str, Any]:
    """A model call, with its input and output tokens."""
    usage = {"InputTokens": tokens[0], "OutputTokens": tokens[1]} if tokens else {}
    return reading(span_id, "chat", **({"ScopeName": "client", "RequestModel": "gpt-4o"} | usage | said))


def tool(span_id: str, **said: Any) -> dict[str, Any]:
    """A tool call."""
    return reading(span_id, "execute_tool", **said)


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    """A frame of READINGS."""
    return _typed(list(rows), dict(READINGS))


def happened(*rows: dict[str, Any], phase: Phase = Phase.WHOLE, now: datetime = NOW) -> Derived:
    """What is derived of these readings."""
    return derive(frame(*rows), phase, now)


def span(name: str = "span", attributes: dict[str, str] | None = None, **said: Any) -> dict[str, Any]:
    """A row of RECEIVED."""
    row: dict[str, Any] = dict.fromkeys(RECEIVED)
    row |= {"Timestamp": START, "TraceId": TRACE, "SpanId": "00f067aa0ba902b7", "ParentSpanId": "", "TraceState": ""}
    row |= {
        "SpanName": name,
        "SpanKind": "Internal",
        "ServiceName": "shop",
        "ScopeName": "",
        "ScopeVersion": "",
        "Duration": 10**9,
    }
    row |= {"StatusCode": "Unset", "StatusMessage": "", "DroppedAttributes": 0, "IngestedAt": START}
    row |= {column: [] for column, dtype in RECEIVED.items() if isinstance(dtype, pl.List)}
    row |= {"SpanAttributes": attributes or {}, "ResourceAttributes": {"service.name": "shop"}}
    return row | said


def spans(*rows: dict[str, Any]) -> pl.DataFrame:
    """A frame of RECEIVED; maps are given as dicts."""
    made = [{k: _entries(v) for k, v in row.items()} for row in rows]
    schema = {n: ENTRIES if t == MAP else pl.List(ENTRIES) if t == pl.List(MAP) else t for n, t in RECEIVED.items()}
    return pl.DataFrame(made, schema=schema).with_columns(pl.col(n).cast(t) for n, t in RECEIVED.items() if schema[n] != t)


def _entries(value: Any) -> Any:
    if isinstance(value, dict):
        return [{"key": k, "value": v} for k, v in value.items()]
    return [_entries(v) for v in value] if isinstance(value, list) else value
