"""Sums of model calls stay true, whatever comes late."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from exporters.schema.migrations import shipped, statements
from exporters.store import Store
from merit.jobs.scoring import Scoring
from processors.scoring.settings import ScoringSettings
from tests.builders import NOW, Clock, Row, span_of, trace_of
from tests.merit.scored import judge, scoring
from tests.query_api.build import node, put, task, tool

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
AGES = (40 * DAY, 30 * DAY, 2 * DAY, DAY, 13 * HOUR, 90 * MINUTE, 40 * MINUTE, MINUTE)
TABLES = ("task_calls", "model_hourly", "model_daily", "scoring_progress")


def call(number: int, age: timedelta, span: int = 2, **more: Any) -> Row:
    """A call so long ago; its price, its model and its agent hang on its number."""
    plain = {
        "started_at": NOW - age - timedelta(seconds=number),
        "agent_id": f"agent-{number % 2}",
        "model": f"model-{(number + span) % 3}",
        "provider": f"provider-{span % 2}",
        "cost_usd": Decimal("0.01") * number,
        "user_id": "u",
    }
    return node(number, span, **plain | more)


def history() -> list[Row]:
    """Two or three calls each of 16 tasks over forty days, and a tool call that costs nothing."""
    return [call(n, age, span) for n, age in enumerate(AGES * 2) for span in (2, 3, *([4] if n % 3 else []))] + [tool(1, 9)]


def tasks_of(calls: list[Row]) -> list[Row]:
    """The tasks of the calls."""
    return [
        task(int(row["trace_id"], 16), agent_id=row["agent_id"], started_at=row["started_at"])
        for row in {row["trace_id"]: row for row in calls}.values()
    ]


def shown(store: Store, since: datetime, until: datetime, *, by_task: bool = False) -> list[Row]:
    """What the sums show of a window."""
    filters: Row = {name: [] for name in FILTERS}
    bounds = [f"{moment:%Y-%m-%d %H:%M:%S.%f}" for moment in (since, until)]
    asked = filters | {"since": bounds[0], "until": bounds[1], "cuts": bounds, "by_task": by_task}
    return store.query(SHOWN, asked).rows(named=True)


def straight(store: Store, since: datetime, until: datetime) -> list[Row]:
    """The same, read step by step."""
    return store.query(STRAIGHT, {name: f"{at:%Y-%m-%d %H:%M:%S.%f}" for name, at in (("since", since), ("until", until))}).rows(
        named=True
    )


FILTERS = ("trace_id", "user_id", "agent_id", "category", "model", "provider", "department", "service")
PARAMETERS = ", ".join(
    [
        *(f"{name} = {{{name}:DateTime64(9)}}" for name in ("since", "until")),
        "cuts = {cuts:Array(DateTime64(9))}, by_task = {by_task:Bool}",
        *(f"{name} = {{{name}:Array(String)}}" for name in FILTERS),
    ]
)
SHOWN = f"""SELECT agent_id, provider, model, sum(w.calls) AS calls, sum(w.succeeded) AS succeeded, sum(w.input_tokens) AS tokens,
    sum(w.cost_usd) AS cost, sum(w.pair_tasks) AS tasks, min(w.first_started) AS first, max(w.last_started) AS last
FROM model_work({PARAMETERS}) AS w GROUP BY agent_id, provider, model ORDER BY ALL"""
STRAIGHT = """SELECT toString(n.agent_id) AS agent_id, toString(n.provider) AS provider, toString(n.model) AS model,
    count() AS calls, countIf(success) AS succeeded, sum(n.input_tokens) AS tokens, sum(n.cost_usd) AS cost,
    uniqExact(task_id) AS tasks, min(started_at) AS first, max(started_at) AS last
