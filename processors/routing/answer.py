"""From a question to an answer: who may be chosen and why not, everybody's chances, the choice, and what to say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from processors.routing.cells import NOWHERE, Ints
from processors.routing.choice import draw
from processors.routing.decide import Assignment, Decision, Standing, decide
from processors.routing.evidence import Evidence
from processors.routing.features import READ, Floats
from processors.routing.frames import DECISIONS
from processors.routing.measure import Estimate
from processors.routing.policies import Policy
from processors.routing.settings import RoutingSettings
from processors.routing.standings import NO_RECORDS, Records, failing, on_probation


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
    """The answer; `chosen` is a position in `names`, None if nobody may have the task."""

    question: Question
    decision_id: str
    decided_at: datetime
    names: Sequence[str]
    chosen: int | None
    decision: Decision
    standing: Standing
    barred_by: NDArray[np.object_]
    records: tuple[Floats, Floats]
    """Tasks of each candidate in this category, and in all."""


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
    cells = knowledge.evidence.cells
    names, able = candidates(knowledge, question)
    unknown = len(cells.agents)
    numbers = np.array([cells.agents.get(name, unknown) for name in names], dtype=np.int64)
    records = Records(
        *(np.append(each[:unknown], fill) for each, fill in zip(knowledge.records, (0, 0, 0, np.inf, 0), strict=True))
    )
    moment = now.timestamp()
    fails, new = failing(records, moment, settings)[numbers], on_probation(records, moment, settings)[numbers]
    load = np.array([open_decisions.get(name, 0) for name in names]) if open_decisions else np.zeros(len(names))
    penalty = settings.load_weight * np.minimum(load / settings.load_full, 1.0)
    standing = Standing(penalty, ~able | fails, new)
    decision = decide(knowledge.evidence, question.assignment, numbers, standing, question.policy, settings, knowledge.fading)
    barred_by = np.select(
        [
            ~able,
            fails,
            decision.within_cost < settings.limit_chance,
            decision.within_duration < settings.limit_chance,
        ],
        ["capability", "failing", "max_cost_usd", "max_duration_seconds"],
        "",
    ).astype(object)
    chosen = draw(decision.probability, luck) if decision.eligible.any() else None
    tasks = (done_here(decision), records.tasks[numbers])
    return Answered(question, decision_id, now, names, chosen, decision, standing, barred_by, tasks)


def candidates(knowledge: Knowledge, question: Question) -> tuple[Sequence[str], NDArray[np.bool_]]:
    """Who may be meant, and whether each can do the category: it was named, has declared it, or has done it.

    Where nobody has done it or declared it, everybody may try.
    """
    if question.candidates is not None:
        names = list(dict.fromkeys(question.candidates))
        return names, np.ones(len(names), dtype=np.bool_)
    category = question.assignment.category
    everyone = np.arange(len(knowledge.names))
    able = knowledge.evidence.cells.row(category, everyone) != NOWHERE
    declared = knowledge.declared.get(category, frozenset())
    if declared:
        able = able | np.array([name in declared for name in knowledge.names], dtype=np.bool_)
    never_seen = sorted(declared - knowledge.evidence.cells.agents.keys())
    names = [*knowledge.names, *never_seen]
    able = np.append(able, np.ones(len(never_seen), dtype=np.bool_))
    return names, able if able.any() else np.ones(len(names), dtype=np.bool_)


def done_here(decision: Decision) -> Floats:
    """How many tasks of this category stand behind what is said of each candidate."""
    seen = [each.observations for each in (decision.success, decision.quality) if each is not None]
    return np.max(seen, axis=0) if seen else np.zeros(len(decision.score))


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


def as_rows(many: Sequence[Answered]) -> pl.DataFrame:
    """Decisions as rows of `routing_decisions`."""
    singles, lists = [single(each) for each in many], [listed(each) for each in many]
    columns = {name: pa.array([row[name] for row in singles], arrow_type(name)) for name in singles[0]}
    columns |= {name: of_lists([row[name].astype(np.float32) for row in lists]) for name in lists[0]}
    columns["candidates"] = of_lists([np.array(each.names, dtype=object) for each in many], pa.large_string())
    columns["barred_by"] = of_lists([each.barred_by for each in many], pa.large_string())
    rows = pl.from_arrow(pa.table({name: columns[name] for name in DECISIONS}))
    assert isinstance(rows, pl.DataFrame)
    return rows


def single(answered: Answered) -> dict[str, object]:
    """What a decision has one of."""
    asked, chosen = answered.question, answered.chosen
    return {
        "decision_id": answered.decision_id,
        "decided_at": answered.decided_at,
        "kind": asked.kind,
        "category": asked.assignment.category,
        "complexity": asked.complexity or 0,
        "description": asked.description[:READ],
        "trace_id": asked.trace_id,
        "strategy": asked.policy.strategy,
        "profile": asked.policy.profile,
        "quality_weight": asked.policy.weights.quality,
        "cost_weight": asked.policy.weights.cost,
        "speed_weight": asked.policy.weights.speed,
        "max_cost_usd": asked.assignment.max_cost_usd,
        "max_duration_seconds": asked.assignment.max_duration_seconds,
        "agent_id": "" if chosen is None else answered.names[chosen],
        "probability": 0.0 if chosen is None else float(answered.decision.probability[chosen]),
        "version": int(answered.decided_at.timestamp() * 1000),
        "is_deleted": 0,
    }


def listed(answered: Answered) -> dict[str, Floats]:
    """What a decision has one of for each candidate."""
    decision, size = answered.decision, len(answered.names)
    unknown = np.full(size, np.nan)
    return {
        "scores": decision.score,
        "deviations": decision.deviation / max(answered.question.policy.weights.quality, 1e-9),
        "probabilities": decision.probability,
        "worths": decision.worth,
        "successes": means(decision.success, size),
        "qualities": means(decision.quality, size),
        "costs_usd": unknown if decision.cost_usd is None else decision.cost_usd,
        "durations_seconds": unknown if decision.duration_seconds is None else decision.duration_seconds,
        "load_penalties": answered.standing.penalty,
        "cost_shares": decision.cost_share,
        "duration_shares": decision.duration_share,
    }


def of_lists(parts: Sequence[NDArray[Any]], kind: pa.DataType | None = None) -> pa.Array:
    """A column of lists."""
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), pa.array(np.concatenate(parts), kind))


@cache
def arrow_type(name: str) -> pa.DataType:
    """The Arrow type of a column of DECISIONS."""
    return pl.DataFrame(schema={name: DECISIONS[name]}).to_arrow().schema.field(name).type
