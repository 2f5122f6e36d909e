"""/v1/stream: what happens, as it happens, as server-sent events and over a WebSocket.

These routes run in the loop of the server and touch no store. What is written to a reader that does not read waits in that
reader's own coroutine; the kernel ends the connection when it has waited too long (`server.listen`).
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Any, NamedTuple

import anyio
from fastapi import APIRouter, Header, Query, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from pydantic import Field, ValidationError

from processors.access import Door, Entrance
from processors.alerts.frames import Severity
from processors.errors import Forbidden, TooFast, Unauthenticated
from processors.events import EventType
from query_api.asking.filters import Question, Values
from query_api.asking.problems import ProblemError, response, wrong_parameter
from query_api.settings import QueryApiSettings
from query_api.web.guard import authorization, from_here
from query_api.web.live import Choice, Form, Live

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Proxies are not to hold back what is told."""
RETRY_MILLISECONDS = 2_000
EVENT = {"type": "object", "properties": {name: {"type": "string"} for name in ("id", "event", "data")}}
"""One of the events that are streamed; `data` is JSON."""
PROTOCOL = "merit.stream"
"""The WebSocket's subprotocol, for browsers that show their token as another one."""
POLICY, COME_BACK, SLOW = 1008, 1012, 1013
"""Close codes: not allowed (any more); the server restarts; come back later (RFC 6455, 7.4.1, and its registry)."""

Types = Annotated[tuple[EventType, ...], Field(max_length=100)]
Severities = Annotated[tuple[Severity, ...], Field(max_length=100)]


class StreamQuestion(Question):
    """Which events are wanted. Each may be given several times (any of them)."""

    type: Types = ()
    """`task.running`, `task.finished`, `alert.fired`, `alert.acknowledged`, `alert.resolved` or `ranking.changed`; all if
    nothing is said. May be repeated."""
    agent_id: Values = ()
    """Only about this agent; may be repeated."""
    category: Values = ()
    """Only about this category; may be repeated. Ranks have none."""
    severity: Severities = ()
    """Only alerts of this severity; may be repeated."""
    last_event_id: Annotated[str | None, Field(pattern=r"^[0-9]{1,18}$")] = None
    """The id of the last event that was read: go on after it. The header `Last-Event-ID` goes over it."""

    def choice(self) -> Choice:
        """The filters."""
        return Choice(self.type, self.agent_id, self.category, self.severity)


class Ended(Exception):
    """A stream is over; the text that says why has been sent. `code` closes a WebSocket."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Reader(NamedTuple):
    """Who reads: what, from where on, in which form, and whether they still may."""

    choice: Choice
    after: str | None
    form: Form
    may: Callable[[], bool]


def routes(live: Live, settings: QueryApiSettings, entrance: Entrance) -> APIRouter:
    """The routes of the stream."""
    router = APIRouter(tags=["stream"])

    @router.get(
        "/v1/stream",
        response_class=StreamingResponse,
        summary="What happens, as it happens",
        responses={200: {"content": {"text/event-stream": {"schema": EVENT}}}},
    )
    async def stream(
        question: Annotated[StreamQuestion, Query()],
        authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
        last_event_id: Annotated[str | None, Header(include_in_schema=False)] = None,
    ) -> Any:
        """Server-sent events: tasks that run and finish, alerts, ranks that change. The same path speaks WebSocket.

        A stream that is taken up too late begins with `stream.missed`. docs/streaming.md says more.
        """
        if live.readers >= settings.stream.readers:
            raise ProblemError(*FULL)
        reader = Reader(
            question.choice(), last_event_id or question.last_event_id, "sse", lambda: may_read(entrance.door, authorization)
        )
        return StreamingResponse(as_text(live, reader, settings), media_type="text/event-stream", headers=HEADERS)

    @router.websocket("/v1/stream")
    async def socket(websocket: WebSocket) -> None:
        refused = refusal(websocket, live, settings)
        if refused:
            await websocket.send_denial_response(response(websocket, *refused))
            return
        await websocket.accept(PROTOCOL if PROTOCOL in websocket.scope["subprotocols"] else None)
        try:
            question = StreamQuestion.model_validate(asked(websocket))
        except ValidationError as error:
            await websocket.close(POLICY, complaint(error))
            return
        shown = authorization(websocket.scope)
        after = websocket.headers.get("last-event-id") or question.last_event_id
        reader = Reader(question.choice(), after, "json", lambda: may_read(entrance.door, shown))
        await converse(websocket, live, reader, settings)

    return router


FULL = (503, "There are as many readers as query_api.stream.readers allows: come back later")
STRANGE = (403, "Pages of other origins may not read this: name theirs in query_api.cors_origins")


def refusal(websocket: WebSocket, live: Live, settings: QueryApiSettings) -> tuple[int, str] | None:
    """Why a WebSocket is not opened, as a status and a sentence; None if it is."""
    if not from_here(websocket.headers, settings.cors_origins):
        return STRANGE
    return FULL if live.readers >= settings.stream.readers else None


def may_read(door: Door, shown: str | None) -> bool:
    """Whether a token still opens the door; one may be taken back while its bearer reads."""
    try:
        door.admit(shown, "read")
    except TooFast:
        return True
    except (Unauthenticated, Forbidden):
        return False
    return True


def asked(websocket: WebSocket) -> dict[str, Any]:
    """The query parameters: those that may be repeated as tuples."""
    given = websocket.query_params
    many = {name for name, field in StreamQuestion.model_fields.items() if field.default == ()}
    return {name: tuple(given.getlist(name)) if name in many else given[name] for name in given}


def complaint(error: ValidationError) -> str:
    """What is wrong with the parameters, as short as a close frame allows (123 bytes)."""
    first = error.errors(include_url=False)[0]
    told = wrong_parameter({**first, "loc": ("query", *first["loc"])})
    return f"{told.parameter}: {told.message}".encode()[:123].decode("utf-8", "ignore")


async def converse(websocket: WebSocket, live: Live, reader: Reader, settings: QueryApiSettings) -> None:
    """Tell a WebSocket until it goes or the stream ends."""
    async with anyio.create_task_group() as group:
        group.start_soon(until_gone, websocket, group.cancel_scope)
        try:
            async with aclosing(told(live, reader, settings)) as texts:
                async for text in texts:
                    if text:
                        await websocket.send_text(text)
        except Ended as end:
            await websocket.close(end.code)
        except (WebSocketDisconnect, RuntimeError):  # it went while something was on its way to it
            pass
        group.cancel_scope.cancel()


async def until_gone(websocket: WebSocket, scope: anyio.CancelScope) -> None:
    """Wait until the other side goes; what it says is not listened to."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
    scope.cancel()


