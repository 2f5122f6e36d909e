"""Puts the program together: the one place that knows every part.

Starts from the store upwards and stops from the receiver downwards, so that at no time something is taken in that
nothing below can keep (OpenTelemetry Collector, `component.go`).
"""

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self

import polars as pl
from fastapi import FastAPI

from exporters.opening import Opening
from exporters.store import Store, chdb_folder
from merit.jobs.alerts import Alerting
from merit.jobs.jobs import SHARED, Job, jobs
from merit.jobs.judge import Judge
from merit.jobs.live import Alerts, Ranks, Tasks, ranking_on
from merit.jobs.match import Matching
from merit.jobs.notify import Notifying
from merit.jobs.opportunities import Opportunities
from merit.jobs.optimizing import Optimizing
from merit.jobs.registry import Registry
from merit.jobs.reports import Reporting
from merit.jobs.scheduler import Scheduler
from merit.jobs.scoring import Scoring
from merit.listeners.doors import entrances
from merit.listeners.endpoints import API, GRPC, HTTP, bracketed, endpoints
from merit.memory import GivingBack
from merit.pipeline.keeping import journal_of, masking, spool_on
from merit.pipeline.pipeline import Pipeline
from merit.routing.ledger import Ledger
from merit.routing.router import Router
from merit.settings import Settings
from merit.telemetry import Telemetry
from merit.version import version
from processors.cost import Pricer
from processors.errors import MeritError
from processors.redact.redactor import Redactor
from processors.telemetry import Depth, Instruments
from query_api.asking.kept import Kept
from query_api.asking.questions import Keep
from query_api.routing.routing import Routing
from query_api.web.app import create_app
from query_api.web.health import Condition
from query_api.web.live import Live
from query_api.web.server import ApiServer
from receiver.server import Receiver

log = logging.getLogger("merit")

GRACE = timedelta(seconds=15)
"""How long stopping waits for what is in the journal to be stored."""
TURN_SECONDS = 0.001
"""How long a thread may keep the interpreter while others wait for it; Python's own is 5 ms. What takes requests in lets go of it
a hundred times for each batch, and each time may wait so long for a job that computes."""
HURRIED = 130
"""Exit code after a second signal."""


