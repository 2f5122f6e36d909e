"""What is sent to the API: bounded before it is read, and many evaluations in one body."""

from collections.abc import Sequence
from io import BytesIO
from itertools import islice
from typing import Annotated, Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from query_api.asking.filters import Question
from query_api.asking.problems import wrong
from query_api.evaluations.sent import EvaluationOfTask

Sent = TypeVar("Sent", bound=BaseModel)

MANY = "/v1/evaluations"
"""The route that takes large bodies."""
SMALL_BYTES = 1 << 20
"""No other route takes more."""
MOST = 10_000
"""Evaluations in one body."""
DRAINED_BYTES = 64 << 20
"""A body that is too large is still taken from the wire up to this, and thrown away, so that its sender hears why."""


class Bounded:
    """Refuses a body that is too large before anything is made of it.

    Args:
        app: gets what is within the bounds.
        many_bytes: how much the route that takes many evaluations takes.
    """

    def __init__(self, app: ASGIApp, many_bytes: int) -> None:
        self._app, self._many_bytes = app, many_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request, its body counted."""
        if scope["type"] == "http":
            receive = counted(receive, self._many_bytes if scope["path"] == MANY else SMALL_BYTES)
        await self._app(scope, receive, send)


def counted(receive: Receive, most: int) -> Receive:
    """`receive`, which raises HTTPException, 413, when more than `most` bytes have come."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read <= most:
            return message
        while message.get("more_body") and read < DRAINED_BYTES:
            message = await receive()
            read += len(message.get("body", b""))
        raise HTTPException(413, f"The body is larger than {most / (1 << 20):g} MiB: send it in parts")

    return bounded


async def body(request: Request) -> bytes:
    """The bytes that were sent."""
    return await request.body()


class Evaluations(Question):
    """Many judgements."""

    evaluations: Annotated[tuple[EvaluationOfTask, ...], Field(min_length=1, max_length=MOST, fail_fast=True)]
    """They are all kept, or none."""


def evaluations_in(raw: bytes, *, a_line_each: bool) -> Sequence[EvaluationOfTask]:
    """The evaluations in a body; of NDJSON one a line.

    Raises:
        RequestValidationError: one of them cannot be taken. Says which.
    """
    if a_line_each:
        lines = list(islice((line for line in BytesIO(raw) if line.strip()), MOST + 1))
        if not 1 <= len(lines) <= MOST:
            raise wrong("body", None, f"holds {'more' if lines else 'no line'}: send 1 to {MOST:,} evaluations, one a line")
        return [_parsed(EvaluationOfTask, line, ("body", number)) for number, line in enumerate(lines)]
    return _parsed(Evaluations, raw, ("body",)).evaluations


def _parsed(kind: type[Sent], raw: bytes, at: tuple[str | int, ...]) -> Sent:
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": (*at, *one["loc"])} for one in error.errors(include_url=False)]) from error


def request_body() -> dict[str, Any]:
    """What OpenAPI says of the bodies with many evaluations."""
    one = EvaluationOfTask.model_json_schema()
    many = {**Evaluations.model_json_schema(), "properties": {"evaluations": {"type": "array", "maxItems": MOST, "items": one}}}
    many.pop("$defs")
    content = {"application/json": {"schema": many}, "application/x-ndjson": {"schema": one}}
    return {"requestBody": {"required": True, "content": content}}