FROM nodes AS n FINAL
WHERE operation = 'chat' AND started_at >= {since:DateTime64(9)} AND started_at < {until:DateTime64(9)}
GROUP BY agent_id, provider, model ORDER BY ALL"""

WINDOWS = (
    (NOW - 400 * DAY, NOW + DAY),
    (NOW - 30 * DAY - timedelta(seconds=3), NOW - timedelta(seconds=30)),
    (NOW - 13 * HOUR - timedelta(seconds=4.5), NOW - 40 * MINUTE),
)


DURATIONS = """SELECT at, provider, model, quantilesDDMerge(0.005, 0.5, 0.95)(durations) AS usual FROM {{table:Identifier}}
WHERE {chosen} GROUP BY at, provider, model ORDER BY ALL"""


def assert_true(store: Store) -> None:
    """What the sums show is what the steps show, over windows with edges anywhere, by sums and task by task."""
    for table in ("hours", "days"):
        whole = store.query(DURATIONS.format(chosen="is_call"), {"table": f"model_{table}"})
        assert store.query(DURATIONS.format(chosen="true"), {"table": f"model_work_{table}"}).equals(whole)
    for since, until in WINDOWS:
        assert shown(store, since, until) == straight(store, since, until) == shown(store, since, until, by_task=True)


def stored(store: Store) -> Scoring:
    """The history, stored and added up."""
    put(store, "nodes", history())
    it = scoring(store)
    it.catch_up()
    return it


def test_sums_are_what_the_steps_show(tables: Store) -> None:
    stored(tables)

    assert sum(row["calls"] for row in shown(tables, *WINDOWS[0])) == 42  # 16 tasks of two calls, 10 of them of a third
    assert tables.query("SELECT sum(calls) FROM model_days").item() == 26  # the ten tasks that began before today
    assert_true(tables)


def test_what_was_added_up_before_an_upgrade_is_there_after_it(tables: Store) -> None:
    stored(tables)
    for table in ("model_work_hourly", "model_work_daily"):
        tables.command("TRUNCATE TABLE {table:Identifier}", {"table": table})
    for statement in statements(shipped()[23]):
        tables.command(statement)

    assert tables.query("SELECT count() FROM model_work_days").item() > 0
    assert_true(tables)


def test_of_traces_that_are_new_no_earlier_steps_are_looked_for(tables: Store) -> None:
    put(tables, "nodes", [row | {"again": False} for row in history()])
    put(tables, "nodes", [row | {"again": False} for row in history()])  # stored twice, for nobody knew that it had succeeded
    it = scoring(tables)
    it.catch_up()
    assert sum(row["calls"] for row in shown(tables, *WINDOWS[0])) == 42
    assert_true(tables)

    put(tables, "nodes", [row | {"version": 2, "model": "other"} for row in history()[:9]])
    it.catch_up()
    assert_true(tables)


def test_adding_up_again_changes_nothing(tables: Store) -> None:
    it = stored(tables)
    before = [shown(tables, *window) for window in WINDOWS]

    put(tables, "nodes", history())  # the same, sent twice
    it.catch_up()
    scoring(tables).catch_up()
    assert [shown(tables, *window) for window in WINDOWS] == before
    assert_true(tables)


def test_more_steps_at_once_than_are_added_up_together_are_all_added_up(tables: Store) -> None:
    for number in range(8):
        put(tables, "nodes", [call(number, AGES[number], span) for span in (2, 3, 4)])
    Scoring(tables, ScoringSettings(), Clock(), at_once=1).catch_up()

    assert sum(row["calls"] for row in shown(tables, *WINDOWS[0])) == 24
    assert_true(tables)


@pytest.mark.parametrize("number", [0, 7])
def test_a_late_step_reaches_sums_of_long_ago(tables: Store, number: int) -> None:
    it = stored(tables)

    put(tables, "nodes", [call(number, AGES[number], 8, model="late", cost_usd=Decimal("0.5"))])
    it.catch_up()
    late = [row for row in shown(tables, *WINDOWS[0]) if row["model"] == "late"]
    assert [(row["calls"], row["cost"], row["tasks"]) for row in late] == [(1, Decimal("0.5"), 1)]
    assert_true(tables)


@pytest.mark.parametrize(
    ("number", "more"),
    [
        (0, {"model": "other"}),
        (4, {"agent_id": "somebody else"}),
        (0, {"started_at": NOW - 3 * DAY}),
        (4, {"started_at": NOW - 5 * MINUTE, "success": False}),
        (0, {"category": "coding"}),
        (4, {"is_deleted": 1}),
    ],
)
def test_a_step_that_is_derived_again_leaves_nothing_behind(tables: Store, number: int, more: Row) -> None:
    it = stored(tables)

    put(tables, "nodes", [call(number, AGES[number], span) | more | {"version": 2} for span in (2, 3)])
    it.catch_up()
    assert_true(tables)
    before = [shown(tables, *window) for window in WINDOWS]
    for table in TABLES:
        tables.command("TRUNCATE TABLE {table:Identifier}", {"table": table})
    scoring(tables).catch_up()
    assert [shown(tables, *window) for window in WINDOWS] == before


def test_hours_that_pass_are_added_up_without_a_gap(tables: Store) -> None:
    clock = Clock(NOW - 14 * HOUR)
    it = scoring(tables, clock)
    put(tables, "nodes", [row for row in history() if row["started_at"] < clock()])
    it.catch_up()
    for _ in range(5):
        before = clock()
        clock.tick(3 * 3600 + 100)
        put(tables, "nodes", [row for row in history() if before <= row["started_at"] < clock()])
        it.catch_up()
        assert_true(tables)
    assert sum(row["calls"] for row in shown(tables, *WINDOWS[0])) == 42


def test_what_was_begun_is_done_again_after_a_death(tables: Store) -> None:
    it = stored(tables)
    put(tables, "nodes", [call(n, AGES[n], success=False, version=2) for n in range(8)])
    it.catch_up()
    tables.command("DELETE FROM scoring_progress WHERE version = (SELECT max(version) FROM scoring_progress)")
    for table in ("model_hourly", "model_daily"):
        newest = "DELETE FROM {table:Identifier} WHERE version = (SELECT max(version) FROM {table:Identifier})"
        tables.command(newest, {"table": table})

    scoring(tables).catch_up()
    assert_true(tables)


def test_sums_outlive_their_steps(tables: Store) -> None:
    it = stored(tables)
    before = [shown(tables, *window) for window in WINDOWS]
    calls = history()
    put(tables, "tasks", tasks_of(calls))
    tables.command("TRUNCATE TABLE nodes")  # as if they had expired
    judge(tables, f"{trace_of(0)}-{span_of(1)}", 0.75)
    it.catch_up()

    assert [shown(tables, *window) for window in WINDOWS] == before
    assert tables.query("SELECT sum(pair_rated), sum(pair_quality) FROM model_days").row(0) == (2, 1.5)


def test_calls_that_are_added_up_after_their_task_was_judged_know_of_it(tables: Store) -> None:
    """Each round ends after its first step: the task is scored in the first, its calls are looked at in a later one."""
    put(tables, "tasks", [task(1)])
    put(tables, "nodes", [node(1, 2, model="a", provider="one")])
    judge(tables, task(1)["task_id"], 0.5)
    moments = count(0.0, 1000.0)
    it = Scoring(tables, ScoringSettings(), Clock(), lambda: next(moments))
    for _ in range(8):
        it.run()

    assert tables.query("SELECT quality FROM task_calls FINAL").to_series().to_list() == [0.5]


def test_a_task_counts_once_for_each_model_and_provider_that_it_called(tables: Store) -> None:
    """One task calls model a of two providers, twice of the first and an hour apart, and model b."""
    put(tables, "tasks", [task(1)])
    times = (30 * HOUR, 29 * HOUR, 29 * HOUR, 28 * HOUR)
    pairs = (("a", "one"), ("a", "one"), ("a", "two"), ("b", "two"))
    put(
        tables,
        "nodes",
        [
            node(1, 2 + n, started_at=NOW - age, model=model, provider=provider)
            for n, (age, (model, provider)) in enumerate(zip(times, pairs, strict=True))
        ],
    )
    it = scoring(tables)
    it.catch_up()
    counts = "SELECT sum(model_tasks), sum(provider_tasks), sum(pair_tasks) FROM model_{} WHERE is_call"
    assert tables.query(counts.format("hours")).row(0) == (2, 2, 3)

    judge(tables, task(1)["task_id"], 0.5)
    it.catch_up()
    quality = "SELECT model, sum(model_rated), sum(model_quality) FROM model_days GROUP BY model ORDER BY model"
    assert tables.query(quality).rows() == [("a", 1, 0.5), ("b", 1, 0.5)]
    judge(tables, task(1)["task_id"], 0.5, version=2, is_deleted=1)
    it.catch_up()
    assert tables.query(quality).rows() == [("a", 0, 0.0), ("b", 0, 0.0)]
