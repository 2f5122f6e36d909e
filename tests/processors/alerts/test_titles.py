"""What is wrong, in one line."""

from typing import Any

import pytest

from processors.alerts.metrics import METRICS
from processors.alerts.rules import shipped
from processors.alerts.titles import UNITS, WORDS, of_changes, of_level

RULES = {rule.name: rule for rule in shipped()}


@pytest.mark.parametrize(
    ("rule", "row", "scope", "title"),
    [
        ("success-rate", {"value": 0.3455, "level": 0.8}, {"agent_id": "a"}, "a: 34.5 % of tasks succeed, below 80 %"),
        ("many-tokens", {"value": 51484.0, "level": 1e4}, {"agent_id": "a"}, "a: a task took 51,484 tokens, above 10,000"),
        ("silent-agent", {"value": 75.4, "level": 60.0}, {"agent_id": "a"}, "a: no sign of life for 75.4 s, above 60 s"),
        ("stuck-queue", {"value": 7.0, "level": 0.0}, {"service": "app"}, "app: 7 wait and nobody works"),
        ("failing-jobs", {"value": 2.0, "level": 0.0}, {}, "Merit: jobs that cannot run: 2"),
        (
            "cost-spike",
            {"value": 0.118, "level": 3.0, "compared": 3.87, "before": 0.0305},
            {"agent_id": "a", "category": "b"},
            "a, b: tasks cost $0.1180 on average, 3.87 times the week before ($0.0305)",
        ),
        (
            "budget-of-the-day",
            {"value": 21.82, "level": 1.0, "compared": 21.82, "before": 1.0},
            {},
            "all agents: $21.82 spent, 21.8 times the budget ($1.00)",
        ),
    ],
)
def test_a_level_is_told_with_its_unit(rule: str, row: dict[str, Any], scope: dict[str, str], title: str) -> None:
    assert of_level(RULES[rule], row, scope) == title


def test_whatever_a_name_holds_it_is_one_short_line() -> None:
    title = of_level(
        RULES["many-tokens"], {"value": 2e4, "level": 1e4}, {"agent_id": "a\n2026-01-01 CRITICAL\u202eb" + "c" * 300}
    )

    assert title.startswith("a 2026-01-01 CRITICAL b")
    assert len(title) < 120
    assert "\n" not in title + of_changes(["a\nb"], [{"measure": "cost", "before": 1.0, "after": 2.0}], "tool c\nd")


def test_changes_are_told_of_one_agent_with_numbers_and_of_several_with_their_names() -> None:
    failing = {"measure": "success", "before": 0.02, "after": 0.6}
    slower = {"measure": "duration", "before": 8.0, "after": 24.0}

    assert (
        of_changes(["a"], [failing, slower], "tool x")
        == "a: fails more often (2 % to 60 %) and is slower (8 s to 24 s), because of tool x"
    )
    assert of_changes(["a", "b"], [failing, failing], "") == "a and b: fail more often"
    assert of_changes(list("abcd"), [slower], "model m") == "4 agents: are slower, because of model m"


def test_every_metric_with_a_level_can_be_told() -> None:
    assert all(metric.says.count("{}") == 1 for metric in METRICS.values() if metric.source != "change")
    assert set(WORDS) == set(UNITS)
