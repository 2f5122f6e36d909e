"""Alerts told by metrics: signs of life, queues, resources."""

import json
from collections.abc import Iterable
from datetime import timedelta

import pytest

from exporters import alerts as stored
from exporters.store import Store
from merit.jobs.alerts import Alerting
from merit.settings import load
from processors.alerts.rules import AlertSettings
from processors.errors import Rejected
from tests.builders import NOW, Clock, Row
from tests.merit.alerting import alerting, alerts, every, store_work, work
from tests.query_api.build import put


def gauge(
    store: Store, seconds_ago: Iterable[float], value: float = 1, name: str = "beat", agent: str = "", kind: str = "gauge"
) -> None:
    """Points of the service `app`."""
    more = ", 2, true" if kind == "sum" else ""
    named = "{'merit.agent.id': '" + agent + "'}"
    rows = ", ".join(
        f"('app', '{name}', '{NOW - timedelta(seconds=ago):%F %T.%f}', {value + (kind == 'sum') * (600 - ago)}, {named}{more})"
        for ago in seconds_ago
    )
    columns = "ServiceName, MetricName, TimeUnix, Value, Attributes" + (
        ", AggregationTemporality, IsMonotonic" if kind == "sum" else ""
    )
    store.command(f"INSERT INTO otel_metrics_{kind} ({columns}) VALUES {rows}")


def found(store: Store) -> dict[str, dict[str, str]]:
    return {one["rule"]: json.loads(one["scope"]) for one in alerts(store) if one["status"] == "firing"}


@pytest.mark.parametrize(
    ("beats", "silent"),
    [
        (range(90, 600, 10), True),  # every 10 s, until 90 s ago
        (range(40, 600, 10), False),
        (range(90, 600, 60), False),  # once a minute: 90 s are not long for it
    ],
)
def test_only_who_is_heard_regularly_can_be_silent(tables: Store, clock: Clock, beats: range, silent: bool) -> None:
    gauge(tables, beats, agent="writer")
    store_work(tables, work("spans-only", 0, every(timedelta(minutes=1), NOW - timedelta(hours=2), NOW - timedelta(hours=1))))

    alerting(tables, clock).run()

    assert found(tables) == ({"silent-agent": {"agent_id": "writer"}} if silent else {})


@pytest.mark.parametrize("again", [True, False])
def test_who_could_not_be_heard_is_not_silent_until_it_had_time_to_speak(tables: Store, clock: Clock, again: bool) -> None:
    gauge(tables, range(1200, 2400, 10), agent="writer")  # until Merit was stopped, 20 minutes ago
    it = Alerting(tables, AlertSettings(), clock, listening_since=NOW)
    it.run()
    clock.tick(119)
    it.run()

    assert found(tables) == {}
    if again:
        gauge(tables, [-120], agent="writer")
    clock.tick(2)
    it.run()
    assert found(tables) == ({} if again else {"silent-agent": {"agent_id": "writer"}})


def test_an_alert_of_silence_outlives_a_restart(tables: Store, clock: Clock) -> None:
    gauge(tables, range(90, 600, 10), agent="writer")
    alerting(tables, clock).run()
    it = Alerting(tables, AlertSettings(), clock, listening_since=clock())
    for _ in range(5):
        clock.tick(61)
        it.run()

    assert found(tables) == {"silent-agent": {"agent_id": "writer"}}


@pytest.mark.parametrize(("listened_for", "firing"), [(86_400, True), (5000, False)])
def test_of_uptime_counts_when_somebody_listened(tables: Store, clock: Clock, listened_for: int, firing: bool) -> None:
    """Nothing was heard in five of its stretches, that of now not counted, which has only begun."""
    gauge(tables, [*range(60, 5000, 60), *range(6600, 86_400, 60)], agent="writer")
    rule = {"name": "uptime", "metric": "uptime", "below": {"critical": 0.995}, "by": ["agent_id"], "min_observations": 12}
    settings = AlertSettings.model_validate({"rules": [rule]})
    Alerting(tables, settings, clock, listening_since=NOW - timedelta(seconds=listened_for)).run()

    assert found(tables) == ({"uptime": {"agent_id": "writer"}} if firing else {})


def test_an_agent_that_is_heard_again_is_well(tables: Store, clock: Clock) -> None:
    gauge(tables, range(90, 600, 10), agent="writer")
    it = alerting(tables, clock)
    it.run()
    gauge(tables, [-10, -100, -110], agent="writer")
    for seconds in (20, 95):
        clock.tick(seconds)
        it.run()

    assert [one["status"] for one in alerts(tables)] == ["resolved"]


