"""Is it failing now, and how much to send it?"""

from typing import Any

import polars as pl
import pytest

from processors.health import health, weight


def now(*pairs: tuple[int | None, int | None]) -> pl.DataFrame:
    frame = pl.DataFrame(pairs, schema={"finished": pl.UInt64, "failed": pl.UInt64}, orient="row")
    return frame.with_columns(health("finished", "failed", 20))


@pytest.mark.parametrize(
    ("finished", "failed", "status"),
    [
        (None, None, None),
        (0, 0, None),
        (19, 19, None),
        (20, 0, "healthy"),
        (20, 4, "healthy"),  # 20 % is not over 20 %
        (20, 5, "degraded"),
        (20, 8, "degraded"),
        (20, 9, "failing"),
        (20, 20, "failing"),
    ],
)
def test_over_a_fifth_is_degraded_and_over_two_fifths_failing(finished: Any, failed: Any, status: str | None) -> None:
    assert now((finished, failed))["health"].struct.field("status").item() == status


def weights(*rows: tuple[int, int, int, int]) -> list[float]:
    """Of calls, successes, and calls and failures of late."""
    frame = pl.DataFrame(rows, schema=["calls", "succeeded", "finished", "failed"], orient="row")
    return (
        frame.with_columns(health("finished", "failed", 20)).select(weight("health", "succeeded", "calls")).to_series().to_list()
    )


def test_calls_are_shared_out_by_chance_of_success() -> None:
    # all: 180 of 200 succeed, 0.9; chances (100 + 9) / 110 = 0.990909 and (80 + 9) / 110 = 0.809091, together 1.8
    assert weights((100, 100, 0, 0), (100, 80, 0, 0)) == pytest.approx([0.990909 / 1.8, 0.809091 / 1.8], abs=1e-6)


def test_who_is_degraded_gets_half_and_who_is_failing_nothing() -> None:
    same = (100, 90)
    assert weights((*same, 20, 0), (*same, 20, 5), (*same, 20, 20)) == pytest.approx([2 / 3, 1 / 3, 0])


def test_where_all_are_failing_somebody_must_be_asked_still() -> None:
    assert weights((100, 50, 20, 20), (100, 50, 20, 15)) == pytest.approx([0.5, 0.5])
    assert weights((10, 0, 0, 0), (30, 0, 0, 0)) == [0.5, 0.5]


def test_one_lucky_call_is_not_worth_more_than_many_good_ones() -> None:
    lucky, proven = weights((1, 1, 0, 0), (1000, 990, 0, 0))
    assert lucky == pytest.approx(proven, rel=0.01)
