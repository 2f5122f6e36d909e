"""Keeps in memory what routing knows, and brings it up to date as tasks end.

A job takes in, second by second, what has been stored since: tasks, model calls, judgements, reports, decisions of other
processes. Learning goes on in evidence of its own; who asks is answered from the last frozen copy, and waits for nobody. Once
an hour all is learnt anew from the store, so that judgements that were taken back, tasks that were derived again and what
expired leave no trace, and every replica comes to know the same.

What a task tells itself its report does not tell again, whichever comes first; but what was learnt cannot be unlearnt. So reports
stay on top of the evidence for a while, learnt by the copies alone, and are looked up again when tasks have come. Should one be
replaced, or its task come, when it has been learnt for good, all is learnt anew at once, though not every second.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic
from typing import get_args

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from exporters import alerts, routing
from exporters.looks import ALL, Looks
from exporters.routing import News
from exporters.store import Store
from processors.errors import MeritError
from processors.remembered import Remembered
from processors.routing.answer import Knowledge, nothing_known
from processors.routing.evidence import Evidence
from processors.routing.observe import calls_of, of_calls, of_qualities, of_reports, of_tasks
from processors.routing.settings import Kind, RoutingSettings
from processors.routing.standings import NO_RECORDS, OpenDecisions, Records, known_before, recorded

KINDS = get_args(Kind)
OVERLAP = timedelta(seconds=30)
"""An insert may be stamped this long before it can be read."""
SHORT_OVERLAP = timedelta(seconds=5)
"""The same of decisions: there are many, and one that is missed only weighs on nobody."""
SETTLING = timedelta(minutes=2)
"""Reports stay on top for so long before the newest one: most tasks come seconds after their report."""
OVERLAPS = {"decisions": SHORT_OVERLAP, "outcomes": SETTLING}
MOST_ON_TOP = 300
"""The newest reports: each look learns them again."""
ANEW = timedelta(hours=1)
"""How often all is learnt anew."""
SOON = timedelta(minutes=1)
"""How often at most, where something that was learnt has been replaced."""
BACK = timedelta(days=90)
"""How far back is learnt from."""
LISTENING = timedelta(seconds=30)
"""How often it is asked who has gone silent."""
HARDLY = 100
"""That takes one part of the time, of this many, at most: of agents that send much it takes long."""
BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)
PARTS = 5
"""One part of the time is for learning, of this many: what it leaves is for those whose work it learns from."""
FADED = 1e-9
"""What has faded to this stays there: nothing at all could not be divided by."""
REMEMBERED = 500_000
"""Observations, and decisions whose task has ended, that are known again."""


class Router:
    """What is known of agents, models and providers, and which decisions are open.

    Args:
        store: may still be closed.
        settings: of routing.
        now: what time it is.
        listening_since: who was not heard before then may have spoken nevertheless.
    """

    def __init__(
        self,
        store: Store,
        settings: RoutingSettings,
        now: Callable[[], datetime],
        listening_since: datetime = alerts.ALWAYS,
    ) -> None:
        self._store, self._settings, self._now = store, settings, now
        self._listening_since = listening_since
        # The matrices are small: threads of a matrix product that wait for each other cost many times what they save.
        threadpool_limits(limits=1)
        self.open_decisions = OpenDecisions(settings.open_seconds)
        self._refreshing = Lock()
        self._known = {kind: nothing_known() for kind in KINDS}
        self._learners: dict[str, Learner] = {}
        self._learnt_at: datetime | None = None
        self._since = dict.fromkeys(routing.TIMED, BEGINNING)
        self._seen: dict[str, News] = {}
        self._looks = Looks(store, OVERLAP)
        self._tasks_until = BEGINNING
        self._looked_until: datetime | None = None
        self._settled = Remembered(REMEMBERED)
        self._on_top = pl.DataFrame()
        self._outdated = False
        self._decided = pl.Series(dtype=pl.String)
        self._declared: dict[str, frozenset[str]] = {}
        self._rest_until = 0.0
        self._silent: dict[str, float] = {}
        self._listened_at: datetime | None = None
        self._listening = LISTENING

    def knowledge(self, kind: str) -> Knowledge:
        """What is known of a kind of candidates now."""
        return self._known[kind]

    def run(self) -> int:
        """Take in what is new, if that has not had more than its part of the time; how many observations that were.

        Learning all anew takes seconds, once an hour: to rest for that, too, would leave what ends next unknown for long.
        """
        if monotonic() < self._rest_until:
            return 0
        begun, learnt_at = monotonic(), self._learnt_at
        try:
            count = self.refresh()
        finally:
            ended = monotonic()
            rest = (PARTS - 1) * (ended - begun) if self._learnt_at == learnt_at else 0.0
            self._rest_until = ended + rest
        self.listen()
        return count

    def refresh(self) -> int:
        """Take in what is new; how many observations that were. Raises Unavailable."""
        with self._refreshing:
            now, news = self._now(), routing.news(self._store, self._since)
            changed = {kind for kind, found in news.items() if found != self._seen.get(kind)}
            anew, before = self._is_due(now), self._on_top
            declared = routing.declared(self._store) if anew or changed & {"agents", "edits"} else self._declared
            try:
                count = self._learn_anew(news, now) if anew else self._learn_new(changed, news, now)
            except MeritError:
                self._looks.forget()  # what was found has not been learnt from
                raise
            if count or anew or declared != self._declared or not self._on_top.equals(before):
                self._declared = declared
                self._publish(now)
            self._note(news)
            return count

    def listen(self) -> None:
        """Note who has gone silent, if that has not just been asked. Raises Unavailable.

        Nobody is expected to be heard of who was not within a day: who was silent then is, until it is heard again.
        """
        now, begun = self._now(), monotonic()
        if self._listened_at is not None and timedelta(0) <= now - self._listened_at < self._listening:
            return
        self._listened_at = now
        try:
            heard = alerts.heard(self._store, now, self._listening_since)
        finally:
            self._listening = max(LISTENING, HARDLY * timedelta(seconds=monotonic() - begun))
        known = set(heard["agent_id"])
        gone = heard.filter("is_silent").select("agent_id", "heard_at")
        silent = {agent: since for agent, since in self._silent.items() if agent not in known} | dict(gone.iter_rows())
        if silent != self._silent:
            with self._refreshing:
                self._silent = silent
                self._publish(now)

    def _is_due(self, now: datetime) -> bool:
        """Whether all is to be learnt anew."""
        pause = SOON if self._outdated else ANEW
        return self._learnt_at is None or not timedelta(0) <= now - self._learnt_at < pause

    def _learn_anew(self, news: Mapping[str, News], now: datetime) -> int:
        known = routing.known(self._store)  # first: what ends meanwhile must not count twice
        tasks = routing.last_tasks(self._store, now - BACK)
        learners = {kind: Learner(self._settings, now) for kind in KINDS}
        judged, reported = routing.qualities(self._store, now - BACK), routing.outcomes(self._store, now - BACK)
        self._settled, self._on_top = Remembered(REMEMBERED), reported.clear()
        count = self._learn(learners, tasks, judged, self._parted(reported, news), BEGINNING)
        for kind, learner in learners.items():
            learner.knew(known.filter(kind=kind))
        self._learners, self._learnt_at, self._outdated = learners, now, False
        opened = now - timedelta(seconds=self._settings.open_seconds)
        self._watch_open(opened, now)
        self._close(tasks.filter(pl.col("ended_at") >= opened), reported, now)
        self._nothing = (tasks.clear(), judged.clear(), reported.clear())
        return count

    def _learn_new(self, changed: set[str], news: Mapping[str, News], now: datetime) -> int:
        """Look at what has changed and at nothing else: each look costs, however little it finds."""
        since, (tasks, judged, reported) = self._since, self._nothing
        parted = reported, self._on_top
        if "decisions" in changed:
            self._watch_open(since["decisions"], now)
        if "tasks" in changed:
            tasks = self._new_tasks()
        if news["evaluations"].rows and changed & {"tasks", "evaluations"}:
            judged = routing.qualities(self._store, since["evaluations"])
        waits = bool((self._on_top["task_id"] == "").any())
        if news["outcomes"].rows and changed & ({"outcomes", "decisions", "tasks"} if waits else {"outcomes", "decisions"}):
            reported = routing.outcomes(self._store, since["outcomes"])
            parted = self._parted(reported, news)
        if tasks.is_empty() and judged.is_empty() and reported.is_empty():
            return 0
        self._close(tasks, reported, now)
        return self._learn(self._learners, tasks, judged, parted, self._tasks_until - 2 * OVERLAP)

    def _new_tasks(self) -> pl.DataFrame:
        """Tasks that were stored since the last look that all was learnt from."""
        look = self._looks.next("tasks", self._tasks_until, ALL)
        if look is None:
            return self._nothing[0]
        self._looked_until = look.until
        return routing.new_tasks(self._store, look)

    def _note(self, news: Mapping[str, News]) -> None:
        """Look from where this look ended, next time; a little before, for an insert is stamped before it can be read."""
        self._seen, self._tasks_until = dict(news), self._looked_until or newest_of(news, "tasks")
        for kind, since in self._since.items():
            newest = newest_of(news, kind)
            self._since[kind] = max(since, newest - OVERLAPS.get(kind, OVERLAP))

    def _parted(self, reported: pl.DataFrame, news: Mapping[str, News]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Reports that are to be learnt for good, and those that stay on top; without those that have been learnt for good."""
        known = self._settled.knows(versions(reported))
        self._outdated |= bool((self._settled.knows(reported["decision_id"]) & ~known).any())
        stored_at = pl.col("stored_at")
        settles = (stored_at < newest_of(news, "outcomes") - SETTLING) | (
            stored_at.rank("ordinal", descending=True) > MOST_ON_TOP
        )
        found = reported.with_columns(settles=settles).filter(~known)
        return found.filter("settles").drop("settles"), found.filter(~pl.col("settles")).drop("settles")

    def _learn(
        self,
        learners: "dict[str, Learner]",
        tasks: pl.DataFrame,
        judged: pl.DataFrame,
        reported: tuple[pl.DataFrame, pl.DataFrame],
        since: datetime,
    ) -> int:
        """Learn from tasks stored since, judgements and parted reports, which outweigh judgements of the same task."""
        new = tasks.filter(~learners["agent"].knows(tasks["task_id"]))
        calls = routing.calls(self._store, new["trace_id"].unique().to_list(), since) if len(new) else None
        settled, on_top = reported
        self._outdated |= bool(self._settled.knows(pl.concat([new["decision_id"], places(new, "agent_id")])).any())
        count = on_top.join(self._on_top, on=["decision_id", "version"], how="anti").height
        for kind, learner in learners.items():
            for_good = of_reports(settled, kind)
            said = pl.concat([for_good, of_reports(on_top, kind)])
            self._outdated |= bool(learner.knows(said["key"]).any())
            work = of_tasks(new) if kind == "agent" else for_good.clear() if calls is None else of_calls(calls, new, kind)
            judgements = of_qualities(judged, kind).join(said, on="key", how="anti")
            if kind == "model":
                judgements = judgements.filter(
                    learner.knows(calls_of(judgements)) | calls_of(judgements).is_in(work["key"].implode())
                )
            count += learner.learn(pl.concat([for_good, work, judgements]).sort("ended_at", "key"))
        alone = settled.filter(task_id="")
        self._settled.add(pl.concat([versions(settled), settled["decision_id"], places(alone, "chosen")]))
        self._on_top = on_top
        return count

    def _watch_open(self, since: datetime, now: datetime) -> None:
        """Count the decisions of every process, those of this one too, should it have counted them."""
        found = routing.decided(self._store, since, now - timedelta(seconds=self._settings.open_seconds))
        new = found.filter(~found["decision_id"].is_in(self._decided.implode()))
        self._decided = found["decision_id"]
        if not all(map(self.open_decisions.knows, new["decision_id"])):
            self._looks.forget()  # of another process: its task may have been seen before it
        for decision_id, kind, agent, trace_id, decided_at in new.reverse().iter_rows():
            self.open_decisions.open(decision_id, kind, agent, trace_id, decided_at, now)

    def _close(self, tasks: pl.DataFrame, reported: pl.DataFrame, now: datetime) -> None:
        """Take off the decisions whose task has ended or was reported."""
        self.open_decisions.close_tasks(tasks, now)
        for decision_id in reported["decision_id"]:
            self.open_decisions.close(decision_id, now)

    def _publish(self, now: datetime) -> None:
        nobody: dict[str, frozenset[str]] = {}
        known = {
            kind: learner.frozen(self._declared if kind == "agent" else nobody, of_reports(self._on_top, kind), now)
            for kind, learner in self._learners.items()
        }
        self._known = known | {"agent": replace(known["agent"], silent=self._silent)}


