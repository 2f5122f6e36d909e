"""/v1/silences: when nobody is told of which alerts."""

import json
from datetime import UTC, timedelta
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field, StringConstraints, field_validator, model_validator

from processors.alerts.frames import SILENCES, as_json, digest
from processors.alerts.life import as_frame
from processors.alerts.rules import SCOPES, Values, known_scope
from processors.versions import version_at
from query_api.asking.answers import Answer, Row, Time, rows
from query_api.asking.filters import Question
from query_api.asking.problems import ProblemError, wrong
from query_api.asking.questions import Ask, Keep, Now
from query_api.tasks.tasks import Id

MOST = 1_000
LONGEST = timedelta(days=366)


class Wanted(Question):
    """A silence."""

    scope: Annotated[dict[str, Values], Field(default_factory=dict, max_length=len(SCOPES))]
    """Only alerts of these (`rule`, `severity`, `agent_id`, `category`, `provider`, `model`, `tool`, `department`,
    `service`), each a list; empty: all."""
    starts_at: AwareDatetime | None = None
    """When it begins; now if not said."""
    ends_at: AwareDatetime
    """When it ends."""
    by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = "api"
    """Who wants it."""
    note: Annotated[str, Field(max_length=2000)] = ""
    """Why."""

    @field_validator("scope")
    @classmethod
    def _known_scope(cls, scope: dict[str, Any]) -> dict[str, Any]:
        return known_scope(scope)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.starts_at and self.starts_at >= self.ends_at:
            raise ValueError("starts_at lies at or after ends_at: swap them")
        return self


class Silence(Answer):
    """When nobody is told of which alerts. They are kept and shown all the same."""

    silence_id: str
    """The silence."""
    scope: dict[str, list[str]]
    """Of which alerts; empty: all."""
    starts_at: Time
    """When it begins."""
    ends_at: Time
    """When it ends."""
    by: str
    """Who wants it."""
    note: str | None
    """Why."""


class Silences(Answer):
    """Silences that hold or will hold, the first to end first."""

    silences: list[Silence]
    """The silences."""
    next_cursor: None = None
    """Always null: all are shown."""


def routes(ask: Ask, keep: Keep, now: Now) -> APIRouter:
    """The routes below /v1/silences."""
    router = APIRouter(tags=["alerts"])

    @router.get("/v1/silences", response_model=Silences, summary="When nobody is told of which alerts")
    def silences(_: Annotated[Question, Query()]) -> Any:
        """Silences that hold or will hold."""
        return {"silences": shown(there(ask, now))}

    @router.post("/v1/silences", response_model=Silence, summary="Tell nobody of some alerts for a while")
    def silence(sent: Wanted) -> Any:
        """Begin a silence. The same sent twice is one."""
        moment = now()
        starts_at = sent.starts_at or moment
        if sent.ends_at <= moment or sent.ends_at - starts_at > LONGEST:
            raise wrong("ends_at", sent.ends_at.isoformat(), "must lie ahead, and at most a year after the beginning")
        if there(ask, now).height >= MOST:
            raise ProblemError(409, f"There are {MOST} silences already: end one first")
        said = sent.model_dump(mode="json", exclude={"starts_at"} if sent.starts_at is None else set())
        row = {
            "silence_id": digest(as_json(said)),
            "scope": as_json(said["scope"]),
            "starts_at": starts_at.astimezone(UTC),
            "ends_at": sent.ends_at.astimezone(UTC),
            "by": sent.by,
            "note": sent.note,
            "version": version_at(moment),
            "is_deleted": 0,
        }
        frame = as_frame([row], SILENCES)
        keep("silences", frame)
        return shown(frame)[0]

    @router.delete("/v1/silences/{silence_id}", response_model=Silences, summary="End a silence")
    def end(silence_id: Id, _: Annotated[Question, Query()]) -> Any:
        """End a silence before its time; who is to be told of alerts that still fire is told then."""
        mine = there(ask, now, silence_id)
        if mine.is_empty():
            raise ProblemError(404, f"There is no silence {silence_id[:200]!r}: GET /v1/silences lists them")
        row = mine.row(0, named=True)
        version = version_at(now(), row["version"])
        keep("silences", as_frame([row | {"version": version, "is_deleted": 1}], SILENCES))
        return {"silences": [one for one in shown(there(ask, now)) if one["silence_id"] != silence_id]}

    return router


def there(ask: Ask, now: Now, silence_id: str = "") -> Any:
    """Silences that have not ended, columns SILENCES: all, or one."""
    return ask("silences", {"now": now(), "silence_id": silence_id, "limit": MOST}, MOST)


def shown(frame: Any) -> list[Row]:
    """Silences as answers."""
    return [row | {"scope": json.loads(str(row["scope"]))} for row in rows(frame)]
