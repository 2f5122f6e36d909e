"""Where the spans to explain come from: payload files, standard input, or the store."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import polars as pl

from exporters.folder import FolderLock
from exporters.store import Store, chdb_folder
from exporters.traces import stored_spans
from merit.settings import Settings
from processors.conventions.read import Conventions
from processors.errors import Rejected, Unavailable
from processors.frames import RECEIVED, empty
from receiver.decode import decode
from receiver.limits import Limits
from receiver.otlp_json import to_protobuf
from receiver.reading import Outcome
from receiver.signals import TRACES

SUFFIXES = frozenset({".pb", ".bin", ".json", ".jsonl"})
"""Files of a folder that are taken for payloads."""
STANDARD_INPUT = "-"
TRACE_ID = re.compile(r"[0-9a-fA-F]{32}")
FOREVER = timedelta(days=36_500)
"""A capture is explained however old it is."""


@dataclass(frozen=True)
class Found:
    """The spans, each as it was received, and what was not taken of the payloads and why."""

    spans: pl.DataFrame
    rejected: tuple[str, ...] = ()


def find_spans(targets: Sequence[str], settings: Settings, now: datetime, standard_input: Callable[[], BinaryIO]) -> Found:
    """The spans of every target: a file, a folder of files, `-`, or the id of a stored trace.

    Raises:
        Rejected: a target is none of these, or not what it should be; nothing was found in it.
        Unavailable: a trace was asked for and the store cannot be opened.
    """
    ids = [t.lower() for t in targets if TRACE_ID.fullmatch(t) and not Path(t).exists()]
    payloads = [p for t in targets if t.lower() not in ids for p in _payloads(t, standard_input)]
    of_files = _decoded(payloads, settings, now) if payloads else Found(empty(RECEIVED))
    of_store = _stored(ids, settings) if ids else empty(RECEIVED)
    return Found(_each_once(pl.concat([of_files.spans, of_store])), of_files.rejected)


def _each_once(spans: pl.DataFrame) -> pl.DataFrame:
    """Each span once, the one that came last, in order of time: as traces are derived."""
    latest = spans.sort("IngestedAt", maintain_order=True).unique(["TraceId", "SpanId"], keep="last", maintain_order=True)
    return latest.sort("Timestamp", "SpanId")


def _payloads(target: str, standard_input: Callable[[], BinaryIO]) -> Iterator[tuple[str, bytes]]:
    """The requests of one target, each with the name of what holds it."""
    path = Path(target)
    if target == STANDARD_INPUT:
        yield from _requests("standard input", standard_input().read())
    elif path.is_dir():
        yield from _folder(path)
    elif path.is_file():
        yield from _requests(target, _read(path))
    else:
        raise Rejected(f"{target!r} is no file, no folder and no trace id (32 hexadecimal digits)")


def _folder(path: Path) -> Iterator[tuple[str, bytes]]:
    files = sorted(f for f in path.rglob("*") if f.suffix in SUFFIXES and f.is_file())
    found = [one for f in files if not _is_something_else(body := _read(f)) for one in _requests(str(f), body)]
    if not found:
        raise Rejected(f"{path} holds no payload: OTLP requests end in {', '.join(sorted(SUFFIXES))}")
    yield from found


def _is_something_else(body: bytes) -> bool:
    """JSON that is no OTLP lies about in folders."""
    return body.lstrip()[:1] in {b"{", b"["} and b"resourceSpans" not in body and b"resource_spans" not in body


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Rejected(f"cannot read {path}: {error.strerror}") from error


def _requests(name: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    """Protobuf as it is; JSON as protobuf, one request or (as the Collector's file exporter writes) one a line.

    Protobuf never begins with a brace: that would be the end of a group.
    """
    if not body:
        raise Rejected(f"{name} is empty")
    if body[:1] != b"{" and not name.endswith((".json", ".jsonl")):
        yield name, body
        return
    lines = [line for line in body.splitlines() if line.strip()]
    whole = len(lines) < 2 or not all(line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines)
    for part in [body] if whole else lines:
        try:
            yield name, to_protobuf(part, TRACES)
        except Rejected as error:
            raise Rejected(f"{name}: {error}") from error


def _decoded(payloads: Sequence[tuple[str, bytes]], settings: Settings, now: datetime) -> Found:
    otlp = settings.receivers.otlp
    keys = Conventions(settings.processors.conventions.extra).keys
    limits = Limits(otlp.max_attributes, otlp.max_attribute_bytes, keys, FOREVER)
    spans, outcomes = decode([body for _, body in payloads], limits, now)
    rejected = []
    for (name, _), outcome in zip(payloads, outcomes, strict=True):
        if not isinstance(outcome, Outcome):
            raise Rejected(f"{name} is no OTLP request (ExportTraceServiceRequest, as protobuf or JSON): {outcome}") from outcome
        if outcome.rejected:
            rejected.append(f"{name}: {outcome.rejected} spans not taken: {outcome.reason}")
    if spans.is_empty():
        names = ", ".join(dict.fromkeys(name for name, _ in payloads))
        raise Rejected("; ".join(rejected) or f"there are no spans in {names}")
    return Found(spans, tuple(rejected))


def _stored(trace_ids: list[str], settings: Settings) -> pl.DataFrame:
    """Every stored span of these traces."""
    _see_that_it_is_free(settings)
    with Store(settings.exporters.clickhouse) as store:
        spans = stored_spans(store, trace_ids)
    if missing := [t for t in trace_ids if t not in set(spans["TraceId"])]:
        days = settings.exporters.clickhouse.retention.spans
        raise Rejected(f"no span of trace {', '.join(missing)} is stored (spans are kept for {days} days)")
    return spans


def _see_that_it_is_free(settings: Settings) -> None:
    """Look before the store is opened, for opening makes a folder; and say what else can be done if it is held."""
    folder = chdb_folder(settings.exporters.clickhouse)
    if folder is None:
        return
    if not folder.exists():
        raise Rejected(f"there is no store in {folder} yet: say with --config or exporters.clickhouse.dsn where it is")
    lock = FolderLock(folder)
    try:
        lock.acquire()
    except Unavailable as error:
        raise Unavailable(
            f"{error}. If that is a running Merit: stop it for as long as you look, or explain the payload instead of the "
            "stored trace: merit explain FILE"
        ) from error
    lock.release()