def newest_of(news: Mapping[str, News], kind: str) -> datetime:
    """When the newest of a kind was stored."""
    return datetime.fromtimestamp(news[kind].newest / 1000, UTC)


def versions(reported: pl.DataFrame) -> pl.Series:
    """A name for each report: another one if it is reported again."""
    return reported.select(pl.format("{} {}", "decision_id", "version")).to_series()


def places(found: pl.DataFrame, agent: str) -> pl.Series:
    """A name for each trace and agent by which a task and a decision may be linked."""
    return found.filter(pl.col("trace_id") != "").select(pl.format("{} {}", "trace_id", agent)).to_series()


class Learner:
    """Learns one kind of candidates, each observation once."""

    def __init__(self, settings: RoutingSettings, epoch: datetime) -> None:
        self._settings, self._epoch = settings, epoch
        self._evidence = Evidence(settings.change_threshold)
        self._records: Records = NO_RECORDS
        self._learnt = Remembered(REMEMBERED)

    def knows(self, keys: pl.Series) -> pl.Series:
        """Which of `keys` have been learnt from."""
        return self._learnt.knows(keys)

    def learn(self, observed: pl.DataFrame) -> int:
        """Learn from what is new among `observed`, columns OBSERVED; how many that were."""
        new = observed.filter(~self.knows(observed["key"])).unique("key", keep="first", maintain_order=True)
        if new.is_empty():
            return 0
        self._learnt.add(new["key"])
        self._evidence.learn(new, self._weights(new["ended_at"]))
        self._records = recorded(self._records, new, self._evidence.cells.agents)
        return len(new)

    def knew(self, known: pl.DataFrame) -> None:
        """Take in since when those that were learnt from are known, and all they did: `agent_id, finished, first_seen`."""
        self._records = known_before(self._records, known, self._evidence.cells.agents)

    def frozen(self, declared: dict[str, frozenset[str]], on_top: pl.DataFrame, now: datetime) -> Knowledge:
        """What is known now, never to be changed, with what is `on_top`, columns OBSERVED."""
        evidence, records, more = (
            self._evidence,
            self._records,
            on_top.filter(~self.knows(on_top["key"])).unique("key", keep="first"),
        )
        if len(more):
            more = more.sort("ended_at", "key")
            evidence = evidence.with_more(more, self._weights(more["ended_at"]))
            records = recorded(records, more, evidence.cells.agents)
        evidence = evidence.frozen()
        return Knowledge(evidence, tuple(evidence.cells.agents), records, declared, self._left(now))

    def _weights(self, ended_at: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """How much observations count against one of the epoch."""
        half = self._settings.half_life_days
        if half is None:
            return np.ones(len(ended_at))
        age = (ended_at - self._epoch).dt.total_seconds().to_numpy() / 86_400
        return np.maximum(np.exp2(age / half), FADED)

    def _left(self, now: datetime) -> float:
        """What is left of the weight of an observation of the epoch."""
        half = self._settings.half_life_days
        return 1.0 if half is None else float(2 ** (-(now - self._epoch).total_seconds() / 86_400 / half))
