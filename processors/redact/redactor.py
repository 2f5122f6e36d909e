"""From a frame to the same frame without what must not be stored. Everything downstream sees only this one.

Each text is looked at once however often it is there, and columns in which nothing was found are handed on untouched.
Ids, enumerations, times and numbers are no texts; attributes that count (tokens, cost) stay as they are.
"""

from collections.abc import Iterable

import polars as pl

from processors.redact.columns import NESTED, Flat
from processors.redact.names import Found, Names, counts
from processors.redact.settings import RedactSettings
from processors.redact.texts import TextMasks

PLAIN = frozenset({
    "TraceId", "SpanId", "ParentSpanId", "Links.TraceId", "Links.SpanId", "Exemplars.TraceId", "Exemplars.SpanId",
    "SpanKind", "StatusCode", "SeverityText", "MetricUnit",
})  # fmt: skip
"""Columns of ids, and of words that are not the user's."""


class Redactor:
    """Masks, cuts and drops what the settings say.

    Args:
        settings: of `processors.redact`.
    """

    def __init__(self, settings: RedactSettings | None = None) -> None:
        settings = settings or RedactSettings()
        self._masks = TextMasks(settings)
        self._names = Names(settings)

    def __call__(self, frame: pl.DataFrame) -> pl.DataFrame:
        """`frame` redacted: every column that holds texts, maps, or lists of either, but for ids and the like."""
        flats = {name: Flat.of(frame[name]) for name, kind in frame.schema.items() if kind in NESTED and name not in PLAIN}
        if {"Body", "EventName", "LogAttributes"} <= set(flats):
            flats["Body"] = Flat(frame["Body"], _event_names(frame))
        if frame.is_empty() or not flats:
            return frame
        changes = self._masks.changes(pl.concat(flat.values for flat in flats.values()))
        named = self._names.among(flat.keys for flat in flats.values() if flat.keys is not None)
        if not len(changes[0]) and not named:
            return frame
        after = {name: _redacted(flat, *changes, named) for name, flat in flats.items()}
        changed = [flat.nested().alias(name) for name, flat in after.items() if flat is not flats[name]]
        return _with_service(frame, frame.with_columns(changed)) if changed else frame

    def texts(self, texts: pl.Series) -> pl.Series:
        """Texts outside of spans (a comment, an explanation) with the same masks inside."""
        return self._masks(texts)


def _redacted(flat: Flat, old: pl.Series, new: pl.Series, named: Iterable[Found]) -> Flat:
    """`flat` with `new` texts for `old` ones, and with its attributes treated by their name; itself if nothing is found."""
    here = [(found, where) for found in named if flat.keys is not None and (where := flat.keys.is_in(found.names)).any()]
    values = _replaced(flat, old, new, [where for found, where in here if found.treatment.action == "keep"])
    dropped = None
    for found, where in here:
        action = found.treatment.action
        if action == "drop" and flat.maps is None:
            values = _where(where, pl.Series([""]).new_from_index(0, len(values)), values)
        elif action == "drop":
            dropped = where if dropped is None else dropped | where
        elif action != "keep":
            spared = counts(flat) if found.treatment.spares_counts else None
            values = _where(where if spared is None else where & ~spared, found.treatment(values), values)
    if values is not flat.values:
        flat = flat.having(values)
    return flat if dropped is None else flat.without(dropped)


def _replaced(flat: Flat, old: pl.Series, new: pl.Series, kept: list[pl.Series]) -> pl.Series:
    where = flat.values.is_in(old.implode())
    if not where.any():
        return flat.values
    for spared in (*kept, *([] if flat.keys is None else [counts(flat)])):
        where &= ~spared
    return _where(where, flat.values.replace(old, new), flat.values)


def _where(condition: pl.Series, then: pl.Series, otherwise: pl.Series) -> pl.Series:
    return then.zip_with(condition, otherwise)


def _event_names(records: pl.DataFrame) -> pl.Series:
    """What a log record's body is called: its event, as newer and as older senders say it."""
    said = records["LogAttributes"].map.get("event.name").fill_null("")
    return _where(records["EventName"] == "", said, records["EventName"])


def _with_service(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """`after` with `ServiceName` as the resource says it now: it is a copy of one of its attributes."""
    if not {"ServiceName", "ResourceAttributes"} <= set(after.columns):
        return after
    was, said = (frame["ResourceAttributes"].map.get("service.name") for frame in (before, after))
    changed = was.ne_missing(said)
    return after.with_columns(_where(changed, said.fill_null(""), after["ServiceName"]).alias("ServiceName"))
