"""The columns of alerts, of what happened to them, of findings, rules and silences."""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

import polars as pl

from processors.frames import MILLIS, STRING, Columns

Severity = Literal["info", "warning", "critical"]
Status = Literal["pending", "firing", "acknowledged", "resolved"]
Event = Literal["fired", "escalated", "unsilenced", "acknowledged", "resolved"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
"""From the least to the worst."""
MERIT = "merit"
"""Who did what nobody did by hand."""

ALERTS: Columns = {
    "alert_id": STRING,
    "key": STRING,
    "rule": STRING,
    "severity": STRING,
    "status": STRING,
    "agent_id": STRING,
    "scope": STRING,
    "title": STRING,
    "evidence": STRING,
    "recommended_action": STRING,
    "cause": STRING,
    "started_at": MILLIS,
    "pending_at": MILLIS,
    "fired_at": MILLIS,
    "acknowledged_at": MILLIS,
    "acknowledged_by": STRING,
    "clear_since": MILLIS,
    "resolved_at": MILLIS,
    "resolved_by": STRING,
    "silenced": pl.Boolean(),
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""An alert as it is now. `key`: what it is about, the same for every alert of one cause; at most one of a key is open.
`started_at`: since when it is so; `pending_at`: when that was seen; `clear_since`: since when it is not seen any more;
`silenced`: nobody is to be told. `scope` and `evidence` are JSON objects. `version`: milliseconds."""

ALERT_EVENTS: Columns = {
    "event_id": STRING,
    "alert_id": STRING,
    "event": STRING,
    "status": STRING,
    "severity": STRING,
    "at": MILLIS,
    "by": STRING,
    "note": STRING,
    "silenced": pl.Boolean(),
}
"""What happened to an alert, and how it was afterwards."""

ALERT_RULES: Columns = {"name": STRING, "rule": STRING, "updated_at": MILLIS, "version": pl.UInt64(), "is_deleted": pl.UInt8()}
"""A rule as it was edited over the API, as JSON."""

SILENCES: Columns = {
    "silence_id": STRING,
    "scope": STRING,
    "starts_at": MILLIS,
    "ends_at": MILLIS,
    "by": STRING,
    "note": STRING,
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""From when to when nobody is to be told of alerts of a scope, a JSON object."""

FINDINGS: Columns = {
    "key": STRING,
    "state": STRING,
    "rule": STRING,
    "severity": STRING,
    "agent_id": STRING,
    "scope": STRING,
    "title": STRING,
    "evidence": STRING,
    "recommended_action": STRING,
    "cause": STRING,
    "started_at": MILLIS,
    "for_seconds": pl.Float64(),
    "clear_seconds": pl.Float64(),
    "cooldown_seconds": pl.Float64(),
}
"""What a round of looking found of one key. `state`: `raised` (an alert may open), `held` (an open one goes on), or `clear`.
What is not among the findings is not known: too little was seen of it."""


def key_of(about: str, scope: Mapping[str, str]) -> str:
    """The key of what is `about` one topic in `scope`."""
    return digest(about, as_json(scope))


def alert_id_of(rule: str, scope: str, started_at: datetime) -> str:
    """The id of an alert: the same whoever works it out, and whenever."""
    return digest(rule, scope, started_at.isoformat(timespec="milliseconds"))


def event_id_of(alert_id: str, event: Event, which: str = "") -> str:
    """The id of what happened to an alert; `which` sets apart what may happen to it more than once."""
    return "-".join(part for part in (alert_id, event, which) if part)


def as_json(value: Mapping[str, Any]) -> str:
    """`value` as JSON, always the same for the same."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(*parts: str) -> str:
    """A hash of `parts`, 32 hexadecimal digits."""
    return sha256(json.dumps(parts).encode()).hexdigest()[:32]
