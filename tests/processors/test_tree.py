"""Walking upwards in forests of spans."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.tree import NONE, at_or_above, depths, leaps, nearest, plant, spread_up


def linked(*links: tuple[str, str]) -> pl.DataFrame:
    """Spans of one trace as (id, parent)."""
    return pl.DataFrame(links, schema=["SpanId", "ParentSpanId"], orient="row").with_columns(TraceId=pl.lit("t"))


@st.composite
def parents(draw: st.DrawFn) -> np.ndarray:
    """Forests without cycles: everybody's parent comes earlier."""
    size = draw(st.integers(1, 60))
    return np.array([draw(st.integers(NONE, row - 1)) for row in range(size)])


def slowly_nearest(parent: np.ndarray, stop: np.ndarray, row: int) -> int:
    row = parent[row]
    while row != NONE and not stop[row]:
        row = parent[row]
    return int(row)


def test_spans_are_linked_within_their_trace_only() -> None:
    forest = plant(pl.concat([linked(("a", ""), ("b", "a")), linked(("a", ""), ("c", "b")).with_columns(TraceId=pl.lit("u"))]))
    assert forest.parent.tolist() == [NONE, 0, NONE, NONE]
    assert forest.incomplete.tolist() == [False, False, False, True]


def test_a_span_below_a_missing_one_is_incomplete_and_so_is_all_below_it() -> None:
    forest = plant(linked(("a", ""), ("b", "lost"), ("c", "b")))
    assert forest.incomplete.tolist() == [False, True, True]
    assert forest.top.tolist() == [0, 1, 1]


@pytest.mark.parametrize("links", [[("a", "a")], [("a", "b"), ("b", "a")], [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]])
def test_spans_above_themselves_are_planted_as_if_their_parents_had_not_come(links: list[tuple[str, str]]) -> None:
    forest = plant(linked(*links, ("e", links[-1][0]), ("f", "")))
    assert forest.parent.tolist() == [0 if span == "d" else NONE for span, _ in links] + [len(links) - 1, NONE]
    assert forest.incomplete.tolist() == [True] * (len(links) + 1) + [False]


def test_nobody_is_above_itself_even_in_a_cycle() -> None:
    assert nearest(np.array([1, 0]), np.array([True, False])).tolist() == [NONE, 0]


@given(parents(), st.randoms())
def test_the_nearest_above_is_what_a_walk_finds(parent: np.ndarray, chance) -> None:
    stop = np.array([chance.random() < 0.3 for _ in parent])
    assert nearest(parent, stop).tolist() == [slowly_nearest(parent, stop, row) for row in range(len(parent))]
    own = at_or_above(parent, stop)
    assert all(own[row] == row for row in np.flatnonzero(stop))


@given(parents())
def test_a_sum_spread_upwards_counts_everything_below(parent: np.ndarray) -> None:
    total = spread_up(parent, np.ones(len(parent), dtype=np.int64), np.add)
    assert total[parent == NONE].sum() == len(parent)


def test_a_chain_of_fifty_thousand_spans_is_walked_at_once() -> None:
    parent = np.arange(-1, 49_999)
    stop = np.zeros(50_000, dtype=bool)
    stop[0] = True
    assert (nearest(parent, stop)[1:] == 0).all()
    assert depths(parent)[-1] == 49_999


def test_what_is_handed_down_a_chain_reaches_its_end_in_as_many_rounds_as_its_length_has_bits() -> None:
    greatest = np.zeros(100_000, dtype=np.int64)
    greatest[0] = 7
    rounds = 0
    for below, above in leaps(np.arange(-1, 99_999)):
        greatest[below] = np.maximum(greatest[below], greatest[above])
        rounds += 1
    assert (greatest == 7).all()
    assert rounds == 17
