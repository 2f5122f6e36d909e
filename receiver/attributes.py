"""Lists of OTLP `KeyValue` to Arrow `Map(String, String)`: keys sorted inside each map, values as text.

Whole columns at a time: what is done per attribute is done by Arrow and numpy. Only arrays, key-value lists, over-long
values and numbers beyond 1e10 are looked at one by one; real spans have few of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from receiver.limits import Limits
from receiver.nested import array_texts, double_text, kvlist_texts

Integers = npt.NDArray[np.int64]
NONE = pa.array([], pa.string())


@dataclass(frozen=True)
class Pairs:
    """Keys and texts of `length` maps in one run; `rows` says which map each belongs to."""

    keys: pa.StringArray
    texts: pa.StringArray
    rows: Integers
    length: int

    def before(self, other: Self) -> "Pairs":
        """The pairs of both, these first: where both have a key the value in `other` is the last and wins."""
        keys = pa.concat_arrays([self.keys, other.keys])
        texts = pa.concat_arrays([self.texts, other.texts])
        return Pairs(keys, texts, np.concatenate([self.rows, other.rows]), other.length)

    def repeated(self, rows: Integers) -> "Pairs":
        """As many maps as `rows` has elements: the i-th is map `rows[i]` of these (whose rows grow); -1 is an empty map."""
        starts = np.searchsorted(self.rows, np.arange(self.length + 1))
        wanted = np.where(rows < 0, 0, np.diff(starts)[rows]) if self.length else np.zeros(len(rows), np.int64)
        begins = np.repeat(starts[rows] - (np.cumsum(wanted) - wanted), wanted)
        taken = pa.array(begins + np.arange(len(begins)))
        return Pairs(self.keys.take(taken), self.texts.take(taken), np.repeat(np.arange(len(rows)), wanted), len(rows))


class Capped(NamedTuple):
    """Pairs within the limits, and how many of each map were dropped or shortened."""

    pairs: Pairs
    dropped: Integers


def capped_pairs(lists: pa.ListArray, limits: Limits) -> Capped:
    """The attributes in `lists`, as many and as long as `limits` allow: of too many those that are read, then the first sent.

    Raises:
        Malformed: a nested value is.
    """
    entries = lists.flatten()
    if not len(entries):
        return Capped(Pairs(NONE, NONE, np.zeros(0, np.int64), len(lists)), np.zeros(len(lists), np.int64))
    counts = np.diff(lists.offsets.to_numpy())
    rows = np.repeat(np.arange(len(lists)), counts)
    dropped = np.maximum(counts - limits.max_attributes, 0).astype(np.int64)
    texts = value_texts(entries.field("value"))
    keys = entries.field("key")
    if dropped.any():
        kept = _kept(keys, rows, counts, limits)
        keys, texts, rows = keys.take(pa.array(kept)), texts.take(pa.array(kept)), rows[kept]
    texts, shortened = capped_texts(texts, limits.max_attribute_bytes)
    if len(shortened):
        dropped += np.bincount(rows[shortened], minlength=len(lists))
    return Capped(Pairs(keys, texts, rows, len(lists)), dropped)


def _kept(keys: pa.StringArray, rows: Integers, counts: Integers, limits: Limits) -> Integers:
    """Which attributes are kept, in the order in which they were sent."""
    unread = ~pc.is_in(keys, pa.array(sorted(limits.kept_first), pa.string())).to_numpy(zero_copy_only=False)
    wanted = np.lexsort((unread, rows))  # stable: within a map first what is read, each in the order sent
    place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(wanted[place < limits.max_attributes])


def maps(pairs: Pairs) -> pa.MapArray:
    """One map a row, keys sorted; of a key that is there twice the last value stays."""
    order = _order(pairs)
    keys, texts, rows = pairs.keys, pairs.texts, pairs.rows
    if order is not None:
        taken = pa.array(order)
        keys, texts, rows = keys.take(taken), texts.take(taken), rows[order]
    offsets = np.zeros(pairs.length + 1, np.int32)
    np.cumsum(np.bincount(rows, minlength=pairs.length), out=offsets[1:])
    return pa.MapArray.from_arrays(pa.array(offsets), keys, texts)


def value_texts(values: pa.StructArray) -> pa.StringArray:
    """The text of each `AnyValue`; one that holds nothing is empty."""
    names = [field.name for field in values.type]
    columns = dict(zip(names, values.flatten(), strict=True))
    texts = [TEXT[name](column) for name, column in columns.items() if column.null_count < len(column)]
    if not texts:
        return pa.array([""] * len(values), pa.string())
    if texts[0].null_count == 0:
        return texts[0]
    return pc.coalesce(*texts, pa.scalar("", pa.string()))


def _order(pairs: Pairs) -> Integers | None:
    """Where each pair of the sorted maps is now; None if they are sorted."""
    if len(pairs.rows) < 2:
        return None
    encoded = pairs.keys.dictionary_encode()
    by_name = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(by_name), np.int64)
    rank[by_name] = np.arange(len(by_name))
    place = pairs.rows * len(by_name) + rank[encoded.indices.to_numpy()]
    if (place[1:] > place[:-1]).all():
        return None
    bits = len(place).bit_length()
    if (pairs.length * len(by_name)).bit_length() + bits < 63:
        packed = np.sort(place << bits | np.arange(len(place)))  # plain integers sort several times faster than argsort
        order, place = packed & ((1 << bits) - 1), packed >> bits
    else:
        order = np.argsort(place, kind="stable")
        place = place[order]
    last = np.append(place[1:] != place[:-1], True)
    return order if last.all() else order[last]


def capped_texts(texts: pa.StringArray, max_bytes: int) -> tuple[pa.StringArray, Integers]:
    """Cut texts at the last whole character within `max_bytes`; also says which were cut."""
    long = np.flatnonzero(pc.binary_length(texts).to_numpy() > max_bytes)
    if not len(long):
        return texts, long
    cut = [text.encode()[:max_bytes].decode(errors="ignore") for text in texts.take(pa.array(long)).to_pylist()]
    mask = np.zeros(len(texts), bool)
    mask[long] = True
    return pc.replace_with_mask(texts, pa.array(mask), pa.array(cut, pa.string())), long


def _double_texts(column: pa.DoubleArray) -> pa.StringArray:
    """As ES6 writes numbers. Arrow does the same, but begins exponents at 1e10 and has other names for what is no number."""
    texts = column.cast(pa.string())
    numbers = column.fill_null(0.0).to_numpy(zero_copy_only=False)
    odd = ~(np.abs(numbers) < 1e10)
    if not odd.any():
        return texts
    return pc.replace_with_mask(texts, pa.array(odd), pa.array([double_text(x) for x in numbers[odd].tolist()], pa.string()))


def _base64_texts(column: pa.BinaryArray) -> pa.StringArray:
    return pl.Series(column).bin.encode("base64").to_arrow().cast(pa.string())


TEXT: dict[str, Callable[[pa.Array], pa.StringArray]] = {
    "string_value": lambda column: column,
    "bool_value": lambda column: column.cast(pa.string()),
    "int_value": lambda column: column.cast(pa.string()),
    "double_value": _double_texts,
    "bytes_value": _base64_texts,
    "array_value": lambda column: pa.array(array_texts(column.to_pylist()), pa.string()),
    "kvlist_value": lambda column: pa.array(kvlist_texts(column.to_pylist()), pa.string()),
}
