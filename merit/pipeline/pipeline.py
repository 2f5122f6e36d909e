"""From received spans to derived rows: the steps in their order, and the store at both ends.

`consume` is called with what leaves the journal: on return the spans are stored. Deriving follows in its own time, from
memory where it can and from the store where it must; one thread at a time does it.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Lock, RLock

import polars as pl

from exporters import evaluations, traces
from exporters.store import Store
from merit.pipeline.objectives import Classification
from merit.pipeline.pace import Pace
from merit.pipeline.said_by_people import SaidByPeople
from processors.assemble import Due, OpenTraces
from processors.conventions.read import Conventions
from processors.cost import Pricer
from processors.derive import Derived, Phase, derive
from processors.errors import Rejected, Unavailable
from processors.frames import MILLIS, SAID
from processors.otlp_evaluations import of_spans
from processors.settings import ProcessorSettings
from processors.telemetry import Instruments

log = logging.getLogger(__name__)

TRACES_AT_ONCE = 2_000
"""Stored traces derived together."""
SPANS_AT_ONCE = 65_536
"""Spans in memory derived together: what that takes besides is some 4 KB a span. Those of one trace are never parted."""
MOST_CULPRITS = 10
"""More traces than these that cannot be derived, of one batch, are no fault of the traces."""

LONGEST_AWAITED = timedelta(hours=1)
"""How far back a start looks for traces that miss a parent, should `max_age_seconds` have been longer before."""


class Pipeline:
    """The steps between receiver and store.

    Args:
        store: may still be closed; it is first used by `consume` or a job.
        settings: of the steps.
        retention_days: how long spans are kept; a trace older than that is not derived again.
        now: what time it is.
        derives: whether a job derives what `consume` stores; if none does here, open traces would only fill memory.
        instruments: measure the stages and count what is derived.
        tell: is told of tasks, columns TASKS, when they have been stored.
    """

    def __init__(
        self,
        store: Store,
        settings: ProcessorSettings,
        retention_days: int,
        now: Callable[[], datetime],
        *,
        derives: bool = True,
        instruments: Instruments | None = None,
        tell: Callable[[pl.DataFrame], None] = lambda _tasks: None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._retention = timedelta(days=retention_days)
        self._now = now
        self._derives = derives
        self._instruments = instruments or Instruments()
        self._tell = tell
        self._conventions = Conventions(settings.conventions.extra)
        self._price = Pricer(settings.cost)
        self._classify = Classification(store, settings.objectives)
        self._as_people_say = SaidByPeople(store)
        self._deriving = RLock()
        self._pace = Pace()
        self._opening = Lock()
        self._traces: OpenTraces | None = None
        self._swept: datetime | None = None

    @property
    def read_keys(self) -> frozenset[str]:
        """Span attributes that some dialect reads."""
        return self._conventions.keys

    def refresh(self) -> bool:
        """Read again what people have edited: the objectives, and whose agents are; whether it has changed."""
        return any([self._classify.refresh(), self._as_people_say.refresh()])

    def classify(self, inputs: pl.Series) -> pl.Series:
        """The category of each input by its words; raises Unavailable if the objectives cannot be read."""
        return self._classify(inputs)

    @property
    def open_spans(self) -> int:
        """Spans in memory of traces that are not finished."""
        return len(self._traces) if self._traces is not None else 0

    @property
    def open_bytes(self) -> int:
        """Memory that these take."""
        return self._traces.bytes if self._traces is not None else 0

    def consume(self, received: pl.DataFrame, token: str = "") -> None:
        """Store spans, columns RECEIVED, and hand them to the open traces; raises Rejected or Unavailable.

        The same spans under the same token are stored once. They may have waited in the journal for long: `IngestedAt` is
        when they are stored, for that is what the sweep goes by.
        """
        received = received.with_columns(IngestedAt=pl.lit(self._now()).cast(MILLIS))
        readings = self._read(received)
        open_traces = self._open_traces() if self._derives else None
        with self._instruments.stage.of(stage="insert spans"):
            traces.store_spans(self._store, received.with_columns(readings.select(SAID.keys())), token)
            said = of_spans(received, readings, self._now())
            evaluations.store_said(self._store, said, "spans", self._instruments.evaluations)
        if open_traces is not None:
            open_traces.add(readings)
            self._pace.wait()

    def missing(self, received: pl.DataFrame) -> pl.DataFrame:
        """Those of these spans that the store does not have."""
        return traces.missing_spans(self._store, received)

    def derive(self) -> int:
        """Derive the traces that are due; how many they were."""
        return self._derive_due(everything=False)

    def drain(self) -> int:
        """Derive every open trace as it stands; how many they were."""
        return self._derive_due(everything=True) if self._traces is not None else 0

    def sweep(self) -> int:
        """Derive traces that the store has and nobody derived: after a restart, or from another writer; how many they were."""
        with self._deriving:
            now = self._now()
            # What came just now is about to be derived from memory, but for the first sweep: memory began with it.
            until = now - timedelta(seconds=self._settings.assemble.quiet_seconds) if self._swept else now
            since = self._sweep_since(now)
            found = 0
            largest = self._settings.assemble.max_trace_spans
            for stale in traces.stale_traces(self._store, since, until, now - self._retention, largest):
                found += self._open_traces().adopt(stale)
                self._derive_due(everything=False)
            self._swept = until
            return found

    def rederive(self, since: datetime, until: datetime, progress: Callable[[int, int], None] = lambda _done, _of: None) -> int:
        """Derive every trace with a span that began in this time again, e.g. after a price or a mapping has changed.

        Raises:
            Rejected: `since` is older than the spans that are kept, or not before `until`.
        """
        self.refuse_bad_range(since, until)
        now = self._now()
        with self._deriving:
            found = traces.traces_between(self._store, since, until)
            done = 0
            progress(done, len(found))
            for phase, group in self._by_phase(found, now):
                for ids in self._stored_portions(group["TraceId"].to_list()):
                    for of_them, readings in self._read_back(phase, ids):
                        self._derive_apart(of_them, readings, ids, [])
                    done += len(ids)
                    progress(done, len(found))
        if done < len(found):
            progress(len(found), len(found))  # what is left out is done with too
        return done

    def refuse_bad_range(self, since: datetime, until: datetime) -> None:
        """Return if `rederive` may be asked for this time; needs no open store.

        Raises:
            Rejected: `since` is older than the spans that are kept, or not before `until`.
        """
        if since >= until:
            raise Rejected(f"since ({since:%Y-%m-%d %H:%M}) must be before until ({until:%Y-%m-%d %H:%M})")
        oldest = self._now() - self._retention
        if since < oldest:
            raise Rejected(
                f"spans are kept for {self._retention.days} days: choose a time after {oldest:%Y-%m-%d %H:%M}, "
                "for what was derived of expired spans cannot be worked out again"
            )

    def _read(self, received: pl.DataFrame) -> pl.DataFrame:
        with self._instruments.stage.of(stage="read"):
            return self._price(self._conventions(received))

    def _open_traces(self) -> OpenTraces:
        with self._opening:
            if self._traces is None:
                self._traces = self._reopened(self._now())
            return self._traces

    def _reopened(self, now: datetime) -> OpenTraces:
        """The open traces as the process before left them: known, and awaited where a parent is missing."""
        age = timedelta(seconds=self._settings.assemble.max_age_seconds)
        opened = OpenTraces(self._settings.assemble, traces.ingested_traces(self._store, now - age), now)
        last = traces.last_derivation(self._store) or now
        opened.adopt(traces.orphaned_traces(self._store, min(last, now) - max(age, LONGEST_AWAITED)))
        return opened

    def _sweep_since(self, now: datetime) -> datetime:
        """From where the last sweep ended, with an overlap; the first one from before the last derivation of all."""
        if self._swept:
            return min(self._swept, now) - timedelta(minutes=1)
        last = traces.last_derivation(self._store)
        return last - timedelta(hours=1, seconds=self._settings.assemble.max_age_seconds) if last else traces.EPOCH

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
        with self._deriving, self._pace:
            now, open_traces = self._now(), self._open_traces()
            left = open_traces.due(now, everything=everything)
            count = sum(len(due.trace_ids) for due in left)
            try:
                left = self._with_forgotten(left)
                while left:
                    self._derive_one(left[0], now)
                    left.pop(0)
            finally:
                for due in left:
                    open_traces.missed(due)
            return count

    def _with_forgotten(self, dues: list[Due]) -> list[Due]:
        """`dues`, where traces that were derived and forgotten are read back: one question for all that are in doubt."""
        forgotten = traces.derived_traces(self._store, [trace_id for due in dues for trace_id in due.doubtful])
        return [self._open_traces().without(due, forgotten) for due in dues] if len(forgotten) else dues

    def _derive_one(self, due: Due, now: datetime) -> None:
        open_traces = self._open_traces()
        self._instruments.late(len(due.again))
        waiting: list[str] = []
        rooted: list[str] = []
        for of_them, readings, again in self._portions(due):
            for phase, some in by_root(of_them, readings):
                waiting += self._derive_apart(phase, some, again, [])
                rooted += some["TraceId"].unique().to_list() if phase is not of_them else []
        open_traces.settle(due, waiting, now, rooted)

    def _portions(self, due: Due) -> Iterator[tuple[Phase, pl.DataFrame, list[str]]]:
        """Readings of the traces that are due, with their phase, and which traces were derived before."""
        again = pl.Series(due.again, dtype=pl.String)
        for held in by_trace(self._workable(due.held), SPANS_AT_ONCE):
            yield due.phase, held, again.filter(again.is_in(held["TraceId"].unique().implode())).to_list()
        for some in self._stored_portions(due.stored):
            for phase, readings in self._read_back(due.phase, some):
                yield phase, readings, some

    def _stored_portions(self, trace_ids: list[str]) -> Iterator[list[str]]:
        """Stored traces in portions that memory can take, without those that are too large."""
        for start in range(0, len(trace_ids), TRACES_AT_ONCE):
            counts = traces.span_counts(self._store, trace_ids[start : start + TRACES_AT_ONCE])
            fit = counts.filter(~counts["TraceId"].is_in(self._too_large(counts).implode()))
            for portion in fit.with_columns(portion=pl.col("spans").cum_sum() // SPANS_AT_ONCE).partition_by("portion"):
                yield portion["TraceId"].to_list()

    def _workable(self, held: pl.DataFrame) -> pl.DataFrame:
        """Readings without those of traces that are too large."""
        if len(held) <= self._settings.assemble.max_trace_spans:
            return held
        counts = held.group_by("TraceId").agg(spans=pl.len())
        return held.filter(~pl.col("TraceId").is_in(self._too_large(counts).implode()))

    def _too_large(self, counts: pl.DataFrame) -> pl.Series:
        """Those of the traces that are not worked out, told of by a line each."""
        most = self._settings.assemble.max_trace_spans
        large = counts.filter(pl.col("spans") > most)
        for trace_id, spans in large.select("TraceId", "spans").iter_rows():
            told = "trace %s has %d spans, over %d (processors.assemble.max_trace_spans): it is stored, but worked out no further"
            log.warning(told, trace_id, spans, most)
        return large["TraceId"]

    def _derive_apart(self, phase: Phase, readings: pl.DataFrame, again: list[str], culprits: list[str]) -> list[str]:
        """As `_derive`, but a trace that cannot be derived is left out and harms no other; `culprits` collects those."""
        try:
            return self._derive(phase, readings, again)
        except Unavailable:
            raise
        except Exception as error:
            ids = readings["TraceId"].unique(maintain_order=True)
            if len(ids) == 1:
                culprits += ids.to_list()
                if len(culprits) > MOST_CULPRITS:
                    raise
                log.warning("trace %s is stored, but cannot be derived: %s", ids[0], error)
                return []
        first = readings["TraceId"].is_in(ids[: len(ids) // 2].implode())
        halves = readings.filter(first), readings.filter(~first)
        return [trace for half in halves for trace in self._derive_apart(phase, half, again, culprits)]

    def _read_back(self, phase: Phase, trace_ids: list[str]) -> Iterator[tuple[Phase, pl.DataFrame]]:
        """Readings of stored traces, with their phase; of those whose spans have begun to expire what is new, if anything is.

        A new step without its parent may be of a task that stands, so that these never get implicit tasks.
        """
        expiring = traces.expiring(self._store, trace_ids, self._now() - self._retention)
        kept = pl.Series(trace_ids, dtype=pl.String).filter(~pl.Series(trace_ids).is_in(expiring["TraceId"].implode()))
        yield phase, self._read(traces.stored_spans(self._store, kept.to_list()))
        standing = expiring.drop_nulls()
        if len(standing):
            stored = traces.stored_spans(self._store, standing["TraceId"].to_list()).join(standing, on="TraceId")
            new = stored.filter(pl.col("IngestedAt") > pl.col("known")).drop("known")
            yield Phase.WHOLE if phase is Phase.OLD else phase, self._read(new)

    def _derive(self, phase: Phase, readings: pl.DataFrame, again: list[str]) -> list[str]:
        """Derive and store; the traces that still wait for a parent."""
        if readings.is_empty():
            return []
        with self._instruments.stage.of(stage="derive"):
            derived: Derived = derive(readings, phase, self._now(), self._price, self._classify)
            nodes, tasks = self._as_people_say(derived.nodes), self._as_people_say(derived.tasks)
        with self._instruments.stage.of(stage="insert derived"):
            traces.replace_derived(self._store, nodes, tasks, derived.workflows, again, self._now() - self._retention)
        for table, rows in (("nodes", derived.nodes), ("tasks", derived.tasks), ("workflows", derived.workflows)):
            self._instruments.derived(len(rows), table=table)
        self._tell(tasks)
        return derived.waiting


def by_trace(readings: pl.DataFrame, most: int) -> Iterator[pl.DataFrame]:
    """Readings in portions of whole traces, of some `most` spans each."""
    if len(readings) <= most:
        yield readings
        return
    counts = readings.group_by("TraceId", maintain_order=True).agg(spans=pl.len())
    portions = counts.select("TraceId", portion=pl.col("spans").cum_sum() // most)
    for ids in portions.partition_by("portion", maintain_order=True):
        yield readings.filter(pl.col("TraceId").is_in(ids["TraceId"].implode()))


def by_root(phase: Phase, readings: pl.DataFrame) -> list[tuple[Phase, pl.DataFrame]]:
    """Readings of traces that run, parted from those whose root had come before what is new of them."""
    if phase is not Phase.RUNNING:
        return [(phase, readings)]
    rooted = readings.filter(pl.col("ParentSpanId") == "")["TraceId"].unique()
    runs = ~readings["TraceId"].is_in(rooted.implode())
    return [(Phase.WHOLE, readings.filter(~runs)), (Phase.RUNNING, readings.filter(runs))]