class Program:
    """Receiver, pipeline, jobs and API in one process, on one store.

    Args:
        settings: all of them.
        now: what time it is.
    """

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self.settings = settings
        self._now = now
        self._state = "starting"
        self._stops = ExitStack()
        self.telemetry = Telemetry(settings.telemetry, version())
        instruments = self.telemetry.instruments
        self.store = Store(settings.exporters.clickhouse, instruments)
        self.opening = Opening(self.store)
        self.live = Live(now, settings.query_api.stream.events)
        self._kept = Kept()
        self.pipeline = pipeline_on(self.store, settings, now, instruments, Tasks(self.live.publish))
        self.entrances = entrances(settings)
        self._redactor = Redactor(settings.processors.redact)
        self.router = Router(self.store, settings.processors.routing, now, listening_since=now())
        every = jobs_on(self.store, self.pipeline, settings, now, self._itself, self._keep) if settings.jobs.enabled else []
        learn = Job("learn", timedelta(seconds=settings.jobs.learn.interval_seconds), self.router.run, follows=True)
        self.scheduler = Scheduler(
            [*every, learn, *telling_on(self.store, self.live, settings, now, self._kept)], instruments, self.store.changes
        )
        instruments.watch_open(lambda: self.pipeline.open_spans, lambda: self.pipeline.open_bytes)

    def start(self) -> Self:
        """Start every part; what has been started is stopped again if the next one cannot be.

        Raises:
            Unavailable: the folder is in use, or a port taken. A server of ClickHouse that is away is waited for meanwhile.
        """
        settings = self.settings
        with ExitStack() as stops:
            stops.callback(self.telemetry.stop)
            stops.callback(self.opening.stop)
            self.opening.start()
            journal = stops.enter_context(journal_of(settings, self._now))
            stops.callback(self._drain)
            self.spool = spool_on(journal, self.store, self.pipeline, settings, self.telemetry.instruments)
            self._watch()
            self.spool.start()
            stops.callback(self.spool.stop, GRACE)
            ledger = Ledger(masking(self.spool.keep_safe, self._redactor))
            stops.callback(ledger.stop)
            self.api = ApiServer(self._app(ledger), settings.query_api, self.entrances[API].tls)
            self.api.start()
            stops.callback(self.api.stop)
            stops.callback(self.live.close)  # before the server is stopped, which would wait for its readers
            self.scheduler.start()
            stops.callback(self.scheduler.stop)
            self.receiver = self._receiver()
            self.receiver.start()
            stops.callback(self.receiver.stop)
            giving_back = GivingBack()
            giving_back.start()
            stops.callback(giving_back.stop)
            self._stops = stops.pop_all()
        self._state = "ok"
        return self

    def parts(self) -> dict[str, str]:
        """How each part is that may not be ready though the store is; `ok` if it is."""
        return {"receiver": self._state, "jobs": self.scheduler.state(), "journal": self.spool.state()}

    def stop(self) -> None:
        """Take nothing more, answer what was asked, store and derive what is there, close. Safe to call twice."""
        self._state = "stopping"
        self._stops.pop_all().close()

    @property
    def grpc_endpoint(self) -> str:
        """`host:port` where OTLP/gRPC is received, whatever port was taken."""
        return f"{bracketed(endpoints(self.settings)[GRPC][0])}:{self.receiver.grpc_port}"

    @property
    def http_url(self) -> str:
        """Where OTLP/HTTP is received."""
        scheme = "https" if self.entrances[HTTP].tls else "http"
        return f"{scheme}://{bracketed(endpoints(self.settings)[HTTP][0])}:{self.receiver.http_port}"

    @property
    def api_url(self) -> str:
        """Where questions are answered."""
        return self.api.url

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _app(self, ledger: Ledger) -> FastAPI:
        """The API, which keeps what it is sent in the journal."""
        settings = self.settings
        return create_app(
            self.store,
            masking(self.spool.keep_readable, self._redactor),
            settings.query_api,
            self._now,
            Condition(self.parts, self.telemetry.exposition, self.telemetry.instruments),
            settings.processors,
            self.entrances[API],
            self._routing(ledger),
            self.live,
            self._kept,
        )

    def _receiver(self) -> Receiver:
        """The receiver, which lets in whoever its entrances do."""
        return Receiver(
            self.settings.receivers,
            self.spool,
            self._now,
            retention(self.settings),
            self.pipeline.read_keys,
            redact=self._redactor,
            instruments=self.telemetry.instruments,
            grpc=self.entrances[GRPC],
            http=self.entrances[HTTP],
        )

    def _routing(self, record: Ledger) -> Routing:
        """What /v1/route goes by."""

        def classify(text: str) -> str:
            return str(self.pipeline.classify(pl.Series([text]))[0])

        settings, router = self.settings.processors.routing, self.router
        return Routing(settings, router.knowledge, router.open_decisions, classify, record)

    def _watch(self) -> None:
        self.telemetry.instruments.watch_journal(self._depth)
        self.telemetry.instruments.watch_storing(self.spool.counts)

    def _depth(self) -> Depth:
        waiting, now = self.spool.waiting(), self._now()
        age = (now - (waiting.oldest or now)).total_seconds()
        return Depth(waiting.entries, waiting.bytes, max(0.0, age))  # the clock may have been set back

    def _itself(self) -> dict[str, float]:
        """What alerts are to know of this process."""
        return {"journal_seconds": self._depth().seconds, "failing_jobs": self.scheduler.failing}

    def _keep(self, table: str, rows: pl.DataFrame) -> None:
        """Keep what a job has paid for: as safe as what is sent."""
        self.spool.keep_readable(table, rows)

    def _drain(self) -> None:
        try:
            self.pipeline.drain()
        except MeritError as error:
            log.warning("stopped before everything was worked out; the next start does the rest: %s", error)


def pipeline_on(
    store: Store,
    settings: Settings,
    now: Callable[[], datetime],
    instruments: Instruments | None = None,
    tell: Callable[[pl.DataFrame], None] = lambda _tasks: None,
) -> Pipeline:
    """The pipeline on a store, which may still be closed."""
    days = settings.exporters.clickhouse.retention.spans
    return Pipeline(store, settings.processors, days, now, derives=settings.jobs.enabled, instruments=instruments, tell=tell)


def jobs_on(
    store: Store,
    pipeline: Pipeline,
    settings: Settings,
    now: Callable[[], datetime],
    itself: Callable[[], Mapping[str, float]] = dict,
    keep: Keep | None = None,
) -> list[Job]:
    """Every job on a store, which may still be closed.

    Args:
        store: where the jobs read and write.
        pipeline: derives.
        settings: all of them.
        now: what time it is.
        itself: what alerts are to know of this process.
        keep: takes judgements into safety; by default the store itself.
    """
    registry = Registry(store, settings.exporters.clickhouse.retention.tasks, now)
    scoring = Scoring(store, settings.processors.scoring, now)
    opportunities = Opportunities(store, settings, now)
    alerting = Alerting(store, settings.processors.alerts, now, itself, opportunities, listening_since=now())
    judge = judge_on(store, keep or store.insert, settings, now)
    every = jobs(pipeline, registry, Matching(store, now), scoring, alerting, settings.jobs, judge)
    every.append(Job("insights", timedelta(seconds=settings.jobs.insights.interval_seconds), opportunities.run))
    return every + notifying_on(store, settings, now) + optimizing_on(store, settings, now)


