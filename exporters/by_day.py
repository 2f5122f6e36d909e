"""Received rows into the store, day by day: ClickHouse refuses a block that touches too many partitions.

The same rows inserted again within a while are dropped by their deduplication token, for readers without FINAL too.
"""

from hashlib import blake2b

import polars as pl

from exporters.store import Store
from processors.frames import Columns, conform


def store_by_day(store: Store, table: str, rows: pl.DataFrame, columns: Columns, time: str) -> None:
    """Insert `rows` of `table`, which has these columns and is parted by the days of `time`."""
    for day in rows.with_columns(day=pl.col(time).dt.date()).partition_by("day", maintain_order=True):
        conformed = conform(day, columns)
        store.insert(table, conformed, token=_token(conformed))


def _token(rows: pl.DataFrame) -> str:
    """The same for the same rows in the same order, whenever they came: a sender that repeats a request stores nothing twice."""
    said = rows.drop("IngestedAt")
    return blake2b(said.hash_rows().to_numpy().tobytes(), digest_size=16).hexdigest()
