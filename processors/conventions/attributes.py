"""From maps to columns: one column for each attribute that somebody asked for, and that is there.

The entries of all maps lie in one array. Their keys are encoded as small integers and sorted once (radix sort), and each
key's values are then gathered into a column: the cost depends on the attributes that are there, not on how many
dialects are known.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

UNKNOWN = np.iinfo(np.uint16).max


def columns_of(maps: pl.Series, wanted: Sequence[str], prefix: str) -> list[pl.Series]:
    """A String column `prefix + key` for each key of `wanted` that any of `maps` has; null where absent or empty.

    Args:
        maps: a Map(String, String) column of n rows.
        wanted: distinct keys, fewer than 65,535.
        prefix: put before each key to name its column.
    """
    entries = maps.map.entries()
    lengths = entries.list.len().fill_null(0).to_numpy()
    flat = entries.explode(empty_as_null=False, keep_nulls=False)
    if flat.is_empty():
        return []
    keys, values = flat.struct.field("key"), flat.struct.field("value")
    values = pl.select(pl.when(values.str.len_bytes() > 0).then(values)).to_series()
    codes = keys.cast(pl.Enum(list(wanted)), strict=False).to_physical().cast(pl.UInt16).fill_null(UNKNOWN).to_numpy()
    rows = np.repeat(np.arange(len(maps)), lengths)
    order = np.argsort(codes, kind="stable")
    present, starts = np.unique(codes[order], return_index=True)
    ends = np.append(starts[1:], len(order))
    return [
        _column(prefix + wanted[code], values, order[start:end], rows, len(maps))
        for code, start, end in zip(present, starts, ends, strict=True)
        if code != UNKNOWN
    ]


def _column(name: str, values: pl.Series, positions: np.ndarray, rows: np.ndarray, height: int) -> pl.Series:
    index = np.full(height, -1, dtype=np.int64)
    index[rows[positions]] = positions
    where = pl.Series(index)
    if len(positions) < height:
        where = where.set(where < 0, None)
    return values.gather(where.cast(pl.UInt32)).alias(name)
