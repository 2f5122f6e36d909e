"""Of which alerts nobody is told."""

from datetime import UTC, datetime

import pytest

from processors.alerts.frames import SILENCES
from processors.alerts.rules import Recurring
from processors.alerts.silences import is_on, silencer
from processors.frames import empty
from tests.builders import NOW

NIGHT = Recurring(days=("fri",), start="22:00", hours=10, scope={"severity": ("warning",)})


@pytest.mark.parametrize(
    ("day", "hour", "on"),
    [(30, 21, False), (30, 22, True), (31, 7, True), (31, 8, False), (31, 23, False), (29, 23, False)],
)  # the 30th of January 2026 is a Friday
def test_a_maintenance_window_comes_every_week(day: int, hour: int, on: bool) -> None:
    assert is_on(NIGHT, datetime(2026, 1, day, hour, tzinfo=UTC)) is on


@pytest.mark.parametrize(("severity", "silent"), [("warning", True), ("critical", False)])
def test_only_what_is_in_its_scope_is_silent(severity: str, silent: bool) -> None:
    alert = {"scope": "{}", "rule": "success", "severity": severity, "agent_id": "writer"}
    always = Recurring(days=("sat",), start="00:00", hours=24, scope={"severity": ("warning",), "agent_id": ("writer",)})

    assert silencer(empty(SILENCES), [always], NOW)(alert) is silent  # NOW is a Saturday
