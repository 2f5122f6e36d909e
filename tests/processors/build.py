"""Spans and readings for tests, with fixed ids and times. Offsets are in seconds from `START`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from processors.derive import Derived, Phase, derive
from processors.frames import READINGS
from tests import builders
from tests.builders import Row

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW = START + timedelta(minutes=5)
TRACE = "0af7651916cd43dd8448eb211c80319c"


def reading(span_id: str, operation: str = "", *, parent: str = "", at: float = 0, lasts: float = 1, **said: Any) -> Row:
    """A row of READINGS: a span that says nothing but what is given."""
    blank = {"String": "", "Boolean": False}
    row: Row = {name: blank.get(str(dtype)) for name, dtype in READINGS.items()}
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


def agent(span_id: str, name: str, **said: Any) -> Row:
    """An agent span."""
    return reading(span_id, "invoke_agent", **({"AgentName": name, "AgentId": name} | said))


def chat(span_id: str, tokens: tuple[int, int] | None = (100, 10), **said: Any) -> Row:
    """A model call, with its input and output tokens."""
    usage = {"InputTokens": tokens[0], "OutputTokens": tokens[1]} if tokens else {}
    return reading(span_id, "chat", **({"ScopeName": "client", "RequestModel": "gpt-4o"} | usage | said))


def tool(span_id: str, **said: Any) -> Row:
    """A tool call."""
    return reading(span_id, "execute_tool", **said)


def frame(*rows: Row) -> pl.DataFrame:
    """A frame of READINGS."""
    return builders.frame(rows, READINGS)


def happened(*rows: Row, phase: Phase = Phase.WHOLE, now: datetime = NOW) -> Derived:
    """What is derived of these readings."""
    return derive(frame(*rows), phase, now)


def span(name: str = "span", attributes: dict[str, str] | None = None, **said: Any) -> Row:
    """A row of RECEIVED."""
    own = {"TraceId": TRACE, "SpanId": "00f067aa0ba902b7", "Timestamp": START, "IngestedAt": START, "SpanName": name}
    own |= {"ServiceName": "shop", "ResourceAttributes": {"service.name": "shop"}, "ScopeName": "", "ScopeVersion": ""}
    return builders.span(1, 1, said=attributes or {}, **own | said)


def spans(*rows: Row) -> pl.DataFrame:
    """A frame of RECEIVED; maps are given as dicts."""
    return builders.frame(rows)
