"""What people have set of an agent holds for the tasks that are derived from then on."""

from exporters.store import Store
from merit.jobs.registry import Registry
from tests.builders import NOW, Clock, Row, job
from tests.merit.deriving import pipeline, rows_of, send, work
from tests.query_api.build import put


def edit(field: str, value: str | None, version: int = 1) -> Row:
    values = [] if value is None else [value]
    return {"agent_id": "researcher", "field": field, "value": values, "version": version, "is_deleted": int(value is None)}


def whose(store: Store, table: str) -> dict[str, set[str]]:
    """Department to the agents of its rows."""
    rows = rows_of(store, table)
    return {row["department"]: {one["agent_id"] for one in rows if one["department"] == row["department"]} for row in rows}


def test_tasks_and_nodes_carry_what_was_set_and_what_was_said_is_kept(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, job(1), clock)
    work(it, clock)
    put(tables, "agent_edits", [edit("department", "science"), edit("agent_type", "cognitive")])
    assert [it.refresh(), it.refresh()] == [True, False]
    assert whose(tables, "tasks") == {"": {"supervisor", "researcher"}}

    it.rederive(NOW, clock.tick(1))

    assert whose(tables, "tasks") == whose(tables, "nodes") == {"": {"supervisor"}, "science": {"researcher"}}
    (task,) = (row for row in rows_of(tables, "tasks") if row["agent_id"] == "researcher")
    assert (task["agent_type"], task["agent_type_said"], task["department_said"]) == ("cognitive", "", "")


def test_what_was_taken_back_is_as_the_spans_say(tables: Store, clock: Clock) -> None:
    put(tables, "agent_edits", [edit("department", "science")])
    it = pipeline(tables, clock)
    send(it, job(1), clock)
    work(it, clock)
    Registry(tables, 395, clock).refresh()
    shown = "SELECT department FROM known_agents WHERE agent_id = 'researcher'"
    assert tables.query(shown).item() == "science"

    put(tables, "agent_edits", [edit("department", None, version=2)])

    assert tables.query(shown).item() == ""
    it.refresh()
    it.rederive(NOW, clock.tick(1))
    assert whose(tables, "tasks") == {"": {"supervisor", "researcher"}}
