"""A past for the query benchmark: tasks, steps, calls, scores and jobs that the store makes itself, and the sums of them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from exporters import scores
from exporters.scores import MINUTES, TASKS, Progress
from exporters.store import Store
from merit.jobs.registry import Registry
from merit.jobs.sums import CALLS_BY_DAY, CALLS_BY_HOUR, WORK_BY_DAY, WORK_BY_FOUR_DAYS, WORK_BY_HOUR, boundaries
from processors.scoring.settings import ScoringSettings

ROWS = ("tasks", "nodes", "task_scores", "task_calls", "workflows")
DAY = timedelta(days=1)
PORTION, PORTION_WITH_SPANS = 100_000, 25_000
"""Tasks made by one statement: more at once, above all with their spans, want more memory than the engine has."""
DAYS_OF_SPANS = 2
"""Spans are made of the last days only: a trace is looked for in its own day, however many there are."""
LARGE = "1a46e0" * 5 + "00"
"""A trace of its own,"""
LARGE_TASKS = 909
"""of so many tasks, and eleven times as many spans."""
VERSION = 10


@cache
def statement(name: str) -> str:
    """The text of sql/`name`.sql."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text("utf-8")


def make(store: Store, tasks: int, days: int, now: datetime, tell: Callable[[str], None]) -> None:
    """Fill an empty store with about so many tasks, ten steps each, over the last days, up to now: nothing begins later."""
    first = now.replace(second=0, microsecond=0) - days * DAY
    each = tasks // days
    store.command("CREATE TABLE made AS tasks ENGINE = MergeTree ORDER BY tuple()")
    for number in range(days):
        with_spans = number >= days - DAYS_OF_SPANS
        portion = PORTION_WITH_SPANS if with_spans else PORTION
        for begin in range(number * each, (number + 1) * each, portion):
            asked = {"day": first + number * DAY, "first": begin, "count": min(portion, (number + 1) * each - begin), "trace": ""}
            make_some(store, asked, with_spans=with_spans)
        tell(f"{(number + 1) * each:,} of {tasks:,} tasks made")
    large = {"day": first + (days - 1) * DAY, "first": tasks, "count": LARGE_TASKS, "trace": LARGE}
    make_some(store, large, with_spans=True)
    store.command("DROP TABLE made")
    add_up(store, first, now)
    tell("all added up")
    Registry(store, 395, lambda: now).refresh()


def make_some(store: Store, asked: dict[str, Any], *, with_spans: bool) -> None:
    """Tasks, and all that belongs to them."""
    asked |= {"profiles": list(ScoringSettings().named), "scoring": "made", "version": VERSION}
    for table in ("made", *ROWS, *(("spans",) if with_spans else ())):
        sql = statement(table)
        store.command(sql, {name: value for name, value in asked.items() if f"{{{name}:" in sql})
    store.command("TRUNCATE TABLE made")


def add_up(store: Store, first: datetime, now: datetime) -> None:
    """All sums, as if scoring had gone through everything."""
    stored: datetime = store.query("SELECT now64(3, 'UTC') + INTERVAL 1 MINUTE").item()
    ends: dict[str, Any] = dict.fromkeys(("tasks_until", "evaluations_until", "calls_until"), stored)
    ends |= {"hours_version": VERSION, "days_version": VERSION}
    progress = boundaries(Progress(version=VERSION, scoring="made", **ends), now)
    first, until = scores.whole_day(first), scores.whole_day(now) + DAY
    for source, hours in (*WORK_BY_HOUR, *CALLS_BY_HOUR):
        day = first
        while day < progress.hourly_until:
            end = min(day + DAY, progress.hourly_until)
            scores.roll_up(store, source, hours, day, end, 0, VERSION, everything=True)
            day += DAY
    scores.roll_up(store, TASKS, MINUTES, progress.hourly_until, until, 0, VERSION, everything=True)
    for source, days in (*WORK_BY_DAY, *CALLS_BY_DAY):
        scores.roll_up(store, source, days, first, progress.daily_until, 0, VERSION, everything=True)
    fours = scores.whole_four_days(first)
    for source, four_days in WORK_BY_FOUR_DAYS:
        scores.roll_up(store, source, four_days, fours, progress.fours_until, 0, VERSION, everything=True)
    scores.store_progress(store, progress)
