"""Small lists that are set as a whole: what was sent stays, what it leaves out ends."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import polars as pl
from pydantic import BaseModel

from processors.frames import Columns, conform
from processors.versions import version_at
from query_api.asking.problems import ProblemError


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
    version = version_at(now, *before["version"])
    after = pl.DataFrame([{**one, "version": version, "is_deleted": 0} for one in sent], schema=dict(columns))
    gone = before.join(after, on=key, how="anti")
    ended = gone.with_columns(version=pl.lit(version, dtype=pl.UInt64), is_deleted=pl.lit(1, dtype=pl.UInt8))
    return pl.concat([after, conform(ended, columns)])


def refuse_twice(names: Iterable[str]) -> None:
    """Raise ValueError if one of `names` is said twice."""
    if twice := [name for name, n in Counter(names).items() if n > 1]:
        raise ValueError(f"said twice: {', '.join(twice[:5])}; keep one of each")


def refuse_too_many(names: Collection[str], most: int, what: str) -> None:
    """Raise ProblemError if there would be more of `what` than are read."""
    if len(names) > most:
        raise ProblemError(409, f"There would be {len(names):,} {what}, and {most:,} is the most: delete some first")


Named = TypeVar("Named", bound=BaseModel)


def off(base: Iterable[Named], named: Collection[str], key: str) -> list[Named]:
    """Those of `base` that are not among `named`, switched off: nobody can delete them."""
    return [one.model_copy(update={"enabled": False}) for one in base if getattr(one, key) not in named]


def there(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Those of `rows` that are not ends, in order."""
    return rows.filter(pl.col("is_deleted") == 0).sort(key)
