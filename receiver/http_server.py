"""OTLP over HTTP: POST of protobuf or JSON; answers and errors come in the encoding of the request.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta

import grpc
import uvicorn
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, Router

from processors.access import Entrance
from processors.errors import MeritError, Unavailable
from processors.idle_connections import closing_idle
from processors.listening import Tls, host_and_port, speaking
from receiver.answers import answer_to, headers_of, status_of
from receiver.http_body import JSON, PROTOBUF, content_type, protobuf_body
from receiver.intake import Intake
from receiver.mailbox import Mailbox
from receiver.room import Crowd, Room
from receiver.signals import SIGNALS, Signal, response

CONNECTION = closing_idle()
CODES = {
    404: grpc.StatusCode.NOT_FOUND,
    405: grpc.StatusCode.UNIMPLEMENTED,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    415: grpc.StatusCode.INVALID_ARGUMENT,
}
MESSAGES = {
    404: "nothing is served here: send OTLP to /v1/traces, /v1/logs or /v1/metrics",
    405: "OTLP is sent with POST",
}


def http_app(
    intakes: Mapping[str, Intake], mailbox: Mailbox, room: Room, crowd: Crowd, max_request_bytes: int, entrance: Entrance
) -> Starlette:
    """The routes of the three signals, for those whom the entrance lets in; `intakes` by the names of the signals."""

    def route(signal: Signal) -> Route:
        async def endpoint(request: Request) -> Response:
            intake = intakes[signal.name]
            with ExitStack() as inside:
                with intake.at_the_door():
                    authorization = admitted(request, entrance)
                    inside.enter_context(crowd.one())
                    body = await protobuf_body(request, signal, room, max_request_bytes)
                    entrance.door.spend(authorization, len(body))
                outcome = await mailbox.submit(intake, body)
            return _reply(request, 200, response(signal, outcome))

        return Route(signal.path, endpoint, methods=["POST"])

    routes = [route(signal) for signal in SIGNALS]
    handlers = {MeritError: _refused, HTTPException: _not_served, ClientDisconnect: _gone, Exception: _failed}
    app = Starlette(exception_handlers=handlers)  # type: ignore[arg-type]  # each takes its own kind of exception
    app.router = Router(routes, redirect_slashes=False)
    return app


def admitted(request: Request, entrance: Entrance) -> str | None:
    """The `Authorization` header of a request that may come in, before its body is read."""
    if not entrance.knows(request.headers.get("host", "")):
        raise HTTPException(421, "this address is not called that here: send to 127.0.0.1 or localhost")
    authorization = request.headers.get("authorization")
    entrance.door.admit(authorization, "ingest")
    return authorization


def listen(endpoint: str) -> socket.socket:
    """A listening socket; raises Unavailable if the port is taken.

    Connections inherit that they do not wait for acknowledgements: an answer comes in two parts, and asyncio says so only where
    the socket names its protocol.
    """
    host, port = host_and_port(endpoint)
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        advice = "stop what listens there, or set receivers.otlp.http.endpoint"
        raise Unavailable(f"OTLP/HTTP cannot listen on {endpoint} ({error.strerror}): {advice}") from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def http_server(
    app: Starlette,
    grace: timedelta,
    max_connections: int,
    tls: Tls | None = None,
    http: type[asyncio.Protocol] = CONNECTION,
) -> uvicorn.Server:
    """A server for `app`; hand it a listening socket. It waits at most `grace` for requests under way when it stops."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=http,
        ws="none",
        limit_concurrency=max_connections + 1,  # uvicorn refuses the one that makes so many
        timeout_graceful_shutdown=max(1, round(grace.total_seconds())),
        **speaking(tls),
    )
    return uvicorn.Server(config)


def _reply(request: Request, status: int, message: Message, headers: dict[str, str] | None = None) -> Response:
    """Protobuf for those who sent protobuf, JSON for everybody else: people read it."""
    headers = {"X-Content-Type-Options": "nosniff"} | (headers or {})
    if content_type(request) == PROTOBUF:
        return Response(message.SerializeToString(), status, headers, PROTOBUF)
    return Response(MessageToJson(message, indent=None), status, headers, JSON)


async def _refused(request: Request, error: MeritError) -> Response:
    return _reply(request, answer_to(error).http_status, status_of(error), headers_of(error))


async def _not_served(request: Request, error: HTTPException) -> Response:
    status = Status(
        code=CODES.get(error.status_code, grpc.StatusCode.INVALID_ARGUMENT).value[0],
        message=MESSAGES.get(error.status_code, error.detail),
    )
    headers = dict(error.headers or {}) | ({"Allow": "POST"} if error.status_code == 405 else {})
    return _reply(request, error.status_code, status, headers)


async def _gone(_request: Request, _error: ClientDisconnect) -> Response:
    return Response(status_code=400)  # nobody is there to read it


async def _failed(request: Request, _error: Exception) -> Response:
    """Told without the cause, which uvicorn logs."""
    return _reply(request, 500, Status(code=grpc.StatusCode.INTERNAL.value[0], message="internal error"))
