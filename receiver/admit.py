"""Which spans of a good request are wrong, and what their sender should change.

Rules work on columns. A span that breaks one is rejected alone; only the first rule that it breaks is reported.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from receiver.batch import Batch, inherited_bytes
from receiver.hexadecimal import not_hex_text
from receiver.limits import Limits

Mask = npt.NDArray[np.bool_]

AHEAD = timedelta(days=1)
"""How far a sender's clock may run ahead."""
INFLATION = 32
"""A request sends a resource once and it is stored once a span. 2 KiB of Kubernetes attributes on minimal
spans of 100 bytes grow 20 times; without a bound, 16 MiB of tiny spans below one huge resource would become terabytes."""


class Rule(NamedTuple):
    """What is wrong with the spans in `wrong`: `found` tells of one of them by its row, `advice` what to change."""

    wrong: Mask
    found: Callable[[int], str]
    advice: str


def rules(spans: pa.StructArray, limits: Limits, now: datetime) -> list[Rule]:
    """The rules that every span must keep, whatever its neighbours are."""
    starts = spans.field("start_time_unix_nano").to_numpy()
    ends = spans.field("end_time_unix_nano").to_numpy()
    oldest, newest = nanoseconds(now - limits.retention), nanoseconds(now + AHEAD)
    return [
        _identifier(spans, "trace_id", 16),
        _identifier(spans, "span_id", 8),
        _parent(spans),
        Rule(
            starts < oldest,
            lambda i: f"start time {_time(starts[i])} is older than the {limits.retention.days} days that spans are kept",
            "send spans sooner, or keep spans longer (exporters.clickhouse.retention.spans)",
        ),
        Rule(starts > newest, lambda i: f"start time {_time(starts[i])} is over a day ahead", "set the sender's clock"),
        Rule(ends > newest, lambda i: f"end time {_time(ends[i])} is over a day ahead", "set the sender's clock"),
    ]


def inherits_too_much(batch: Batch, sizes: Sequence[int]) -> Rule:
    """The spans of requests (of `sizes` bytes) that their resources and scopes would blow up beyond `INFLATION`."""
    inherited = inherited_bytes(batch, len(sizes))
    over = inherited > INFLATION * np.array(sizes)

    def found(row: int) -> str:
        return f"resource and scope attributes, repeated on each span, make {inherited[batch.request[row]]} bytes"

    return Rule(over[batch.request], found, "send fewer or shorter resource attributes, or fewer spans to a request")


def first_broken(found: list[Rule], length: int) -> npt.NDArray[np.int8]:
    """For each span the number of the first rule it breaks, counted from 1; 0 for a span that is admitted."""
    broken = np.zeros(length, np.int8)
    for number, rule in reversed(list(enumerate(found, start=1))):
        broken[rule.wrong] = number
    return broken


def reason(found: list[Rule], broken: npt.NDArray[np.int8], first: int) -> str:
    """One text for the spans of a request: `broken` is its part of `first_broken`, its first span is row `first`."""
    told = []
    for number in np.unique(broken[broken > 0]).tolist():
        rule, rows = found[number - 1], np.flatnonzero(broken == number)
        told.append(f"{len(rows)} rejected: {rule.found(first + int(rows[0]))}; {rule.advice}")
    return ". ".join(told)


def nanoseconds(time: datetime) -> int:
    """Nanoseconds since 1970, and 0 for what is before."""
    return max(0, (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000)


def _identifier(spans: pa.StructArray, name: str, size: int) -> Rule:
    ids = spans.field(name)
    zero = pc.equal(ids, pa.scalar(bytes(size), ids.type)).to_numpy(zero_copy_only=False)
    lengths = pc.binary_length(ids).to_numpy()

    def found(row: int) -> str:
        return f"{name} is all zero" if zero[row] else _misshapen(name, ids[row].as_py())

    return Rule((lengths != size) | zero, found, f"send {size} bytes that are not all zero")


def _parent(spans: pa.StructArray) -> Rule:
    ids = spans.field("parent_span_id")
    lengths = pc.binary_length(ids).to_numpy()
    wrong = (lengths != 0) & (lengths != 8)
    return Rule(wrong, lambda i: _misshapen("parent_span_id", ids[i].as_py()), "send 8 bytes, or none for a root span")


def _misshapen(name: str, identifier: bytes) -> str:
    text = not_hex_text(identifier)
    if text is None:
        return f"{name} is {len(identifier)} bytes long"
    return f"{name} {text!r} is no hex of whole bytes: OTLP/JSON writes ids in hex, not in base64"


def _time(value: np.uint64) -> str:
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(value) // 10**9)).isoformat()
    except OverflowError:
        return f"{value} ns after 1970"