def test_a_queue_that_nobody_works_at_is_stuck(tables: Store, clock: Clock) -> None:
    gauge(tables, [30], 7, "merit.queue.length")
    it = alerting(tables, clock)
    it.run()
    clock.tick(121)
    it.run()

    assert found(tables) == {"stuck-queue": {"service": "app"}}


def test_a_queue_that_somebody_works_at_is_not(tables: Store, clock: Clock) -> None:
    gauge(tables, [30], 7, "merit.queue.length")
    store_work(tables, work("writer", 0, [NOW - timedelta(minutes=1)]))
    it = alerting(tables, clock)
    it.run()
    clock.tick(121)
    it.run()

    assert found(tables) == {}


def pass_time(store: Store, tasks: list[Row], minutes: range, queue: float | None = None) -> list[tuple[str, str]]:
    """A look each minute, tasks coming when they end: rules with the state of their alerts."""
    clock = Clock()
    it = alerting(store, clock)
    for minute in minutes:
        clock.moment = NOW + minute * MINUTE
        put(store, "tasks", [one for one in tasks if clock() - MINUTE < one["ended_at"] <= clock()])
        if queue is not None:
            gauge(store, [(NOW - clock()).total_seconds()], queue, "merit.queue.length")
        it.run()
    return [(one["rule"], one["status"]) for one in alerts(store)]


def of_eight_minutes(since: timedelta, until: timedelta) -> list[Row]:
    """What somebody does who is always busy."""
    return work("writer", 0, every(8 * MINUTE, NOW + since, NOW + until), fails=0, duration_seconds=478.0)


MINUTE = timedelta(minutes=1)


def test_who_works_at_something_long_is_not_called_idle(tables: Store) -> None:
    tasks = of_eight_minutes(-120 * MINUTE, 30 * MINUTE)
    gauge(tables, range(0, 3600, 60), 3, "merit.queue.length")
    store_work(tables, [one for one in tasks if one["ended_at"] <= NOW])

    assert pass_time(tables, tasks, range(25), queue=3) == []


def test_who_stops_is_called_idle_when_a_task_would_have_ended_and_is_well_when_one_does(tables: Store) -> None:
    gauge(tables, range(0, 3600, 60), 3, "merit.queue.length")
    store_work(tables, of_eight_minutes(-120 * MINUTE, -8 * MINUTE))

    assert pass_time(tables, [], range(7), queue=3) == [("stuck-queue", "pending")]  # the last task ended 8 minutes ago
    assert pass_time(tables, [], range(7, 8), queue=3) == [("stuck-queue", "firing")]
    assert pass_time(tables, of_eight_minutes(10 * MINUTE, 18 * MINUTE), range(8, 25), queue=3) == [("stuck-queue", "resolved")]


def test_a_queue_that_fills_after_a_night_is_not_stuck_before_a_task_can_have_ended(tables: Store) -> None:
    store_work(tables, of_eight_minutes(-3000 * MINUTE, -2000 * MINUTE))
    gauge(tables, range(0, 3600, 60), 0, "merit.queue.length")

    assert pass_time(tables, of_eight_minutes(MINUTE, 17 * MINUTE), range(16), queue=3) == []


def decide(store: Store, minutes: Iterable[float], agent: str = "writer") -> None:
    """Decisions for an agent, so many minutes from now."""
    rows = ", ".join(f"('{i}', '{NOW + at * MINUTE:%F %T}', '{agent}')" for i, at in enumerate(minutes))
    store.command(f"INSERT INTO routing_decisions (decision_id, decided_at, agent_id) VALUES {rows}")


@pytest.mark.parametrize("says", [True, False], ids=["says whose task it is", "does not"])
def test_decisions_for_who_is_busy_wait_for_nobody(tables: Store, says: bool) -> None:
    """Decisions come each minute for half an hour, and nobody works for half an hour after it."""
    decide(tables, range(30))
    tasks = work("writer", 0, every(MINUTE, NOW, NOW + 30 * MINUTE), fails=0, duration_seconds=600.0)

    told = pass_time(tables, [one | {"decision_id": str(i) if says else ""} for i, one in enumerate(tasks)], range(60))

    assert told == []


