"""When a trace is due, from where its spans come, and what is remembered of it."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.assemble import Due, OpenTraces
from processors.derive import Phase
from processors.frames import READINGS, STRING, empty
from processors.remembered import KnownTraces
from processors.settings import AssembleSettings
from tests.builders import NOW, span_of, trace_of

NOBODY = pl.Series([], dtype=STRING)


def opened(known: pl.Series = NOBODY, **settings: Any) -> OpenTraces:
    return OpenTraces(AssembleSettings.model_validate(settings), known, NOW)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def spans(trace: int, *numbers: int, came: float = 0, began: float = 0) -> pl.DataFrame:
    """Readings of spans of one trace; number 1 is the root."""
    rows = {
        "TraceId": [trace_of(trace)] * len(numbers),
        "SpanId": [span_of(number) for number in numbers],
        "ParentSpanId": ["" if number == 1 else span_of(1) for number in numbers],
        "Timestamp": [at(began)] * len(numbers),
        "IngestedAt": [at(came)] * len(numbers),
    }
    given_ = pl.DataFrame(rows, schema={name: READINGS[name] for name in rows})
    return pl.concat([empty(READINGS), given_], how="diagonal").select(READINGS.keys())


def prompted(readings: pl.DataFrame) -> pl.DataFrame:
    """The same with inputs of 1,000 bytes and more."""
    return readings.with_columns(Input=pl.lit("x" * 1_000) + pl.col("TraceId") + pl.col("SpanId"))


def stored(trace: int, count: int, *, grown: bool = True, has_root: bool = True, came: float = 0) -> pl.DataFrame:
    """A trace as the sweep finds it."""
    times = {"first_seen": at(came), "last_seen": at(came)}
    row = {"TraceId": trace_of(trace), **times, "has_root": has_root, "spans": count, "grown": grown}
    return pl.DataFrame([row]).with_columns(pl.col("first_seen", "last_seen").cast(READINGS["IngestedAt"]))


def phases(dues: list[Due]) -> dict[Phase, list[str]]:
    return {due.phase: sorted(due.trace_ids) for due in dues}


def test_open_traces_hold_nothing_of_what_was_received_with_them():
    traces, before = opened(), pa.total_allocated_bytes()
    received = pa.array([f"{number:040}" for number in range(100_000)], pa.large_string())
    seen = pl.Series(pl.from_arrow(received))[:10]
    traces.add(pl.concat([spans(1, *range(1, 11)).with_columns(SpanName=seen)]))
    del received, seen
    assert pa.total_allocated_bytes() - before < 100_000
    (due,) = traces.due(at(5))
    assert due.held["SpanName"][9] == f"{9:040}"


def settle(traces: OpenTraces, seconds: float, waiting: list[str] | None = None) -> list[Due]:
    """Settle what is due."""
    dues = traces.due(at(seconds))
    for due in dues:
        traces.settle(due, waiting or [], at(seconds))
    return dues


def test_with_its_root_a_trace_is_due_when_it_is_quiet() -> None:
    traces = opened()
    traces.add(spans(1, 1, 2))

    assert phases(traces.due(at(1.9))) == {}
    (due,) = traces.due(at(2))
    assert (due.phase, due.trace_ids, len(due.held), due.stored, due.again) == (Phase.WHOLE, [trace_of(1)], 2, [], [])


def test_without_its_root_it_is_shown_running_then_abandoned_then_old() -> None:
    traces = opened()
    traces.add(spans(1, 2))

    assert [[due.phase for due in settle(traces, seconds)] for seconds in (2, 30, 60, 100, 900)] == [
        [Phase.RUNNING],
        [],
        [Phase.WHOLE],
        [],
        [Phase.OLD],
    ]
    assert settle(traces, 2000) == []


def test_spans_of_a_running_trace_stay_in_memory() -> None:
    traces = opened()
    traces.add(spans(1, 2, 3))
    settle(traces, 2)
    traces.add(spans(1, 1, came=3))

    (due,) = traces.due(at(5))

    assert (due.phase, len(due.held), due.again) == (Phase.WHOLE, 3, [trace_of(1)])


def test_a_running_trace_that_goes_on_is_shown_at_growing_intervals() -> None:
    traces, shown = opened(), []
    for second in range(0, 300, 3):
        traces.add(spans(1, second + 2, came=second))
        shown += [second for due in settle(traces, second + 2) if due.phase is Phase.RUNNING]

    gaps = [b - a for a, b in pairwise(shown)]
    assert gaps == sorted(gaps)
    assert len(shown) <= 8


def test_what_waits_for_a_parent_is_due_again_when_it_is_old() -> None:
    traces = opened()
    traces.add(spans(1, 1, 7))
    settle(traces, 2, waiting=[trace_of(1)])

    assert settle(traces, 800) == []
    (due,) = settle(traces, 900)
    assert (due.phase, due.stored) == (Phase.OLD, [trace_of(1)])


def test_everything_is_due_at_once_when_it_is_asked_for() -> None:
    traces = opened()
    traces.add(pl.concat([spans(1, 1), spans(2, 2)]))

    assert phases(traces.due(NOW, everything=True)) == {Phase.WHOLE: [trace_of(1)], Phase.RUNNING: [trace_of(2)]}


def test_late_spans_are_joined_by_the_stored_ones() -> None:
    traces = opened()
    traces.add(spans(1, 1))
    settle(traces, 2)
    traces.add(spans(1, 1, 3, came=5))

    (due,) = traces.due(at(7))

    assert (len(due.held), due.stored, due.again) == (0, [trace_of(1)], [trace_of(1)])


def test_a_trace_that_was_known_at_the_start_is_read_back() -> None:
    traces = opened(pl.Series([trace_of(1)]))
    traces.add(pl.concat([spans(1, 1), spans(2, 1)]))

    (due,) = traces.due(at(2))

    assert (due.held["TraceId"].to_list(), due.stored) == ([trace_of(2)], [trace_of(1)])


def test_a_span_that_came_before_a_derivation_and_is_added_after_it_is_news() -> None:
    traces = opened()
    traces.add(spans(1, 2))
    settle(traces, 3)
    traces.add(spans(1, 1, came=2.9))

    assert [due.phase for due in settle(traces, 10)] == [Phase.WHOLE]


def test_what_was_missed_is_due_again_and_read_back() -> None:
    traces = opened()
    traces.add(pl.concat([spans(1, 1), spans(2, 2)]))
    for due in traces.due(at(2)):
        traces.missed(due)

    dues = traces.due(at(3))

    assert phases(dues) == {Phase.WHOLE: [trace_of(1)], Phase.RUNNING: [trace_of(2)]}
    assert sorted(trace for due in dues for trace in due.stored) == [trace_of(1), trace_of(2)]


def test_old_spans_make_doubtful_whether_memory_has_all() -> None:
    traces = opened()
    traces.add(pl.concat([spans(1, 1, began=-3600), spans(2, 1, began=-10)]))

    (due,) = traces.due(at(2))
    assert due.doubtful == [trace_of(1)]
    changed = traces.without(due, pl.Series(due.doubtful))
    assert (changed.held["TraceId"].to_list(), changed.stored, changed.again) == ([trace_of(2)], [trace_of(1)], [trace_of(1)])


def test_without_its_root_it_is_doubtful_once_whether_memory_has_all() -> None:
    traces = opened()
    traces.add(pl.concat([spans(1, 2), spans(2, 1, 2), spans(3, 2)]))

    whole, running = sorted(traces.due(at(2)), key=lambda due: due.phase is Phase.RUNNING)
    assert (whole.doubtful, sorted(running.doubtful)) == ([], [trace_of(1), trace_of(3)])
    derived_before = pl.Series([trace_of(3)])
    dues = [traces.without(due, derived_before) for due in (whole, running)]
    assert [(due.stored, due.again) for due in dues] == [([], []), ([trace_of(3)], [trace_of(3)])]
    assert [due.held["TraceId"].unique().to_list() for due in dues] == [[trace_of(2)], [trace_of(1)]]

    for due in dues:
        traces.settle(due, [], at(2))
    (later,) = traces.due(at(62))
    assert (later.held["TraceId"].to_list(), later.stored, later.doubtful) == ([trace_of(1)], [trace_of(3)], [])


def test_strangers_are_adopted_and_read_back() -> None:
    traces = opened()

    assert traces.adopt(stored(1, 3)) == 1
    assert [due.stored for due in settle(traces, 2)] == [[trace_of(1)]]


def test_what_memory_has_whole_is_not_adopted() -> None:
    traces = opened()
    traces.add(spans(1, 2, 3))

    assert traces.adopt(stored(1, 2, has_root=False)) == 0
    assert [len(due.held) for due in traces.due(at(2))] == [2]


def test_an_open_trace_of_which_the_store_has_more_is_read_back() -> None:
    traces = opened()
    traces.add(spans(1, 2, 3))
    settle(traces, 2)

    assert traces.adopt(stored(1, 3)) == 1
    (due,) = traces.due(at(10))
    assert (due.phase, due.stored) == (Phase.WHOLE, [trace_of(1)])


def test_an_open_trace_that_was_only_left_running_is_no_news() -> None:
    traces = opened()
    traces.add(spans(1, 2))
    settle(traces, 2)

    assert traces.adopt(stored(1, 1, grown=False, has_root=False)) == 0


def test_a_trace_whose_root_the_store_has_does_not_run_any_more() -> None:
    traces = opened(pl.Series([trace_of(1)]))
    traces.add(spans(1, 2))
    (due,) = traces.due(at(2))
    assert due.phase is Phase.RUNNING

    traces.settle(due, [], at(2), rooted=[trace_of(1)])

    assert traces.due(at(70)) == []


@pytest.mark.parametrize("rounds", [1, 30])
def test_memory_holds_no_more_than_allowed(rounds: int) -> None:
    traces, sixty = opened(max_mib=1), pl.concat([spans(trace, 2).pipe(prompted) for trace in range(60)])
    for _ in range(30 // rounds):
        for number in range(rounds):
            traces.add(sixty.with_columns(TraceId=pl.col("TraceId") + str(number)))
            assert 1_000 * len(traces) < traces.bytes <= 1 << 20
        traces.due(at(1))
    assert len(traces) >= 60


def test_many_small_parts_of_a_trace_that_lasts_become_few() -> None:
    """Each has columns of its own, and is looked through at each round."""
    traces = opened()
    for number in range(2, 202):
        traces.add(spans(1, number, came=number / 100))

    (due,) = traces.due(at(5))

    assert len(due.held) == len(traces) == 200
    assert traces.bytes < 300_000


def test_what_had_no_room_is_read_back() -> None:
    traces = opened(max_mib=1)
    for number in range(1, 13):
        traces.add(spans(number, *range(1, 101)).pipe(prompted))

    (due,) = traces.due(at(2))

    assert sorted(due.trace_ids) == [trace_of(number) for number in range(1, 13)]
    assert 0 < len(due.stored) < 12
    assert due.held["TraceId"].value_counts()["count"].to_list() == [100] * (12 - len(due.stored))
    assert len(traces) == 0


def test_nothing_is_left_of_traces_that_are_done_with() -> None:
    traces = opened()
    traces.add(pl.concat([spans(number, 1, 2) for number in range(1, 50)]))
    settle(traces, 2)

    assert len(traces) == 0
    assert traces.due(at(5000), everything=True) == []


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=12), st.sets(st.integers(0, 11)))
def test_every_span_is_derived_in_the_end_whatever_the_order(arrivals: list[tuple[int, int]], derive_after: set[int]) -> None:
    """What is `held` at a trace's last derivation is all of it, or the store is asked."""
    traces, last = opened(), dict[str, int | None]()
    for step, (trace, number) in enumerate(arrivals):
        traces.add(spans(trace, number, came=step))
        if step in derive_after:
            note(settle(traces, step + 2.5), last)
    note(settle(traces, 5_000), last)

    for trace in {trace for trace, _ in arrivals}:
        count = len({number for other, number in arrivals if other == trace})
        assert last[trace_of(trace)] in (None, count)


def note(dues: list[Due], last: dict[str, int | None]) -> None:
    """How many spans of each trace were held; None where the store was asked."""
    for due in dues:
        last.update(due.held.group_by("TraceId").agg(pl.col("SpanId").n_unique()).iter_rows())
        last.update(dict.fromkeys(due.stored))


def test_known_traces_are_forgotten_after_a_while() -> None:
    known = KnownTraces(timedelta(seconds=900))
    known.add(pl.Series(["a", "b"]), NOW)
    known.add(pl.Series(["c"]), at(10))
    known.add(pl.Series(["d"]), at(500))
    assert known.has(pl.Series(["a", "c", "d", "e"])).tolist() == [True, True, True, False]

    known.add(NOBODY, at(901))

    assert known.has(pl.Series(["a", "d"])).tolist() == [False, True]


def test_a_clock_that_is_set_back_holds_up_no_trace() -> None:
    traces = opened()
    traces.add(spans(1, 1, 2))
    hour = -3600
    assert settle(traces, 0) == []

    assert settle(traces, hour) == []
    traces.add(spans(2, 1, came=hour))

    assert phases(settle(traces, hour + 2.5)) == {Phase.WHOLE: [trace_of(1), trace_of(2)]}
