"""Small lists that are set as a whole: what was sent stays, what it leaves out ends."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from processors.frames import Columns, conform


def replacing(
    before: pl.DataFrame, sent: Sequence[Mapping[str, Any]], columns: Columns, key: Sequence[str], now: datetime
) -> pl.DataFrame:
    """Rows that make a table hold what was sent and nothing else: what was sent, and the end of what it leaves out.

    Args:
        before: what the table holds, with `columns`.
        sent: the values of all columns but `version` and `is_deleted`.
        columns: of the table.
        key: the columns that are the identity of a row.
        now: what time it is.
    """
    version = max([int(now.timestamp() * 1000), *(before["version"] + 1)])  # a clock may go back
    after = pl.DataFrame([{**one, "version": version, "is_deleted": 0} for one in sent], schema=dict(columns))
    gone = before.join(after, on=key, how="anti")
    ended = gone.with_columns(version=pl.lit(version, dtype=pl.UInt64), is_deleted=pl.lit(1, dtype=pl.UInt8))
    return pl.concat([after, conform(ended, columns)])


def there(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Those of `rows` that are not ends, in order."""
    return rows.filter(pl.col("is_deleted") == 0).sort(key)
