"""What explains a change."""

import polars as pl

from processors.alerts.causes import STEPS, cause
from processors.frames import conform

Step = tuple[str, str, str, int, int, int, float, float]


def steps(*rows: Step) -> pl.DataFrame:
    """`period, kind, name, tasks, calls, failed, seconds, cost_usd` of one agent."""
    names = [name for name in STEPS if name not in ("agent_id", "category")]
    frame = pl.DataFrame(rows, schema=names, orient="row").with_columns(agent_id=pl.lit("writer"), category=pl.lit("general"))
    return conform(frame, STEPS)


TASKS_FAIL: tuple[Step, Step] = (("before", "task", "", 100, 100, 2, 800.0, 1.0), ("after", "task", "", 20, 20, 10, 160.0, 0.2))


def test_the_tool_that_fails_with_the_tasks_explains_it() -> None:
    found = cause(
        steps(
            *TASKS_FAIL,
            ("before", "tool", "search", 100, 100, 1, 10, 0),
            ("after", "tool", "search", 20, 20, 10, 2, 0),
            ("before", "model", "gpt-4o", 100, 100, 0, 600, 1),
            ("after", "model", "gpt-4o", 20, 20, 0, 120, 0.2),
        ),
        "success",
    )

    assert found is not None
    assert (found.kind, found.name, found.explains) == ("tool", "search", 1.0)  # 0.49 more failures of 0.48


def test_of_a_model_and_its_provider_the_model_is_named() -> None:
    slow = steps(
        ("before", "task", "", 100, 100, 0, 800.0, 1.0),
        ("after", "task", "", 20, 20, 0, 480.0, 0.2),
        ("before", "model", "gpt-4o", 100, 100, 0, 600, 1),
        ("after", "model", "gpt-4o", 20, 20, 0, 440, 0.2),
        ("before", "provider", "openai", 100, 100, 0, 600, 1),
        ("after", "provider", "openai", 20, 20, 0, 440, 0.2),
    )

    assert str(cause(slow, "duration")) == "model gpt-4o"  # 16 of 16 seconds more


def test_another_model_is_a_change_of_model_whatever_it_changes() -> None:
    other = steps(
        *TASKS_FAIL, ("before", "model", "gpt-4o", 100, 100, 0, 1, 1), ("after", "model", "gpt-4o-mini", 20, 20, 0, 1, 1)
    )

    assert str(cause(other, "quality")) == "model change gpt-4o to gpt-4o-mini"


def test_what_nothing_explains_has_no_cause() -> None:
    assert cause(steps(*TASKS_FAIL, ("after", "tool", "search", 20, 20, 2, 2, 0)), "success") is None
    assert cause(steps(*TASKS_FAIL), "quality") is None
