"""What stands of traces whose spans have begun to expire."""

from datetime import timedelta

import polars as pl

from processors.conventions.read import Conventions
from processors.derive import Derived, Phase, derive
from processors.standing import OF_TASKS, standing, with_standing, without_standing
from tests.builders import NOW, Row, agent, chat, frame, span_of, trace_of

conventions = Conventions()
DAYS = [NOW + timedelta(days=days) for days in range(4)]


def work_out(rows: list[Row], came_on: int) -> Derived:
    """Tasks and nodes of spans the last of which came on that day."""
    return derive(conventions(frame([row | {"IngestedAt": DAYS[came_on]} for row in rows])), Phase.WHOLE, DAYS[came_on])


def of_store(derived: Derived) -> pl.DataFrame:
    """Their identities."""
    named = (("nodes", derived.nodes), ("tasks", derived.tasks))
    return pl.concat(rows.select(pl.lit(of).alias("of"), "trace_id", "span_id", "started_at", "version") for of, rows in named)


def turn(number: int, day: int) -> list[Row]:
    return [agent(1, number, Timestamp=DAYS[day]), chat(1, number + 1, number, Timestamp=DAYS[day])]


def test_what_was_derived_together_with_an_expiring_task_stands() -> None:
    together, later, other = (
        work_out([*turn(1, 0), *turn(3, 1)], 1),
        work_out(turn(5, 2), 2),
        work_out([agent(2, 1, Timestamp=DAYS[2])], 2),
    )

    stand = standing(pl.concat(of_store(each) for each in (together, later, other)), NOW + timedelta(hours=1))

    assert sorted(stand["span_id"]) == [span_of(n) for n in (1, 2, 3, 4)]
    assert stand["trace_id"].unique().to_list() == [trace_of(1)]
    assert standing(of_store(together), NOW).is_empty()


def test_what_stands_is_not_replaced_nor_gets_nodes() -> None:
    stand = standing(of_store(work_out(turn(1, 0), 0)), DAYS[1])
    new = work_out([*turn(1, 0), chat(1, 9, 1, Timestamp=DAYS[2]), *turn(5, 2)], 2)

    assert sorted(without_standing(new.tasks, stand)["span_id"]) == [span_of(5)]
    assert sorted(without_standing(new.nodes, stand)["span_id"]) == [span_of(6)]


def test_a_workflow_is_of_what_stands_and_what_is_new() -> None:
    old, new = work_out(turn(1, 0), 0), work_out(turn(5, 2), 2)
    before = old.workflows.select("trace_id", "name", "root_agent_id", "services", "started_at")

    (row,) = with_standing(new.workflows, new.tasks, before, old.tasks.select(OF_TASKS)).rows(named=True)

    assert (row["tasks"], row["total_tokens"], row["started_at"], row["status"]) == (2, 220, DAYS[0], "succeeded")
    assert row["duration_seconds"] == 2 * 24 * 3600 + 1
    assert row["version"] == new.workflows["version"].item()
