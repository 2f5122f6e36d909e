"""From received spans to derived rows: the steps in their order, and the store at both ends.

`consume` is what the receiver calls: on return the spans are stored, so they may be acknowledged. Deriving follows in
its own time, from memory where it can and from the store where it must; one thread at a time does it.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock, RLock

import polars as pl

from exporters import traces
from exporters.store import Store
from processors.assemble import Due, OpenTraces
from processors.conventions.read import Conventions
from processors.cost import Pricer
from processors.derive import Derived, Phase, derive
from processors.errors import MeritError, Rejected
from processors.frames import SAID, SPANS
from processors.settings import ProcessorSettings

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TRACES_AT_ONCE = 2_000
"""Stored traces derived together."""


class Pipeline:
    """The steps between receiver and store.

    Args:
        store: may still be closed; it is first used by `consume` or a job.
        settings: of the steps.
        retention_days: how long spans are kept; a trace older than that is not derived again.
        now: what time it is.
    """

    def __init__(self, store: Store, settings: ProcessorSettings, retention_days: int, now: Callable[[], datetime]) -> None:
        self._store = store
        self._settings = settings
        self._retention = timedelta(days=retention_days)
        self._now = now
        self._conventions = Conventions(settings.conventions.extra)
        self._price = Pricer(settings.cost)
        self._deriving = RLock()
        self._opening = Lock()
        self._traces: OpenTraces | None = None
        self._swept: datetime | None = None

    def consume(self, received: pl.DataFrame) -> None:
        """Store spans, columns RECEIVED, and hand them to the open traces; raises Rejected or Unavailable."""
        readings = self._read(received)
        open_traces = self._open_traces()
        traces.store_spans(self._store, received.with_columns(readings.select(c for c in SAID if c in SPANS)))
        open_traces.add(readings)

    def derive(self) -> int:
        """Derive the traces that are due; how many they were."""
        return self._derive_due(everything=False)

    def drain(self) -> int:
        """Derive every open trace as it stands; how many they were."""
        return self._derive_due(everything=True)

    def sweep(self) -> int:
        """Derive traces that the store has and nobody derived: after a restart, or from another writer; how many they were."""
        with self._deriving:
            now = self._now()
            # What came just now is about to be derived from memory, but for the first sweep: memory began with it.
            until = now - timedelta(seconds=self._settings.assemble.quiet_seconds) if self._swept else now
            since = self._sweep_since(now)
            found = 0
            while True:
                stale = traces.stale_traces(self._store, since, until, now - self._retention)
                taken = self._open_traces().adopt(stale)
                found += taken
                self._derive_due(everything=False)
                if not taken or len(stale) < traces.STALE_AT_ONCE:
                    break
            self._swept = until
            return found

    def rederive(self, since: datetime, until: datetime, progress: Callable[[int, int], None] = lambda _done, _of: None) -> int:
        """Derive every trace with a span that began in this time again, e.g. after a price or a mapping has changed.

        Raises:
            Rejected: `since` is older than the spans that are kept, or not before `until`.
        """
        now = self._now()
        if since >= until:
            raise Rejected(f"since ({since:%Y-%m-%d %H:%M}) must be before until ({until:%Y-%m-%d %H:%M})")
        if since < now - self._retention:
            raise Rejected(
                f"spans are kept for {self._retention.days} days: choose a time after {now - self._retention:%Y-%m-%d %H:%M}, "
                "for what was derived of expired spans cannot be worked out again"
            )
        with self._deriving:
            found = traces.traces_between(self._store, since, until)
            done = 0
            progress(done, len(found))
            for phase, group in self._by_phase(found, now):
                for batch in group.iter_slices(TRACES_AT_ONCE):
                    ids = batch["TraceId"].to_list()
                    self._derive(phase, self._read_back(ids), ids)
                    done += len(ids)
                    progress(done, len(found))
        return done

    def _read(self, received: pl.DataFrame) -> pl.DataFrame:
        return self._price(self._conventions(received))

    def _open_traces(self) -> OpenTraces:
        with self._opening:
            if self._traces is None:
                now = self._now()
                recently = now - timedelta(seconds=self._settings.assemble.max_age_seconds)
                known = traces.ingested_traces(self._store, recently)
                self._traces = OpenTraces(self._settings.assemble, known, now)
                self._traces.adopt(traces.orphaned_traces(self._store, recently))
            return self._traces

    def _sweep_since(self, now: datetime) -> datetime:
        """From where the last sweep ended, with an overlap; the first one from before the last derivation of all."""
        if self._swept:
            return min(self._swept, now) - timedelta(minutes=1)
        last = traces.last_derivation(self._store)
        return last - timedelta(hours=1, seconds=self._settings.assemble.max_age_seconds) if last else EPOCH

    def _by_phase(self, found: pl.DataFrame, now: datetime) -> list[tuple[Phase, pl.DataFrame]]:
        """Traces of the store in the phase that their age and their root put them in."""
        limits = self._settings.assemble
        old = pl.col("last_seen") < now - timedelta(seconds=limits.max_age_seconds)
        abandoned = pl.col("last_seen") < now - timedelta(seconds=limits.abandon_seconds)
        whole = ~old & (pl.col("has_root") | abandoned)
        return [
            (Phase.OLD, found.filter(old)),
            (Phase.WHOLE, found.filter(whole)),
            (Phase.RUNNING, found.filter(~old & ~whole)),
        ]

    def _derive_due(self, *, everything: bool) -> int:
        with self._deriving:
            now, count = self._now(), 0
            for due in self._open_traces().due(now, everything=everything):
                count += self._derive_one(due, now)
            return count

    def _derive_one(self, due: Due, now: datetime) -> int:
        open_traces, ids = self._open_traces(), due.trace_ids
        try:
            waiting = self._derive(due.phase, due.held, due.again)
            for start in range(0, len(due.stored), TRACES_AT_ONCE):
                some = due.stored[start : start + TRACES_AT_ONCE]
                waiting += self._derive(due.phase, self._read_back(some), some)
        except MeritError:
            open_traces.missed(due)
            raise
        open_traces.settle(due, waiting, now)
        return len(ids)

    def _read_back(self, trace_ids: list[str]) -> pl.DataFrame:
        """Readings of stored traces, without those that have begun to expire."""
        gone = traces.expiring(self._store, trace_ids, self._now() - self._retention)
        return self._read(traces.stored_spans(self._store, [t for t in trace_ids if t not in gone]))

    def _derive(self, phase: Phase, readings: pl.DataFrame, again: list[str]) -> list[str]:
        """Derive and store; the traces that still wait for a parent."""
        if readings.is_empty():
            return []
        derived: Derived = derive(readings, phase, self._now(), self._price)
        traces.replace_derived(self._store, derived.nodes, derived.tasks, derived.workflows, again)
        return derived.waiting
