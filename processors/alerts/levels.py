"""Rules with a level: all groups of a rule at once, from sums of its window."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.special import bdtr, bdtrc

from processors.alerts.frames import FINDINGS, SEVERITIES, as_json, key_of
from processors.alerts.rules import Rule, since, week_before
from processors.alerts.titles import of_level
from processors.frames import STRING, TIME, Columns, empty

WHERE: Columns = dict.fromkeys(("agent_id", "category", "department", "service", "provider", "model", "tool"), STRING)

COUNTS = ("n", "failed", "benchmarked", "priced", "spent", "scored", "unpriced")
TOTALS = ("duration_sum", "benchmark_sum", "cost_sum", "spent_sum", "tokens_sum", "score_sum")
LARGEST = ("duration_max", "cost_max", "tokens_max")

SUMS: Columns = {
    "source": STRING,
    "window": STRING,
    **WHERE,
    "first_started": TIME,
    **dict.fromkeys(COUNTS, pl.Int64()),
    **dict.fromkeys((*TOTALS, *LARGEST), pl.Float64()),
}
"""What was done in a window, added up: `source` is `tasks` or `calls`; seconds, US dollars, tokens. `spent` and `spent_sum` are
of all tasks, all else of those that are finished. The week before a window is one too, see `past_of`."""

LEAST_PAST = timedelta(days=1)
"""Who was first seen later than this before the window has no past of which a sum could be expected: nights are unlike days."""

MEASURED: Columns = {"metric": STRING, "agent_id": STRING, "service": STRING, "value": pl.Float64(), "n": pl.Int64()}
"""What is measured as it is: signs of life, queues, resources, Merit itself."""

MOST_FINDINGS = 200
"""Of one rule and round, the worst; beyond them only those that open alerts are about."""


class Seen(NamedTuple):
    """What rules look at."""

    sums: pl.DataFrame
    """Columns SUMS, with every window that a rule has."""
    measured: pl.DataFrame
    """Columns MEASURED."""
    budgets: Mapping[str, float | None]
    """US dollars by window."""


def look(rules: Sequence[Rule], seen: Seen, alerts: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """What rules with a level find, columns FINDINGS: what is wrong, and how that is of which open alerts tell.

    Args:
        rules: any; those without a level and those that are off are passed over.
        seen: what they look at.
        alerts: columns ALERTS, those that are open.
        now: what time it is.
    """
    opened = set(alerts["key"])
    parts = [look_at(rule, seen, opened, now) for rule in rules if rule.enabled and rule.levels]
    found = pl.concat([empty(FINDINGS), *parts])
    return pl.concat([found, over(alerts, found, rules)])


def look_at(rule: Rule, seen: Seen, opened: Set[str], now: datetime) -> pl.DataFrame:
    """What one rule finds, columns FINDINGS; `opened` are keys of open alerts."""
    if rule.compare == "budget" and not seen.budgets.get(rule.window):
        return empty(FINDINGS)
    values = values_of(rule, seen.sums, seen.measured, now)
    if rule.compare == "budget":
        values = values.with_columns(before=pl.lit(seen.budgets[rule.window], dtype=pl.Float64))
    enough = pl.lit(value=True) if rule.is_of_too_little else pl.col("observations") >= rule.min_observations
    values = values.filter(enough, pl.col("value").is_not_null())
    states = with_state(rule, compared(rule, values))
    worst_first = states.sort(pl.col("state") == "clear", pl.col("compared") * (-1 if rule.above is not None else 1))
    rows = []
    for number, row in enumerate(worst_first.iter_rows(named=True)):
        is_news = row["state"] != "clear" and number < MOST_FINDINGS
        if is_news or (opened and finding_key(rule, scope_of(rule, row)) in opened):
            rows.append(told(rule, row, now))
    return pl.DataFrame(rows, schema=dict(FINDINGS))


def over(alerts: pl.DataFrame, findings: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """Findings of open alerts about what was too much in a window in which there is nothing any more; columns FINDINGS."""
    by_name = {rule.name: rule for rule in rules if rule.above is not None and rule.measured.is_of_window}
    gone = alerts.filter(pl.col("rule").is_in(list(by_name)), ~pl.col("key").is_in(findings["key"].implode()))
    rows = []
    for alert in gone.iter_rows(named=True):
        rule = by_name[alert["rule"]]
        same = {name: alert[name] for name in FINDINGS if name in alert}
        rows.append(same | {"state": "clear"} | {name: getattr(rule, name) for name in LASTING})
    return pl.DataFrame(rows, schema=dict(FINDINGS))


LASTING = ("for_seconds", "clear_seconds", "cooldown_seconds")
"""How long what a rule finds must last, or rest."""


def past_of(window: str) -> str:
    """The name of the week before a window."""
    return f"before {window}"


def values_of(rule: Rule, sums: pl.DataFrame, measured: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """A row a group: what it is split by, `value`, `observations`, `bad`, and of the past `before`."""
    metric = rule.measured
    if metric.value is None:
        mine = measured.filter(pl.col("metric") == rule.metric)
        worst = pl.max("value") if rule.above else pl.min("value")
        return (
            scoped(rule, mine)
            .group_by(*rule.by or [pl.lit(0).alias("all")])
            .agg(value=worst, observations=pl.sum("n"), bad=pl.lit(None, dtype=pl.Int64), before=pl.lit(None, dtype=pl.Float64))
        )
    mine = scoped(rule, sums.filter(pl.col("source") == metric.source))
    added = [*(pl.sum(name) for name in (*COUNTS, *TOTALS)), *(pl.max(name) for name in LARGEST)]
    keys = ["window", *rule.by]
    bad = pl.col(metric.bad) if metric.bad else pl.lit(None, dtype=pl.Int64)
    values = (
        mine.group_by(keys)
        .agg(*added, pl.min("first_started"))
        .filter(pl.max_horizontal("n", metric.observations) > 0)
        .select(*keys, "first_started", value=metric.value.cast(pl.Float64), observations=pl.col(metric.observations), bad=bad)
    )
    lately = values.filter(pl.col("window") == rule.window)
    if not rule.has_past:
        return lately.with_columns(before=pl.lit(None, dtype=pl.Float64))
    before = expected(rule, values.filter(pl.col("window") == past_of(rule.window)), now)
    found = lately.drop("first_started").with_columns(all=pl.lit(0))
    joined = before.with_columns(all=pl.lit(0)).join(
        found, on=["all", *rule.by], how="left" if rule.is_of_too_little else "inner"
    )
    if not rule.is_of_too_little:
        return joined
    is_known = pl.col("observations").is_null() | (pl.col("observations") > 0)  # what has no price is not free
    return joined.filter(is_known).with_columns(pl.col("value", "observations").fill_null(0))


def expected(rule: Rule, past: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Who has a past, with `before`: how it was in the week before, of a sum in so long a time as the window is."""
    known = past.filter(pl.col("observations") >= rule.min_observations) if rule.compare == "past" else past
    if not rule.measured.is_sum:
        return known.select(*rule.by, before="value")
    _, until = week_before(rule.window, now)
    lasted = pl.lit(until) - pl.col("first_started")
    part = (now - since(rule.window, now)).total_seconds() / lasted.dt.total_seconds()
    return known.filter(lasted >= LEAST_PAST).select(*rule.by, before=pl.col("value") * part)


