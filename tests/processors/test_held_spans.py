"""What spans that wait take of memory."""

import polars as pl
import pytest

from processors.frames import READINGS, empty
from processors.held_spans import HeldSpans
from tests.builders import span_of, trace_of

SPANS = 2_000


def readings(text: str) -> pl.DataFrame:
    """A trace of its own for each of SPANS spans."""
    ids = {"TraceId": [trace_of(number) for number in range(SPANS)], "SpanId": [span_of(number) for number in range(SPANS)]}
    texts = pl.DataFrame(ids).with_columns(Input=pl.lit(text) + pl.col("SpanId"))
    spans = pl.concat([empty(READINGS), texts.cast({name: READINGS[name] for name in texts.columns})], how="diagonal")
    return spans.with_columns(pl.col(pl.String).fill_null(""))


def kept_by(spans: pl.DataFrame) -> int:
    """All memory that these columns keep, what lies in it besides them as well."""
    return int(spans.to_arrow(compat_level=pl.CompatLevel.newest()).get_total_buffer_size())


@pytest.mark.parametrize("text", ["", "a prompt of some length " * 40])
def test_what_they_take_is_known(text: str) -> None:
    held = HeldSpans.of(readings(text))

    assert held.bytes == pytest.approx(kept_by(held.spans), rel=0.2)


def test_one_trace_that_lasts_does_not_keep_what_came_beside_it() -> None:
    held = HeldSpans.of(readings("a prompt of some length " * 40))
    rest = held.spans["TraceId"][1:]
    for start in range(0, len(rest), 100):
        held = held.without(rest[start : start + 100])
        assert kept_by(held.spans) <= held.bytes * 1.1

    assert held.spans["TraceId"].to_list() == [trace_of(0)]
    assert kept_by(held.spans) < 8_000
