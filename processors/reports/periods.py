"""Which days a report is about.

Days, weeks (from Monday) and months are those of a time zone, so a day may have 23 or 25 hours.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

Kind = Literal["daily", "weekly", "monthly"]
KINDS: tuple[Kind, ...] = ("daily", "weekly", "monthly")

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Period(NamedTuple):
    """A day, a week or a month, and the one before it."""

    kind: Kind
    first: date
    """Its first day."""
    after: date
    """The first day after it."""
    before: datetime
    """When the period before begins, in UTC."""
    since: datetime
    """When it begins."""
    until: datetime
    """When it ends."""
    steps: tuple[datetime, ...]
    """When each hour of the day, or day of the week or month, begins."""


def period(kind: Kind, day: date, zone: ZoneInfo) -> Period:
    """The period of this kind in which `day` lies."""
    first = first_day(kind, day)
    after = first_day(kind, first + 31 * DAY) if kind == "monthly" else first + (7 * DAY if kind == "weekly" else DAY)
    since, until = midnight(first, zone), midnight(after, zone)
    if kind == "daily":
        steps = tuple(since + n * HOUR for n in range(-((since - until) // HOUR)))
    else:
        steps = tuple(midnight(first + n * DAY, zone) for n in range((after - first).days))
    return Period(kind, first, after, midnight(first_day(kind, first - DAY), zone), since, until, steps)


def first_day(kind: Kind, day: date) -> date:
    """The first day of the period in which `day` lies."""
    if kind == "weekly":
        return day - day.weekday() * DAY
    return day.replace(day=1) if kind == "monthly" else day


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins, in UTC; where clocks go forward at midnight, the moment when they do."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def last_complete(kind: Kind, now: datetime, zone: ZoneInfo) -> Period:
    """The last period that is over."""
    return period(kind, first_day(kind, now.astimezone(zone).date()) - DAY, zone)


def last_due(kind: Kind, now: datetime, zone: ZoneInfo, at: time) -> tuple[Period, datetime]:
    """The last period whose report is due, and since when: at this time of the first day after it."""
    found = last_complete(kind, now, zone)
    due = datetime.combine(found.after, at, zone).astimezone(UTC)
    if due > now:
        found = period(kind, found.first - DAY, zone)
        due = datetime.combine(found.after, at, zone).astimezone(UTC)
    return found, due