def scoped(rule: Rule, frame: pl.DataFrame) -> pl.DataFrame:
    """Only what the rule is about; what is split by must be known."""
    chosen = [pl.col(name).is_in(list(values)) for name, values in rule.scope.items()]
    return frame.filter(*chosen, *(pl.col(name) != "" for name in rule.by))


def compared(rule: Rule, values: pl.DataFrame) -> pl.DataFrame:
    """With `compared`: what the levels are of."""
    if rule.compare == "value":
        return values.with_columns(compared="value")
    by = values.filter(pl.col("before") > 0)
    return by.with_columns(compared=pl.col("value") / pl.col("before"))


def with_state(rule: Rule, values: pl.DataFrame) -> pl.DataFrame:
    """With `severity`, the worst whose level is passed, `level`, and `state`."""
    passed = {severity: passes(rule, severity, values) for severity in SEVERITIES if severity in rule.levels}
    mildest = next(iter(passed))
    severity, level = pl.lit(mildest), pl.lit(rule.levels[mildest])
    raised = pl.lit(value=False)
    for name, sure in passed.items():
        severity = pl.when(sure).then(pl.lit(name)).otherwise(severity)
        level = pl.when(sure).then(pl.lit(rule.levels[name])).otherwise(level)
        raised = raised | pl.lit(sure)
    held = beyond(rule, rule.levels[mildest], rule.hysteresis)
    state = pl.when(raised).then(pl.lit("raised")).when(held).then(pl.lit("held")).otherwise(pl.lit("clear"))
    return values.with_columns(severity=severity, level=level, state=state)


