"""What may be asked: the query parameters, shared by the routes that take them.

Each route takes one model, so that an unknown parameter is refused: a misspelt filter that is silently ignored would
answer another question than the one that was asked.
"""

from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AwareDatetime, BaseModel, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from processors.sent import Sent

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)
"""Clocks of senders may be this far ahead: spans beyond are rejected at the door."""

Values = Annotated[tuple[Annotated[str, Field(max_length=1024)], ...], Field(max_length=100)]
Statuses = Annotated[tuple[Literal["running", "interrupted", "succeeded", "failed"], ...], Field(max_length=100)]


class Period(NamedTuple):
    """From `since` (included) to `until` (excluded)."""

    since: datetime
    until: datetime


class Question(Sent):
    """The parameters of a route; any other is refused, with the nearest known one."""

    @model_validator(mode="before")
    @classmethod
    def _known(cls, data: Any) -> Any:
        known = known_to(cls)
        for name in data if isinstance(data, dict) else ():
            if name not in known:
                told = {"parameter": name, "found": name, "advice": advice(cls, name)}
                raise PydanticCustomError("unknown_parameter", "{advice}", told)
        return data


LONGEST_NAME = 100
"""For longer ones nothing alike is looked for: that takes time by the length."""


def known_to(question: type[BaseModel]) -> list[str]:
    """The parameters that `question` takes, as they are written."""
    return sorted(field.alias or name for name, field in question.model_fields.items())


def advice(question: type[BaseModel], name: str) -> str:
    """What to write instead of the unknown parameter `name`."""
    known = known_to(question)
    near = get_close_matches(name, known, n=1) if len(name) <= LONGEST_NAME else []
    if near:
        return f"unknown parameter, did you mean {near[0]}?"
    return f"unknown parameter, known are {', '.join(known)}" if known else "unknown parameter, this route takes none"


class Windowed(Question):
    """A stretch of time."""

    since: AwareDatetime | None = None
    """Only what started at or after this time (RFC 3339, for example `2026-01-31T08:00:00Z`)."""
    until: AwareDatetime | None = None
    """Only what started before this time (RFC 3339)."""
    window: Annotated[str | None, Field(examples=["30d"])] = None
    """Instead of `since`: how far back from `until` (or now), as `15m`, `24h`, `7d` or `4w`; from a day on from the hour."""

    @field_validator("window")
    @classmethod
    def _readable(cls, window: str | None) -> str | None:
        if window is not None:
            duration(window)
        return window

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.window:
            raise ValueError("since and window say the same thing twice: leave one out")
        if self.since and self.until and self.since >= self.until:
            raise ValueError("since lies at or after until: nothing can match, swap them")
        return self

    @property
    def is_explicit(self) -> bool:
        """Whether a window was asked for."""
        return any((self.since, self.until, self.window))

    def period(self, now: datetime, default: timedelta | None) -> Period:
        """The stretch asked for; from `default` ago (None: everything kept) where nothing is said.

        A window of a day or more begins with an hour: what is added up by the hour then tells of all of it.
        """
        until = min(max(self.until or now + AHEAD, EARLIEST), LATEST)
        back = duration(self.window) if self.window else default
        since = self.since or (EARLIEST if back is None else (self.until or now) - min(back, until - EARLIEST))
        if not self.since and back is not None and back >= AHEAD:
            since = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return Period(min(max(since, EARLIEST), LATEST), until)


def duration(window: str) -> timedelta:
    """`15m`, `24h`, `7d` or `4w` as a timedelta; ValueError if it is none."""
    number, unit = window[:-1], window[-1:]
    if unit not in UNITS or not (number.isascii() and number.isdigit() and 1 <= len(number) <= 5 and int(number)):
        raise ValueError("not a window: write a whole number and m, h, d or w, for example 30d")
    return int(number) * UNITS[unit]


class Chosen(Windowed):
    """Which work is meant. Each may be given several times (any of them); an empty value means unknown."""

    category: Values = ()
    """Only tasks of this category; may be repeated."""
    model: Values = ()
    """Only where this model answered; may be repeated."""
    provider: Values = ()
    """Only where this provider was called; may be repeated."""
    department: Values = ()
    """Only work that was done for this department, whatever department the agent is of now; may be repeated."""
    service: Values = ()
    """Only this service (`service.name`); may be repeated."""
    user_id: Values = ()
    """Only on behalf of this user; may be repeated."""

    def choice(self) -> dict[str, Any]:
        """The filters as parameters of a question."""
        return {name: list(value) for name in type(self).model_fields if isinstance(value := getattr(self, name), tuple)}


class ChosenAgents(Chosen):
    """Which work is meant, and whose."""

    agent_id: Values = ()
    """Only work of this agent; may be repeated."""


class Paged(Question):
    """A page of a list."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    """How many at most."""
    cursor: Annotated[str | None, Field(max_length=2048)] = None
    """`next_cursor` of the page before. Ask with the same filters."""


class Traced(Question):
    """Chosen by trace."""

    trace_id: Values = ()
    """Only this trace; may be repeated. Without `since` or `window` then everything that is kept is searched."""


def bound(moment: datetime) -> str:
    """`moment` as ClickHouse reads a DateTime64 in UTC, microseconds kept."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
