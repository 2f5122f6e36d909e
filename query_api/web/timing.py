"""How long answers take, by route: the template of the route and never the path, which anybody may make up."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from processors.telemetry import Instruments

NO_ROUTE = "none"


class Timed:
    """Measures each answer of `app`, from the request to the last byte.

    Args:
        app: what answers.
        instruments: where it is counted.
    """

    def __init__(self, app: ASGIApp, instruments: Instruments) -> None:
        self._app, self._answers = app, instruments.answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request and measure it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, status, is_stream = time.perf_counter(), "500", False

        async def noting(message: Message) -> None:
            nonlocal status, is_stream
            if message["type"] == "http.response.start":
                status = str(message["status"])
                is_stream = dict(message["headers"]).get(b"content-type", b"").startswith(b"text/event-stream")
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            if not is_stream:  # how long somebody listened says nothing of how long an answer takes
                route = getattr(scope.get("route"), "path", NO_ROUTE)
                self._answers(
                    time.perf_counter() - begin,
                    **{"http.route": route, "http.request.method": method(scope["method"]), "http.response.status_code": status},
                )


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def method(said: str) -> str:
    """The method, or `_OTHER` as the OpenTelemetry conventions have it: anybody may make one up."""
    return said if said in METHODS else "_OTHER"
