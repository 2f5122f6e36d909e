"""Which records of a good request are wrong, and what their sender should change.

Rules work on columns. A record that breaks one is rejected alone; only the first rule that it breaks is reported.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from receiver.batch import Batch
from receiver.hexadecimal import not_hex_text
from receiver.limits import Limits

Mask = npt.NDArray[np.bool_]

AHEAD = timedelta(days=1)
"""How far a sender's clock may run ahead."""
INFLATION = 32
"""A request sends a resource once and it is stored once a record. 2 KiB of Kubernetes attributes, 30 of them, on minimal spans
of 100 bytes grow 30 times; without a bound, 16 MiB of tiny spans below one huge resource would become terabytes."""


class Rule(NamedTuple):
    """What is wrong with the records in `wrong`: `found` tells of one of them by its row, `advice` what to change.

    `name` is what it is counted under.
    """

    name: str
    wrong: Mask
    found: Callable[[int], str]
    advice: str


def span_rules(spans: pa.StructArray, limits: Limits, now: datetime) -> list[Rule]:
    """The rules that every span must keep, whatever its neighbours are."""
    starts = spans.field("start_time_unix_nano").to_numpy()
    ends = spans.field("end_time_unix_nano").to_numpy()
    return [
        _identifier(spans, "trace_id", 16),
        _identifier(spans, "span_id", 8),
        _optional(spans, "parent_span_id", 8, "for a root span"),
        too_old(starts, "start time", "spans", limits.retention, now),
        ahead(starts, "start time", now),
        ahead(ends, "end time", now),
    ]


def log_rules(records: pa.StructArray, limits: Limits, now: datetime) -> list[Rule]:
    """The rules that every log record must keep: it has a time of its own or was observed at one, and may lie in a trace."""
    moments = moments_of(records)
    return [
        _optional(records, "trace_id", 16, "if it belongs to no trace"),
        _optional(records, "span_id", 8, "if it belongs to no span"),
        Rule("no time", moments == 0, lambda _: "time is missing", "set time_unix_nano or observed_time_unix_nano"),
        too_old(moments, "time", "logs", limits.retention, now),
        ahead(moments, "time", now),
    ]


def moments_of(records: pa.StructArray) -> npt.NDArray[np.uint64]:
    """When each log record came to be, in nanoseconds: when it says, else when it was observed."""
    said, observed = records.field("time_unix_nano").to_numpy(), records.field("observed_time_unix_nano").to_numpy()
    moments: npt.NDArray[np.uint64] = np.where(said == 0, observed, said)
    return moments


def inherits_too_much(batches: Sequence[Batch], sizes: Sequence[int]) -> list[Rule]:
    """For each batch its records in requests (of `sizes` bytes) that what they inherit would blow up beyond `INFLATION`."""
    inherited = np.zeros(len(sizes), np.int64)
    for batch in batches:
        inherited += np.bincount(batch.request, weights=batch.inherited, minlength=len(sizes)).astype(np.int64)
    over = inherited > INFLATION * np.array(sizes)

    def of(batch: Batch) -> Rule:
        def found(row: int) -> str:
            bytes_made = inherited[batch.request[row]]
            return f"resource and scope attributes, repeated on each record, make {bytes_made} bytes"

        return Rule(
            "inherits too much",
            over[batch.request],
            found,
            "send fewer or shorter resource attributes, or fewer records to a request",
        )

    return [of(batch) for batch in batches]


def first_broken(found: list[Rule], length: int) -> npt.NDArray[np.int8]:
    """For each record the number of the first rule it breaks, counted from 1; 0 for a record that is admitted."""
    broken = np.zeros(length, np.int8)
    for number, rule in reversed(list(enumerate(found, start=1))):
        broken[rule.wrong] = number
    return broken


def reason(found: list[Rule], broken: npt.NDArray[np.int8], first: int) -> str:
    """One text for the records of a request: `broken` is its part of `first_broken`, its first record is row `first`."""
    told = []
    for number in np.unique(broken[broken > 0]).tolist():
        rule, rows = found[number - 1], np.flatnonzero(broken == number)
        told.append(f"{len(rows)} rejected: {rule.found(first + int(rows[0]))}; {rule.advice}")
    return ". ".join(told)


def nanoseconds(time: datetime) -> int:
    """Nanoseconds since 1970, and 0 for what is before."""
    return max(0, (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000)


def too_old(times: npt.NDArray[np.uint64], name: str, kept: str, retention: timedelta, now: datetime) -> Rule:
    """What the store would drop at once; `kept` is the setting that says for how long it keeps such records."""
    return Rule(
        "too old",
        times < nanoseconds(now - retention),
        lambda i: f"{name} {_time(times[i])} is older than the {retention.days} days that {kept} are kept",
        f"send {kept} sooner, or keep them longer (exporters.clickhouse.retention.{kept})",
    )


def ahead(times: npt.NDArray[np.uint64], name: str, now: datetime) -> Rule:
    """What its sender's clock puts into the future."""
    wrong = times > nanoseconds(now + AHEAD)
    return Rule("ahead", wrong, lambda i: f"{name} {_time(times[i])} is over a day ahead", "set the sender's clock")


def _identifier(spans: pa.StructArray, name: str, size: int) -> Rule:
    ids = spans.field(name)
    zero = pc.equal(ids, pa.scalar(bytes(size), ids.type)).to_numpy(zero_copy_only=False)
    lengths = pc.binary_length(ids).to_numpy()

    def found(row: int) -> str:
        return f"{name} is all zero" if zero[row] else _misshapen(name, ids[row].as_py())

    return Rule(name, (lengths != size) | zero, found, f"send {size} bytes that are not all zero")


def _optional(records: pa.StructArray, name: str, size: int, none_if: str) -> Rule:
    ids = records.field(name)
    lengths = pc.binary_length(ids).to_numpy()
    wrong = (lengths != 0) & (lengths != size)
    return Rule(name, wrong, lambda i: _misshapen(name, ids[i].as_py()), f"send {size} bytes, or none {none_if}")


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
