"""Replays a table of known outcomes through `decide`, as /v1/route does: what would have come of it?

What a table cannot tell is left out: nobody is on probation, failing or busy, and nothing fades. Each pass sees only what it
chose, one task after the other. The table says nothing of time, so its order is drawn anew for each pass, unless it is kept on
purpose; the history is learnt from first, every agent's outcomes.
"""

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.routing.cells import Ints
from processors.routing.choice import draw
from processors.routing.decide import Assignment, Standing, decide
from processors.routing.evidence import Evidence
from processors.routing.features import Floats
from processors.routing.outcomes import Outcomes
from processors.routing.policies import Policy
from processors.routing.settings import RoutingSettings


@dataclass(frozen=True)
class Pass:
    """What came of one pass."""

    score: float
    """Mean over the tasks."""
    cost_usd: float | None
    """The sum of the known costs; None where none is known."""
    cost_known: float
    """Of which part of the tasks the cost is known."""
    shares: Floats
    """Part of all tasks that each agent got."""


def learnt(history: Outcomes | None, settings: RoutingSettings) -> Evidence:
    """Evidence of all that `history` holds, in an order drawn once."""
    evidence = Evidence(settings.change_threshold)
    if history is None:
        return evidence
    task, agent = np.nonzero(~np.isnan(history.score))
    order = np.random.default_rng(0).permutation(len(task))
    task, agent = task[order], agent[order]
    names, categories = history.agents, history.categories
    cells = evidence.cells.add([names[column] for column in agent], [categories[row] for row in task])
    evidence.absorb(cells, history.rows[task], seen(history, task, agent), np.ones(len(task)))
    return evidence


def seen(table: Outcomes, task: int | np.ndarray, agent: int | np.ndarray) -> dict[str, Floats]:
    """What is observed when `agent` does `task`, by columns of MEASURES."""
    named = {
        "success" if table.is_success else "quality": table.score,
        "cost_usd": table.cost_usd,
        "duration_seconds": table.latency_s,
    }
    return {name: np.atleast_1d(matrix[task, agent]) for name, matrix in named.items()}


def replay(
    evidence: Evidence,
    table: Outcomes,
    policy: Policy,
    settings: RoutingSettings,
    seed: int,
    *,
    keep_order: bool = False,
) -> Pass:
    """One pass over `table`, learning on from a copy of `evidence`."""
    evidence, random = deepcopy(evidence), np.random.default_rng(seed)
    numbers = evidence.cells.add_agents(table.agents)
    able = ~np.isnan(table.score)
    tasks = np.flatnonzero(able.any(axis=1))
    order = tasks if keep_order else random.permutation(tasks)
    chosen = np.zeros(len(order), np.int64)
    one = np.ones(1)
    for done, task in enumerate(order):
        candidates = np.flatnonzero(able[task])
        nothing = np.zeros(len(candidates))
        standing = Standing(nothing, nothing > 0, nothing > 0)
        assignment = Assignment(table.categories[task], table.rows[task])
        decision = decide(evidence, assignment, numbers[candidates], standing, policy, settings)
        agent = candidates[draw(decision.probability, random.random())]
        chosen[done] = agent
        cell = evidence.cells.add([table.agents[agent]], [table.categories[task]])
        evidence.absorb(cell, table.rows[task : task + 1], seen(table, task, agent), one)
    return Pass(
        score=float(table.score[order, chosen].mean()),
        cost_usd=total(table.cost_usd[order, chosen]),
        cost_known=known(table.cost_usd[order, chosen]),
        shares=np.bincount(chosen, minlength=len(table.agents)) / len(order),
    )


@dataclass(frozen=True)
class Reference:
    """What a fixed way of choosing would have come to."""

    mean_score: float
    cost_usd: float | None
    """The sum of the known costs; None where none is known."""
    cost_known: float
    """Of which part of the tasks the cost is known."""
    agent: str | None = None


def references(table: Outcomes) -> dict[str, Reference]:
    """Best single agent, an agent at random, the best of each category in hindsight, the best of each task.

    Where the agent that a reference would choose did not do a task, whoever did it best stands in.
    """
    tasks = np.flatnonzero((~np.isnan(table.score)).any(axis=1))
    able, cost = ~np.isnan(table.score)[tasks], table.cost_usd[tasks]
    score = np.where(able, table.score[tasks], -np.inf)
    best = score.argmax(axis=1)
    row, single = np.arange(len(tasks)), leader(score, able)
    _, category = np.unique(np.array(table.categories)[tasks], return_inverse=True)
    leaders = np.array([leader(score[category == each], able[category == each]) for each in range(category.max() + 1)])

    def of(choice: Ints, agent: str | None = None) -> Reference:
        choice = np.where(able[row, choice], choice, best)
        return Reference(float(score[row, choice].mean()), total(cost[row, choice]), known(cost[row, choice]), agent)

    def at_random(of_each: Floats) -> Floats:
        return np.asarray(np.where(able, np.nan_to_num(of_each, neginf=0.0), 0).sum(axis=1) / able.sum(axis=1))

    priced = at_random(~np.isnan(cost)).mean()

    return {
        "best_single": of(np.full(len(tasks), single), table.agents[single]),
        "random": Reference(float(at_random(score).mean()), float(at_random(cost).sum()) if priced else None, float(priced)),
        "best_per_category": of(leaders[category]),
        "oracle": of(best),
    }


def total(costs: Floats) -> float | None:
    """The sum of those that are known; None where none is: nobody is free because nobody knows a price."""
    return float(np.nansum(costs)) if known(costs) else None


def known(costs: Floats) -> float:
    """Which part of them is known: a sum of some looks cheaper than one of all."""
    return float((~np.isnan(costs)).mean())


def leader(score: Floats, able: NDArray[np.bool_]) -> int:
    """Who has the highest mean."""
    count = able.sum(axis=0)
    total = np.where(able, score, 0.0).sum(axis=0)
    return int(np.divide(total, count, out=np.full(len(count), -np.inf), where=count > 0).argmax())
