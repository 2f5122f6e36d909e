"""One alert for one cause: changes that have the same cause, in whichever agent they are felt, become one finding."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import polars as pl

from processors.alerts.causes import Cause, scope_of
from processors.alerts.changes import MEASURES
from processors.alerts.frames import FINDINGS, SEVERITIES, Severity, as_json, key_of
from processors.alerts.rules import Rule
from processors.alerts.titles import of_changes

Row = dict[str, Any]

RULE_OF = {one.name: f"{one.name}_change" if one.worse else "improvement" for one in MEASURES}
"""The metric of a rule by the measure that it is told by."""
CRITICAL_FAILURES = 0.4
CRITICAL_RATIO = 3.0
CRITICAL_SCORE = 0.3
MOST_TOLD = 50
"""Changes shown in one alert."""
STATES = ("clear", "held", "raised")


def allowed(rules: Iterable[Rule]) -> dict[str, Rule]:
    """By measure: the rule that watches it."""
    by_metric = {rule.metric: rule for rule in rules if rule.enabled and rule.measured.source == "change"}
    return {measure: by_metric[metric] for measure, metric in RULE_OF.items() if metric in by_metric}


def watched(changes: pl.DataFrame, rules: Mapping[str, Rule]) -> pl.DataFrame:
    """Those of `changes` that a rule watches. An agent that got worse has not improved by that."""
    kept = [one for measure, rule in rules.items() if not (one := within(changes, measure, rule)).is_empty()]
    both = pl.concat([changes.clear(), *kept])
    worse = [one.name for one in MEASURES if one.worse]
    bad = both.filter(pl.col("measure").is_in(worse), pl.col("state") != "clear")["agent_id"].unique()
    return both.filter(pl.col("measure").is_in(worse) | ~pl.col("agent_id").is_in(bad.implode()))


def within(changes: pl.DataFrame, measure: str, rule: Rule) -> pl.DataFrame:
    """The changes of one measure in the scope of its rule."""
    chosen = [pl.col(name).is_in(list(values)) for name, values in rule.scope.items()]
    return changes.filter(pl.col("measure") == measure, *chosen)


def findings_of_changes(
    changes: pl.DataFrame, causes: Mapping[tuple[str, str, str], Cause], rules: Mapping[str, Rule], alerts: pl.DataFrame
) -> pl.DataFrame:
    """Findings of changes, columns FINDINGS.

    Args:
        changes: columns CHANGES, from `watched`.
        causes: by agent, category and measure.
        rules: by measure.
        alerts: columns ALERTS: those that are open.
    """
    homes = homes_of(alerts)
    grouped: dict[str, tuple[dict[str, str], list[Row]]] = {}
    for row in changes.filter(pl.col("state") != "clear").iter_rows(named=True):
        found = causes.get((row["agent_id"], row["category"], row["measure"]))
        group = rules[row["measure"]].group or rules[row["measure"]].name
        home = homes.get((group, row["agent_id"]))
        scope = home[1] if home else scope_of(found, row["agent_id"])
        key = home[0] if home else key_of(group, scope)
        if row["state"] != "raised" and (home is None or not is_told(row, home[2])):
            continue
        grouped.setdefault(key, (scope, []))[1].append(row | {"cause": found})
    told = [finding(key, scope, rows, rules) for key, (scope, rows) in grouped.items()]
    seen = set(changes["agent_id"])
    over = {home[0]: (home, agent) for (_, agent), home in homes.items() if agent in seen and home[0] not in grouped}
    told += [cleared(home[2]) for home, _ in over.values()]
    return pl.DataFrame(told, schema=dict(FINDINGS))


Home = tuple[str, dict[str, str], Row]


def homes_of(alerts: pl.DataFrame) -> dict[tuple[str, str], Home]:
    """By group and agent: the open alert that tells of changes of that agent, with its key and scope."""
    homes: dict[tuple[str, str], Home] = {}
    for row in alerts.sort("started_at").iter_rows(named=True):
        evidence = json.loads(row["evidence"])
        if "changes" in evidence or evidence.get("group"):
            for agent in evidence.get("agents", []):
                homes[evidence.get("group", ""), agent] = (row["key"], json.loads(row["scope"]), row)
    return homes


def is_told(row: Row, alert: Row) -> bool:
    """Whether an alert tells of this change already."""
    same = ("agent_id", "category", "measure")
    told = json.loads(alert["evidence"]).get("changes", [])
    return any(all(one[name] == row[name] for name in same) for one in told)


def finding(key: str, scope: dict[str, str], rows: list[Row], rules: Mapping[str, Rule]) -> Row:
    """One finding of all changes of one cause."""
    worst = max(rows, key=lambda row: (STATES.index(row["state"]), SEVERITIES.index(severity(row)), row["surprise"]))
    rule = rules[worst["measure"]]
    agents = sorted({row["agent_id"] for row in rows})
    found: Cause | None = next((row["cause"] for row in (worst, *rows) if row["cause"]), None)
    place = {name: value for name, value in scope.items() if name != "agent_id"}
    evidence = {
        "group": rule.group or rule.name,
        "agents": agents[:MOST_TOLD],
        "changes": [shown(row) for row in sorted(rows, key=lambda row: -row["surprise"])[:MOST_TOLD]],
        "cause": found._asdict() if found else None,
        "traces": list(dict.fromkeys(trace for row in rows for trace in row["traces"]))[:10],
    }
    return {
        "key": key,
        "state": max((row["state"] for row in rows), key=STATES.index),
        "rule": rule.name,
        "severity": max((severity(row) for row in rows), key=SEVERITIES.index),
        "agent_id": agents[0] if len(agents) == 1 else "",
        "scope": as_json(place if len(agents) > 1 else place | {"agent_id": agents[0]}),
        "title": of_changes(agents, rows, str(found) if found else ""),
        "evidence": as_json(evidence),
        "recommended_action": rule.recommended_action,
        "cause": str(found) if found else "",
        "started_at": min(row["since"] for row in rows),
        "for_seconds": rule.for_seconds,
        "clear_seconds": rule.clear_seconds,
        "cooldown_seconds": rule.cooldown_seconds,
    }


def shown(row: Row) -> Row:
    """A change as evidence."""
    names = ("agent_id", "category", "measure", "before", "after", "n", "usual_n")
    since: datetime = row["since"]
    return {name: row[name] for name in names} | {"since": since.isoformat(timespec="seconds").replace("+00:00", "Z")}


def severity(row: Row) -> Severity:
    """How bad a change is."""
    if row["measure"] in ("faster", "cheaper", "better"):
        return "info"
    before, after = row["before"], row["after"]
    bad = {
        "success": after - before >= CRITICAL_FAILURES,
        "quality": before - after >= CRITICAL_SCORE,
    }.get(row["measure"], after >= CRITICAL_RATIO * before)
    return "critical" if bad else "warning"


def cleared(alert: Row) -> Row:
    """The finding that an open alert's condition does not hold any more."""
    same = {name: alert[name] for name in FINDINGS if name in alert}
    return same | {"state": "clear", "for_seconds": 0.0, "clear_seconds": 300.0, "cooldown_seconds": 1800.0}


