"""What tasks say of their agents, put together over time."""

from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from processors.agents import AGENTS, SIGHTINGS, changed, correct, grow
from processors.frames import empty
from tests.builders import NOW, Row, frame

NOBODY = empty(AGENTS)


def sighting(hour: int, **more: Any) -> Row:
    """A task of the agent `a`, begun `hour` hours after NOW."""
    begun = NOW + timedelta(hours=hour)
    plain = dict.fromkeys(SIGHTINGS, "") | {"agent_id": "a", "models": [], "first_seen": begun, "last_seen": begun}
    return plain | more


def seen(*rows: Row) -> pl.DataFrame:
    return frame(rows, SIGHTINGS)


def only(agents: pl.DataFrame) -> Row:
    (row,) = agents.rows(named=True)
    return row


def test_an_agent_is_what_its_tasks_said_last() -> None:
    agent = only(
        grow(
            NOBODY,
            seen(
                sighting(3, agent_name="New", service_name="web"),
                sighting(1, agent_name="Old", agent_type="cognitive", service_name="app", capabilities="research, coding"),
                sighting(2, department="sales", service_name="app", capabilities='["writing","research"]'),
            ),
        )
    )
    assert (agent["agent_name"], agent["agent_type"], agent["department"]) == ("New", "cognitive", "sales")
    assert (agent["capabilities"], agent["services"]) == (["writing", "research"], ["app", "web"])
    assert (agent["first_seen"], agent["last_seen"]) == (NOW + timedelta(hours=1), NOW + timedelta(hours=3))


def test_models_have_their_first_and_their_last_task() -> None:
    rows = sighting(1, models=["gpt-4"]), sighting(2, models=["gpt-4", "gpt-5"]), sighting(3, models=["gpt-5"]), sighting(4)
    agent = only(grow(NOBODY, seen(*rows)))
    first, second, third = (NOW + timedelta(hours=n) for n in (1, 2, 3))
    assert (agent["models.model"], agent["models.since"], agent["models.last_seen"]) == (
        ["gpt-4", "gpt-5"],
        [first, second],
        [second, third],
    )


def test_a_task_that_comes_late_only_widens_what_is_known() -> None:
    known = grow(NOBODY, seen(sighting(5, agent_name="New", models=["gpt-5"])))
    agent = only(grow(known, seen(sighting(1, agent_name="Old", models=["gpt-4"]))))
    assert (agent["agent_name"], agent["models.model"]) == ("New", ["gpt-4", "gpt-5"])
    assert (agent["first_seen"], agent["last_seen"]) == (NOW + timedelta(hours=1), NOW + timedelta(hours=5))


SIGHTED = st.lists(
    st.builds(
        sighting,
        st.integers(0, 50),
        agent_id=st.sampled_from("ab"),
        service_name=st.sampled_from(["", "app", "web"]),
        models=st.lists(st.sampled_from(["m", "n"]), unique=True),
    ),
    max_size=12,
)


@given(SIGHTED, st.integers(0, 12))
def test_neither_the_order_nor_the_number_of_times_matters(rows: list[Row], cut: int) -> None:
    whole = grow(NOBODY, seen(*rows))
    again = grow(grow(grow(NOBODY, seen(*rows[cut:])), seen(*rows[:cut])), seen(*reversed(rows)))
    assert again.equals(whole)
    assert changed(whole, again, 7).is_empty()


def test_only_what_differs_is_written_and_later_than_what_was_there() -> None:
    known = grow(NOBODY, seen(sighting(1), sighting(1, agent_id="b"))).with_columns(version=pl.lit(9, dtype=pl.UInt64))
    after = grow(known, seen(sighting(2, agent_id="b"), sighting(2, agent_id="c")))
    assert changed(known, after, 5).select("agent_id", "version").rows() == [("b", 10), ("c", 5)]


def test_an_agent_whose_tasks_were_somebody_elses_is_gone() -> None:
    known = grow(NOBODY, seen(sighting(1), sighting(2, agent_id="b")))
    after = correct(known, seen(sighting(1, agent_id="b")), NOW)
    assert {row["agent_id"]: row["is_deleted"] for row in after.rows(named=True)} == {"a": 1, "b": 0}
    assert after.filter(agent_id="b")["last_seen"].item() == NOW + timedelta(hours=1), "its other task is gone as well"


def test_what_was_known_before_tasks_began_to_expire_stays() -> None:
    known = grow(
        NOBODY,
        seen(
            sighting(-9, agent_type="cognitive", models=["gpt-3"]),
            sighting(-8, agent_id="retired", models=["gpt-3"]),
            sighting(1, models=["gpt-3", "wrong"]),
        ),
    )
    after = correct(known, seen(sighting(2, models=["gpt-4"])), NOW)
    a, retired = after.rows(named=True)
    assert (a["agent_type"], a["first_seen"], a["last_seen"]) == (
        "cognitive",
        NOW + timedelta(hours=-9),
        NOW + timedelta(hours=2),
    )
    assert a["models.model"] == ["gpt-3", "gpt-4"]
    assert a["models.last_seen"][0] == NOW, "that it answered later was said by a task that is gone"
    assert changed(known.filter(agent_id="retired"), after.filter(agent_id="retired"), 1).is_empty()
    assert retired["is_deleted"] == 0
