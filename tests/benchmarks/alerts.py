"""How often change detection is wrong and how soon it is right, on simulated agents with known faults; and what a round takes.

python -m tests.benchmarks.alerts              # the figures of docs/alerts.md
python -m tests.benchmarks.alerts --tuning     # with the seeds and sizes that it was tuned on
python -m tests.benchmarks.alerts --rounds     # what a round takes, of 500 agents; with --budgets too
"""

import sys
from collections import Counter
from resource import RUSAGE_SELF, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import polars as pl

from exporters.settings import ClickHouseSettings
from exporters.store import Store
from merit import clock
from merit.jobs.alerts import Alerting
from processors.alerts.changes import changes, usual
from processors.alerts.rules import AlertSettings
from tests.processors.alerts.measuring import delay, false_alarms, past_of, volumes
from tests.processors.alerts.simulation import Agent, Fault, history, renamed

AT = 36.5
"""Noon of a day after a month and a week."""
TUNED = {
    "a third of the tasks fails": ("success", Fault(AT, fails=0.3)),
    "all tasks fail": ("success", Fault(AT, fails=1.0)),
    "twice as slow": ("duration", Fault(AT, slower=2.0)),
    "twice as dear": ("cost", Fault(AT, dearer=2.0)),
    "scored 0.2 lower": ("quality", Fault(AT, worse=0.2)),
}
OTHERS = {
    "a tool that a quarter of the tasks needs fails": ("success", Fault(AT, fails=0.25)),
    "the agent dies: all tasks fail": ("success", Fault(AT, fails=1.0)),
    "a model 1.7 times as slow": ("duration", Fault(AT, slower=1.7)),
    "a model 3 times as slow": ("duration", Fault(AT, slower=3.0)),
    "prices go up by 80 %": ("cost", Fault(AT, dearer=1.8)),
    "prices triple": ("cost", Fault(AT, dearer=3.0)),
    "a bad release at noon (40 % fail, 1.5 times as slow)": ("success", Fault(AT, fails=0.4, slower=1.5)),
    "answers scored 0.25 lower (3 in 10 are scored)": ("quality", Fault(AT, worse=0.25)),
}
VOLUMES = (40.0, 200.0, 1000.0)


def main(*, tuning: bool) -> None:
    """Print the figures."""
    first, faults = (0, TUNED) if tuning else (5000, OTHERS)
    print("| tasks a day | agent months | false alarms | of them worse |\n|---|---|---|---|")
    for a_day in VOLUMES:
        found: Counter[str] = Counter()
        for seed in range(first, first + 6):
            found.update(false_alarms(Agent(a_day=a_day), 2, seed))
        worse = sum(n for name, n in found.items() if name in ("success", "duration", "cost", "quality"))
        print(f"| {a_day:.0f} | 12 | {found.total()} | {worse} |", flush=True)
    print("\n| fault | found in | median tasks | most |\n|---|---|---|---|")
    for name, (measure, fault) in faults.items():
        took = [delay(Agent(a_day=a_day), fault, measure, first + 100 + seed) for seed in range(4) for a_day in (100.0, 400.0)]
        known = [n for n in took if n is not None]
        print(f"| {name} | {len(known)} of {len(took)} | {median(known):.0f} | {max(known)} |", flush=True)
    speed()


def speed(agents: int = 500) -> None:
    """What CPU looking for changes takes, without the store."""
    one = history(Agent(), 40, 1)
    names = [renamed(Agent(), f"agent-{i}").name for i in range(agents)]
    past = pl.concat([past_of(one, 39).with_columns(agent_id=pl.lit(name)) for name in names])
    recent = pl.concat([one.tail(200).with_columns(agent_id=pl.lit(name)) for name in names])
    begun = process_time()
    known = usual(past)
    learned = process_time()
    changes(recent, known, volumes(recent, 1))
    ended = process_time()
    print(f"\n{agents} agents, CPU: {learned - begun:.2f} s for what is usual (once an hour), {ended - learned:.2f} s a round")


TASKS = """
INSERT INTO task_scores
    (at, agent_id, trace_id, span_id, task_id, category, status, started_at, duration_seconds, cost_usd, version)
SELECT
    toStartOfMinute(now() - toIntervalSecond(ago)), concat('agent-', toString(number % 500)), hex(number), 'a', toString(number),
    'general', if(rand(1) % 40 = 0, 'failed', 'succeeded'), now() - toIntervalSecond(ago), exp(randNormal(2, 0.5)), 0.01, 1
FROM (SELECT number, intDiv(number, 500) * 1728 AS ago FROM numbers(700000))
"""
CALLS = """
INSERT INTO nodes
    (task_id, trace_id, span_id, agent_id, category, operation, provider, model, started_at, duration_seconds, success, version)
SELECT
    toString(number), hex(number), 'b', concat('agent-', toString(number % 500)), 'general', 'chat', 'openai', 'gpt-4o',
    now() - toIntervalSecond(intDiv(number, 500) * 1728), 2, 1, 1
FROM numbers(700000)
"""


def rounds() -> None:
    """Rounds over 28 days of 500 agents with 50 tasks a day each."""
    with TemporaryDirectory() as folder, Store(ClickHouseSettings.model_validate({"dsn": f"chdb://{folder}/data"})) as store:
        store.command(TASKS)
        store.command(CALLS)
        budgets = AlertSettings(budget_usd_per_day=1e6, budget_usd_per_month=1e6) if "--budgets" in sys.argv else AlertSettings()
        job = Alerting(store, budgets, clock.now)
        for number in range(6):
            cpu, begun = process_time(), perf_counter()
            job.run()
            took, used = perf_counter() - begun, process_time() - cpu
            peak = getrusage(RUSAGE_SELF).ru_maxrss >> 10
            print(f"round {number + 1}: {took:.2f} s, {used:.2f} s of CPU, {peak} MiB at most", flush=True)


if __name__ == "__main__":
    if "--rounds" in sys.argv:
        rounds()
    else:
        main(tuning="--tuning" in sys.argv)
