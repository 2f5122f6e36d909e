"""`merit explain`, put together: find the spans, explain them, narrow it to one of them, show it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal
from typing import BinaryIO

from merit.explain.explanation import Explanation, explain
from merit.explain.spans import find_spans
from merit.settings import Settings
from processors.errors import Rejected


def explained(
    targets: Sequence[str], settings: Settings, now: datetime, standard_input: Callable[[], BinaryIO], span_id: str = ""
) -> Explanation:
    """The explanation of what the targets hold.

    Args:
        targets: files, folders, `-`, ids of stored traces.
        settings: dialects, prices, and where the store is.
        now: when this is.
        standard_input: what `-` means.
        span_id: show this span alone, or the one whose id begins so; the others are still read, for they decide whose it is.

    Raises:
        Rejected: nothing to explain there, or no such span.
        Unavailable: the store cannot be opened.
    """
    found = find_spans(targets, settings, now, standard_input)
    explanation = explain(found.spans, settings.processors, now, found.rejected)
    return narrowed(explanation, span_id.lower()) if span_id else explanation


def narrowed(explanation: Explanation, span_id: str) -> Explanation:
    """Only the spans whose id begins so."""
    spans = [span for span in explanation.spans if span.span_id.startswith(span_id)]
    if not spans:
        raise Rejected(f"there is no span {span_id!r} among the {len(explanation.spans)} spans")
    return replace(explanation, spans=spans)


def as_json(explanation: Explanation) -> str:
    """The explanation as one JSON object; times RFC 3339, money as numbers."""
    return json.dumps(asdict(explanation), indent=2, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value.isoformat() if isinstance(value, datetime) else str(value)
