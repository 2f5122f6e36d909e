"""Open decisions: what is remembered of them, and for how long."""

from datetime import timedelta

import polars as pl

from processors.routing.standings import OpenDecisions
from tests.builders import NOW


def test_what_closes_decisions_of_others_is_forgotten_though_nobody_decides_here() -> None:
    known = OpenDecisions(60)
    for minute in range(5):
        ended = {"task_id": [f"t{minute}"], "trace_id": ["x"], "agent_id": ["a"], "decision_id": [f"d{minute}"]}
        known.close_tasks(pl.DataFrame(ended), NOW + timedelta(minutes=minute))

    assert [known.knows(f"d{minute}") for minute in range(5)] == [False, False, False, False, True]