@pytest.mark.parametrize(("known", "minutes"), [(True, 6), (False, 21)], ids=["known", "unknown"])
def test_decisions_of_which_nothing_comes_are_told(tables: Store, known: bool, minutes: int) -> None:
    if known:
        store_work(tables, work("writer", 0, every(MINUTE, NOW - 60 * MINUTE, NOW - 10 * MINUTE), seconds=8.0))
    decide(tables, [0.1] * 40)

    assert pass_time(tables, [], range(minutes)) == [("stuck-decisions", "pending")]
    assert pass_time(tables, [], range(minutes, minutes + 2)) == [("stuck-decisions", "firing")]
    assert [one["title"] for one in alerts(tables)] == ["all services: 40 decisions wait for their tasks and nobody works"]


def test_a_decision_that_was_not_followed_is_not_told_when_the_day_is_over(tables: Store) -> None:
    decide(tables, [-60], agent="other")
    store_work(tables, work("writer", 0, every(MINUTE, NOW - 90 * MINUTE, NOW)))

    assert pass_time(tables, [], range(30)) == []


def test_resources_that_are_used_up_are_told_if_asked_for(tables: Store, clock: Clock) -> None:
    gauge(tables, [30], 0.99, "system.memory.utilization")
    gauge(tables, [30], 0.5, "process.cpu.utilization")
    gauge(tables, [30, 230], 0, "system.network.io", kind="sum")
    network = {"name": "net", "metric": "network_bytes_per_second", "above": {"warning": 0.9}, "min_observations": 1}
    it = alerting(tables, clock, enable=["memory", "cpu"], rules=[network])
    it.run()
    assert set(found(tables)) == {"net"}  # 200 bytes in 200 s
    for _ in range(2):
        clock.tick(150)
        gauge(tables, [30 - (clock() - NOW).total_seconds()], 0.99, "system.memory.utilization")
        it.run()

    assert {"memory": {"service": "app"}}.items() <= found(tables).items()
    assert "cpu" not in found(tables)


def said_by_host(store: Store, name: str, values: dict[tuple[str, str], float], kind: str = "gauge") -> None:
    """One point a processor (or device) and state."""
    for (part, state), value in values.items():
        attributes = (
            f"{{'cpu': '{part}', 'state': '{state}'}}" if "cpu" in name else f"{{'device': '{part}', 'state': '{state}'}}"
        )
        more = ", AggregationTemporality, IsMonotonic" if kind == "sum" else ""
        ends = ((100, 0.0), (10, value)) if "time" in name else ((10, value),)
        rows = ", ".join(
            f"('host', '{name}', '{NOW - timedelta(seconds=ago):%F %T}', {many}, {attributes}{', 2, true' if more else ''})"
            for ago, many in ends
        )
        columns = f"ServiceName, MetricName, TimeUnix, Value, Attributes{more}"
        store.command(f"INSERT INTO otel_metrics_{kind} ({columns}) VALUES {rows}")


@pytest.mark.parametrize(
    ("name", "values", "kind", "told"),
    [
        # One of two processors is busy, the other one is not: half of the machine.
        (
            *("system.cpu.utilization", {("0", "user"): 0.6, ("0", "system"): 0.4, ("1", "idle"): 1.0, ("1", "user"): 0.0}),
            "gauge",
            0.5,
        ),
        ("system.memory.utilization", {("", "free"): 0.95, ("", "cached"): 0.01, ("", "used"): 0.04}, "gauge", 0.04),
        ("system.filesystem.utilization", {("a", ""): 0.2, ("b", ""): 0.7}, "gauge", 0.7),
        ("system.memory.usage", {("", "free"): 6e9, ("", "cached"): 1e9, ("", "used"): 3e9}, "sum", 0.3),
        ("system.filesystem.usage", {("a", "used"): 1e9, ("a", "free"): 9e9, ("b", "used"): 9e9, ("b", "free"): 1e9}, "sum", 0.9),
        ("system.cpu.time", {("0", "idle"): 30.0, ("0", "user"): 50.0, ("0", "system"): 20.0}, "sum", 0.7),
    ],
)
def test_what_a_machine_uses_is_told_by_parts_and_states(
    tables: Store, name: str, values: dict[tuple[str, str], float], kind: str, told: float
) -> None:
    said_by_host(tables, name, values, kind)

    measured = stored.measured(tables, {"cpu", "memory", "disk"}, NOW)

    assert measured["value"].to_list() == [pytest.approx(told)]


def test_a_wrong_rule_of_the_settings_is_refused_with_its_line(tmp_path: object) -> None:
    text = "processors:\n  alerts:\n    rules:\n      - name: mine\n        metric: sucess_rate\n        below: {critical: 0.7}\n"
    file = tmp_path / "merit.yaml"  # type: ignore[operator]
    file.write_text(text)

    with pytest.raises(Rejected, match=r"line 5: .*did you mean success_rate"):
        load(file, {})
