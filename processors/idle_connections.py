"""Connections over which no request comes.

Both HTTP servers are uvicorn, which waits without end for the rest of a request's headers and counts who is waited for: a
thousand connections that say nothing more would shut out everybody else.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEADERS_SECONDS = 10.0
"""How long the headers of a request may take."""


def closing_idle(seconds: float = HEADERS_SECONDS) -> type[asyncio.Protocol]:
    """The protocol of uvicorn that closes connections that have had no request for `seconds`, or for twice as long at the most.

    A request begins when its headers are there, and ends with its answer: how long its body may take is another matter.
    """

    class ClosingIdle(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # one of two classes, whichever is installed
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self._next_look = self.loop.call_later(seconds, self._look, self.cycle)

        def connection_lost(self, exc: Exception | None) -> None:
            self._next_look.cancel()
            super().connection_lost(exc)

        def _look(self, before: Any) -> None:
            """Close the connection if it is idle since the request (None: since its beginning) that it was idle after before."""
            if self.transport.is_closing():
                return  # once it is a WebSocket's, its end is not told here
            websocket: Any = self.transport.get_protocol()
            if websocket is not self:  # uvicorn leaves open what began as a handshake and could not be read
                if before is not websocket:
                    self._next_look = self.loop.call_later(seconds, self._look, websocket)
                elif not websocket.handshake_complete:
                    self.transport.close()
                return
            is_busy = self.cycle is not None and not self.cycle.response_complete
            if not is_busy and self.cycle is before:
                self.transport.close()
            else:
                self._next_look = self.loop.call_later(seconds, self._look, self if is_busy else self.cycle)

    return ClosingIdle
