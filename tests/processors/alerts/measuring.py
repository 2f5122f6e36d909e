"""False alarms and delays of change detection on simulated agents."""

from collections import Counter
from datetime import timedelta

import polars as pl

from processors.alerts.changes import LEAST_AFTER, changes, sums, threshold, usual
from tests.builders import NOW
from tests.processors.alerts.simulation import Agent, Fault, history

PAST = 28
RECENT = 200
SAMPLE = 1000
DAY = timedelta(days=1)


def past_of(tasks: pl.DataFrame, day: float) -> pl.DataFrame:
    """What is read of the past on a day: 28 days, without the last one, a sample."""
    until = NOW + (day - 1) * DAY
    past = tasks.filter(pl.col("at") < until, pl.col("at") >= until - PAST * DAY)
    return past.sort(pl.col("trace_id").hash(1)).head(SAMPLE)


def volumes(tasks: pl.DataFrame, days: float) -> pl.DataFrame:
    return tasks.group_by("agent_id").agg(tasks_a_month=pl.len() * 30 / days)


def false_alarms(agent: Agent, months: int, seed: int) -> dict[str, int]:
    """Days with an alarm in so many months of normal running, after one month of past, by measure.

    Every task is a look. A day whose alarm goes on from the day before counts once.
    """
    days = PAST + 1 + 30 * months
    tasks = history(agent, days, seed)
    pasts, recents = [], []
    for day in range(PAST + 1, days):
        name = pl.lit(f"{agent.name}@{day:05}").alias("agent_id")
        begin, end = NOW + day * DAY, NOW + (day + 1) * DAY
        todays = tasks.filter(pl.col("at") >= begin, pl.col("at") < end)
        before = tasks.filter(pl.col("at") < begin).tail(RECENT)
        pasts.append(past_of(tasks, day).with_columns(name))
        recents.append(pl.concat([before, todays]).with_columns(name))
    rows = sums(pl.concat(recents), usual(pl.concat(pasts)))
    month = agent.a_day * 27
    since = pl.when(pl.col("sum_0") >= pl.col("sum_1")).then("since_0").otherwise("since_1")
    over = rows.filter(
        pl.max_horizontal("sum_0", "sum_1") >= threshold(pl.lit(month)), pl.col("number") - since + 1 >= LEAST_AFTER
    )
    recent, known = pl.concat(recents), usual(pl.concat(pasts))
    alarms: set[tuple[str, int]] = set()
    for group in over.partition_by("agent_id", "measure"):
        name, measure, day = group["agent_id"][0], group["measure"][0], int(group["agent_id"][0].rpartition("@")[2])
        mine = recent.filter(pl.col("agent_id") == name)
        month_of = pl.DataFrame({"agent_id": [name], "tasks_a_month": [month]})
        for at in group["at"]:  # the sums say that it may be: ask in full
            found = changes(mine.filter(pl.col("at") <= at), known.filter(pl.col("agent_id") == name), month_of)
            if found.filter(pl.col("measure") == measure, pl.col("state") == "raised").height:
                alarms.add((measure, day))
                break
    return dict(Counter(measure for measure, day in alarms if (measure, day - 1) not in alarms))


def delay(agent: Agent, fault: Fault, measure: str, seed: int, most: int = 400) -> int | None:
    """How many tasks after the fault it is found; None if not within `most`."""
    tasks = history(agent, fault.at + 1 + most * 1.5 / agent.a_day, seed, fault)
    begin = NOW + fault.at * DAY
    known, month = usual(past_of(tasks, fault.at)), volumes(tasks, fault.at + 1)
    before, after = tasks.filter(pl.col("at") < begin).tail(RECENT), tasks.filter(pl.col("at") >= begin)
    for n in range(1, min(most, after.height) + 1):
        recent = pl.concat([before, after.head(n)]).tail(RECENT)
        found = changes(recent, known, month)
        if found.filter(pl.col("measure") == measure, pl.col("state") == "raised").height:
            return n
    return None
