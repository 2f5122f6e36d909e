"""Simulated agents watched by the whole job, with every rule that is on from the beginning: two weeks as usual, then faults.

python -m tests.benchmarks.alerts_whole         # the figures of docs/alerts.md: 12 agents; takes 4 minutes
python -m tests.benchmarks.alerts_whole 7 3     # 7 agents, 3 days
"""

import json
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from exporters.settings import ClickHouseSettings
from exporters.store import Store
from merit import clock
from merit.jobs.alerts import Alerting
from processors.alerts.rules import AlertSettings
from tests.builders import Clock
from tests.processors.alerts.simulation import Agent, Fault, history

DAY, SELDOM, OFTEN = timedelta(days=1), timedelta(hours=3), timedelta(minutes=10)
PAST = 29
FIRST_SEED = 7000

FAULTS: Mapping[str, Fault] = {
    "a tool fails that two agents need (40 % of the tasks)": Fault(fails=0.4),
    "the same, felt by the other agent": Fault(fails=0.4),
    "a model 2.5 times as slow": Fault(slower=2.5),
    "a price 2.5 times as high": Fault(dearer=2.5),
    "a bad release (40 % fail, 1.5 times as slow)": Fault(fails=0.4, slower=1.5),
    "the agent dies: no task and no heartbeat any more": Fault(),
}
"""What happens to the first agents at noon of the day after; to the others nothing."""


def main(agents: int = 12, days: int = 14) -> None:
    """Print what is told without a fault, and what of the faults."""
    start = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) - (PAST + days + 2) * DAY
    noon = PAST + days + 0.5
    every = [work(n, noon, start) for n in range(agents)]
    settings = {"retention": {"nodes": 400}}
    with TemporaryDirectory() as folder:
        said = ClickHouseSettings.model_validate({"dsn": f"chdb://{folder}/data", **settings})
        with Store(said) as store:
            watch(store, pl.concat(every), start, days)


def work(number: int, noon: float, start: datetime) -> pl.DataFrame:
    """What an agent does, with its fault if it has one: columns OBSERVED, and `seconds` of failed tasks too."""
    fault = list(FAULTS.values())[number] if number < len(FAULTS) else Fault()
    agent = Agent(name=f"agent-{number}", a_day=300.0 if number % 2 else 100.0)
    hit = Fault(noon, fault.fails, fault.slower, fault.dearer)
    done = history(agent, noon + 1, FIRST_SEED + number, hit, start)
    if number == len(FAULTS) - 1:
        done = done.filter(pl.col("at") < start + noon * DAY)
    seconds = pl.col("duration_seconds").fill_null(agent.seconds)
    broken = pl.col("failed") & (pl.col("at") >= start + noon * DAY) & pl.lit(number < 2)
    return done.with_columns(seconds=seconds, broken=broken)


def watch(store: Store, done: pl.DataFrame, start: datetime, days: int) -> None:
    """Let time pass: the past at once, then days without a fault, then half a day with faults."""
    now = Clock(start + PAST * DAY)
    job = Alerting(store, AlertSettings(), now)
    put(store, done.filter(pl.col("at") < now()))
    pass_time(store, done, job, now, start + (PAST + days) * DAY, SELDOM)
    told = alerts(store)
    print(f"{done['agent_id'].n_unique()} agents, {days} days without a fault: {len(told)} alerts")
    for one in told:
        print(f"- {one['severity']} {one['rule']}: {one['title']}")
    noon = now() + DAY / 2
    pass_time(store, done, job, now, noon, SELDOM, beating=True)
    pass_time(store, done, job, now, noon + DAY / 2, OFTEN)
    known = {one["alert_id"] for one in told}
    tell(done, [one for one in alerts(store) if one["alert_id"] not in known], noon)


def pass_time(
    store: Store, done: pl.DataFrame, job: Alerting, now: Clock, until: datetime, step: timedelta, *, beating: bool = False
) -> None:
    """Work and look, step by step; `beating`: the agent that is to die sends heartbeats."""
    while now() < until:
        put(store, done.filter(pl.col("at") >= now(), pl.col("at") < now() + step))
        if beating:
            beat(store, now(), step)
        now.tick(step.total_seconds())
        job.run()


