"""Which sums tell of a stretch of time."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from query_api.asking.pieces import DAYS, EPOCH, FOURS, HOURS, MINUTES, TASKS, Piece, Reach, pieces

DAY = datetime(2026, 1, 31, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
REACH = Reach(hourly_until=DAY + 11 * HOUR, daily_until=DAY)


def test_a_stretch_is_days_then_hours_then_minutes_and_tasks_at_its_edges() -> None:
    begin, end = DAY - 26 * HOUR - 20 * SECOND, DAY + 12 * HOUR + 30 * SECOND
    yesterday = DAY - 24 * HOUR

    assert sorted(pieces([begin, end], REACH), key=lambda piece: piece.begin) == [
        Piece(TASKS, begin, yesterday - 2 * HOUR, 1),  # minutes of long ago are not kept
        Piece(HOURS, yesterday - 2 * HOUR, yesterday, 1),
        Piece(DAYS, yesterday, DAY, 1),
        Piece(HOURS, DAY, DAY + 11 * HOUR, 1),
        Piece(MINUTES, DAY + 11 * HOUR, DAY + 12 * HOUR, 1),
        Piece(TASKS, DAY + 12 * HOUR, end, 1),
    ]


def test_a_cut_at_the_beginning_of_a_day_leaves_it_whole() -> None:
    cuts = [DAY - 48 * HOUR, DAY - 24 * HOUR, DAY]

    assert pieces(cuts, REACH) == [Piece(DAYS, cuts[0], cuts[1], 1), Piece(DAYS, cuts[1], cuts[2], 2)]


def test_four_days_are_told_together_where_they_begin_as_sums_are_cut() -> None:
    first = datetime(2026, 1, 23, tzinfo=UTC)  # 20,476 days after the beginning of 1970, a multiple of four
    reach = REACH._replace(fours_until=first + FOURS.width)
    found = sorted(pieces([first - 24 * HOUR, DAY], reach), key=lambda piece: piece.begin)

    assert found == [
        Piece(DAYS, first - 24 * HOUR, first, 1),
        Piece(FOURS, first, first + FOURS.width, 1),
        Piece(DAYS, first + FOURS.width, DAY, 1),
    ]


def test_nothing_is_added_up_where_scoring_has_not_begun() -> None:
    never = datetime(1970, 1, 1, tzinfo=UTC)

    assert {piece.level for piece in pieces([DAY, DAY + HOUR], Reach(never, never), (DAYS, HOURS, TASKS))} == {TASKS}


moments = st.datetimes(datetime(2026, 1, 25), datetime(2026, 2, 3), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(moments, min_size=2, max_size=6, unique=True).map(sorted), moments)
def test_pieces_cover_each_stretch_once(cuts: list[datetime], now: datetime) -> None:
    hour = now.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    reach = Reach(hour, day, day - (day - EPOCH) % FOURS.width)
    found = sorted(pieces(cuts, reach), key=lambda piece: piece.begin)

    assert [found[0].begin, *(piece.end for piece in found)] == [*(piece.begin for piece in found), cuts[-1]]
    assert all(cuts[piece.segment - 1] <= piece.begin < piece.end <= cuts[piece.segment] for piece in found)
    for level, until in ((FOURS, reach.fours_until), (DAYS, reach.daily_until), (HOURS, reach.hourly_until)):
        assert all(piece.end <= until for piece in found if piece.level == level)
    assert all(piece.begin >= reach.hourly_until for piece in found if piece.level == MINUTES)
