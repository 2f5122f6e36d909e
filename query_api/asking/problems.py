"""Every error leaves as a problem document (RFC 9457): what was found and what to change, and nothing of our insides."""

import logging
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from http import HTTPStatus
from math import ceil
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from processors.errors import Unavailable

log = logging.getLogger(__name__)

SHOWN = 200
"""Characters of a wrong value that are repeated to the caller."""
NO_JSON = "JSON decode error"
"""FastAPI's words for a body that is none."""
HALVES = "surrogates not allowed"
"""Python's words for a text that is none, which nothing but the JSON of a body can hold."""
KEY = "[key]"
"""Where pydantic says that it means the name of a member and not its value."""
MOST_ERRORS = 20
"""Wrong parameters that are told at once."""
LONGEST_MESSAGE = 2_000
"""Characters of what is said of one: it may repeat names that were sent."""


class WrongParameter(BaseModel):
    """One parameter that cannot be taken."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    parameter: str
    """Its name; `query` or `body` where it is about the whole."""
    found: str | None = None
    """What was sent, shortened."""
    message: str
    """What to change."""


class Problem(BaseModel):
    """A problem document as in RFC 9457."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")

    type: str = "about:blank"
    """`about:blank`: the status says what kind of problem it is."""
    title: str
    """The name of the HTTP status."""
    status: int
    """The HTTP status."""
    detail: str
    """What was found and what to change."""
    instance: str | None = None
    """The path that was asked for."""
    errors: list[WrongParameter] | None = None
    """The parameters that cannot be taken, if that is the problem."""


class ProblemError(Exception):
    """Raised by a route to answer with a problem document."""

    def __init__(self, status: int, detail: str, errors: Sequence[WrongParameter] = (), **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.more = status, detail, errors, more


def wrong(parameter: str, found: str | None, message: str) -> ProblemError:
    """The problem of one parameter that cannot be taken."""
    error = WrongParameter(parameter=parameter, found=None if found is None else found[:SHOWN], message=message)
    return ProblemError(400, f"{parameter}: {message}", [error])


TIME = ": write it as 2026-01-31T08:00:00Z (in a URL, a + is written %2B)"
ADVICE = dict.fromkeys(("timezone_aware", "datetime_parsing", "datetime_from_date_parsing"), TIME)
"""What to change, by pydantic's name of the error, where its own words do not say it."""
OBJECT = "must be a JSON object, sent with the header Content-Type: application/json"
WORDS = {
    "extra_forbidden": "there is no such field; /docs lists those that there are",
    "json_invalid": "is not JSON: {error}",
    "model_attributes_type": OBJECT,
    "model_type": OBJECT,
    "missing": "is missing",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "too_short": "holds {actual_length}: at least {min_length} needed",
    "too_long": "holds too many: at most {max_length} can be taken",
    "string_too_short": "is too short: at least {min_length} characters needed",
    "string_too_long": "is too long: at most {max_length} characters can be taken",
}
"""The same in words of this API: pydantic's are about Python."""


def answer_with_problems(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""

    @app.exception_handler(ProblemError)
    async def problem(request: Request, error: ProblemError) -> JSONResponse:
        return response(request, error.status, error.detail, errors=error.errors, **error.more)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        found = error.errors()
        errors = [wrong_parameter(one) for one in found[:MOST_ERRORS]]
        more = [f"and {len(found) - MOST_ERRORS} more"] if len(found) > MOST_ERRORS else []
        return response(request, 400, "; ".join([*(f"{e.parameter}: {e.message}" for e in errors), *more]), errors=errors)

    @app.exception_handler(UnicodeEncodeError)
    async def no_text(request: Request, error: UnicodeEncodeError) -> JSONResponse:
        if error.reason != HALVES:
            raise error
        return response(request, 400, "body: holds half a character (a lone surrogate, as in \\ud800): send whole ones")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        detail = {404: no_route(app, request), 405: f"{request.method} is not possible here"}.get(error.status_code, error.detail)
        return response(request, error.status_code, detail, headers=error.headers)

    @app.exception_handler(Unavailable)
    async def unavailable(request: Request, error: Unavailable) -> JSONResponse:
        log.warning("%s: %s", request.url.path, error)
        seconds = max(1, ceil(error.retry_after.total_seconds()))
        detail = f"The store cannot answer this now: try again in {seconds} s, or ask for a smaller window"
        return response(request, 503, detail, headers={"Retry-After": str(seconds)})

    @app.exception_handler(Exception)
    async def internal(request: Request, _: Exception) -> JSONResponse:
        return response(request, 500, "Something went wrong on our side; the log of the server says what")


def response(
    request: HTTPConnection,
    status: int,
    detail: str,
    *,
    errors: Sequence[WrongParameter] = (),
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """The problem document; `more` are members beyond those of the RFC."""
    path = request.scope["path"]
    problem = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, instance=path, errors=list(errors) or None, **more
    )
    content = problem.model_dump(exclude_none=True)
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def wrong_parameter(error: Mapping[str, Any]) -> WrongParameter:
    """One of pydantic's errors in the words of this API."""
    context: Mapping[str, Any] = error.get("ctx") or {}
    name = context.get("parameter") or ".".join(str(part) for part in within(error)) or str(error["loc"][0])
    text = found_in(error)
    return WrongParameter(parameter=shown(name), found=text and shown(text), message=shown(told(error), LONGEST_MESSAGE))


def told(error: Mapping[str, Any]) -> str:
    """What is wrong, and what to change."""
    kind = error["type"]
    own = error["msg"].removeprefix("Value error, ").replace("Input", "value") + ADVICE.get(kind, "")
    message = WORDS[kind].format_map(error.get("ctx") or {}) if kind in WORDS else own
    return f"one of its names: {message}" if error["loc"][-1:] == (KEY,) else message


def found_in(error: Mapping[str, Any]) -> str | None:
    """What was sent, as text; null of what is missing, or was no JSON and not kept."""
    found = (error.get("ctx") or {}).get("found", error.get("input"))
    if found is None or error["type"] == "missing" or error["msg"] == NO_JSON:
        return None
    if isinstance(found, bytes):
        return found[: 4 * SHOWN].decode("utf-8", "replace")
    return found if isinstance(found, str) else repr(found)


def within(error: Mapping[str, Any]) -> Sequence[Any]:
    """Where in the query, the path or the body it is; of a body that is no JSON FastAPI only counts the characters before."""
    where = () if error["msg"] == NO_JSON else error["loc"][1:]
    return where[:-2] if where[-1:] == (KEY,) else where


def shown(text: str, most: int = SHOWN) -> str:
    """`text` as it may be repeated to the caller: shortened, and without halves of characters, which are no UTF-8."""
    return text[:most].encode("utf-8", "replace").decode()


def no_route(app: FastAPI, request: Request) -> str:
    """What to say where there is nothing: the nearest route."""
    near = get_close_matches(request.scope["path"], app.openapi()["paths"], n=1)
    hint = f"did you mean {near[0]}?" if near else "/docs lists the routes."
    return f"There is nothing at {request.scope['path'][:SHOWN]}: {hint} A slash inside an id is written %2F"
