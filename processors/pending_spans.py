"""Spans that wait in memory for the rest of their traces, and what they take of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

VIEW_BYTES = 16
"""Of each text, besides its own: polars' `estimated_size` leaves these out."""
COLUMN_BYTES = 256
"""Of each column, however few rows it has."""
SMALL_BYTES = 4 << 20
"""Parts smaller than this together may become one."""


@dataclass(frozen=True)
class PendingSpans:
    """Some spans, columns READINGS, that keep about `bytes` of memory, however much was received with them."""

    spans: pl.DataFrame
    bytes: int

    @classmethod
    def of(cls, readings: pl.DataFrame) -> Self:
        """`readings` in memory of their own.

        As they come, their texts are views into all that was received with them, four times as much, which would stay with them.
        Arrow's older kind of text is none of views, so that on the way there and back just what is seen is copied: half a
        microsecond a span.
        """
        spans = pl.from_arrow(readings.to_arrow(compat_level=pl.CompatLevel.oldest()))
        assert isinstance(spans, pl.DataFrame)
        return cls(spans, _bytes_of(spans))

    def without(self, trace_ids: pl.Series) -> Self:
        """Those of other traces.

        A part of a frame keeps the texts of all of it, so what is left moves when it is less than half: else one trace that lasts
        would keep all that came beside it.
        """
        left = self.spans.filter(~pl.col("TraceId").is_in(trace_ids.implode()))
        return self.of(left) if 2 * _bytes_of(left) < self.bytes else type(self)(left, self.bytes)


def joined(parts: Iterable[PendingSpans]) -> list[PendingSpans]:
    """The same spans in the same order, neighbours that are small together in one part: each has to be looked through."""
    groups: list[list[PendingSpans]] = []
    for part in parts:
        if groups and bytes_of([*groups[-1], part]) <= SMALL_BYTES:
            groups[-1].append(part)
        else:
            groups.append([part])
    return [group[0] if len(group) == 1 else PendingSpans.of(pl.concat(part.spans for part in group)) for group in groups]


def bytes_of(parts: Sequence[PendingSpans]) -> int:
    """What several take."""
    return sum(part.bytes for part in parts)


def _bytes_of(readings: pl.DataFrame) -> int:
    """What a frame of texts and numbers would take in memory of its own."""
    texts = sum(dtype == pl.String for dtype in readings.schema.values())
    return int(readings.estimated_size()) + VIEW_BYTES * texts * len(readings) + COLUMN_BYTES * len(readings.columns)
