"""Which data points of a good request are wrong, and what their sender should change."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processors.signal_frames import NO_RECORDED_VALUE
from receiver.admit import Rule, ahead, too_old
from receiver.attributes import Integers
from receiver.limits import Limits


def point_rules(
    kind: str, names: pa.StringArray, row: Integers, points: pa.StructArray, limits: Limits, now: datetime
) -> list[Rule]:
    """The rules that every data point of `kind` must keep; `names` are those of the metrics, `row` says which is whose."""
    times = points.field("time_unix_nano").to_numpy()

    def of(index: int) -> str:
        return f"of metric {names[row[index]].as_py()[:100]!r}"

    shape = {"gauge": _without_value, "sum": _without_value, "histogram": _misfitting}
    unnamed = pc.equal(names, "").to_numpy(zero_copy_only=False)[row]
    told = [
        Rule("no name", unnamed, lambda _: "a metric has no name", "name it"),
        Rule("no time", times == 0, lambda i: f"a data point {of(i)} has no time", "set time_unix_nano"),
        too_old(times, "time", "metrics", limits.retention, now),
        ahead(times, "time", now),
    ]
    return told + ([shape[kind](points)] if kind in shape else [])


def _without_value(points: pa.StructArray) -> Rule:
    nothing = pc.and_(points.field("as_double").is_null(), points.field("as_int").is_null()).to_numpy(zero_copy_only=False)
    ended = (points.field("flags").to_numpy() & NO_RECORDED_VALUE) > 0
    return Rule("no value", nothing & ~ended, lambda _: "a data point has no value", "set as_double or as_int")


def _misfitting(points: pa.StructArray) -> Rule:
    counts = np.diff(points.field("bucket_counts").offsets.to_numpy())
    bounds = np.diff(points.field("explicit_bounds").offsets.to_numpy())
    wrong = (counts != bounds + 1) & ((counts > 0) | (bounds > 0))
    return Rule(
        "buckets",
        wrong,
        lambda i: f"a histogram has {counts[i]} bucket counts for {bounds[i]} bounds",
        "send one count more than bounds, or none of both",
    )
