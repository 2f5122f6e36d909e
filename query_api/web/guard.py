"""Who may ask, and what browsers are told: before a request reaches any route."""

from math import ceil
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from processors.access import Entrance, Role
from processors.errors import Forbidden, MeritError, TooFast, Unauthenticated
from query_api.asking.problems import response

OPEN = ("/healthz", "/readyz", "/openapi.json", "/docs")
"""What nobody is asked for: they say how the process is and what may be asked, nothing of what is stored."""
SHOWN_AS = "merit.bearer."
ASKING = frozenset({"GET", "HEAD", "OPTIONS"})
STATUS = {Unauthenticated: 401, Forbidden: 403, TooFast: 429}

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
POLICY = b"content-security-policy"
ANSWER_POLICY = b"default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For pages. Swagger UI writes styles into the page; scripts come from files of ours alone."""


class Guarded:
    """Lets in whom the entrance lets in. GET is asking (`read`), everything else changes something (`write`).

    Args:
        app: gets what may come in.
        entrance: knows the tokens, and what this listener is called.
        origins: whose pages may change something.
    """

    def __init__(self, app: ASGIApp, entrance: Entrance, origins: tuple[str, ...] = ()) -> None:
        self._app, self._entrance, self._origins = app, entrance, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request, or answer that it may not come in."""
        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await refusal(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not self._entrance.knows(headers.get("host", "")):
            return _problem(scope, 421, "This address is not called that here: ask 127.0.0.1 or localhost")
        if needed(scope) == "write" and not from_here(headers, self._origins):
            return _problem(scope, 403, "Pages of other origins may change nothing here: name theirs in query_api.cors_origins")
        if is_open(scope["path"]):
            return None
        try:
            self._entrance.door.admit(authorization(scope), needed(scope))
        except (Unauthenticated, Forbidden, TooFast) as error:
            return _problem(scope, STATUS[type(error)], str(error), **_more(error))
        return None


class Told:
    """Tells browsers what they may do with answers.

    Args:
        app: answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request and add headers to the answer, but for those that the route has set itself."""

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = dict(message["headers"])  # their names are in lower case, says ASGI
                page = said.get(b"content-type", b"").startswith(b"text/html")
                more = (*HEADERS, (POLICY, PAGE_POLICY if page else ANSWER_POLICY))
                message["headers"] = [*message["headers"], *(each for each in more if each[0] not in said)]
            await send(message)

        await self._app(scope, receive, telling)


def from_here(headers: Headers, origins: tuple[str, ...]) -> bool:
    """Whether no page asks, or one that may: browsers let any page send what needs no leave, and open WebSockets."""
    origin = headers.get("origin")
    if origin is None or origin in origins or "*" in origins:
        return True
    return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def is_open(path: str) -> bool:
    """Whether nobody is asked for what is at `path`."""
    return path in OPEN or path.startswith("/docs/")


def authorization(scope: Scope) -> str | None:
    """How a request shows its token. Pages cannot set headers of a WebSocket: theirs names it as a subprotocol."""
    shown = Headers(scope=scope).get("authorization")
    named = [each for each in scope.get("subprotocols", ()) if each.startswith(SHOWN_AS)]
    return f"Bearer {named[0].removeprefix(SHOWN_AS)}" if shown is None and named else shown


def needed(scope: Scope) -> Role:
    """The role that a request needs."""
    return "read" if scope["type"] == "websocket" or scope["method"] in ASKING else "write"


def _problem(scope: Scope, status: int, detail: str, **headers: str) -> Response:
    return response(HTTPConnection(scope), status, detail[:1].upper() + detail[1:], headers=headers)


def _more(error: MeritError) -> dict[str, str]:
    if isinstance(error, TooFast):
        return {"Retry-After": str(max(1, ceil(error.retry_after.total_seconds())))}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthenticated) else {}
