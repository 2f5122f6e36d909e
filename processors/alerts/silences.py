"""Of which alerts nobody is to be told now: silences, and maintenance windows."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from processors.alerts.rules import Recurring

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEK = timedelta(days=7)
Scope = dict[str, Sequence[str]]


def silencer(silences: pl.DataFrame, maintenance: Sequence[Recurring], now: datetime) -> Callable[[dict[str, Any]], bool]:
    """Whether nobody is told of an alert, a row of ALERTS.

    Args:
        silences: columns SILENCES, those that hold now.
        maintenance: windows that come again every week.
        now: what time it is.
    """
    scopes: list[Scope] = [json.loads(text) for text in silences["scope"]]
    scopes += [dict(one.scope) for one in maintenance if is_on(one, now)]
    return lambda alert: any(matches(scope, alert) for scope in scopes)


def matches(scope: Scope, alert: dict[str, Any]) -> bool:
    """Whether an alert is in a scope: everything that the scope names is one of its values."""
    about = json.loads(alert["scope"]) | {name: alert[name] for name in ("rule", "severity")}
    about.setdefault("agent_id", alert["agent_id"])
    return all(about.get(name, "") in values for name, values in scope.items())


def is_on(window: Recurring, now: datetime) -> bool:
    """Whether a weekly window is open now."""
    hour, minute = (int(part) for part in window.start.split(":"))
    begun = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    starts = [begun - timedelta(days=(now.weekday() - DAYS.index(day)) % 7) for day in window.days]
    return any(timedelta(0) <= now - (at if at <= now else at - WEEK) < timedelta(hours=window.hours) for at in starts)
