"""How agents stand apart from what they are good at: who is new, who does nothing but fail, who has work already."""

from collections import Counter, defaultdict, deque
from datetime import datetime
from threading import Lock
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from processors.routing.cells import grown
from processors.routing.features import Floats
from processors.routing.settings import RoutingSettings

DAY_SECONDS = 86_400
YOUNG_SECONDS = 7 * DAY_SECONDS
UNLIKELY = np.log(1e-3)
"""An agent fails now if so many failures in a row would be less likely than this by its usual rate."""
LEAST_FAILURES = 3


class Records(NamedTuple):
    """What is known of each agent, by its number: times are seconds since 1970."""

    tasks: Floats
    """Of those that were learnt from, as all but the last two; so is `last_seen`, when the last of them ended."""
    succeeded: Floats
    streak: Floats
    """Failures since the last success."""
    last_failed: Floats
    last_seen: Floats
    finished: Floats
    """Tasks that it has finished, learnt from or not: of who does many only the last are learnt from."""
    first_seen: Floats


NO_RECORDS = Records(*(np.zeros(0) for _ in Records._fields))


def recorded(records: Records, observations: pl.DataFrame, numbers: dict[str, int]) -> Records:
    """`records` with more tasks.

    Args:
        records: so far.
        observations: `agent_id, success, ended_at`, in the order in which they ended; null successes do not count.
        numbers: of the agents.
    """
    tasks, succeeded, streak, last, seen, finished, _ = (grown(each, len(numbers)).copy() for each in records)
    first = grown(records.first_seen, len(numbers), np.inf).copy()
    known = observations.filter(pl.col("success").is_not_null())
    if known.is_empty():
        return Records(tasks, succeeded, streak, last, seen, finished, first)
    at = pl.col("ended_at").dt.epoch("ms") / 1000
    won = pl.col("success") > 0
    since = (pl.col("success").reverse() > 0).arg_max()
    found = known.group_by("agent_id", maintain_order=True).agg(
        pl.len().alias("tasks"),
        won.sum().alias("succeeded"),
        pl.when(won.any()).then(since).otherwise(None).alias("since"),
        at.min().alias("first"),
        at.filter(~won).max().alias("last"),
        at.max().alias("seen"),
    )
    agent = np.array([numbers[name] for name in found["agent_id"]], dtype=np.int64)
    tasks[agent] += found["tasks"].to_numpy()
    finished[agent] += found["tasks"].to_numpy()
    succeeded[agent] += found["succeeded"].to_numpy()
    ever = found["since"].is_not_null().to_numpy()
    streak[agent] = np.where(ever, found["since"].fill_null(0).to_numpy(), streak[agent] + found["tasks"].to_numpy())
    first[agent] = np.minimum(first[agent], found["first"].to_numpy())
    last[agent] = np.maximum(last[agent], found["last"].fill_null(0).to_numpy())
    seen[agent] = np.maximum(seen[agent], found["seen"].to_numpy())
    return Records(tasks, succeeded, streak, last, seen, finished, first)


def known_before(records: Records, known: pl.DataFrame, numbers: dict[str, int]) -> Records:
    """`records` with what is known of those in them beyond what was learnt from: `agent_id, finished, first_seen`."""
    known = known.filter(pl.col("agent_id").is_in(list(numbers)))
    agent = np.array([numbers[name] for name in known["agent_id"]], dtype=np.int64)
    finished, first = records.finished.copy(), records.first_seen.copy()
    finished[agent] = np.maximum(finished[agent], known["finished"].to_numpy())
    first[agent] = np.minimum(first[agent], (known["first_seen"].dt.epoch("ms") / 1000).to_numpy())
    return records._replace(finished=finished, first_seen=first)


def failing(records: Records, now: float, settings: RoutingSettings) -> NDArray[np.bool_]:
    """Who does nothing but fail at the moment, by number."""
    usual = (records.succeeded + 1) / (records.tasks - records.streak + 2)
    suspicious = UNLIKELY / np.log(1 - np.clip(usual, 0.01, 0.99))
    recent = now - records.last_failed < settings.failing_seconds
    return np.asarray(recent & (records.streak >= np.maximum(suspicious, LEAST_FAILURES)))


def on_probation(records: Records, now: float, settings: RoutingSettings) -> NDArray[np.bool_]:
    """Who is new, by number."""
    return np.asarray((records.finished < settings.probation_tasks) | (now - records.first_seen < YOUNG_SECONDS))


class OpenDecisions:
    """Decisions whose outcome has not come, by kind and agent. Safe from any thread.

    Args:
        seconds: after which nobody waits for one any more.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._open: dict[str, tuple[str, str, str]] = {}
        self._by_trace: defaultdict[tuple[str, str], deque[str]] = defaultdict(deque)
        self._closed: dict[str, float] = {}
        """When decisions were closed, and when tasks closed one by their trace: none closes two."""
        self._order: deque[tuple[float, str]] = deque()
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def open(self, decision_id: str, kind: str, agent: str, trace_id: str, decided_at: datetime, now: datetime) -> None:
        """Count a decision, once; `trace_id` is where its task is going to be, empty if that is not known."""
        at = decided_at.timestamp()
        with self._lock:
            self._expire(now.timestamp())
            known = decision_id in self._open or decision_id in self._closed
            if not known and agent and now.timestamp() - at < self._seconds:
                self._open[decision_id] = (kind, agent, trace_id)
                if trace_id:
                    self._by_trace[trace_id, agent].append(decision_id)
                self._counts[kind][agent] += 1
                self._order.append((at, decision_id))

    def knows(self, decision_id: str) -> bool:
        """Whether it is, or lately was, open."""
        with self._lock:
            return decision_id in self._open or decision_id in self._closed

    def close(self, decision_id: str, now: datetime) -> None:
        """Its outcome has come."""
        with self._lock:
            self._expire(now.timestamp())
            self._close(decision_id, now)

    def close_tasks(self, tasks: pl.DataFrame, now: datetime) -> None:
        """Tasks have ended: `decision_id` says whose outcome each is, else it is that of the oldest of its trace and agent."""
        named = tasks.filter(pl.col("decision_id") != "")["decision_id"]
        others = tasks.filter(pl.col("decision_id") == "").select("task_id", "trace_id", "agent_id")
        with self._lock:
            self._expire(now.timestamp())
            for decision_id in named:
                self._close(decision_id, now)
            for task_id, *place in others.iter_rows():
                if (waiting := self._by_trace.get(tuple(place))) and task_id not in self._closed:
                    self._close(waiting[0], now)
                    self._close(task_id, now)

    def counts(self, kind: str, now: datetime) -> dict[str, int]:
        """How many are open, by agent."""
        with self._lock:
            self._expire(now.timestamp())
            return dict(self._counts[kind])

    def _expire(self, now: float) -> None:
        while self._order and now - self._order[0][0] >= self._seconds:
            self._drop(self._order.popleft()[1])
        while self._closed and now - next(iter(self._closed.values())) >= self._seconds:
            del self._closed[next(iter(self._closed))]

    def _close(self, closed: str, now: datetime) -> None:
        self._drop(closed)
        self._closed.setdefault(closed, now.timestamp())

    def _drop(self, decision_id: str) -> None:
        whose = self._open.pop(decision_id, None)
        if whose:
            kind, agent, trace_id = whose
            if waiting := self._by_trace.get((trace_id, agent)):
                waiting.remove(decision_id)
                if not waiting:
                    del self._by_trace[trace_id, agent]
            self._counts[kind][agent] -= 1
            if not self._counts[kind][agent]:
                del self._counts[kind][agent]
