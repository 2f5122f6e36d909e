"""Opaque cursors: where a page ended.

A cursor holds a position and a checksum over the route, the filters and the position, so that one which belongs to
another list, to other filters or to nobody is refused instead of silently answering something else. It is no secret and
guards none: a position only says where to go on.
"""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from query_api.asking.problems import wrong

Position = TypeVar("Position", bound=tuple[Any, ...])


def issue(route: str, question: BaseModel, position: tuple[Any, ...]) -> str:
    """The cursor behind `position` in the list that `question` to `route` asks for."""
    content = json.dumps([checksum(route, question, position), *position], separators=(",", ":"))
    return urlsafe_b64encode(content.encode()).decode().rstrip("=")


def read(route: str, question: BaseModel, cursor: str, kind: type[Position]) -> Position:
    """The position in `cursor`, a tuple of the types in `kind`.

    Raises:
        ProblemError: 400, the cursor was not issued for this route and these filters.
    """
    try:
        check, *position = json.loads(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        if check == checksum(route, question, tuple(position)):
            return TypeAdapter(kind).validate_python(tuple(position))
    except (ValueError, TypeError, RecursionError, binascii.Error, ValidationError):
        pass  # whatever it is, it is none of ours: said below
    raise wrong("cursor", cursor, "no cursor of this list with these filters: take next_cursor of the page before, or none")


def checksum(route: str, question: BaseModel, position: tuple[Any, ...]) -> str:
    """Ties `position` to a route and its filters."""
    asked = question.model_dump_json(exclude={"limit", "cursor"})
    return sha256(json.dumps([route, asked, position]).encode()).hexdigest()[:16]