async def as_text(live: Live, reader: Reader, settings: QueryApiSettings) -> AsyncGenerator[str, None]:
    """What a reader of server-sent events gets; silence is filled with comments."""
    yield f"retry: {RETRY_MILLISECONDS}\n\n"
    async with aclosing(told(live, reader, settings)) as texts:
        try:
            async for text in texts:
                yield text or ": nothing new\n\n"
        except Ended:
            return


async def told(live: Live, reader: Reader, settings: QueryApiSettings) -> AsyncGenerator[str, None]:
    """What a reader is told, portion by portion; the empty text when there has been nothing for a while.

    Raises:
        Ended: after the last portion, which says why.
    """
    loop, pause = asyncio.get_running_loop(), settings.stream.heartbeat_seconds
    with live.reading():
        position, missed = beginning(live, reader.after)
        yield word(reader.form, "stream.missed" if missed else "stream.opened", position)
        checked = loop.time()
        while True:
            came = await live.wait(position, pause)
            if loop.time() - checked >= pause:
                checked = loop.time()
                if not reader.may():
                    yield word(reader.form, "stream.closed", position, "your token may not read any more")
                    raise Ended(POLICY)
            if live.is_closed:
                yield word(reader.form, "stream.closed", position, "the server stops: come back with the id of the last event")
                raise Ended(COME_BACK)
            portion = live.read(position, reader.choice, reader.form)
            if portion is None:
                yield word(reader.form, "stream.dropped", position, SLOW_READER)
                raise Ended(SLOW)
            position = portion.position
            if portion.text or not came:
                yield portion.text


SLOW_READER = "you read more slowly than things happen, and have missed some: choose fewer events, or read faster"
MISSED = "what happened after last_event_id is no longer here: ask /v1/tasks and /v1/alerts for it; this goes on from `id`"


def beginning(live: Live, after: str | None) -> tuple[int, bool]:
    """From where on a reader is told, and whether it has missed something."""
    if after is None:
        return live.last, False
    position = int(after) if after.isascii() and after.isdigit() and len(after) <= 18 else -1
    return (position, False) if live.knows(position) else (live.floor, True)


def word(form: Form, kind: str, position: int, detail: str = "") -> str:
    """A word about the stream itself."""
    detail = detail or (MISSED if kind == "stream.missed" else "")
    said = json.dumps({"id": str(position), "type": kind, **({"detail": detail} if detail else {})})
    return f"id: {position}\nevent: {kind}\ndata: {said}\n\n" if form == "sse" else f'{{"events":[{said}]}}'
