"""The receiver as the program sees it: settings and a keeper in, two listening ports out.

Both servers share one event loop in a thread of their own, and one intake a signal: requests of both are kept together.
"""

import asyncio
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import uvloop

from processors.access import Entrance
from processors.telemetry import Instruments
from receiver.grpc_server import bind, grpc_server
from receiver.http_server import http_app, http_server, listen
from receiver.intake import Intake, Keeper, Now, Redact
from receiver.limits import Limits
from receiver.mailbox import Mailbox
from receiver.room import Crowd, Room
from receiver.settings import ReceiverSettings
from receiver.signals import SIGNALS, Signal

GRACE = timedelta(seconds=10)


class Receiver:
    """Receives OTLP over gRPC and HTTP.

    Args:
        settings: of `receivers:`.
        keeper: where rows are safe: what it keeps is acknowledged.
        now: the clock.
        retention: how old what is sent may be: by what is kept, `spans`, `logs` and `metrics`.
        kept_first: keys of attributes that are kept before others where a record has too many.
        grace: how long stopping waits for what is under way.
        redact: what is done to frames before anything is written.
        instruments: count what comes and what becomes of it.
        grpc, http: who may come in, and whether TLS is spoken.
    """

    def __init__(
        self,
        settings: ReceiverSettings,
        keeper: Keeper,
        now: Now,
        retention: Mapping[str, timedelta] = MappingProxyType({}),
        kept_first: frozenset[str] = Limits.kept_first,
        grace: timedelta = GRACE,
        redact: Redact = lambda frame: frame,
        instruments: Instruments | None = None,
        grpc: Entrance = Entrance(),  # noqa: B008 - frozen
        http: Entrance = Entrance(),  # noqa: B008
    ) -> None:
        self._grpc_entrance, self._http_entrance = grpc, http
        self._otlp, self._grace = settings.otlp, grace
        limits = Limits(self._otlp.max_attributes, self._otlp.max_attribute_bytes, kept_first)
        self._max_bytes = self._otlp.max_request_mib << 20
        self._room = Room(self._otlp.max_waiting_mib << 20)

        def intake(signal: Signal) -> Intake:
            own = replace(limits, retention=retention.get(signal.kept, limits.retention))
            return Intake(keeper, now, own, self._room, self._max_bytes, redact, signal, instruments)

        self._intakes = {signal.name: intake(signal) for signal in SIGNALS}
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
            for intake in self._intakes.values():
                intake.start()
            self._thread.start()
            self._ports.result()
            undo.pop_all()

    def stop(self) -> None:
        """Listen no more, answer what is under way within the grace time, then let go. Safe to call twice."""
        if self._loop and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join((self._grace + timedelta(seconds=5)).total_seconds())
        until = time.monotonic() + self._grace.total_seconds()
        for intake in self._intakes.values():
            intake.stop(timedelta(seconds=max(0.0, until - time.monotonic())))

    def _run(self) -> None:
        try:
            uvloop.run(self._serve())
        except (Exception, SystemExit) as error:  # uvicorn exits where others raise
            if self._ports.done():
                raise
            self._ports.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        crowd, mailbox = Crowd(self._otlp.max_concurrent_requests), Mailbox()
        grpc_side = grpc_server(self._intakes, mailbox, self._otlp, crowd, self._grpc_entrance.door)
        app = http_app(self._intakes, mailbox, self._room, crowd, self._max_bytes, self._http_entrance)
        http_side = http_server(app, self._grace, self._otlp.max_connections, self._http_entrance.tls)
        with listen(self._otlp.http.endpoint) as sock:
            ports = bind(grpc_side, self._otlp.grpc.endpoint, self._grpc_entrance.tls), sock.getsockname()[1]
            await grpc_side.start()
            serving = asyncio.create_task(http_side.serve([sock]))
            self._ports.set_result(ports)
            await self._stop.wait()
            http_side.should_exit = True
            await asyncio.gather(serving, grpc_side.stop(self._grace.total_seconds()))
