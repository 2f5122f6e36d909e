"""The newest rows of a list that match. Tasks are sorted by trace: where they stand is looked up in what is sorted by time.

Scored tasks are (`task_scores`), but not all tasks are scored yet, and of some it is known what they were before. So a place
is only where a task may be: `tasks` says whether it matches. If too few do, the search goes on behind the last place.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from query_api.asking.questions import Ask

LAST_NS = 2**63 - 1
FURTHER, MOST_PLACES = 4, 10_000
"""So many times as many places are looked at in each round, until so many: where few match, rounds are few too."""
FIRST = (0, "", "")
"""Before every row."""

Position = tuple[int, str, str]
"""Where a row stands in a list that begins with the newest: start in nanoseconds, trace and span."""


def newest(ask: Ask, name: str, parameters: Mapping[str, Any], limit: int) -> pl.DataFrame:
    """The first rows that match, at most `limit`."""
    if name != "tasks":
        return ask(name, {**parameters, "limit": limit}, limit)
    if traces := parameters["trace_id"]:
        return ask("tasks", {**parameters, **ahead(FIRST), "traces": traces, "places": [], "limit": limit}, limit)
    found: list[pl.DataFrame] = []
    after: Mapping[str, Any] = {}
    many = limit
    while True:
        begun = {**parameters, **after, "limit": limit}
        places = ask("task_places", {**begun, "limit": many}, many)
        is_cut = places.height == many
        found.append(ask("tasks", {**begun, **keys(places), **ahead(position(places) if is_cut else FIRST)}, limit))
        if not is_cut or sum(map(len, found)) >= limit:
            return pl.concat(found).head(limit)
        after, many = behind(position(places)), min(FURTHER * many, MOST_PLACES)


def keys(places: pl.DataFrame) -> dict[str, list[str]]:
    """Which tasks these are, as parameters."""
    ids = places.select(pl.format("{}-{}", "trace_id", "span_id")).to_series()
    return {"traces": places["trace_id"].unique().to_list(), "places": ids.unique().to_list()}


def behind(after: Position) -> dict[str, Any]:
    """The parameters of a question that goes on behind a row."""
    return dict(zip(("after_ns", "after_trace", "after_span"), after, strict=True))


def ahead(last: Position) -> dict[str, Any]:
    """The parameters of a question that ends with a row."""
    return dict(zip(("last_ns", "last_trace", "last_span"), last, strict=True))


def position(frame: pl.DataFrame) -> Position:
    """Where the last row of `frame` stands."""
    last = frame.tail(1).select(pl.col("started_at").dt.epoch("ns"), "trace_id", pl.col("^span_id$")).row(0)
    return last if len(last) == 3 else (*last, "")