def one_a_key(findings: pl.DataFrame, alerts: pl.DataFrame) -> pl.DataFrame:
    """At most one finding a key: the one that is raised, then the worst.

    What a group finds of an agent of which an open alert or another finding of the group tells already belongs there.
    """
    homes = {(group, agent): home[0] for (group, agent), home in homes_of(alerts).items()}
    for row in findings.filter(pl.col("state") != "clear").iter_rows(named=True):
        evidence = json.loads(row["evidence"])
        if evidence.get("group") and "changes" in evidence:
            homes |= {(evidence["group"], agent): row["key"] for agent in evidence["agents"]}
    order = pl.col("state").replace_strict({state: i for i, state in enumerate(STATES)}, return_dtype=pl.Int8)
    worst = pl.col("severity").replace_strict({one: i for i, one in enumerate(SEVERITIES)}, return_dtype=pl.Int8)
    moved = [homes.get(pair, key) for key, pair in zip(findings["key"], places(findings), strict=True)]
    both = findings.with_columns(key=pl.Series(moved, dtype=pl.String))
    return both.sort(order, worst, descending=True, maintain_order=True).unique("key", keep="first", maintain_order=True)


def places(findings: pl.DataFrame) -> list[tuple[str, str]]:
    """The group and the agent of each finding, empty where it stands alone."""
    groups = [json.loads(text).get("group", "") for text in findings["evidence"]]
    return list(zip(groups, findings["agent_id"], strict=True))
