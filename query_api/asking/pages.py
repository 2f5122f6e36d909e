"""Pages of lists: from a cursor to the parameters of a question, from its rows to the next cursor."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from query_api.asking import cursors
from query_api.asking.filters import Chosen, ChosenAgents, Paged, Traced, bound
from query_api.asking.questions import Ask
from query_api.asking.searching import LAST_NS, Position, behind, newest, position

DAY = timedelta(days=1)
MONTH = timedelta(days=30)
AT_ONCE = 5_000
"""Rows of a long list that are read together: with their excerpts of input and output they may take 80 MB."""


class Page(NamedTuple):
    """The rows of a page and the cursor of the next, None at the end."""

    frame: pl.DataFrame
    next_cursor: str | None


class Listed(ChosenAgents, Traced, Paged):
    """A page of what was chosen."""


def choice(question: Chosen, now: datetime, default: timedelta | None) -> dict[str, Any]:
    """The filters and the window as parameters; `default` is how far back to look where nothing is said."""
    if isinstance(question, Traced) and question.trace_id:
        default = None
    period = question.period(now, default)
    return {**question.choice(), "since": bound(period.since), "until": bound(period.until)}


def newest_first(ask: Ask, name: str, question: Listed, now: datetime) -> Page:
    """A page of rows identified by (started_at, trace_id, span_id), newest first.

    Rows that arrive between two pages move nothing: a page goes on below the last row of the one before, and the start of a
    relative window stays where the first page had it.
    """
    parameters = choice(question, now, MONTH)
    begin = (parameters["since"], LAST_NS, "", "")
    if question.cursor is not None:
        begin = cursors.read(name, question, question.cursor, tuple[str, int, str, str])
    since = begin[0]
    frame = newest(ask, name, {**parameters, **behind(begin[1:]), "since": since}, question.limit + 1)
    if frame.height <= question.limit:
        return Page(frame, None)
    frame = frame.head(question.limit)
    return Page(frame, cursors.issue(name, question, (since, *position(frame))))


def newest_parts(ask: Ask, name: str, question: Chosen, now: datetime, most: int) -> Iterator[pl.DataFrame]:
    """All rows that `newest_first` would page through, at most `most`, some thousands at a time; at least one frame."""
    parameters = choice(question, now, MONTH)
    after: Position = (LAST_NS, "", "")
    while most > 0:
        limit = min(most, AT_ONCE)
        frame = newest(ask, name, {**parameters, **behind(after)}, limit)
        yield frame
        if frame.height < limit:
            return
        after, most = position(frame), most - limit


def in_order(ask: Ask, name: str, question: Paged, parameters: Mapping[str, Any], of: str = "") -> Page:
    """A page of groups, which are counted anew each time: it goes on by number. `of` is whose list it is."""
    offset = offset_of(name + of, question)
    frame = ask(name, {**parameters, "limit": question.limit + 1, "offset": offset}, question.limit + 1)
    return cut(name + of, question, frame, offset)


def offset_of(name: str, question: Paged) -> int:
    """How many groups the pages before showed."""
    if question.cursor is None:
        return 0
    (offset,) = cursors.read(name, question, question.cursor, tuple[int])
    return min(max(offset, 0), 1_000_000)


def cut(name: str, question: Paged, frame: pl.DataFrame, offset: int) -> Page:
    """`frame`, which begins at `offset`, cut to a page."""
    more = frame.height > question.limit
    cursor = cursors.issue(name, question, (offset + question.limit,)) if more else None
    return Page(frame.head(question.limit), cursor)
