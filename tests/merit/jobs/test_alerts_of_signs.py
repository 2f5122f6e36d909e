"""Alerts told by metrics: signs of life, queues, resources."""

import json
from collections.abc import Iterable
from datetime import timedelta

import pytest

from exporters import alerts as stored
from exporters.store import Store
from merit.settings import load
from processors.errors import Rejected
from tests.builders import NOW, Clock
from tests.merit.alerting import alerting, alerts, every, store_work, work


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
