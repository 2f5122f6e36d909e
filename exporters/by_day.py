"""Received rows into the store, day by day: ClickHouse refuses a block that touches too many partitions."""

import polars as pl

from exporters.store import Store
from processors.frames import Columns, conform


def store_by_day(store: Store, table: str, rows: pl.DataFrame, columns: Columns, time: str, token: str = "") -> None:
    """Insert `rows` of `table`, which has these columns and is parted by the days of `time`.

    The same rows inserted again under the same token are dropped, for readers without FINAL too; without a token they
    replace themselves in time.
    """
    for day in rows.with_columns(day=pl.col(time).dt.date()).partition_by("day", maintain_order=True):
        store.insert(table, conform(day, columns), token=token and f"{token}-{day['day'][0]}")
