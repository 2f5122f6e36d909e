"""What spans that wait take of memory."""

import polars as pl
import pytest

from processors.frames import READINGS, empty
from processors.pending_spans import PendingSpans, joined
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
    pending = PendingSpans.of(readings(text))

    assert pending.bytes == pytest.approx(kept_by(pending.spans), rel=0.2)


def test_one_trace_that_lasts_does_not_keep_what_came_beside_it() -> None:
    pending = PendingSpans.of(readings("a prompt of some length " * 40))
    traces = pending.spans["TraceId"]
    for start in range(1, SPANS, 100):
        pending = pending.without(traces[start : start + 100])
        assert pending.spans["TraceId"].to_list() == [traces[0], *traces[start + 100 :]]
        assert kept_by(pending.spans) <= pending.bytes * 1.1

    assert kept_by(pending.spans) < 8_000


def test_small_parts_become_one_and_large_ones_stay() -> None:
    every = readings("a prompt of some length " * 40)
    parts = [PendingSpans.of(every[start : start + 10]) for start in range(0, SPANS // 2, 10)]
    large = PendingSpans.of(pl.concat([every, every, every]))
    found = joined([*parts, large, *parts])

    assert len(found) == 3
    assert found[1] is large
    assert found[0].spans.equals(every[: SPANS // 2])
    assert found[0].bytes < sum(part.bytes for part in parts)
