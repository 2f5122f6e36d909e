"""`merit import evaluations`: judgements that were made elsewhere, from a file to the API of a running Merit."""

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
from polars.selectors import binary
from polars.selectors import datetime as datetimes

from merit.api_client import Api
from processors.errors import Rejected

AT_ONCE = 2_000
"""Rows of one request."""
MOST_BYTES = 8 << 20
"""Of one request: by default the API takes twice as much."""
NUMBERS = ("score", "rating", "cost_usd")
LANGFUSE = {"traceId", "name", "value"}
"""Columns by which a file of Langfuse's scores is known (`GET /api/public/v2/scores`, batch exports)."""
LANGFUSE_TYPES = {"ANNOTATION": "user", "EVAL": "llm", "API": "code"}


def run(path: Path, api: Api) -> Iterator[tuple[int, int]]:
    """Send the evaluations in a file; after each request how many rows were kept and how many of them wait for their task.

    The same file again changes nothing: an evaluator's second word about the same task and criterion replaces the first.

    Raises:
        Rejected: the file cannot be read, or a row cannot be taken. Rows before it are kept.
        Unavailable: nobody answers.
    """
    start = 0
    for lines in portions(read(path)):
        try:
            answer = api.post("/v1/evaluations", b"\n".join(lines), "application/x-ndjson")
        except Rejected as error:
            where = f"{start} rows are kept, none of the next {len(lines)}; which of these is wrong is counted from 0"
            raise Rejected(f"{path}: {where}: {error}") from error
        start += len(lines)
        yield answer["evaluations"], answer["pending"]


def portions(rows: pl.DataFrame) -> Iterator[list[bytes]]:
    """What is sent, a line a row, in as many requests as it takes."""
    lines: list[bytes] = []
    size = 0
    for row in rows.iter_rows(named=True):
        line = json.dumps(as_sent(row), default=as_json_value).encode()
        if lines and (len(lines) == AT_ONCE or size + len(line) > MOST_BYTES):
            yield lines
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
    if lines:
        yield lines


def read(path: Path) -> pl.DataFrame:
    """The rows of a file, one a judgement, named as in the API."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise Rejected(f"{path}: is none of {', '.join(READERS)}: give it the ending of what it is")
    try:
        frame = reader(path.read_bytes())  # polars takes a path for a pattern
        return written_out(from_langfuse(frame) if set(frame.columns) >= LANGFUSE else frame)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Rejected(f"{path}: cannot be read as {path.suffix}: {str(error).splitlines()[0]}") from error


def written_out(frame: pl.DataFrame) -> pl.DataFrame:
    """Times in RFC 3339, in UTC if they do not say their zone; bytes as the text that they are."""
    zoned = frame.with_columns(binary().cast(pl.String), datetimes(time_zone=None).dt.replace_time_zone("UTC"))
    return zoned.with_columns(datetimes().dt.to_string("iso:strict"))


def read_csv(content: bytes) -> pl.DataFrame:
    """A CSV file, all as it stands: `007` is an id, and one word among the scores does not make words of all."""
    return pl.read_csv(content, infer_schema=False)


def read_lines(content: bytes) -> pl.DataFrame:
    """JSON lines; a column may come late."""
    return pl.read_ndjson(content.removeprefix(BOM_UTF8), infer_schema_length=None)


READERS: dict[str, Callable[[bytes], pl.DataFrame]] = {
    ".csv": read_csv,
    ".parquet": pl.read_parquet,
    ".jsonl": read_lines,
    ".ndjson": read_lines,
}


def from_langfuse(frame: pl.DataFrame) -> pl.DataFrame:
    """Langfuse's scores in Merit's words. Observations are spans; who scored is known by its kind only."""
    has = set(frame.columns)

    def column(name: str) -> pl.Expr:
        return pl.col(name).cast(pl.String) if name in has else pl.lit(None, dtype=pl.String)

    source = pl.coalesce(column("source"), pl.lit("API"))
    span = pl.concat_str("traceId", column("observationId"), separator="-")
    evaluator = pl.coalesce(column("authorUserId"), source.str.to_lowercase())
    return frame.select(
        task_id=pl.coalesce(span, "traceId"),
        evaluator=evaluator,
        evaluator_type=source.replace_strict(LANGFUSE_TYPES, default="code"),
        criterion="name",
        score=pl.col("value").cast(pl.Float64, strict=False),
        comment=column("comment"),
        evaluated_at=column("timestamp"),
    )


def as_sent(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the API takes it: what is empty is not said; a criterion may have a row of its own, or stand in a JSON text."""
    said = {name: value for name, value in row.items() if value is not None and value != ""}
    said |= {name: parsed(said[name], float) for name in NUMBERS if name in said}
    criteria = parsed(said.get("criteria"), json.loads)
    if criterion := said.pop("criterion", None):
        said["criteria"] = {criterion: said.pop("score", None)}
    elif isinstance(criteria, Mapping):
        said["criteria"] = {name: score for name, score in criteria.items() if score is not None}
    return said


def parsed(value: Any, parse: Callable[[str], Any]) -> Any:
    """What a text says; itself if that is nothing, for the API tells what is wrong with it, and in which row."""
    try:
        return parse(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


def as_json_value(value: object) -> str | float:
    """What JSON has no form for."""
    return float(value) if isinstance(value, Decimal) else str(value)
