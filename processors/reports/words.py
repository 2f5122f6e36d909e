"""How reports say numbers and names. Names come from whoever sends spans: nothing in them may become a link, markup or a ping."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

NOTHING = "–"
MOST_CHARACTERS = 120
MARKUP = re.compile(r"([\\`*_\[\]|#~])")
ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "@\u200b"})
"""Also of Slack's own markup; an @ that is followed by a space of no width calls nobody."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]+")
"""Line ends, and what turns the order of letters around."""


def one_line(text: Any, most: int = MOST_CHARACTERS) -> str:
    """A name as a line of text, shortened."""
    line = " ".join(CONTROL.sub(" ", str(text or "")).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def markdown(text: Any, most: int = MOST_CHARACTERS) -> str:
    """`text` so that Markdown shows it as it is."""
    escaped = MARKUP.sub(r"\\\1", one_line(text, most)).translate(ENTITIES)
    return re.sub(r"(?<=[a-z])://", "\u200b://", re.sub(r"\bwww\.", "www\u200b.", escaped))


def money(value: float | None) -> str:
    """`$12.30`, `$0.0042`, `–`."""
    if value is None:
        return NOTHING
    size = abs(value)
    digits = 2 if size >= 1 or size == 0 else 4 if size >= 0.01 else 6
    return f"{'-' if value < 0 else ''}${size:,.{digits}f}"


def percent(value: float | None) -> str:
    """`95.1 %`, `–`."""
    return NOTHING if value is None else f"{100 * value:.1f} %"


def seconds(value: float | None) -> str:
    """`2.1 s`, `3 min`, `–`."""
    if value is None:
        return NOTHING
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.1f} min"


def number(value: float | None) -> str:
    """`1,204`, `0.81`, `–`."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.2f}"


def score(value: float | None) -> str:
    """`0.81`, `–`."""
    return NOTHING if value is None else f"{value:.2f}"


def points(value: float | None) -> str:
    """`71.3`, `–`."""
    return NOTHING if value is None else f"{value:.1f}"


def said(value: float | None, form: str) -> str:
    """A number in the form `money`, `percent`, `seconds`, `score` or `number`."""
    return {"money": money, "percent": percent, "seconds": seconds, "score": score, "number": number}[form](value)


def change(value: float | None) -> str:
    """A ratio as `+8 %`; nothing where there is none."""
    return "" if value is None else f"{100 * value:+.0f} %"


def differs(measure: dict[str, Any], form: str) -> str:
    """How a measure differs from before: a share by percent points, all else by how much of itself."""
    if form == "percent":
        return "" if measure["change"] is None else f"{100 * measure['change']:+.1f} points"
    return change(measure["change_ratio"])


def signed_money(value: float) -> str:
    """`+$1.20`, `-$0.0042`."""
    return f"+{money(value)}" if value > 0 else money(value)


def moved(row: dict[str, Any]) -> str:
    """`▲ 2`, `▼ 1`, `new`, or nothing."""
    if row["rank"] is None:
        return ""
    by = row["moved"]
    return "new" if row["rank_before"] is None else f"{'▲' if by > 0 else '▼'} {abs(by)}" if by else ""


def agent(row: dict[str, Any]) -> str:
    """What an agent is called, in a table."""
    return one_line(row["agent_name"] or row["agent_id"], 60)


def counted(number: int, what: str) -> str:
    """`1 more agent`, `2 more agents`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def judged(measure: dict[str, Any], good: int) -> str:
    """`good` or `bad`, as a measure has changed by more than a hundredth; `good` says whether more of it is: 1, -1, or 0."""
    by = good * (measure["change_ratio"] or 0)
    return "good" if by > 0.01 else "bad" if by < -0.01 else ""


def told_alert(row: dict[str, Any], zone: str) -> str:
    """An alert in a line; its title names the cause, where one is known."""
    over = ", over" if row["resolved_at"] else ""
    return f"{one_line(row['title'], 500)}, since {local(row['started_at'], zone)}{over}"


def local(moment: str | None, zone: str) -> str:
    """RFC 3339 in UTC as people of a time zone read it."""
    if not moment:
        return NOTHING
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
