"""What is usual of agents is worked out part by part, and at once where people have accepted what is new."""

from datetime import timedelta
from itertools import pairwise

from exporters.alerts import Bounds
from exporters.store import Store
from merit.jobs.usual import Usual
from tests.builders import NOW
from tests.merit.alerting import DAY, HOUR, every, store_work, work

AGENTS = [f"agent-{n}" for n in range(12)]
NOBODY = Bounds({}, {})
PARTS = 4


def worked(store: Store) -> None:
    """Three weeks of twelve agents."""
    tasks = [one for n, name in enumerate(AGENTS) for one in work(name, 1000 * n, every(8 * HOUR, NOW - 21 * DAY, NOW))]
    store_work(store, tasks)


def agents_of(frame: object) -> set[str]:
    return set(frame["agent_id"])  # type: ignore[index]


def test_a_few_agents_are_known_at_once_and_many_a_part_at_a_time(tables: Store) -> None:
    worked(tables)
    few, many = Usual(tables), Usual(tables, 1, PARTS)
    known = [agents_of(many(NOBODY, NOW).usual) for _ in range(PARTS)]

    assert agents_of(few(NOBODY, NOW).usual) == set(AGENTS) == known[-1]
    assert len(known[0]) < len(AGENTS)
    assert all(before <= after for before, after in pairwise(known))
    assert many(NOBODY, NOW).usual.sort(pl_key()).equals(few(NOBODY, NOW).usual.sort(pl_key()))


def pl_key() -> list[str]:
    return ["agent_id", "category", "measure", "block"]


def test_what_people_accept_holds_at_once(tables: Store) -> None:
    worked(tables)
    known = Usual(tables, 1, PARTS)
    for _ in range(PARTS):
        known(NOBODY, NOW)
    accepted = {(name, "general", "success"): NOW - timedelta(days=18) for name in AGENTS}
    told = known(Bounds(accepted, {}), NOW)

    assert agents_of(told.accepted) == set(AGENTS)
    assert set(told.accepted["measure"]) == {"success"}
    assert "success" not in set(told.usual["measure"])  # too little is left of what was before
    assert agents_of(told.usual) == set(AGENTS)
