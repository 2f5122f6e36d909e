"""Adds up scored tasks by agent: by the minute for the newest hours, by the hour and by the day for what is older.

Model calls are added up likewise, of rows that `exporters.calls` has made of each task.

So one task more in a busy hour costs adding up its agent's minute, not the hour. An agent's minute (hour, day) is added up
again, from the tasks themselves, when a task in it was scored. What lies before a boundary is read from the coarser sums:
these are stored before the boundary is moved, so that a reader finds all of them on one side or the other.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from exporters import scores
from exporters.calls import taken_since
from exporters.scores import (
    CALLS,
    DAYS,
    FOUR_DAYS,
    FOURS,
    HOURS,
    MINUTES,
    MODEL_DAYS,
    MODEL_HOURS,
    MODEL_WORK_DAYS,
    MODEL_WORK_HOURS,
    TASKS,
    WORK_DAYS,
    WORK_FOURS,
    WORK_HOURS,
    Level,
    Progress,
)
from exporters.store import Store

LINGER = timedelta(hours=1)
"""How long an hour that is over is still kept by the minute."""
LONG_AGO = timedelta(days=1)
"""Minutes may have expired after this: hours of what is older are made of tasks."""
AT_ONCE = 8 * FOUR_DAYS
"""Days that are added up by four of them together: a year of many agents would want more memory than there is."""


class Width(NamedTuple):
    """How long a time is added up."""

    begin: Callable[[datetime], datetime]
    """When that began which a moment lies in."""
    length: timedelta


HOUR = Width(scores.whole_hour, timedelta(hours=1))
DAY = Width(scores.whole_day, timedelta(days=1))
FOUR = Width(scores.whole_four_days, FOUR_DAYS)

Pairs = Sequence[tuple[str, Level]]
"""What is added up of what, in this order."""
WORK_BY_HOUR: Pairs = ((TASKS, HOURS), (HOURS.view, WORK_HOURS))
WORK_BY_DAY: Pairs = ((HOURS.view, DAYS), (DAYS.view, WORK_DAYS))
WORK_BY_FOUR_DAYS: Pairs = ((DAYS.view, FOURS), (DAYS.view, WORK_FOURS))
CALLS_BY_HOUR: Pairs = ((CALLS, MODEL_HOURS), (MODEL_HOURS.view, MODEL_WORK_HOURS))
CALLS_BY_DAY: Pairs = ((MODEL_HOURS.view, MODEL_DAYS), (MODEL_DAYS.view, MODEL_WORK_DAYS))


def boundaries(progress: Progress, now: datetime) -> Progress:
    """`progress` with the boundaries as they should be by now."""
    hour = scores.whole_hour(now - LINGER)
    day = scores.whole_day(hour)
    return progress._replace(hourly_until=hour, daily_until=day, fours_until=scores.whole_four_days(day))


def add_up(store: Store, progress: Progress, done: int, version: int, now: datetime, *, moved: bool) -> Progress:
    """Bring all sums up to date.

    Args:
        store: where scores and sums are.
        progress: where the boundaries are.
        done: the version up to which everything has been added up.
        version: of the sums.
        now: for where the boundaries should be.
        moved: whether a task may have left the group in which it was added up before.

    Returns:
        `progress` with the boundaries where they are now.
    """
    touched = scores.scored_since(store, done)
    if touched:
        since, until = touched
        if until > progress.hourly_until:
            scores.roll_up(store, TASKS, MINUTES, max(since, progress.hourly_until), until, done, version, dropping=moved)
        again = partial(add_up_again, store, touched, done, version)
        if again(WORK_BY_HOUR, HOUR, progress.hourly_until):
            progress = progress._replace(hours_version=version)
        if again(WORK_BY_DAY, DAY, progress.daily_until):
            progress = progress._replace(days_version=version)
        again(WORK_BY_FOUR_DAYS, FOUR, progress.fours_until)
    calls_touched = taken_since(store, done)  # calls of the newest hours are read task by task
    if calls_touched:
        again = partial(add_up_again, store, calls_touched, done, version)
        again(CALLS_BY_HOUR, HOUR, progress.hourly_until)
        again(CALLS_BY_DAY, DAY, progress.daily_until)
    return fold_days(store, fold(store, progress, version, now), version)


def add_up_again(
    store: Store, touched: tuple[datetime, datetime], done: int, version: int, pairs: Pairs, width: Width, boundary: datetime
) -> bool:
    """Add up anew, by a width, what was touched before the boundary of its sums; whether anything was."""
    since, until = touched
    if since >= boundary:
        return False
    end = min(width.begin(until) + width.length, boundary)
    for source, into in pairs:
        scores.roll_up(store, source, into, width.begin(since), end, done, version)
    return True


def fold(store: Store, progress: Progress, version: int, now: datetime) -> Progress:
    """Add up minutes and hours that are old enough by the hour and the day, and move the boundaries."""
    ahead = boundaries(progress, now)
    if ahead.hourly_until <= progress.hourly_until:
        return progress
    since, until = progress.hourly_until, ahead.hourly_until
    minutes_or_tasks = TASKS if now - since > LONG_AGO else MINUTES.view
    for source, into in ((minutes_or_tasks, HOURS), *WORK_BY_HOUR[1:], *CALLS_BY_HOUR):
        scores.roll_up(store, source, into, since, until, 0, version, everything=True)
    if ahead.daily_until > progress.daily_until:
        for source, into in (*WORK_BY_DAY, *CALLS_BY_DAY):
            scores.roll_up(store, source, into, progress.daily_until, ahead.daily_until, 0, version, everything=True)
    return ahead._replace(fours_until=progress.fours_until)


def fold_days(store: Store, progress: Progress, version: int) -> Progress:
    """Add up days that are over by four of them, those of before an upgrade too, and move the boundary."""
    ahead = scores.whole_four_days(progress.daily_until)
    if ahead <= progress.fours_until:
        return progress
    begin = max(progress.fours_until, scores.whole_four_days(scores.first_day(store) or ahead))
    while begin < ahead:
        end = min(begin + AT_ONCE, ahead)
        for source, into in WORK_BY_FOUR_DAYS:
            scores.roll_up(store, source, into, begin, end, 0, version, everything=True)
        begin = end
    return progress._replace(fours_until=ahead)
