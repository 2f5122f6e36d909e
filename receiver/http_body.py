"""A request's body from the socket to protobuf bytes, bounded at each step: in size, in time, and in what waits."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request

from processors.errors import NoRoom, Rejected, TooBig
from receiver.answers import too_big
from receiver.inflate import CODINGS, inflate
from receiver.otlp_json import to_protobuf
from receiver.room import READ_SECONDS, Held, Room
from receiver.signals import Signal

JSON, PROTOBUF = "application/json", "application/x-protobuf"
LINGER = 16
"""Of a refused body up to this many times the limit is read and thrown away: a sender that is still writing when its
connection is closed may never see the answer."""


def content_type(request: Request) -> str:
    """The media type of a request, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def protobuf_body(request: Request, signal: Signal, room: Room, max_bytes: int) -> bytes:
    """The body as protobuf, whatever its encoding; what is slow does not run on the event loop.

    Raises:
        HTTPException: 415 for an unknown type or coding, 408 for a body that does not come.
        TooBig, Rejected, NoRoom: as named.
    """
    with Held(room) as held:
        body = await _read(request, held, max_bytes)
        kind, coding = content_type(request), request.headers.get("content-encoding", "identity").strip().lower()
        if kind not in (JSON, PROTOBUF):
            raise HTTPException(415, f"content type {kind!r} is not supported: send {PROTOBUF} or {JSON}")
        if coding not in CODINGS:
            accepted = ", ".join(CODINGS)
            raise HTTPException(
                415, f"content encoding {coding!r} is not supported: use {accepted}", {"Accept-Encoding": accepted}
            )
        if coding != "identity":
            body = await asyncio.to_thread(inflate, body, coding, max_bytes)
            held.take(len(body))
        return await asyncio.to_thread(to_protobuf, body, signal) if kind == JSON else body


async def _read(request: Request, held: Held, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    refused: Rejected | NoRoom | None = _announced(request, max_bytes)
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if refused is None:
                    refused = _kept(chunk, chunks, held, too_big(max_bytes) if size > max_bytes else None)
                elif size > LINGER * max_bytes:
                    break
    except TimeoutError as error:
        raise HTTPException(408, f"the body did not come within {READ_SECONDS} s") from error
    if refused:
        raise refused
    return b"".join(chunks)


def _announced(request: Request, max_bytes: int) -> TooBig | None:
    """The error for a Content-Length over the limit. A lower one may lie: the bytes that come are counted besides."""
    length = request.headers.get("content-length", "")
    return too_big(max_bytes) if length.isdecimal() and int(length) > max_bytes else None


def _kept(chunk: bytes, chunks: list[bytes], held: Held, error: Rejected | None) -> Rejected | NoRoom | None:
    """Keep `chunk` unless there is an error or no room, which is returned; then what was kept is let go."""
    try:
        if error:
            raise error
        held.take(len(chunk))
    except (Rejected, NoRoom) as refused:
        chunks.clear()
        return refused
    chunks.append(chunk)
    return None
