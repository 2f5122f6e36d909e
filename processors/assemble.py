"""Open traces: which are due, and the spans of those.

A trace is derived when its root has come and it has been quiet, or when it has been quiet for long without a root, or
when it is old. Its spans wait in memory until then, bounded; what does not fit, or came in part before this process
began, is read back from the store, where every span already is. Memory is only a short cut: nothing here must survive.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

import numpy as np
import polars as pl
from numpy.typing import NDArray

from processors.derive import Phase
from processors.frames import MILLIS, READINGS, STRING, empty
from processors.settings import AssembleSettings

STATE = {
    "TraceId": STRING,
    "first_seen": MILLIS,
    "last_seen": MILLIS,
    "has_root": pl.Boolean(),
    "held": pl.Boolean(),
    "waiting": pl.Boolean(),
    "shown": pl.UInt32(),
    "settled": pl.UInt32(),
    "derived_at": MILLIS,
}
"""An open trace. `held`: all its spans are in memory; `waiting`: something of it is still to come; `shown` and `settled`:
how often it was derived while it ran and when it seemed whole, last at `derived_at`."""


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
        self._new: list[pl.DataFrame] = []
        self._pending: list[pl.DataFrame] = []
        self._state = empty(STATE)
        self._known = KnownTraces(timedelta(seconds=settings.max_age_seconds))
        self._known.add(known, now)

    def __len__(self) -> int:
        """Spans held in memory."""
        with self._lock:
            return sum(map(len, self._pending)) + sum(map(len, self._new))

    def add(self, readings: pl.DataFrame) -> None:
        """Take spans that the store has; columns READINGS. Safe from any thread."""
        with self._lock:
            self._new.append(readings)

    def adopt(self, traces: pl.DataFrame) -> int:
        """Take traces that the store has and nobody derived, `TraceId, first_seen, last_seen, has_root`; how many are new here.

        From the deriving thread only.
        """
        unknown = traces.join(self._state, on="TraceId", how="anti")
        self._merge(unknown.with_columns(held=False, waiting=True, shown=0, settled=1, derived_at=pl.lit(None, dtype=MILLIS)))
        return len(unknown)

    def due(self, now: datetime, *, everything: bool = False) -> list[Due]:
        """Traces to derive now, by phase; `everything` does not wait for quiet."""
        self._take_new()
        self._spill()
        self._forget(_finished(self._settings, now), now)
        phases = self._state.lazy().with_columns(phase=_phase(self._settings, now, everything=everything))
        chosen = (
            phases.filter(pl.col("phase").is_not_null())
            .select("TraceId", "phase", "held", again=pl.col("shown") + pl.col("settled") > 0)
            .collect()
        )
        return [self._due(Phase(name), group) for (name,), group in chosen.group_by("phase", maintain_order=True)]

    def settle(self, due: Due, waiting: list[str], now: datetime) -> None:
        """The traces of `due` are derived; of those, `waiting` still wait for a parent."""
        mine = pl.col("TraceId").is_in(due.trace_ids)
        if due.phase is Phase.RUNNING:
            self._mark(mine, now, shown=pl.col("shown") + 1)
            return
        waits = ~pl.col("has_root") | pl.col("TraceId").is_in(waiting)
        late = pl.col("settled") > 0  # such a trace may go on: its state paces the next derivations
        self._forget(mine & ~((waits | late) & pl.lit(due.phase is not Phase.OLD)), now)
        self._mark(mine, now, held=pl.lit(value=False), waiting=waits, settled=pl.col("settled") + 1)

    def missed(self, due: Due) -> None:
        """The traces of `due` could not be derived: they stay due, and are read back."""
        self._state = self._state.with_columns(held=pl.col("held") & ~pl.col("TraceId").is_in(due.trace_ids))

    def _mark(self, mine: pl.Expr, now: datetime, **changes: pl.Expr) -> None:
        changes["derived_at"] = pl.lit(now).cast(MILLIS)
        self._state = self._state.with_columns(pl.when(mine).then(new).otherwise(n).alias(n) for n, new in changes.items())

    def _forget(self, gone: pl.Expr, now: datetime) -> None:
        self._known.add(self._state.filter(gone)["TraceId"], now)
        self._state = self._state.filter(~gone)

    def _take_new(self) -> None:
        with self._lock:
            new, self._new = self._new, []
            self._pending += new
        if not new:
            return
        came = pl.concat([c.select("TraceId", "ParentSpanId", "IngestedAt") for c in new])
        seen = came.group_by("TraceId").agg(
            first_seen=pl.col("IngestedAt").min(),
            last_seen=pl.col("IngestedAt").max(),
            has_root=(pl.col("ParentSpanId") == "").any(),
        )
        before = pl.Series(self._known.has(seen["TraceId"]))
        open_already = seen["TraceId"].is_in(self._state["TraceId"].implode())
        late = before & ~open_already
        self._merge(seen.with_columns(held=~late, waiting=True, shown=0, settled=late, derived_at=pl.lit(None, dtype=MILLIS)))

    def _merge(self, traces: pl.DataFrame) -> None:
        rows = pl.concat([self._state, traces.select(pl.col(n).cast(t) for n, t in STATE.items())])
        self._state = rows.group_by("TraceId", maintain_order=True).agg(
            pl.col("first_seen").min(),
            pl.col("last_seen").max(),
            pl.col("has_root").any(),
            pl.col("held").all(),
            pl.col("waiting").any(),
            pl.col("shown", "settled", "derived_at").max(),
        )

    def _spill(self) -> None:
        """Let go of the oldest spans when there are too many: their traces are read back when they are due."""
        with self._lock:
            while len(self._pending) > 1 and sum(map(len, self._pending)) > self._settings.max_spans:
                spilled = self._pending.pop(0)["TraceId"].unique()
                self._state = self._state.with_columns(held=pl.col("held") & ~pl.col("TraceId").is_in(spilled.implode()))

    def _due(self, phase: Phase, chosen: pl.DataFrame) -> Due:
        held = chosen.filter("held")["TraceId"]
        gone = chosen["TraceId"] if phase is not Phase.RUNNING else chosen.filter(~pl.col("held"))["TraceId"]
        with self._lock:
            found = [c.filter(pl.col("TraceId").is_in(held.implode())) for c in self._pending]
            kept = [c.filter(~pl.col("TraceId").is_in(gone.implode())) for c in self._pending]
            self._pending = [c for c in kept if len(c)]
        spans = pl.concat([empty(READINGS), *found])
        return Due(
            phase,
            spans,
            chosen.filter(~pl.col("held"))["TraceId"].to_list(),
            chosen.filter("again")["TraceId"].to_list(),
        )


def _aged(settings: AssembleSettings, now: datetime) -> pl.Expr:
    return pl.lit(now).cast(MILLIS) - pl.col("first_seen") >= timedelta(seconds=settings.max_age_seconds)


def _news() -> pl.Expr:
    """Spans came after the last derivation."""
    return pl.col("derived_at").is_null() | (pl.col("last_seen") > pl.col("derived_at"))


def _finished(settings: AssembleSettings, now: datetime) -> pl.Expr:
    return _aged(settings, now) & ~pl.col("waiting") & ~_news()


def _phase(settings: AssembleSettings, now: datetime, *, everything: bool) -> pl.Expr:
    """The phase in which a trace is due; null if it is not."""
    rested = pl.lit(now).cast(MILLIS) - pl.col("last_seen")
    quiet = rested >= timedelta(seconds=settings.quiet_seconds)
    abandoned = rested >= timedelta(seconds=settings.abandon_seconds)
    quiet = quiet | pl.lit(everything)
    whole = (pl.col("has_root") & quiet) | abandoned
    paced = _paced(settings, now, "settled") | pl.lit(everything)
    return (
        pl.when(_aged(settings, now) & (_news() | pl.col("waiting")) & paced)
        .then(pl.lit(Phase.OLD.value))
        .when(whole & _news() & paced)
        .then(pl.lit(Phase.WHOLE.value))
        .when(~pl.col("has_root") & quiet & _news() & (_paced(settings, now, "shown") | pl.lit(everything)))
        .then(pl.lit(Phase.RUNNING.value))
    )


def _paced(settings: AssembleSettings, now: datetime, count: str) -> pl.Expr:
    """A trace that goes on is derived again at doubling intervals."""
    pause = (settings.quiet_seconds * 2.0 ** pl.col(count).clip(0, 20)).clip(0, settings.max_age_seconds)
    since = (pl.lit(now).cast(MILLIS) - pl.col("derived_at")).dt.total_milliseconds()
    return pl.col("derived_at").is_null() | (since >= pause * 1000)


class KnownTraces:
    """Ids of traces that were done with lately, as hashes in sorted arrays, forgotten after a while.

    A stranger with the hash of a known trace is only read back needlessly.
    """

    def __init__(self, keep: timedelta) -> None:
        self._keep = keep
        self._batches: list[tuple[datetime, NDArray[np.uint64]]] = []

    def add(self, trace_ids: pl.Series, now: datetime) -> None:
        """Remember these."""
        self._batches = [b for b in self._batches if now - b[0] < self._keep]
        if not len(trace_ids):
            return
        hashes = np.sort(trace_ids.hash().to_numpy())
        if self._batches and now - self._batches[-1][0] < self._keep / 20:
            then, last = self._batches.pop()
            self._batches.append((then, np.sort(np.concatenate([last, hashes]))))
        else:
            self._batches.append((now, hashes))

    def has(self, trace_ids: pl.Series) -> NDArray[np.bool_]:
        """Which of these are remembered."""
        hashes = trace_ids.hash().to_numpy()
        found = np.zeros(len(hashes), dtype=np.bool_)
        for _, batch in self._batches:
            at = np.searchsorted(batch, hashes).clip(0, len(batch) - 1)
            found |= batch[at] == hashes
        return found
