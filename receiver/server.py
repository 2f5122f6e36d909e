"""The receiver as the program sees it: settings and a keeper in, two listening ports out.

Both servers share one event loop in a thread of their own, and one intake: requests of both are kept together.
"""

import asyncio
import threading
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import timedelta

from receiver.grpc_server import bind, grpc_server
from receiver.http_server import http_app, http_server, listen
from receiver.intake import Intake, Keeper, Now, Redact
from receiver.limits import Limits
from receiver.room import Room
from receiver.settings import ReceiverSettings

GRACE = timedelta(seconds=10)


class Receiver:
    """Receives OTLP over gRPC and HTTP.

    Args:
        settings: of `receivers:`.
        keeper: where spans are safe: what it keeps is acknowledged.
        now: the clock.
        retention: spans that started earlier are rejected.
        kept_first: keys of attributes that are kept before others where a span has too many.
        grace: how long stopping waits for what is under way.
        redact: what is done to spans before anything is written.
    """

    def __init__(
        self,
        settings: ReceiverSettings,
        keeper: Keeper,
        now: Now,
        retention: timedelta = Limits.retention,
        kept_first: frozenset[str] = Limits.kept_first,
        grace: timedelta = GRACE,
        redact: Redact = lambda spans: spans,
    ) -> None:
        self._otlp, self._grace = settings.otlp, grace
        limits = Limits(self._otlp.max_attributes, self._otlp.max_attribute_bytes, kept_first, retention)
        self._max_bytes = self._otlp.max_request_mib << 20
        self._room = Room(self._otlp.max_waiting_mib << 20)
        self._intake = Intake(keeper, now, limits, self._room, self._max_bytes, redact)
        self._ports: Future[tuple[int, int]] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="merit-receiver", daemon=True)

    @property
    def grpc_port(self) -> int:
        """The port of OTLP/gRPC, once started."""
        return self._ports.result(timeout=0)[0]

    @property
    def http_port(self) -> int:
        """The port of OTLP/HTTP, once started."""
        return self._ports.result(timeout=0)[1]

    def start(self) -> None:
        """Listen on both ports; raises Unavailable, naming the setting to change, if one is taken."""
        with ExitStack() as undo:
            undo.callback(self.stop)
            self._intake.start()
            self._thread.start()
            self._ports.result()
            undo.pop_all()

    def stop(self) -> None:
        """Listen no more, answer what is under way within the grace time, then let go. Safe to call twice."""
        if self._loop and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join((self._grace + timedelta(seconds=5)).total_seconds())
        self._intake.stop(self._grace)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except (Exception, SystemExit) as error:  # uvicorn exits where others raise
            if self._ports.done():
                raise
            self._ports.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        grpc_side = grpc_server(self._intake, self._max_bytes)
        http_side = http_server(http_app(self._intake, self._room, self._max_bytes), self._grace)
        with listen(self._otlp.http.endpoint) as sock:
            ports = bind(grpc_side, self._otlp.grpc.endpoint), sock.getsockname()[1]
            await grpc_side.start()
            serving = asyncio.create_task(http_side.serve([sock]))
            self._ports.set_result(ports)
            await self._stop.wait()
            http_side.should_exit = True
            await asyncio.gather(serving, grpc_side.stop(self._grace.total_seconds()))
