"""Which days a report is about, when it is due, and how it says things."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from processors.reports import words
from processors.reports.charts import LEFT, WIDTH, Series, columns, ticks
from processors.reports.periods import KINDS, Kind, last_complete, last_due, period
from processors.reports.settings import ReportSettings
from processors.reports.work import moved, totals
from tests.processors.scoring.histories import statistics
from tests.processors.scoring.histories import work as tasks_of

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    [BERLIN, ZoneInfo("UTC"), ZoneInfo("America/Santiago"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Pacific/Apia")]
)


@given(st.sampled_from(KINDS), st.dates(date(2001, 1, 1), date(2100, 1, 1)), ZONES)
def test_periods_follow_one_another_without_a_gap_and_their_steps_fill_them(kind: Kind, day: date, zone: ZoneInfo) -> None:
    this = period(kind, day, zone)
    after = period(kind, this.after, zone)

    assert this.first <= day < this.after
    assert (after.before, after.since) == (this.since, this.until)
    assert this.steps[0] == this.since
    assert list(this.steps) == sorted(set(this.steps))
    assert this.steps[-1] < this.until


def test_a_day_on_which_clocks_change_has_another_number_of_hours() -> None:
    assert len(period("daily", date(2026, 3, 29), BERLIN).steps) == 23
    assert len(period("daily", date(2026, 10, 25), BERLIN).steps) == 25


def test_a_report_is_due_at_its_time_of_day_after_its_period() -> None:
    nine = time(9)
    early = datetime(2026, 2, 2, 7, 59, tzinfo=UTC)  # a Monday, a minute to nine in Berlin
    late = early + timedelta(minutes=1)

    assert [last_due(kind, early, BERLIN, nine)[0].first for kind in KINDS] == [
        *(date(2026, 1, 31), date(2026, 1, 19)),
        date(2026, 1, 1),
    ]
    assert last_due("weekly", late, BERLIN, nine) == (period("weekly", date(2026, 1, 26), BERLIN), late)
    assert last_complete("weekly", early, BERLIN).first == date(2026, 1, 26)


@pytest.mark.parametrize(
    ("most", "scale"), [(0, [0, 1]), (1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (7, [0, 2, 4, 6, 8]), (40, [0, 10, 20, 30, 40])]
)
def test_a_scale_is_of_round_numbers(most: float, scale: list[float]) -> None:
    assert ticks(most) == pytest.approx(scale)


@given(st.floats(1e-9, 1e12))
def test_a_scale_holds_what_it_is_for_in_few_steps(most: float) -> None:
    scale = ticks(most)
    assert scale[-1] >= most * (1 - 1e-9)
    assert 2 <= len(scale) <= 7


def test_columns_stand_on_one_another_within_the_picture() -> None:
    chart = columns("Tasks", ["a", "b"], [Series("succeeded", [3, 0]), Series("failed", [1, 2])])
    one, other, alone = chart.bars

    assert (one.kind, other.kind, alone.says) == ("succeeded", "failed", "b: 2 failed")
    assert other.y + other.height == pytest.approx(one.y)
    assert all(bar.x >= LEFT and bar.x + bar.width <= WIDTH for bar in chart.bars)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0, "$0.00"), (12.3, "$12.30"), (-0.05, "-$0.0500"), (0.00042, "$0.000420"), (1e6, "$1,000,000.00")],
)
def test_money_shows_as_many_digits_as_matter(value: float | None, shown: str) -> None:
    assert words.money(value) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain agent-1", "plain agent-1"),
        ("[x](https://evil.example)", "\\[x\\](https\u200b://evil.example)"),
        ("<!channel> @here", "&lt;!channel&gt; @\u200bhere"),
        ("a|b\n# c", "a\\|b \\# c"),
    ],
)
def test_a_name_is_text_in_markdown(name: str, shown: str) -> None:
    assert words.markdown(name) == shown


def test_an_unknown_time_zone_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="did you mean Europe/Berlin"):
        ReportSettings(time_zone="Europe/Berln")


@pytest.mark.parametrize(("tasks", "before", "is_sure"), [(10, 10, True), (9, 500, False), (500, 9, False)])
def test_a_move_is_sure_only_where_enough_was_done_in_both_periods(tasks: int, before: int, is_sure: bool) -> None:
    same = {"agent_id": "coder", "success_rate": 0.9, "quality": None, "total_cost_usd": None}
    now = pl.DataFrame([same | {"rank": 2, "tasks": tasks, "score_low": 50.0, "score_high": 55.0}])
    then = pl.DataFrame([same | {"rank": 1, "tasks": before, "score_low": 60.0, "score_high": 65.0}])

    assert moved(now, then).select("moved", "is_sure").row(0) == (-1, is_sure)


@pytest.mark.parametrize(("unpriced", "each"), [(0, 0.01), (1, 0.01), (6, None)])
def test_what_a_success_cost_is_unknown_where_many_prices_are(unpriced: int, each: float | None) -> None:
    dear = tasks_of("dear", unpriced, 0, cost_n=0, cost_sum=0.0, cost_succeeded=0, unpriced_calls=unpriced)
    told = totals(statistics(tasks_of("known", 100, 0), dear), 0.05)

    assert told["cost_per_success_usd"] == (None if each is None else pytest.approx(each))
    assert told["cost_usd"] == pytest.approx(0.01 * (100 + unpriced)), "what is known to have been spent is told"


@pytest.mark.parametrize(
    ("change", "good", "judged"), [(0.5, 1, "good"), (0.5, -1, "bad"), (0.5, 0, ""), (0.005, 1, ""), (None, 1, "")]
)
def test_a_change_is_good_or_bad_by_what_changed(change: float | None, good: int, judged: str) -> None:
    assert words.judged({"change_ratio": change}, good) == judged