def notifying_on(store: Store, settings: Settings, now: Callable[[], datetime]) -> list[Job]:
    """What tells people and programs of alerts, and sends reports; nothing if the settings name nobody."""
    if not settings.exporters.notifications.routes:
        return []
    notifying = Notifying(store, settings.exporters.notifications, now)
    every = [Job("notify", timedelta(seconds=settings.jobs.notify.interval_seconds), notifying.run, notifying.hurry)]
    if any(route.reports for route in settings.exporters.notifications.routes):
        reporting = Reporting(store, settings, now)
        every.append(Job("reports", timedelta(seconds=settings.jobs.reports.interval_seconds), reporting.run, reporting.hurry))
    return every


def optimizing_on(store: Store, settings: Settings, now: Callable[[], datetime]) -> list[Job]:
    """What has agents made better; nothing if the settings name no way to."""
    said = settings.processors.optimizations
    if not said.optimizers:
        return []
    optimizing = Optimizing(store, masking(store.insert, Redactor(settings.processors.redact)), said, now)
    return [Job("optimize", timedelta(seconds=settings.jobs.optimize.interval_seconds), optimizing.run, optimizing.hurry)]


def telling_on(store: Store, live: Live, settings: Settings, now: Callable[[], datetime], kept: Kept) -> list[Job]:
    """What tells the live stream of alerts and ranks, in every process that has one."""
    alerts, ranks = Alerts(store, live.publish, now), Ranks(ranking_on(store, settings, now, kept), live.publish)
    return [
        Job("live", timedelta(seconds=settings.jobs.live.interval_seconds), alerts.run, follows=True, parts=SHARED),
        Job("ranks", timedelta(seconds=settings.jobs.ranks.interval_seconds), ranks.run, follows=True, parts=SHARED),
    ]


def judge_on(store: Store, keep: Keep, settings: Settings, now: Callable[[], datetime]) -> Judge | None:
    """Who has tasks judged; None if nobody judges."""
    judging = settings.processors.judge
    if not judging.evaluators:
        return None
    masked = masking(keep, Redactor(settings.processors.redact))
    return Judge(store, masked, judging, Pricer(settings.processors.cost), now)


def retention(settings: Settings) -> dict[str, timedelta]:
    """How long what is received is kept, and so how old it may be when it comes."""
    kept = settings.exporters.clickhouse.retention
    return {"spans": timedelta(days=kept.spans), "logs": timedelta(days=kept.logs), "metrics": timedelta(days=kept.metrics)}


def serve(program: Program) -> None:
    """Run `program` until SIGTERM or SIGINT, then stop it; a second signal ends the process at once.

    Nothing is lost by hurrying: spans are on disk before they are acknowledged, and the next start does what is left.
    """
    wait = stop_asked()
    with program:
        for line in whereabouts(program):
            log.info("ready: %s", line)
        spare_what_stays()
        sys.setswitchinterval(TURN_SECONDS)
        wait()
    log.info("stopped")


def spare_what_stays() -> None:
    """Keep the cyclic garbage collector from what is there now: modules, classes, models, a million objects that stay.

    To look through them takes it 0.1 to 0.2 s each time, in which no thread runs (`gc.freeze`). So it is off until then.
    What of them is garbage stays too: 285 objects of 270,000.
    """
    gc.freeze()
    gc.enable()


def stop_asked() -> Callable[[], None]:
    """What returns when SIGTERM or SIGINT has come, from now on; a second signal ends the process.

    The system hands a signal to any thread, and Python runs handlers in the main thread alone, when that next runs: never, while
    it waits for a lock or a queue. So the handler does nothing, and a thread reads what is written down of each signal when it
    comes (`signal.set_wakeup_fd`).
    """
    asked: SimpleQueue[signal.Signals] = SimpleQueue()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def listen() -> None:
        asked.put(signal.Signals(*os.read(reading, 1)))
        os.read(reading, 1)
        try:
            log.warning("hurrying: the next start does what is left")
        finally:
            os._exit(HURRIED)

    def wait() -> None:
        log.info("stopping on %s: draining; a second signal hurries", asked.get().name)

    signal.set_wakeup_fd(writing)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    Thread(target=listen, name="signals", daemon=True).start()
    return wait


def whereabouts(program: Program) -> list[str]:
    """What an operator wants to know first: where everything is."""
    folder = chdb_folder(program.settings.exporters.clickhouse)
    return [
        f"OTLP/gRPC on {program.grpc_endpoint}",
        f"OTLP/HTTP on {program.http_url}/v1/traces, /v1/logs and /v1/metrics",
        f"API on {program.api_url}/v1/rankings, its description on {program.api_url}/docs",
        f"data in {folder}" if folder else "data on the ClickHouse server of exporters.clickhouse.dsn",
    ]
