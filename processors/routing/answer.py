"""From a question to an answer: who may be chosen and why not, everybody's chances, the choice, and what to say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import chain, islice, repeat

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from processors.routing.cells import NOWHERE, Ints
from processors.routing.choice import draw
from processors.routing.decide import Assignment, Decision, Standing, decide
from processors.routing.evidence import Evidence
from processors.routing.features import Floats
from processors.routing.policies import Policy
from processors.routing.settings import RoutingSettings
from processors.routing.shown import Estimate
from processors.routing.standings import DAY_SECONDS, NO_RECORDS, Records, failing, on_probation

BARS = ("", "capability", "failing", "silent", "max_cost_usd", "max_duration_seconds")
"""What may keep a candidate from being chosen; the first is that nothing does."""
NEVER_SEEN = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, np.inf)
"""The records of who was never seen."""
SOME = 1_000
"""Categories that one is compared with which nobody knows: that takes 4 ms."""


@dataclass(frozen=True)
class Candidates:
    """Who may be meant: `numbers` in the evidence (beyond its end: never seen), and whether each can do the category."""

    names: Sequence[str]
    numbers: Ints
    able: NDArray[np.bool_]
    silent_since: Floats
    """When each that has gone silent was last heard of, in seconds since 1970; 0 of all others."""

    @cached_property
    def column(self) -> pa.Array:
        """The names, as they are stored."""
        return pa.array(self.names, pa.large_string())


@dataclass(frozen=True)
class Knowledge:
    """What is known of one kind of candidates at a moment; never changed."""

    evidence: Evidence
    names: Sequence[str]
    """Of the agents, by number."""
    records: Records
    declared: Mapping[str, frozenset[str]]
    """Who has declared to be able to do each category."""
    fading: float = 1.0
    silent: Mapping[str, float] = field(default_factory=dict)
    """Who has gone silent, of those that send signs of life, and when each sent the last one."""
    _able: dict[str, Candidates] = field(default_factory=dict, repr=False)

    @cached_property
    def all_records(self) -> Records:
        """The records by number, with one that was never seen in the last place."""
        known = (each[: len(self.names)] for each in self.records)
        return Records(*(np.append(each, fill) for each, fill in zip(known, NEVER_SEEN, strict=True)))

    def named(self, names: Sequence[str]) -> Candidates:
        """Those that a question names, each once: they count as able."""
        names, unknown = list(dict.fromkeys(names)), len(self.names)
        numbers = np.array([self.evidence.cells.agents.get(name, unknown) for name in names], dtype=np.int64)
        return self._candidates(names, numbers, np.ones(len(names), dtype=np.bool_))

    def heard_of(self, category: str) -> bool:
        """Whether anybody has done `category` or declared it."""
        return category in self.evidence.cells.categories or category in self.declared

    def instead_of(self, category: str) -> tuple[str, ...]:
        """Categories that somebody has done or declared, where nobody has `category`; none where somebody has."""
        return () if self.heard_of(category) else tuple(islice(chain(self.evidence.cells.categories, self.declared), SOME))

    def able(self, category: str) -> Candidates:
        """Everybody, and whether each has done `category` or declared it; where nobody has, everybody may try."""
        found = self._able.get(category)
        if found is None:
            found = self._look(category)
            if self.heard_of(category):
                self._able[category] = found
        return found

    def _look(self, category: str) -> Candidates:
        agents = self.evidence.cells.agents
        numbers = np.arange(len(self.names))
        declared = self.declared.get(category, frozenset())
        has_declared = np.array([name in declared for name in self.names], dtype=np.bool_)
        able = has_declared | (self.evidence.cells.row(category, numbers) != NOWHERE)
        never_seen = sorted(declared - agents.keys())
        numbers = np.append(numbers, np.full(len(never_seen), len(self.names)))
        able = np.append(able, np.ones(len(never_seen), dtype=np.bool_))
        return self._candidates([*self.names, *never_seen], numbers, able if able.any() else np.ones(len(able), dtype=np.bool_))

    def _candidates(self, names: Sequence[str], numbers: Ints, able: NDArray[np.bool_]) -> Candidates:
        """With who is silent; whose task ended a day after the last sign of life lives, whatever became of its signs."""
        if not self.silent:
            return Candidates(names, numbers, able, np.zeros(len(names)))
        since = np.fromiter(map(self.silent.get, names, repeat(0.0)), np.float64, len(names))
        works = self.all_records.last_seen[numbers] > since + DAY_SECONDS
        return Candidates(names, numbers, able, np.where(works, 0.0, since))


def nothing_known() -> Knowledge:
    """What is known at first."""
    return Knowledge(Evidence(np.inf), (), NO_RECORDS, {})


@dataclass(frozen=True)
class Question:
    """What is asked. `candidates` are all that are known where None."""

    kind: str
    assignment: Assignment
    policy: Policy
    candidates: Sequence[str] | None
    description: str
    complexity: int | None
    trace_id: str


@dataclass(frozen=True)
class Answered:
    """The answer; `chosen` is a position among the candidates, None if nobody may have the task."""

    question: Question
    decision_id: str
    decided_at: datetime
    candidates: Candidates
    chosen: int | None
    decision: Decision
    standing: Standing
    bars: NDArray[np.bool_]
    """What kept each from being chosen: a row for each of BARS but the first."""
    probation_share: float
    """What all on probation together get at most, if there are others."""
    records: tuple[Floats, Floats, Floats]
    """Tasks of each candidate in this category, and in all, and how many seconds ago the last one ended."""
    instead: tuple[str, ...]
    """Categories that are known, where that of the question is not; else none."""

    @property
    def names(self) -> Sequence[str]:
        """Of the candidates."""
        return self.candidates.names

    @cached_property
    def barred_by(self) -> NDArray[np.int8]:
        """The first of what kept each from being chosen: places in BARS."""
        return np.where(self.bars.any(axis=0), self.bars.argmax(axis=0) + 1, 0).astype(np.int8)


def answer(
    knowledge: Knowledge,
    question: Question,
    open_decisions: Mapping[str, int],
    settings: RoutingSettings,
    now: datetime,
    decision_id: str,
    luck: float,
) -> Answered:
    """Answer `question`; `luck`, even in [0, 1), decides between the probabilities."""
    named, task = question.candidates, question.assignment
    candidates = knowledge.able(task.category) if named is None else knowledge.named(named)
    records, moment = knowledge.all_records, now.timestamp()
    held = (~candidates.able, failing(records, moment, settings)[candidates.numbers], candidates.silent_since > 0)
    load = np.fromiter(map(open_decisions.get, candidates.names, repeat(0)), np.float64, len(candidates.names))
    standing = Standing(
        penalty=settings.load_weight * np.minimum(load / settings.load_full, 1.0),
        barred=held[0] | held[1] | held[2],
        probation=on_probation(records, moment, settings)[candidates.numbers],
    )
    decision = decide(knowledge.evidence, task, candidates.numbers, standing, question.policy, settings, knowledge.fading)
    return Answered(
        question=question,
        decision_id=decision_id,
        decided_at=now,
        candidates=candidates,
        chosen=draw(decision.probability, luck) if decision.eligible.any() else None,
        decision=decision,
        standing=standing,
        bars=bars(held, decision, settings),
        probation_share=settings.probation_share,
        records=(done_here(decision), records.tasks[candidates.numbers], moment - records.last_seen[candidates.numbers]),
        instead=knowledge.instead_of(task.category),
    )


def bars(held: Sequence[NDArray[np.bool_]], decision: Decision, settings: RoutingSettings) -> NDArray[np.bool_]:
    """What kept each from being chosen: a row for each of BARS but the first; `held` are those that no limit is to blame for."""
    within = (decision.expected.within_cost, decision.expected.within_duration)
    return np.array([*held, *(each < settings.limit_chance for each in within)])


def done_here(decision: Decision) -> Floats:
    """How many tasks of this category stand behind what is said of each candidate."""
    both = (decision.expected.success, decision.expected.quality)
    seen = [each.observations for each in both if each is not None]
    return np.maximum.reduce(seen) if seen else np.zeros(len(decision.score))


def order(answered: Answered) -> Ints:
    """Positions of the candidates, the chosen first, then the eligible by score, then the others."""
    decision = answered.decision
    first = np.zeros(len(decision.score))
    if answered.chosen is not None:
        first[answered.chosen] = 1
    return np.lexsort((-decision.score, ~decision.eligible, -first))


def means(estimate: Estimate | None, size: int) -> Floats:
    """The means of a share, within [0, 1]; NaN where it was never observed of anybody."""
    return np.full(size, np.nan) if estimate is None else np.clip(estimate.mean, 0.0, 1.0)
