"""A past for the query benchmark: tasks, steps, scores and jobs that the store makes itself, and the sums of them."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from exporters import calls, scores
from exporters.scores import CALLS, DAYS, HOURS, MINUTES, MODEL_DAYS, MODEL_HOURS, TASKS, Progress
from exporters.store import Store
from merit.registry import Registry
from merit.sums import boundaries
from processors.scoring.settings import ScoringSettings

ROWS = ("tasks", "nodes", "task_scores", "workflows")
DAY = timedelta(days=1)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
VERSION = 10


@cache
def statement(name: str) -> str:
    """The text of sql/`name`.sql."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text("utf-8")


def make(store: Store, tasks: int, days: int, now: datetime) -> None:
    """Fill an empty store with about so many tasks, ten steps each, over the last days, today among them."""
    first = scores.whole_day(now) - (days - 1) * DAY
    each = tasks // days
    known = {"profiles": list(ScoringSettings().named), "scoring": "made"}
    for number in range(days):
        asked = known | {"day": first + number * DAY, "first": number * each, "count": each}
        begun = store.query("SELECT now64(3, 'UTC') AS now").item()
        for table in ROWS:
            store.command(statement(table), asked)
        calls.take_calls(store, begun - timedelta(milliseconds=1), FAR, VERSION)
    add_up(store, first, now)
    Registry(store, 395, lambda: now).refresh()


def add_up(store: Store, first: datetime, now: datetime) -> None:
    """All sums, as if scoring had gone through everything."""
    ends = {"tasks_until": FAR, "evaluations_until": FAR, "calls_until": FAR, "hours_version": VERSION, "days_version": VERSION}
    progress = boundaries(Progress(version=VERSION, scoring="made", **ends), now)
    until = scores.whole_day(now) + DAY
    for source, hours in ((TASKS, HOURS), (CALLS, MODEL_HOURS)):
        day = first
        while day < progress.hourly_until:
            end = min(day + DAY, progress.hourly_until)
            scores.roll_up(store, source, hours, day, end, 0, VERSION, everything=True)
            day += DAY
    scores.roll_up(store, TASKS, MINUTES, progress.hourly_until, until, 0, VERSION, everything=True)
    for hours, days in ((HOURS, DAYS), (MODEL_HOURS, MODEL_DAYS)):
        scores.roll_up(store, hours.view, days, first, progress.daily_until, 0, VERSION, everything=True)
    scores.store_progress(store, progress)
