"""Spans that wait in memory, and what they really take of it."""

from dataclasses import dataclass
from typing import Self

import polars as pl

VIEW_BYTES = 16
"""Of each text, besides its bytes: polars' `estimated_size` leaves these out."""


@dataclass(frozen=True)
class HeldSpans:
    """Some spans, columns READINGS, that keep `bytes` of memory and no more, however much was received with them."""

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
        return cls(spans, bytes_of(spans))

    def without(self, trace_ids: pl.Series) -> "HeldSpans":
        """Those of other traces.

        A part of a frame keeps the texts of all of it, so what is left moves when it is less than half: else one trace that lasts
        would keep all that came beside it.
        """
        left = self.spans.filter(~pl.col("TraceId").is_in(trace_ids.implode()))
        return HeldSpans.of(left) if 2 * bytes_of(left) < self.bytes else HeldSpans(left, self.bytes)


def bytes_of(readings: pl.DataFrame) -> int:
    """What a frame of texts and numbers would take in memory of its own."""
    texts = sum(dtype == pl.String for dtype in readings.schema.values())
    return int(readings.estimated_size()) + VIEW_BYTES * texts * len(readings)