def beyond(rule: Rule, level: float, slack: float = 0.0) -> pl.Expr:
    """Whether a value lies beyond a level, which is moved by a part of itself (of its distance to 1, if the good is counted)."""
    value = pl.col("compared")
    if rule.above is not None:
        return value > level * (1 - slack)
    if rule.measured.is_inverse:
        return 1 - value > (1 - level) * (1 - slack)
    return value < level * (1 + slack)


def passes(rule: Rule, severity: str, values: pl.DataFrame) -> pl.Series:
    """Whether each value lies beyond the level; a rate surely so, by a binomial test."""
    level = dict(rule.levels)[severity]  # type: ignore[index]
    found = values.select(it=beyond(rule, level))["it"]
    if rule.measured.bad is None or rule.compare != "value" or values.is_empty():
        return found
    rate = 1 - level if rule.measured.is_inverse else level
    wrong, seen = values["bad"].to_numpy(), values["observations"].to_numpy()
    chance = bdtrc(wrong - 1, seen, rate) if rule.above is not None or rule.measured.is_inverse else bdtr(wrong, seen, rate)
    return found & pl.Series(np.atleast_1d(chance) <= 1 - rule.confidence)


def scope_of(rule: Rule, row: Mapping[str, object]) -> dict[str, str]:
    """What a row is about."""
    return {name: str(row[name]) for name in rule.by}


def finding_key(rule: Rule, scope: Mapping[str, str]) -> str:
    """The key of what a rule finds there: rules of a group share that of the agent."""
    about = {"agent_id": scope["agent_id"]} if rule.group and "agent_id" in scope else scope
    return key_of(rule.group or rule.name, about)


def told(rule: Rule, row: Mapping[str, object], now: datetime) -> dict[str, object]:
    """A finding of FINDINGS."""
    scope = scope_of(rule, row)
    evidence = {"metric": rule.metric, "value": row["value"], "level": row["level"], "observations": row["observations"]}
    evidence |= {"window": rule.window, "compare": rule.compare}
    evidence |= {"before": row["before"], "ratio": row["compared"]} if rule.compare != "value" else {}
    evidence |= {"agents": [scope["agent_id"]], "group": rule.group} if "agent_id" in scope else {}
    return {
        "key": finding_key(rule, scope),
        "state": row["state"],
        "rule": rule.name,
        "severity": row["severity"],
        "agent_id": scope.get("agent_id", ""),
        "scope": as_json(scope),
        "title": of_level(rule, row, scope),
        "evidence": as_json(evidence),
        "recommended_action": rule.recommended_action,
        "cause": "",
        "started_at": now.replace(second=0, microsecond=0),
        **{name: getattr(rule, name) for name in LASTING},
    }
