"""The registry of agents follows the tasks."""

from datetime import timedelta

import pytest

from exporters.store import Store
from merit.jobs.registry import Registry
from tests.builders import Clock, Row
from tests.query_api.build import put, task

DAYS = 395


def agents(store: Store) -> dict[str, Row]:
    return {row["agent_id"]: row for row in store.query("SELECT * FROM known_agents").rows(named=True)}


def test_agents_are_entered_as_their_tasks_come(tables: Store, clock: Clock) -> None:
    registry = Registry(tables, DAYS, clock)
    assert registry.refresh() == 0
    put(tables, "tasks", [task(1, models=["gpt-4"]), task(2, agent_id="b", department_said="sales", capabilities="research")])
    assert [registry.refresh(), registry.refresh()] == [2, 0]

    put(tables, "tasks", [task(3, models=["gpt-5"])])
    assert registry.refresh() == 1

    found = agents(tables)
    assert (found["researcher"]["models"], found["b"]["department"]) == (["gpt-4", "gpt-5"], "sales")
    assert found["b"]["capabilities"] == ["research"]


def test_another_process_goes_on_where_one_stopped(tables: Store, clock: Clock) -> None:
    put(tables, "tasks", [task(1)])
    Registry(tables, DAYS, clock).refresh()
    put(tables, "tasks", [task(2, agent_id="b")])

    again = Registry(tables, DAYS, clock)

    assert [again.refresh(), again.refresh()] == [1, 0]
    assert set(agents(tables)) == {"researcher", "b"}


@pytest.mark.parametrize("other", [{"agent_id": "b"}, {"is_deleted": 1}])
def test_a_task_that_turns_out_to_be_another_agents_is_taken_back(tables: Store, clock: Clock, other: Row) -> None:
    registry = Registry(tables, DAYS, clock)
    put(tables, "tasks", [task(1)])
    registry.refresh()
    put(tables, "tasks", [task(1, version=2, **other)])
    tables.command("OPTIMIZE TABLE tasks FINAL")
    registry.refresh()

    clock.tick(601)
    registry.refresh()

    assert set(agents(tables)) == ({"b"} if "agent_id" in other else set())


def test_agents_outlive_their_tasks(tables: Store, clock: Clock) -> None:
    put(tables, "tasks", [task(1)])
    Registry(tables, DAYS, clock).refresh()
    before = agents(tables)
    tables.command("TRUNCATE TABLE tasks")
    clock.tick(timedelta(days=DAYS + 1).total_seconds())

    Registry(tables, DAYS, clock).refresh()

    assert agents(tables) == before


def test_a_clock_that_went_back_keeps_nothing_from_being_written(tables: Store, clock: Clock) -> None:
    registry = Registry(tables, DAYS, clock)
    put(tables, "tasks", [task(1)])
    registry.refresh()
    clock.tick(-7200)
    put(tables, "tasks", [task(2, agent_name="Renamed")])
    registry.refresh()

    assert agents(tables)["researcher"]["agent_name"] == "Renamed"
