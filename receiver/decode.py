"""OTLP bytes to a frame of `RECEIVED` columns, many requests at once. No Python loop runs per span or per attribute.

As the Collector's ClickHouse exporter does, a resource's attributes are repeated on each of its spans. That exporter
drops the attributes of a scope; here they join the span's own, whose value wins where both have a key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from processors.errors import Malformed, Rejected
from processors.frames import RECEIVED, empty
from receiver.admit import Rule, first_broken, inherits_too_much, reason, rules
from receiver.batch import Batch, flatten
from receiver.columns import inherited_columns, span_columns
from receiver.descriptors import Wire
from receiver.limits import Limits

WIRE = Wire()


@dataclass(frozen=True)
class Outcome:
    """What became of one request: so many spans taken, so many not and why."""

    accepted: int = 0
    rejected: int = 0
    reason: str = ""


class Decoded(NamedTuple):
    """The spans taken of all requests, in the order they came, and what became of each request."""

    spans: pl.DataFrame
    outcomes: list[Outcome | Rejected]


def decode(requests: Sequence[bytes], limits: Limits, now: datetime) -> Decoded:
    """Decode `requests` jointly; a malformed one gets `Malformed` for an outcome and harms no other.

    Args:
        requests: serialized `ExportTraceServiceRequest`s.
        limits: how much of a span is taken.
        now: becomes `IngestedAt`, and decides which times are out of range.
    """
    try:
        return _decode(requests, limits, now)
    except Malformed as error:
        if len(requests) == 1:
            return Decoded(empty(RECEIVED), [error])
    parts = [decode([request], limits, now) for request in requests]
    return Decoded(pl.concat([part.spans for part in parts]), [part.outcomes[0] for part in parts])


def _decode(requests: Sequence[bytes], limits: Limits, now: datetime) -> Decoded:
    batch = flatten(WIRE.columns(requests), limits)
    if not len(batch.spans):
        return Decoded(empty(RECEIVED), [Outcome() for _ in requests])
    checked = [*rules(batch.spans, limits, now), inherits_too_much(batch, [len(request) for request in requests])]
    broken = first_broken(checked, len(batch.spans))
    return Decoded(_frame(batch, limits, now, broken == 0), _outcomes(batch, checked, broken, len(requests)))


def _frame(batch: Batch, limits: Limits, now: datetime, admitted: npt.NDArray[np.bool_]) -> pl.DataFrame:
    own, resource, scope = span_columns(batch, limits, admitted), batch.resource, batch.scope
    if not admitted.all():
        own, resource, scope = own.filter(pa.array(admitted)), resource[admitted], scope[admitted]
    inherited = inherited_columns(batch, resource, scope)
    ingested = pa.repeat(pa.scalar(now, pa.timestamp("ms", "UTC")), len(own))
    columns = {**_named(own), **_named(inherited), "IngestedAt": ingested}
    frame = pl.from_arrow(pa.table({name: columns[name] for name in RECEIVED}))
    assert isinstance(frame, pl.DataFrame)
    return frame


def _named(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    return dict(zip(table.column_names, table.columns, strict=True))


def _outcomes(batch: Batch, checked: list[Rule], broken: npt.NDArray[np.int8], requests: int) -> list[Outcome | Rejected]:
    sent = np.bincount(batch.request, minlength=requests)
    if not broken.any():
        return [Outcome(accepted) for accepted in sent.tolist()]
    rejected = np.bincount(batch.request[broken > 0], minlength=requests)
    begins = np.cumsum(sent) - sent
    return [
        Outcome(int(sent[i] - rejected[i]), int(rejected[i]), reason(checked, broken[begin : begin + sent[i]], int(begin)))
        for i, begin in enumerate(begins.tolist())
    ]
