"""`merit import evaluations`: judgements that were made elsewhere, from a file to the API of a running Merit."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from merit.api_client import Api
from processors.errors import Rejected

AT_ONCE = 2_000
"""Rows of one request."""
READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".csv": pl.read_csv,
    ".parquet": pl.read_parquet,
    ".jsonl": pl.read_ndjson,
    ".ndjson": pl.read_ndjson,
}
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
    for some in read(path).iter_slices(AT_ONCE):
        try:
            lines = "\n".join(json.dumps(as_sent(row), default=as_text) for row in some.iter_rows(named=True))
            answer = api.post("/v1/evaluations", lines.encode(), "application/x-ndjson")
        except (Rejected, ValueError) as error:
            where = f"{start} rows are kept, none of the next {some.height}; which of these is wrong is counted from 0"
            raise Rejected(f"{path}: {where}: {error}") from error
        start += some.height
        yield answer["evaluations"], answer["pending"]


def read(path: Path) -> pl.DataFrame:
    """The rows of a file, one a judgement, named as in the API."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise Rejected(f"{path}: is none of {', '.join(READERS)}: give it the ending of what it is")
    try:
        frame = reader(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Rejected(f"{path}: cannot be read as {path.suffix}: {str(error).splitlines()[0]}") from error
    return from_langfuse(frame) if set(frame.columns) >= LANGFUSE else frame


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
    if criterion := said.pop("criterion", None):
        said["criteria"] = {criterion: said.pop("score", None)}
    elif isinstance(said.get("criteria"), str):
        said["criteria"] = json.loads(said["criteria"])
    elif "criteria" in said:
        said["criteria"] = {name: score for name, score in dict(said["criteria"]).items() if score is not None}
    return said


def as_text(value: object) -> str:
    """What JSON has no form for: times, in RFC 3339 and in UTC if they do not say their zone."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    return str(value)
