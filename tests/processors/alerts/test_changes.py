"""Change detection on simulated agents: a small version of the figures in docs/alerts.md."""

import pytest

from processors.alerts.changes import OBSERVED, changes, usual
from processors.frames import empty
from tests.processors.alerts.measuring import delay, false_alarms, volumes
from tests.processors.alerts.simulation import Agent, Fault, history


def test_a_month_of_normal_work_has_at_most_one_false_alarm() -> None:
    assert sum(false_alarms(Agent(), months=1, seed=901).values()) <= 1


@pytest.mark.parametrize(
    ("measure", "fault", "within"),
    [
        ("success", Fault(35.5, fails=1.0), 15),
        ("success", Fault(35.5, fails=0.35), 80),
        ("duration", Fault(35.5, slower=2.5), 80),
        ("cost", Fault(35.5, dearer=2.5), 80),
        ("quality", Fault(35.5, worse=0.3), 200),
    ],
)
def test_a_fault_is_found_within_so_many_tasks(measure: str, fault: Fault, within: int) -> None:
    found = delay(Agent(), fault, measure, seed=902, most=within)

    assert found is not None


def test_with_too_little_past_nothing_is_known() -> None:
    tasks = history(Agent(a_day=10), 4, seed=903)

    assert usual(tasks.head(49)).is_empty()
    assert changes(tasks, usual(tasks.head(49)), volumes(tasks, 4)).is_empty()
    assert changes(empty(OBSERVED), usual(tasks), volumes(tasks, 4)).is_empty()


def test_durations_that_never_vary_raise_nothing_while_they_hardly_vary() -> None:
    past = history(Agent(spread=0.0), 20, seed=904).with_columns(duration_seconds=8.0, cost_usd=0.01)
    now = history(Agent(), 1, seed=905).with_columns(duration_seconds=8.01, cost_usd=0.01)

    assert changes(now, usual(past), volumes(past, 20)).filter(state="raised").is_empty()
