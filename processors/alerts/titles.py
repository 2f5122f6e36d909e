"""How an alert says in one line what is wrong. Names come from whoever sends spans: a line is all that they may be."""

from collections.abc import Mapping
from typing import Any

from processors.alerts.metrics import Unit
from processors.alerts.rules import Rule
from processors.reports.words import money, number, one_line, seconds

Row = Mapping[str, Any]

MOST_CHARACTERS = 60
"""Of a name."""
WHO = {"tasks": "all agents", "calls": "all agents", "agents": "all agents", "services": "all services", "merit": "Merit"}
WORDS = {
    "success": "fail{s} more often",
    "duration": "{is} slower",
    "cost": "{is} dearer",
    "quality": "{is} scored lower",
    "faster": "{is} faster",
    "cheaper": "{is} cheaper",
    "better": "{is} scored higher",
}
UNITS: Mapping[str, Unit] = {
    "success": "percent",
    "duration": "seconds",
    "faster": "seconds",
    "cost": "money",
    "cheaper": "money",
    "quality": "number",
    "better": "number",
}
"""What each measure of change detection is said in."""
LONG_SECONDS = 120
NAMED = 3
"""With more agents they are counted."""


def of_level(rule: Rule, row: Row, scope: Mapping[str, str]) -> str:
    """What a rule with a level has found: `support: 34.5 % of tasks succeed, below 80 %`."""
    metric = rule.measured
    who = ", ".join(name(value) for value in scope.values()) or WHO.get(metric.source, "all")
    what = f"{who}: {metric.says.format(said(row['value'], metric.unit))}"
    if rule.compare == "value":
        side = "above" if rule.above is not None else "below"
        return f"{what}, {side} {said(row['level'], metric.unit)}" if row["level"] else what
    of = "the budget" if rule.compare == "budget" else "the week before"
    time = f" in {rule.window}" if rule.compare == "past" and metric.is_sum else ""
    return f"{what}, {said(row['compared'], 'times')} {of} ({said(row['before'], metric.unit)}{time})"


def of_changes(agents: list[str], rows: list[dict[str, Any]], cause: str) -> str:
    """What change detection has found: `writer: fails more often (2 % to 40 %), because of tool search`."""
    who = " and ".join(name(agent) for agent in agents) if len(agents) <= NAMED else f"{len(agents)} agents"
    what = " and ".join(dict.fromkeys(change(row, is_one=len(agents) == 1) for row in rows[:NAMED]))
    return f"{who}: {what}" + (f", because of {one_line(cause)}" if cause else "")


def change(row: Row, *, is_one: bool) -> str:
    """One change in words, with its numbers where it is of one agent."""
    measure = str(row["measure"])
    if not is_one:
        return WORDS[measure].format_map({"s": "", "is": "are"})
    unit = UNITS[measure]
    words = WORDS[measure].format_map({"s": "s", "is": "is"})
    return f"{words} ({said(row['before'], unit)} to {said(row['after'], unit)})"


def said(value: float, unit: Unit) -> str:
    """A value with its unit."""
    if unit == "percent":
        return f"{100 * value:.3g} %"
    if unit == "times":
        return f"{value:.3g} times"
    if unit == "bytes_per_second":
        return f"{value / 1e6:,.4g} MB/s"
    if unit == "seconds" and value < LONG_SECONDS:
        return f"{value:.3g} s"
    return {"money": money, "seconds": seconds, "number": number}[unit](value)


def name(text: str) -> str:
    """A name in a title."""
    return one_line(text, MOST_CHARACTERS)
