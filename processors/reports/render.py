"""A report as Markdown and as HTML: one file that needs nothing from elsewhere, without scripts, its charts drawn in it."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from processors.reports import words
from processors.reports.charts import Chart, Scored, Series, columns, ranked

Report = Mapping[str, Any]
"""What `GET /v1/reports/{kind}` answers as JSON."""

MOST_DRAWN = 15
FILTERS = (
    "money",
    "percent",
    "seconds",
    "number",
    "points",
    "score",
    "said",
    "differs",
    "change",
    "signed_money",
    "moved",
    "one_line",
    "local",
    "agent",
    "counted",
    "judged",
    "told_alert",
)
MEASURES = (
    ("Tasks", "number", 0, "tasks"),
    ("Success rate", "percent", 1, "success_rate"),
    ("Mean duration", "seconds", -1, "avg_duration_seconds"),
    ("Quality", "score", 1, "quality"),
    ("Cost", "money", -1, "cost_usd"),
    ("Cost per success", "money", -1, "cost_per_success_usd"),
    ("Tokens", "number", 0, "total_tokens"),
    ("Active agents", "number", 0, "active_agents"),
)
"""Totals: what each is called, how it is said, whether more is better (1), worse (-1) or neither, and its name in the report."""
SPANS = {"daily": "day", "weekly": "week", "monthly": "month"}


def title(report: Report) -> str:
    """`Merit, daily report of 2026-01-30`."""
    return f"Merit: {report['kind']} report of {days(report)}"


def days(report: Report) -> str:
    """The day, or the first and the last."""
    first, last = report["first_day"], report["last_day"]
    return first if first == last else f"{first} to {last}"


def html(report: Report) -> str:
    """The report as a page. Whatever names hold is text there."""
    return environment().get_template("report.html").render(shown(report) | {"charts": list(charts(report).values())})


def markdown(report: Report) -> str:
    """The report as Markdown."""
    return plain_environment().get_template("report.md").render(shown(report)).strip() + "\n"


def shown(report: Report) -> dict[str, Any]:
    """What both forms show."""
    known = [row for row in report["ranks_moved"] if row["is_sure"] or not row["probation"]]
    return {
        "report": report,
        "title": title(report),
        "span": SPANS[report["kind"]],
        "measures": [(called, form, good, report[name]) for called, form, good, name in MEASURES],
        "climbed": sorted(known, key=lambda row: not row["is_sure"]),
    }


def charts(report: Report) -> dict[str, Chart]:
    """The charts of a report in which anything happened."""
    if report["empty"]:
        return {}
    zone = ZoneInfo(report["time_zone"])
    form = "%H" if report["kind"] == "daily" else "%d"
    series = report["series"]
    labels = [datetime.fromisoformat(step["started_at"]).astimezone(zone).strftime(form) for step in series]
    done = [Series(kind, [step[kind] for step in series]) for kind in ("succeeded", "failed")]
    other = Series("unfinished", [step["tasks"] - step["succeeded"] - step["failed"] for step in series])
    drawn = {"tasks": columns("Tasks", labels, [*done, other])}
    if any(step["cost_usd"] for step in series):
        drawn["cost"] = columns("Cost", labels, [Series("cost", [step["cost_usd"] for step in series])], "$")
    scored = [
        Scored(words.agent(row), row["performance"], row["score_low"], row["score_high"])
        for row in report["agents"][:MOST_DRAWN]
        if row["performance"] is not None
    ]
    return drawn | ({"agents": ranked("Performance, with 90 % intervals", scored, 100)} if scored else {})


@cache
def environment() -> Environment:
    """Templates whose values are escaped."""
    return with_words(Environment(autoescape=True, **options()))


@cache
def plain_environment() -> Environment:
    """Templates of Markdown; names go through the filter `markdown`."""
    made = with_words(Environment(autoescape=False, **options()))  # noqa: S701 - names are escaped by a filter of ours
    made.filters["markdown"] = words.markdown
    return made


def options() -> dict[str, Any]:
    """What both have in common: a name that is not there is a defect and not an empty text."""
    loader = PackageLoader("processors.reports")
    return {"loader": loader, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}


def with_words(made: Environment) -> Environment:
    """Templates that say numbers as reports do."""
    made.filters |= {name: getattr(words, name) for name in FILTERS}
    return made