def put(store: Store, done: pl.DataFrame) -> None:
    """Store tasks with a model call and a tool call each, and how many there were."""
    if done.is_empty():
        return
    begun = (pl.col("at") - pl.duration(microseconds=pl.col("seconds") * 1e6)).alias("started_at")
    same = {"span_id": pl.lit("a"), "task_id": pl.col("trace_id") + "-a", "version": pl.lit(1)}
    tasks = done.select("agent_id", "category", "trace_id", begun, "seconds", "failed", "cost_usd", "quality", "broken", **same)
    scores = tasks.select(
        *("agent_id", "category", "trace_id", "span_id", "task_id", "version", "started_at"),
        at=pl.col("started_at").dt.truncate("1m"),
        status=pl.when("failed").then(pl.lit("failed")).otherwise(pl.lit("succeeded")),
        duration_seconds="seconds",
        cost_usd=pl.col("cost_usd").cast(pl.Decimal(38, 12)),
        total_tokens=pl.lit(1000),
        accuracy="quality",
    )
    store.insert("task_scores", scores)
    made = {"success": pl.lit(value=True), "provider": pl.lit(""), "model": pl.lit(""), "operation": pl.lit("execute_tool")}
    tool = {"span_id": pl.lit("c"), "node_name": pl.lit("search"), "duration_seconds": pl.lit(0.1), "success": ~pl.col("broken")}
    chat = {
        "span_id": pl.lit("b"),
        "node_name": pl.lit(""),
        "duration_seconds": pl.col("seconds") - 0.1,
        "operation": pl.lit("chat"),
    }
    chat |= {"provider": pl.lit("openai"), "model": "model of " + pl.col("agent_id")}
    plain = ("agent_id", "category", "trace_id", "task_id", "version", "started_at")
    cost = pl.col("cost_usd").cast(pl.Decimal(18, 12))
    store.insert("nodes", tasks.select(*plain, **made | tool, cost_usd=pl.lit(None, dtype=pl.Decimal(18, 12))))
    store.insert("nodes", tasks.select(*plain, **made | chat, cost_usd=cost))
    hours = scores.group_by("agent_id", "category", at=pl.col("at").dt.truncate("1h")).agg(
        succeeded=(pl.col("status") == "succeeded").sum(), failed=(pl.col("status") == "failed").sum()
    )
    store.insert("agent_hourly", hours)


def beat(store: Store, since: datetime, step: timedelta) -> None:
    """A heartbeat a minute of the agent that is to die."""
    name = f"agent-{len(FAULTS) - 1}"
    times = ", ".join(f"('{since + timedelta(seconds=s):%F %T}')" for s in range(0, int(step.total_seconds()), 60))
    store.command(
        "INSERT INTO otel_metrics_gauge (ServiceName, MetricName, TimeUnix, Value, Attributes) "
        f"SELECT 'app', 'beat', c1, 1, map('merit.agent.id', '{name}') FROM VALUES('c1 DateTime64(9)', {times})"
    )


def alerts(store: Store) -> list[dict[str, Any]]:
    """Those that have fired."""
    return store.query("SELECT * FROM alerts FINAL WHERE isNotNull(fired_at) ORDER BY fired_at, title").to_dicts()


def tell(done: pl.DataFrame, fired: list[dict[str, Any]], noon: datetime) -> None:
    """Of each fault: the alerts about it, and after how many tasks the first was there."""
    print("\n| fault | told as | after tasks | after minutes | alerts |\n|---|---|---|---|---|")
    about: set[str] = set()
    for number, name in enumerate(FAULTS):
        agent = f"agent-{number}"
        mine = [one for one in fired if agent in json.loads(one["evidence"]).get("agents", [])]
        about |= {one["alert_id"] for one in mine}
        first = mine[0] if mine else None
        since = done.filter(pl.col("agent_id") == agent, pl.col("at") >= noon)
        tasks = "-" if first is None else since.filter(pl.col("at") < first["fired_at"]).height
        minutes = "-" if first is None else round((first["fired_at"] - noon) / timedelta(minutes=1))
        print(f"| {name} | {'; '.join(one['title'] for one in mine)} | {tasks} | {minutes} | {len(mine)} |")
    others = [one["title"] for one in fired if one["alert_id"] not in about]
    print(f"\nAlerts about anything else: {len(others)} {others}")


if __name__ == "__main__":
    main(*(int(said) for said in sys.argv[1:3]))
