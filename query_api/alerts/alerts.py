"""/v1/alerts: what is or was wrong, and what people say to it."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints, field_validator

from processors.alerts.frames import ALERT_EVENTS, ALERTS, MERIT, Event, Severity, Status
from processors.alerts.life import acknowledged, as_frame, event, resolved
from processors.versions import to_the_millisecond, version_at
from query_api.asking import cursors
from query_api.asking.answers import Answer, Row, Time, rows
from query_api.asking.filters import LATEST, Paged, Question, Values, Windowed, bound
from query_api.asking.problems import ProblemError
from query_api.asking.questions import Ask, Keep, Now
from query_api.tasks.tasks import Id

MONTH = timedelta(days=30)
MOST_EVENTS = 1_000
LAST_MS = int(LATEST.timestamp()) * 1000
TOLD: tuple[str, ...] = ("firing", "acknowledged", "resolved")

Statuses = Annotated[tuple[Status, ...], Field(max_length=100)]
Severities = Annotated[tuple[Severity, ...], Field(max_length=100)]


class ListedAlerts(Windowed, Paged):
    """Which alerts are meant. Each may be given several times (any of them)."""

    status: Statuses = ()
    """`firing`, `acknowledged` (somebody has seen it), `resolved`, or `pending` (it must last before it fires); all but
    `pending` if nothing is said. May be repeated."""
    severity: Severities = ()
    """`info`, `warning` or `critical`; may be repeated."""
    rule: Values = ()
    """Only of this rule; may be repeated."""
    agent_id: Values = ()
    """Only about this agent; may be repeated."""
    category: Values = ()
    """Only about this category; may be repeated."""
    model: Values = ()
    """Only about this model; may be repeated."""
    provider: Values = ()
    """Only about this provider; may be repeated."""
    department: Values = ()
    """Only about this department; may be repeated."""
    service: Values = ()
    """Only about this service; may be repeated."""


class Said(Question):
    """What somebody says to an alert."""

    by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = "api"
    """Who says it."""
    note: Annotated[str, Field(max_length=2000)] = ""
    """What there is to say."""

    @field_validator("by")
    @classmethod
    def _not_merit(cls, by: str) -> str:
        if by == MERIT:
            raise ValueError(f"{MERIT} is who does what nobody did by hand: use another name")
        return by


class Alert(Answer):
    """Something that is or was wrong."""

    alert_id: str
    """The alert."""
    rule: str = Field(examples=["success-change"])
    """The rule that found it."""
    severity: Severity
    """How bad it is, or was at its worst."""
    status: Literal["pending", "firing", "acknowledged", "resolved"]
    """Where it stands."""
    agent_id: str | None
    """Whom it is about, if it is about one agent."""
    scope: dict[str, Any]
    """What it is about: `agent_id`, `category`, `model`, `provider`, `tool`, `department`, `service`."""
    title: str
    """What is wrong, in one line."""
    evidence: dict[str, Any]
    """What it was told by: before, after, since when, how many observations, traces to look at."""
    recommended_action: str | None
    """What to do."""
    cause: str | None
    """What explains most of it."""
    started_at: Time
    """Since when it is so."""
    fired_at: Time | None
    """When it was told."""
    acknowledged_at: Time | None
    """When somebody said that they see to it."""
    acknowledged_by: str | None
    """Who said so."""
    resolved_at: Time | None
    """When it was over."""
    resolved_by: str | None
    """`merit` if it was over by itself, else who said so."""
    silenced: bool
    """Whether nobody is told of it, for a silence or a maintenance window."""


class AlertEvent(Answer):
    """What happened to an alert."""

    event_id: str
    """The event; the same however often it is told."""
    event: Literal["fired", "escalated", "unsilenced", "acknowledged", "resolved"]
    """What happened."""
    status: str
    """How the alert stood then."""
    severity: Severity
    """How bad it was then."""
    at: Time
    """When it happened."""
    by: str
    """`merit`, or who did it."""
    note: str | None
    """What was said."""
    silenced: bool
    """Whether nobody was told."""


class AlertWithEvents(Alert):
    """An alert and what happened to it."""

    events: list[AlertEvent]
    """In order."""


class Alerts(Answer):
    """A page of alerts."""

    alerts: list[Alert]
    """The newest first."""
    next_cursor: str | None
    """For the next page; null at the end."""


def routes(ask: Ask, keep: Keep, now: Now) -> APIRouter:
    """The routes below /v1/alerts."""
    router = APIRouter(tags=["alerts"])

    @router.get("/v1/alerts", response_model=Alerts, summary="What is or was wrong")
    def alerts(question: Annotated[ListedAlerts, Query()]) -> Any:
        """Alerts that began in the last 30 days, or in the window, the newest first; of those that are open alone, all."""
        frame, cursor = page(ask, question, now())
        return {"alerts": shown(frame), "next_cursor": cursor}

    @router.get("/v1/alerts/{alert_id}", response_model=AlertWithEvents, summary="One alert and what happened to it")
    def alert(alert_id: Id, _: Annotated[Question, Query()]) -> Any:
        """An alert with its evidence and its history."""
        return told(ask, known(ask, alert_id))

    @router.post("/v1/alerts/{alert_id}/acknowledge", response_model=AlertWithEvents, summary="Say that you see to an alert")
    def acknowledge(alert_id: Id, sent: Said | None = None) -> Any:
        """Acknowledge an alert that fires: nobody is told of it again until it gets worse. Twice changes nothing."""
        frame = known(ask, alert_id)
        if frame["status"].item() == "resolved":
            raise ProblemError(409, f"The alert {alert_id[:200]!r} is resolved: there is nothing to see to any more")
        return told(ask, said(keep, frame, "acknowledged", sent or Said(), now()))

    @router.post("/v1/alerts/{alert_id}/resolve", response_model=AlertWithEvents, summary="Say that an alert is over")
    def resolve(alert_id: Id, sent: Said | None = None) -> Any:
        """Resolve an alert, whatever is measured: how what it tells of has been since it began is taken for the usual.

        Twice changes nothing. An alert that is resolved by itself needs no such word.
        """
        return told(ask, said(keep, known(ask, alert_id), "resolved", sent or Said(), now()))

    return router


def page(ask: Ask, question: ListedAlerts, now: datetime) -> tuple[pl.DataFrame, str | None]:
    """A page of alerts, and the cursor of the next."""
    is_open = bool(question.status) and "resolved" not in question.status
    period = question.period(now, None if is_open else MONTH)
    position = (bound(period.since), LAST_MS, "")
    if question.cursor is not None:
        position = cursors.read("alerts", question, question.cursor, tuple[str, int, str])
    since, after_ms, after_id = position
    chosen: dict[str, Any] = {
        name: list(value) for name in type(question).model_fields if isinstance(value := getattr(question, name), tuple)
    }
    chosen |= {"status": list(question.status or TOLD), "since": since, "until": bound(period.until)}
    limit = question.limit + 1
    frame = ask("alerts", chosen | {"after_ms": min(after_ms, LAST_MS), "after_id": after_id, "limit": limit}, limit)
    if frame.height < limit:
        return frame, None
    frame = frame.head(question.limit)
    last = frame.tail(1).select(pl.col("started_at").dt.epoch("ms"), "alert_id").row(0)
    return frame, cursors.issue("alerts", question, (since, *last))


def known(ask: Ask, alert_id: str) -> pl.DataFrame:
    """The row of an alert, columns ALERTS; 404 if there is none."""
    frame = ask("alert", {"alert_id": alert_id}, 1)
    if frame.is_empty():
        raise ProblemError(404, f"There is no alert {alert_id[:200]!r}: GET /v1/alerts lists them")
    return frame


CHANGES: dict[Event, Callable[[Row, str, datetime], Row]] = {"acknowledged": acknowledged, "resolved": resolved}


def said(keep: Keep, frame: pl.DataFrame, what: Event, sent: Said, now: datetime) -> pl.DataFrame:
    """Keep what somebody says to an alert; the row as it is then. Nothing changes if it is so already."""
    row = frame.row(0, named=True)
    if row["status"] == "pending":
        raise ProblemError(409, f"The alert {row['alert_id']!r} has not fired yet: wait until it does, or silence it")
    if row["status"] == what:
        return frame
    now = to_the_millisecond(now)
    after = CHANGES[what](row, sent.by, now)
    after |= {"version": version_at(now, row["version"])}
    keep("alert_events", as_frame([event(after, what, now, sent.note, sent.by)], ALERT_EVENTS))
    kept = as_frame([after], ALERTS)
    keep("alerts", kept)
    return kept


def told(ask: Ask, frame: pl.DataFrame) -> Row:
    """An alert with its events, as an answer."""
    alert_id = frame["alert_id"].item()
    return shown(frame)[0] | {"events": rows(ask("alert_events", {"alert_id": alert_id, "limit": MOST_EVENTS}, MOST_EVENTS))}


def shown(frame: pl.DataFrame) -> list[Row]:
    """Alerts as answers."""
    return [row | {name: json.loads(str(row[name])) for name in ("scope", "evidence")} for row in rows(frame)]
