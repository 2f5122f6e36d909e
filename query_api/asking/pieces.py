"""Which sums tell of a stretch of time: whole days, hours and minutes where there are any, and single tasks at its edges."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Level(NamedTuple):
    """Sums over spans of time."""

    name: str
    """As parameters of questions are called."""
    table: str
    """Where they are."""
    width: timedelta
    """How long a span is; none for tasks, which are there one by one."""


FOURS = Level("fours", "agent_four_daily", timedelta(days=4))
DAYS = Level("days", "agent_daily", timedelta(days=1))
HOURS = Level("hours", "agent_hourly", timedelta(hours=1))
MINUTES = Level("minutes", "agent_minutely", timedelta(minutes=1))
TASKS = Level("tasks", "measured_tasks", timedelta(0))
LEVELS = (FOURS, DAYS, HOURS, MINUTES, TASKS)


class Reach(NamedTuple):
    """What is added up: a row of `sums_version`."""

    hourly_until: datetime
    """Hours before are added up by the hour, later ones by the minute."""
    daily_until: datetime
    """Days before are added up by the day."""
    fours_until: datetime = EPOCH
    """Days before are added up by four of them."""


class Piece(NamedTuple):
    """A part of a stretch that one level tells of."""

    level: Level
    begin: datetime
    end: datetime
    segment: int
    """How many cuts lie at or before it."""


def pieces(cuts: Sequence[datetime], reach: Reach, levels: Sequence[Level] = LEVELS) -> list[Piece]:
    """What is between the first and the last of `cuts`, in as few pieces as `levels`, the coarsest first, can tell of."""
    stretches = zip(cuts, cuts[1:], range(1, len(cuts)), strict=False)
    return sorted(piece for begin, end, segment in stretches for piece in split(begin, end, segment, reach, levels))


def split(begin: datetime, end: datetime, segment: int, reach: Reach, levels: Sequence[Level]) -> Iterator[Piece]:
    """One stretch: as much as the coarsest level can tell of, and what is left at both ends by the finer ones."""
    if begin >= end:
        return
    level, finer = levels[0], levels[1:]
    if not level.width:
        yield Piece(level, begin, end, segment)
        return
    untils = {FOURS: reach.fours_until, DAYS: reach.daily_until, HOURS: reach.hourly_until}
    known = {MINUTES: (reach.hourly_until, end)} | {coarse: (EPOCH, until) for coarse, until in untils.items()}
    first, last = max(up(begin, level.width), known[level][0]), min(down(end, level.width), known[level][1])
    if first >= last:
        yield from split(begin, end, segment, reach, finer)
        return
    yield from split(begin, first, segment, reach, finer)
    yield Piece(level, first, last, segment)
    yield from split(last, end, segment, reach, finer)


def down(moment: datetime, width: timedelta) -> datetime:
    """The last beginning of a span at or before."""
    return EPOCH + (moment - EPOCH) // width * width


def up(moment: datetime, width: timedelta) -> datetime:
    """The first beginning of a span at or after."""
    return EPOCH - (EPOCH - moment) // width * width
