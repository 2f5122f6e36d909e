"""Traces to look at, for alerts of rules with a level: of which work they are wanted, and into which evidence they go.

Change detection knows its traces; sums do not. So they are asked for when an alert begins, and kept while it goes on.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from processors.alerts.frames import FINDINGS, as_json
from processors.alerts.metrics import Shows, Source
from processors.alerts.rules import Rule, since

MOST = 50
"""Alerts that begin in one round and get traces; with more at once, nobody reads them all."""
NEWEST = timedelta(days=1)
"""Of a longer window the last day shows it."""


class Wanted(NamedTuple):
    """Of which work some traces are wanted."""

    key: str
    """That of the finding."""
    source: Source
    shows: Shows
    since: datetime
    chosen: Mapping[str, Sequence[str]]
    """By `agent_id`, `category`, …: any of the values; what is not named is any."""


def wanted(findings: pl.DataFrame, rules: Mapping[str, Rule], known: Mapping[str, list[str]], now: datetime) -> list[Wanted]:
    """What to ask for: of findings that are raised, and whose traces are not known.

    Args:
        findings: columns FINDINGS.
        rules: by name.
        known: from `known_traces`.
        now: what time it is.
    """
    raised = findings.filter(pl.col("state") == "raised", ~pl.col("key").is_in(list(known)))
    asked: list[Wanted] = []
    for key, name, scope in raised.select("key", "rule", "scope").iter_rows():
        rule = rules[name]
        if rule.levels and rule.measured.shows and len(asked) < MOST:
            chosen = dict(rule.scope) | {one: (value,) for one, value in json.loads(scope).items()}
            begin = max(since(rule.window, now), now - NEWEST)
            asked.append(Wanted(key, rule.measured.source, rule.measured.shows, begin, chosen))
    return asked


def known_traces(alerts: pl.DataFrame) -> dict[str, list[str]]:
    """By key: the traces of alerts that are open, columns ALERTS."""
    told = {key: json.loads(evidence).get("traces") for key, evidence in alerts.select("key", "evidence").iter_rows()}
    return {key: traces for key, traces in told.items() if traces}


def with_traces(findings: pl.DataFrame, traces: Mapping[str, list[str]]) -> pl.DataFrame:
    """Findings with these traces in their evidence, where it has none of its own; columns FINDINGS."""

    def shown(key: str, evidence: str) -> str:
        told = json.loads(evidence)
        return as_json({"traces": traces[key]} | told) if key in traces else evidence

    both = findings.select("key", "evidence").iter_rows()
    return findings.with_columns(evidence=pl.Series([shown(*one) for one in both], dtype=pl.String)).select(FINDINGS.keys())
