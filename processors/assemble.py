"""Open traces: which are due, and the spans of those.

A trace is derived when its root has come and it has been quiet, or when it has been quiet for long without a root, or
when it is old. Its spans wait in memory until then, bounded; what does not fit, or came in part before this process
began, is read back from the store, where every span already is. Memory is only a short cut: nothing here must survive.

Whether a trace got spans since it was derived is remembered, not told from times: a span that came before a derivation
may be stored after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

import polars as pl

from processors.derive import Phase
from processors.frames import MILLIS, READINGS, STRING, empty
from processors.pending_spans import PendingSpans, bytes_of, joined
from processors.remembered import KnownTraces
from processors.settings import AssembleSettings

STATE = {
    "TraceId": STRING,
    "first_seen": MILLIS,
    "last_seen": MILLIS,
    "began": MILLIS,
    "has_root": pl.Boolean(),
    "held": pl.Boolean(),
    "waiting": pl.Boolean(),
    "news": pl.Boolean(),
    "running": pl.Boolean(),
    "shown": pl.UInt32(),
    "settled": pl.UInt32(),
    "derived_at": MILLIS,
}
"""An open trace. `held`: all its spans are in memory; `waiting`: something of it is still to come; `news`: spans came after
the last derivation; `running`: that showed it so; `shown` and `settled`: how often it was derived while it ran and when it
seemed whole, last at `derived_at`."""

MANY_PARTS = 64
"""Spans come in parts, a few a second; from so many on small ones are joined."""


@dataclass(frozen=True)
class Due:
    """Traces to derive in one phase."""

    phase: Phase
    held: pl.DataFrame
    """Spans (READINGS) of the traces that memory holds whole."""
    stored: list[str]
    """Trace ids whose spans must be read back."""
    again: list[str]
    """Of both, those derived before: their old rows may have to go."""
    doubtful: list[str]
    """Of `held`, those that may have been derived and forgotten: all began after their root, so where that is here and began
    lately, so did the rest, and is remembered; of others nothing tells but the store."""

    @property
    def trace_ids(self) -> list[str]:
        """All of them."""
        return [*self.held["TraceId"].unique().to_list(), *self.stored]


class OpenTraces:
    """The traces that are not done with.

    Args:
        settings: when a trace is due.
        known: ids of traces of which the store may have spans that memory has not.
        now: the present.
    """

    def __init__(self, settings: AssembleSettings, known: pl.Series, now: datetime) -> None:
        self._settings = settings
        self._lock = Lock()
        self._new: list[PendingSpans] = []
        self._pending: list[PendingSpans] = []
        self._unheld: list[pl.DataFrame] = []
        self._state = empty(STATE)
        self._known = KnownTraces(timedelta(seconds=settings.max_age_seconds))
        self._known.add(known, now)

    def __len__(self) -> int:
        """Spans held in memory."""
        with self._lock:
            return sum(len(part.spans) for part in (*self._pending, *self._new))

    @property
    def bytes(self) -> int:
        """What they take."""
        with self._lock:
            return bytes_of(self._pending) + bytes_of(self._new)

    def add(self, readings: pl.DataFrame) -> None:
        """Take spans that the store has; columns READINGS. Safe from any thread.

        When memory is full, only which traces they are of is kept.
        """
        own = PendingSpans.of(readings)
        with self._lock:
            if bytes_of(self._pending) + bytes_of(self._new) + own.bytes <= self._most_bytes:
                self._new.append(own)
            else:
                self._unheld.append(_seen([readings], held=False))

    def adopt(self, stored: pl.DataFrame) -> int:
        """Take traces that the store has and nobody derived as they are now; how many of them were news.

        From the deriving thread only.

        Args:
            stored: `TraceId, first_seen, last_seen, has_root, spans` (how many are stored) and `grown`: not only left running.
        """
        self._take_new()
        unknown = stored.join(self._state, on="TraceId", how="anti")
        grown = (
            stored.filter("grown").join(self._state, on="TraceId", how="semi").join(self._in_memory(), on="TraceId", how="left")
        )
        grown = grown.filter(pl.col("spans") > pl.col("in_memory").fill_null(0))
        for traces, settled in ((unknown, 1), (grown, 0)):
            self._merge(traces.with_columns(began="first_seen", held=False, waiting=True, settled=settled))
        return len(unknown) + len(grown)

    def due(self, now: datetime, *, everything: bool = False) -> list[Due]:
        """Traces to derive now, by phase; `everything` does not wait for quiet.

        Each must be given back, to `settle` or to `missed`: its spans have left memory.
        """
        self._take_new()
        self._spill()
        self._set_back(now)
        self._forget(_finished(self._settings, now), now)
        phases = self._state.lazy().with_columns(phase=_phase(self._settings, now, everything=everything))
        again, old = pl.col("shown") + pl.col("settled") > 0, pl.col("began") < _ago(now, self._settings.max_age_seconds)
        doubtful = pl.col("held") & ~again & (old | ~pl.col("has_root"))
        chosen = (
            phases.filter(pl.col("phase").is_not_null())
            .select("TraceId", "phase", "held", again=again, doubtful=doubtful)
            .collect()
        )
        return [self._due(Phase(name), group) for (name,), group in chosen.group_by("phase", maintain_order=True)]

    def settle(self, due: Due, waiting: list[str], now: datetime, rooted: Sequence[str] = ()) -> None:
        """The traces of `due` are derived.

        Args:
            due: as it came.
            waiting: those that still wait for a parent.
            now: when they were derived.
            rooted: those whose root was found in the store.
        """
        mine = pl.col("TraceId").is_in(due.trace_ids)
        if due.phase is Phase.RUNNING:
            has_root = pl.col("has_root") | pl.col("TraceId").is_in(rooted)
            self._mark(mine, now, shown=pl.col("shown") + 1, has_root=has_root, running=~has_root)
            return
        waits = ~pl.col("has_root") | pl.col("TraceId").is_in(waiting)
        late = pl.col("settled") > 0  # such a trace may go on: its state paces the next derivations
        self._forget(mine & ~((waits | late) & pl.lit(due.phase is not Phase.OLD)), now)
        self._mark(mine, now, held=pl.lit(value=False), waiting=waits, settled=pl.col("settled") + 1, running=pl.lit(value=False))

    def missed(self, due: Due) -> None:
        """The traces of `due` could not be derived: they stay due, and are read back."""
        self._let_go(pl.Series(due.trace_ids, dtype=STRING))

    def without(self, due: Due, trace_ids: pl.Series) -> Due:
        """`due` with its doubtful traces among these to be read back, for the store has more of them, derived before."""
        mine = trace_ids.filter(trace_ids.is_in(pl.Series(due.doubtful, dtype=STRING).implode()))
        self._let_go(mine)
        held = due.held.filter(~pl.col("TraceId").is_in(mine.implode()))
        return Due(due.phase, held, due.stored + mine.to_list(), due.again + mine.to_list(), [])

    @property
    def _most_bytes(self) -> int:
        return self._settings.max_mib << 20

    def _in_memory(self) -> pl.DataFrame:
        """How many spans memory holds of each trace that it holds whole: `TraceId, in_memory`."""
        with self._lock:
            ids = [part.spans.select("TraceId", "SpanId") for part in self._pending]
        spans = pl.concat([empty({"TraceId": STRING, "SpanId": STRING}), *ids])
        whole = self._state.filter("held").select("TraceId")
        return spans.join(whole, on="TraceId", how="semi").group_by("TraceId").agg(in_memory=pl.col("SpanId").n_unique())

    def _let_go(self, trace_ids: pl.Series) -> None:
        """These are no longer whole in memory."""
        self._state = self._state.with_columns(held=pl.col("held") & ~pl.col("TraceId").is_in(trace_ids.implode()))

    def _mark(self, mine: pl.Expr, now: datetime, **changes: pl.Expr) -> None:
        changes |= {"derived_at": pl.lit(now).cast(MILLIS), "news": pl.lit(value=False)}
        self._state = self._state.with_columns(pl.when(mine).then(new).otherwise(n).alias(n) for n, new in changes.items())

    def _set_back(self, now: datetime) -> None:
        """Let nothing have happened later than `now`: where the clock was set back, traces would wait until it is there again."""
        latest = pl.lit(now).cast(MILLIS)
        times = pl.col("first_seen", "last_seen", "derived_at")
        self._state = self._state.with_columns(pl.when(times > latest).then(latest).otherwise(times).name.keep())

    def _forget(self, gone: pl.Expr, now: datetime) -> None:
        self._known.add(self._state.filter(gone)["TraceId"], now)
        self._state = self._state.filter(~gone)

    def _take_new(self) -> None:
        with self._lock:
            new, self._new = self._new, []
            unheld, self._unheld = self._unheld, []
            self._pending += new
            if len(self._pending) > MANY_PARTS:
                self._pending = joined(self._pending)
        if not new and not unheld:
            return
        seen = pl.concat([_seen([part.spans for part in new], held=True), *unheld]) if new else pl.concat(unheld)
        before = pl.Series(self._known.has(seen["TraceId"]))
        late = before & ~seen["TraceId"].is_in(self._state["TraceId"].implode())
        self._merge(seen.with_columns(held=pl.col("held") & ~late, waiting=True, settled=late))

    def _merge(self, traces: pl.DataFrame) -> None:
        """Add traces of which there is news."""
        traces = traces.with_columns(news=True, running=False, shown=0, derived_at=pl.lit(None, dtype=MILLIS))
        rows = pl.concat([self._state, traces.select(pl.col(n).cast(t) for n, t in STATE.items())])
        self._state = rows.group_by("TraceId", maintain_order=True).agg(
            pl.col("first_seen", "began").min(),
            pl.col("last_seen").max(),
            pl.col("has_root", "waiting", "news", "running").any(),
            pl.col("held").all(),
            pl.col("shown", "settled", "derived_at").max(),
        ).select(*STATE)  # fmt: skip

    def _spill(self) -> None:
        """Let go of the oldest spans when they take too much: their traces are read back when they are due.

        Half of the room is for what comes before the next round, which may be long in coming.
        """
        with self._lock:
            while len(self._pending) > 1 and bytes_of(self._pending) > self._most_bytes // 2:
                self._let_go(self._pending.pop(0).spans["TraceId"].unique())

    def _due(self, phase: Phase, chosen: pl.DataFrame) -> Due:
        held = chosen.filter("held")["TraceId"]
        gone = chosen["TraceId"] if phase is not Phase.RUNNING else chosen.filter(~pl.col("held"))["TraceId"]
        with self._lock:
            found = [part.spans.filter(pl.col("TraceId").is_in(held.implode())) for part in self._pending]
            kept = [part.without(gone) for part in self._pending]
            self._pending = [part for part in kept if len(part.spans)]
        spans = pl.concat([empty(READINGS), *found])
        return Due(
            phase,
            spans,
            chosen.filter(~pl.col("held"))["TraceId"].to_list(),
            chosen.filter("again")["TraceId"].to_list(),
            chosen.filter("doubtful")["TraceId"].to_list(),
        )


def _seen(readings: list[pl.DataFrame], *, held: bool) -> pl.DataFrame:
    """Which traces there are spans of, when they came, and whether the root is among them."""
    spans = pl.concat([r.select("TraceId", "ParentSpanId", "IngestedAt", "Timestamp") for r in readings])
    return spans.group_by("TraceId").agg(
        first_seen=pl.col("IngestedAt").min(),
        last_seen=pl.col("IngestedAt").max(),
        began=pl.col("Timestamp").min(),
        has_root=(pl.col("ParentSpanId") == "").any(),
        held=pl.lit(held),
    )


def _ago(now: datetime, seconds: float) -> pl.Expr:
    return pl.lit(now - timedelta(seconds=seconds)).cast(MILLIS)


def _aged(settings: AssembleSettings, now: datetime) -> pl.Expr:
    return pl.col("first_seen") <= _ago(now, settings.max_age_seconds)


def _finished(settings: AssembleSettings, now: datetime) -> pl.Expr:
    return _aged(settings, now) & ~pl.col("waiting") & ~pl.col("news")


def _phase(settings: AssembleSettings, now: datetime, *, everything: bool) -> pl.Expr:
    """The phase in which a trace is due; null if it is not."""
    quiet = (pl.col("last_seen") <= _ago(now, settings.quiet_seconds)) | pl.lit(everything)
    abandoned = pl.col("last_seen") <= _ago(now, settings.abandon_seconds)
    whole = (pl.col("has_root") & quiet) | abandoned
    news = pl.col("news")
    paced = _paced(settings, now, "settled") | pl.lit(everything)
    return (
        pl.when(_aged(settings, now) & (news | pl.col("waiting")) & paced)
        .then(pl.lit(Phase.OLD.value))
        .when(whole & (news | pl.col("running")) & paced)
        .then(pl.lit(Phase.WHOLE.value))
        .when(~pl.col("has_root") & quiet & news & (_paced(settings, now, "shown") | pl.lit(everything)))
        .then(pl.lit(Phase.RUNNING.value))
    )


def _paced(settings: AssembleSettings, now: datetime, count: str) -> pl.Expr:
    """A trace that goes on is derived again at doubling intervals."""
    pause = (settings.quiet_seconds * 2.0 ** pl.col(count).clip(0, 20)).clip(0, settings.max_age_seconds)
    since = (pl.lit(now).cast(MILLIS) - pl.col("derived_at")).dt.total_milliseconds()
    return pl.col("derived_at").is_null() | (since >= pause * 1000)
