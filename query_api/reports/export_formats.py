"""Frames as files: CSV, JSON and Parquet, written part by part, so that a long list never is in memory whole."""

from collections.abc import Callable, Iterator, Mapping
from io import RawIOBase
from typing import Any, Literal, NamedTuple

import polars as pl
import polars.selectors as cs
import pyarrow.parquet as pq

from query_api.asking.answers import plain

Format = Literal["csv", "json", "parquet"]

FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection); the full-width signs too."""


class Written(NamedTuple):
    """How a format is named and written."""

    media_type: str
    write: Callable[[Iterator[pl.DataFrame]], Iterator[bytes]]


def csv(parts: Iterator[pl.DataFrame]) -> Iterator[bytes]:
    """A line of names, then a line a row. No text begins as a formula would.

    Lists are joined by a comma; what has parts has a column for each of them (`scores.accuracy`).
    """
    for n, part in enumerate(parts):
        flat = plain(part.unnest(cs.struct(), separator=".")).with_columns(cs.list().list.join(", "))
        text = cs.string()
        harmless = flat.with_columns(pl.when(text.str.contains(FORMULA)).then("'" + text).otherwise(text).name.keep())
        yield harmless.write_csv(include_header=n == 0).encode()


def json(parts: Iterator[pl.DataFrame]) -> Iterator[bytes]:
    """A list of objects."""
    before = b"["
    for part in parts:
        if inside := plain(part).write_json()[1:-1]:
            yield before + inside.encode()
            before = b",\n"
    yield b"[]" if before == b"[" else b"]"


def parquet(parts: Iterator[pl.DataFrame]) -> Iterator[bytes]:
    """Columns in their own types: times in nanoseconds UTC, money as exact decimals. A row group a part, compressed."""
    file = Outbox()
    writer: pq.ParquetWriter | None = None
    for part in parts:
        table = part.with_columns(cs.string().replace("", None), cs.float().fill_nan(None)).to_arrow(
            compat_level=pl.CompatLevel.oldest()
        )
        writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
        writer.write_table(table.cast(writer.schema))
        yield file.taken()
    assert writer is not None
    writer.close()
    yield file.taken()


class Outbox(RawIOBase):
    """A file of which what has been written is taken away."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        """It is only written."""
        return True

    def write(self, data: Any) -> int:
        """Take in some bytes."""
        self._parts.append(bytes(data))
        self._length += len(data)
        return len(data)

    def tell(self) -> int:
        """How much has been written, taken away or not: Parquet points to places in the file."""
        return self._length

    def taken(self) -> bytes:
        """What has been written since the last time."""
        written = b"".join(self._parts)
        self._parts.clear()
        return written


FORMATS: Mapping[Format, Written] = {
    "csv": Written("text/csv; charset=utf-8; header=present", csv),
    "json": Written("application/json", json),
    "parquet": Written("application/vnd.apache.parquet", parquet),
}
