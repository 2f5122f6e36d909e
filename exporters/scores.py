"""What scoring reads of the store, and what it stores: rows of tasks with their scores, medians, sums."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from exporters.looks import Stretch, bounds
from exporters.store import Store
from exporters.traces import EPOCH, question
from processors.frames import Columns, conform
from processors.scoring.rows import FACTS, PLACE, SOURCE, TASK_SCORES, USUALS_STORED
from processors.scoring.tasks import EXPECTED, JUDGEMENTS

NEVER = date(1970, 1, 1)
PLACES: Columns = {**PLACE, "started_at": FACTS["started_at"], "task_version": SOURCE["task_version"]}
"""Where a task stands scored, and which row of `tasks` that was."""
FOUR_DAYS = timedelta(days=4)
LEAST_TASKS = 10
"""Fewer succeeded tasks have no usual."""


class Progress(NamedTuple):
    """How far scoring has come: a row of `scoring_progress`."""

    tasks_until: datetime = EPOCH
    """Tasks stored up to here have been scored."""
    evaluations_until: datetime = EPOCH
    """Tasks whose evaluations were stored up to here have been scored again."""
    calls_until: datetime = EPOCH
    """Model calls of steps stored up to here have been added up by task."""
    medians_until: int = 0
    """Tasks have been held against medians up to this version."""
    medians_from: date = NEVER
    """Medians of this day and later have to be worked out again; NEVER if none have."""
    scoring: str = ""
    """Under which settings everything has been scored."""
    hourly_until: datetime = EPOCH
    """Tasks begun before are added up by the hour, later ones by the minute."""
    daily_until: datetime = EPOCH
    """Tasks begun before are added up by the day too."""
    fours_until: datetime = EPOCH
    """Tasks begun before are added up by four days too."""
    version: int = 0
    """Of all that has been written."""
    hours_version: int = 0
    """Of the newest change of an hour that was over."""
    days_version: int = 0
    """Of the newest change of a day that was over."""


class Level(NamedTuple):
    """Sums over spans of time."""

    table: str
    """Where they are stored."""
    view: str
    """How they are read."""
    seconds: int
    """How long a span is."""
    question: str = "rolled_up"
    """Of what: the questions `store_…` adds them up, `drop_…` drops those that are no more."""
    kinds: tuple[bool, ...] = ()
    """Of who worked: whether rows are by category, or whatever the category."""


MINUTES = Level("agent_minutely", "agent_minutes", 60)
HOURS = Level("agent_hourly", "agent_hours", 3600)
DAYS = Level("agent_daily", "agent_days", 86_400)
FOURS = Level("agent_four_daily", "agent_fours", 4 * 86_400)
WORK_HOURS = Level("agent_work_hourly", "agent_work_hours", 3600, "rolled_up_work", (False,))
WORK_DAYS = Level("agent_work_daily", "agent_work_days", 86_400, "rolled_up_work", (False, True))
WORK_FOURS = Level("agent_work_four_daily", "agent_work_fours", 4 * 86_400, "rolled_up_work", (False, True))
TASKS = "task_measures"
"""What sums of tasks are made of in the end."""
MODEL_HOURS = Level("model_hourly", "model_hours", 3600, "rolled_up_calls")
MODEL_DAYS = Level("model_daily", "model_days", 86_400, "rolled_up_calls")
MODEL_WORK_HOURS = Level("model_work_hourly", "model_work_hours", 3600, "rolled_up_durations")
MODEL_WORK_DAYS = Level("model_work_daily", "model_work_days", 86_400, "rolled_up_durations")
CALLS = "call_measures"
"""What sums of model calls are made of."""


def progress(store: Store) -> Progress | None:
    """How far scoring has come; None if it has not begun."""
    found = store.query(question("scoring_progress")).drop("id")
    return Progress(**found.row(0, named=True)) if len(found) else None


def store_progress(store: Store, it: Progress) -> None:
    """Remember how far scoring has come."""
    times = ("tasks_until", "evaluations_until", "calls_until", "hourly_until", "daily_until", "fours_until")
    types: dict[str, Any] = {name: pl.Datetime("ms", "UTC") for name in times}
    types |= dict.fromkeys(("medians_until", "version", "hours_version", "days_version"), pl.UInt64)
    types |= {"medians_from": pl.Date, "scoring": pl.String, "id": pl.UInt8}
    store.insert("scoring_progress", pl.DataFrame([{"id": 0, **it._asdict()}], schema_overrides=types))


def newest_version(store: Store) -> int:
    """The highest version of anything that scoring has written, finished or not."""
    return int(store.query(question("newest_scores")).item())


def changed_tasks(store: Store, look: Stretch) -> pl.DataFrame:
    """Rows of tasks that are not scored so: FACTS, SOURCE, `is_deleted`, and whether they are derived `again`."""
    found = store.query(question("changed_tasks"), bounds(look))
    return conform(placed(found), {**FACTS, **SOURCE, "is_deleted": pl.UInt8(), "again": pl.Boolean()})


def places_of_tasks(store: Store, look: Stretch) -> pl.DataFrame:
    """Where tasks of traces that were derived again stand among the scored: columns PLACES."""
    return conform(placed(store.query(question("places_of_tasks"), bounds(look))), PLACES)


def judgements_of_changed(store: Store, look: Stretch) -> pl.DataFrame:
    """What is said of tasks: JUDGEMENTS."""
    return conform(store.query(question("judgements_of_changed_tasks"), bounds(look)), JUDGEMENTS)


def rejudged_tasks(store: Store, look: Stretch) -> pl.DataFrame:
    """Scored tasks of which something was said: FACTS and SOURCE."""
    return conform(placed(store.query(question("rejudged_tasks"), bounds(look))), {**FACTS, **SOURCE})


def judgements_of_rejudged(store: Store, look: Stretch) -> pl.DataFrame:
    """All that is said of the tasks of which something was said: JUDGEMENTS."""
    return conform(store.query(question("judgements_of_rejudged_tasks"), bounds(look)), JUDGEMENTS)


def outdated_scores(store: Store, scoring: str, medians_until: int, most: int) -> pl.DataFrame:
    """At most `most` tasks scored under other settings, or against medians older than those: FACTS and SOURCE."""
    asked = {"scoring": scoring, "medians_until": medians_until, "most": most}
    found = store.query(question("outdated_scores"), asked)
    return conform(placed(found), {**FACTS, **SOURCE})


def judgements_between(store: Store, since: datetime, until: datetime) -> pl.DataFrame:
    """What is said of judged tasks that began from minute to minute: JUDGEMENTS."""
    return conform(store.query(question("judgements_between"), {"since": since, "until": until}), JUDGEMENTS)


def usuals(store: Store, since: date, until: date) -> pl.DataFrame:
    """What is usual on these days: USUALS_STORED."""
    return conform(store.query(question("usuals"), {"since": since, "until": until}), USUALS_STORED)


def expected(store: Store) -> pl.DataFrame:
    """What is expected by type of agent and complexity: EXPECTED."""
    return conform(store.query(question("expected")), EXPECTED)


def store_scores(store: Store, rows: pl.DataFrame) -> None:
    """Insert rows of TASK_SCORES, month by month: ClickHouse refuses a block that touches too many partitions."""
    for month in conform(rows, TASK_SCORES).with_columns(month=pl.col("at").dt.truncate("1mo")).partition_by("month"):
        store.insert("task_scores", month.drop("month"))


def store_medians(store: Store, since: date, until: date, version: int) -> None:
    """Work out the medians of these days, and store those that have changed."""
    bounds = {"since": since, "until": until, "version": version, "least": LEAST_TASKS}
    store.command(question("store_medians"), bounds)


def first_scored(store: Store) -> pl.Series:
    """The day of the first task that stands scored; empty if none does."""
    return conform(store.query(question("first_scored")), {"day": pl.Date()})["day"]


def newest_medians(store: Store) -> int:
    """The version of the last medians that have changed."""
    return int(store.query("SELECT max(version) AS version FROM medians").item())


def roll_up(
    store: Store,
    source: str,
    into: Level,
    since: datetime,
    until: datetime,
    done: int,
    version: int,
    *,
    everything: bool = False,
    dropping: bool = True,
) -> None:
    """Add up `source` into spans of `into`.

    Args:
        store: where both are.
        source: a view: of tasks or calls, minutes or hours.
        into: the level of the sums.
        since: from where.
        until: up to where.
        done: only groups in which something changed after this version.
        version: of the sums.
        everything: all groups, whatever changed; none of them has been added up before.
        dropping: whether something may have left its group, which then may be no more.
    """
    asked = {"source": source, "into": into.table, "present": into.view, "width": into.seconds}
    asked |= {"since": since, "until": until, "done": done, "version": version, "everything": everything}
    asked |= {"kinds": list(into.kinds)} if into.kinds else {}
    store.command(question(f"store_{into.question}"), asked)
    if dropping and not everything:
        store.command(question(f"drop_{into.question}"), asked)


def placed(found: pl.DataFrame) -> pl.DataFrame:
    """`found` with its minute as `at`: a DateTime of the store leaves it as a bare number, so questions convert it."""
    return found.rename({"minute": "at"})


def scored_since(store: Store, done: int) -> tuple[datetime, datetime] | None:
    """From when until when tasks began that were scored after version `done`; None if none were."""
    found = store.query(question("scored_since"), {"done": done})
    return minutes_of(found)


def minutes_of(found: pl.DataFrame) -> tuple[datetime, datetime] | None:
    """From the first minute to the end of the last; None if there are none."""
    return (found["since"].item(), found["until"].item() + timedelta(minutes=1)) if len(found) else None


def whole_hour(moment: datetime) -> datetime:
    """The hour that `moment` lies in."""
    return moment.replace(minute=0, second=0, microsecond=0)


def whole_day(moment: datetime) -> datetime:
    """The UTC day that `moment` lies in."""
    return whole_hour(moment) - timedelta(hours=moment.hour)


def whole_four_days(moment: datetime) -> datetime:
    """The four days that `moment` lies in, as sums are cut."""
    return EPOCH + (moment - EPOCH) // FOUR_DAYS * FOUR_DAYS


def first_day(store: Store) -> datetime | None:
    """The first day that has been added up; None if none has."""
    first: datetime | None = store.query(question("first_day")).item()
    return first
