"""Who is above whom: the spans of many traces as one forest, in integer columns.

Rows are numbered; a parent is a row number, −1 where there is none. Everything that walks upwards does so for all rows
at once by pointer jumping: each round doubles the distance, so a chain of n spans takes log2(n) rounds. Spans that are
above themselves, which only broken or hostile input makes, are planted as if their parents had not come.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
NONE = -1


@dataclass(frozen=True)
class Forest:
    """The links of n spans."""

    parent: Rows
    """Row of each span's parent; −1 at a root, where the parent has not come and where it is below the span."""
    top: Rows
    """Row of the highest span above (or itself)."""
    root: Mask
    """Spans that say that they have no parent."""

    @property
    def incomplete(self) -> Mask:
        """Spans above which one is missing."""
        missing: Mask = ~self.root[self.top]
        return missing


def plant(spans: pl.DataFrame) -> Forest:
    """Link spans to their parents by `TraceId`, `SpanId`, `ParentSpanId` (each span once)."""
    rows = spans.select("TraceId", "SpanId", "ParentSpanId").with_row_index("row")
    parent = (
        rows.select("TraceId", SpanId="ParentSpanId")
        .join(rows.select("TraceId", "SpanId", "row"), on=["TraceId", "SpanId"], how="left", maintain_order="left")["row"]
        .cast(pl.Int64)
        .fill_null(NONE)
        .to_numpy(writable=True)
    )
    top = at_or_above(parent, parent == NONE)
    if (top == NONE).any():
        parent[_circling(parent)] = NONE
        top = at_or_above(parent, parent == NONE)
    return Forest(parent, top, (spans["ParentSpanId"] == "").to_numpy())


def _circling(parent: Rows) -> Rows:
    """The rows that are above themselves: after as many steps as there are rows, nothing else is left to stand on."""
    above = parent.copy()
    for _ in range(len(parent).bit_length() + 1):
        walking = np.flatnonzero(above != NONE)
        above[walking] = above[above[walking]]
    return np.unique(above[above != NONE])


def nearest(parent: Rows, stop: Mask) -> Rows:
    """The nearest row strictly above each row where `stop` holds; −1 where there is none."""
    found = parent.copy()
    for _ in range(len(parent).bit_length() + 1):
        walking = np.flatnonzero(found != NONE)
        walking = walking[~stop[found[walking]]]
        if not len(walking):
            break
        found[walking] = found[found[walking]]
    else:
        found[walking] = NONE
    found[found == np.arange(len(found))] = NONE
    return found


def at_or_above(parent: Rows, stop: Mask) -> Rows:
    """The nearest row where `stop` holds, beginning with the row itself."""
    return np.where(stop, np.arange(len(parent)), nearest(parent, stop))


def leaps(parent: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Rows and the rows above them, at twice the distance in each round.

    Whoever takes from above in each round, and hands on what it took, has in the end what all above it hold.
    """
    above = parent.copy()
    for _ in range(len(parent).bit_length() + 1):
        walking = np.flatnonzero(above != NONE)
        if not len(walking):
            break
        yield walking, above[walking]
        above[walking] = above[above[walking]]


def depths(parent: Rows) -> Rows:
    """How many spans are above each; 0 at the top. Rows of a cycle get a depth that means nothing."""
    depth: Rows = (parent != NONE).astype(np.int64)
    for below, above in leaps(parent):
        depth[below] += depth[above]
    return depth


def spread_up(parent: Rows, values: Rows, combine: np.ufunc) -> Rows:
    """Each row's value combined with those of all rows below it, e.g. by `np.minimum`."""
    total = values.copy()
    depth = depths(parent)
    order = np.argsort(-depth, kind="stable")
    linked = order[parent[order] != NONE]
    bounds = np.flatnonzero(np.diff(depth[linked])) + 1
    for level in np.split(linked, bounds):
        combine.at(total, parent[level], total[level])
    return total
