"""What is told: one event in the words of its route, several as a digest."""

import string
from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any

Row = dict[str, Any]

FIELDS = (
    *("event", "event_id", "at", "by", "note", "alert_id", "rule", "severity", "status", "agent_id", "scope", "title"),
    *("evidence", "recommended_action", "cause", "started_at"),
)
"""What is told of what happened, and of its alert."""
NAMES = (*FIELDS, "traces")
"""What a template may name: these, and some traces to look at."""
TITLE = "[{severity}] {title} ({event})"
BODY = """{title}
{event} at {at}, since {started_at}
about: {scope}
cause: {cause}
what to do: {recommended_action}
traces to look at: {traces}
{note}
alert {alert_id}, rule {rule}"""
MOST_LISTED = 50
"""Of a digest with more, the rest is counted."""
MOST_TRACES = 5
MOST_CHARACTERS = 500
"""Of one field."""


def refuse_bad_template(template: str) -> str:
    """The template, if it is one; raises ValueError with what to change."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"is no template ({error}): write fields as {{title}}, and a brace of its own twice") from None
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if name not in NAMES:
            near = get_close_matches(name, NAMES, n=1)
            hint = f"did you mean {{{near[0]}}}?" if near else f"known are {', '.join(NAMES)}"
            raise ValueError(f"knows no {{{name}}}: {hint}")
        if form or conversion:
            raise ValueError(f"{{{name}}} takes neither a format nor a conversion: write {{{name}}}")
    return template


def filled(template: str, event: Row) -> str:
    """The template with what is told; lines that come out empty are left out."""
    traces = ", ".join(event["evidence"].get("traces", ())[:MOST_TRACES])
    told = {name: shown(event[name]) for name in FIELDS} | {"traces": traces}
    return "\n".join(line for line in template.format(**told).splitlines() if line.strip().rstrip(":").strip())


def shown(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(value, dict):
        return ", ".join(f"{name} {inside}" for name, inside in value.items())[:MOST_CHARACTERS]
    return "" if value is None else str(value)[:MOST_CHARACTERS]


def message(events: Sequence[Row], title: str, body: str, key: str) -> tuple[str, str]:
    """Title and body for people; the key stands at the end, so that who gets it twice can tell."""
    if len(events) == 1:
        return one_line(filled(title, events[0])), f"{filled(body, events[0])}\n({key})"
    lines = [f"{shown(one['at'])}  {one_line(filled(TITLE, one))}" for one in events[:MOST_LISTED]]
    more = [f"and {len(events) - MOST_LISTED} more"] if len(events) > MOST_LISTED else []
    about = len({one["alert_id"] for one in events})
    return f"Merit: {len(events)} things happened to {about} alert{'s'[: about > 1]}", "\n".join([*lines, *more, f"({key})"])


def one_line(text: str) -> str:
    """Text without line ends, which have a meaning of their own in a subject."""
    return " ".join(text.split())[:MOST_CHARACTERS]


def document(events: Sequence[Row], key: str, route: str) -> Row:
    """What a webhook is sent, as JSON."""
    told = [{name: rfc3339(one[name]) for name in FIELDS} for one in events]
    return {"key": key, "route": route, "events": told}


def rfc3339(value: Any) -> Any:
    """A value of JSON: times as everywhere in the API."""
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value


def preview(now: datetime) -> Row:
    """An event that nobody need worry about, to see whether a route works."""
    about = {"alert_id": "preview", "rule": "preview", "severity": "info", "status": "firing", "agent_id": "", "silenced": False}
    said = {"title": "A preview of Merit's alerts: nothing is wrong", "cause": "merit alerts test", "recommended_action": "none"}
    rest = {"event": "fired", "by": "merit", "note": "", "scope": {}, "evidence": {}, "started_at": now, "at": now}
    return about | said | rest | {"event_id": f"preview-{now:%Y%m%dT%H%M%S%f}"}
