"""What agents show of one quantity (success, quality, log cost, log duration), by category and by what the task looks like.

Agents are given different tasks, and some tasks are hard for everybody. So each agent's mean is compared as if all had had
the task at hand: the influence of the task's features is a ridge regression within cells, the same for all agents, and a
second, smaller one for what an agent is particularly good at. Only differences from the mean of the own cell are learnt from
(the within estimator of panel data; as an adjustment of means: analysis of covariance), and either is used in a category
only while it predicts what comes next better than without.
"""

from copy import copy, deepcopy
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve

from processors.routing.cells import NOWHERE, Cells, Ints, firsts, grown
from processors.routing.changes import Changes
from processors.routing.effects import Effects, Prior
from processors.routing.features import FEATURES, OWN_FEATURES, Floats, folded
from processors.routing.shown import Estimate, Influence, Shown

GROWTH = 0.02
"""Effects are solved anew when the data have grown by this share."""
WEIGHTS_GROWTH, WEIGHTS_LEAST = 0.1, 8
"""Weights of features, which cost more to solve, when they have grown by this share and so many observations;"""
OWN_WEIGHTS_GROWTH = 0.25
"""those of an agent when its own data have grown by this share."""
SMALL, PORTION = 16, 0.05
"""Observations learnt from in one go, however few there were before; this share of those that there were, if that is more."""
TOGETHER = 16
"""Of one cell at most so many, and no more than that share of what the cell has: its mean is the same for all of them."""
SHARED_RIDGE, OWN_RIDGE = 1.0, 10.0
"""Pseudo-observations: the influence of features is taken to be small, and what is particular to an agent smaller."""
REMEMBERED = 0.999
"""What is left of a prediction error after one more in the same category."""
NOISE_DRAWN = 4.0
"""Pseudo-observations behind the prior of the noise."""
SMALLEST = 1e-4
MOST_OWN = 1_000
"""Agents that have weights of their own, the first that were seen twice at the same work: what they are solved of takes 43 KB."""


class Seen(NamedTuple):
    """What observations say of the features: each a difference from what its cell had shown before."""

    agent: Ints
    away: Floats
    near: Floats
    weight: Floats
    off: Floats
    shared: Floats


class Measure:
    """Learns one quantity.

    Args:
        cells: agents and categories, shared with the other measures.
        prior: what to believe at first.
        changes: notices sudden changes and lets go of what was before; for quantities in [0, 1].
    """

    def __init__(self, cells: Cells, prior: Prior, changes: Changes | None = None) -> None:
        self._cells, self._prior, self._changes = cells, prior, changes
        self.count, self._mean = np.zeros(0), np.zeros(0)
        self._center = np.zeros((0, FEATURES))
        self._moments, self._products = np.zeros((FEATURES, FEATURES)), np.zeros(FEATURES)
        self._own_of: dict[int, int] = {}
        self._own_moments = np.zeros((0, OWN_FEATURES, OWN_FEATURES))
        self._own_products = np.zeros((0, OWN_FEATURES))
        self._own_count, self._own_solved = np.zeros(0), np.zeros(0)
        self._errors = np.zeros((0, 3))
        self._freedom = np.zeros(0)
        self._shared: Floats = np.zeros(FEATURES)
        self._own = np.zeros((0, OWN_FEATURES))
        self._offset, self._own_offset = np.zeros(0), np.zeros(0)
        self._usual, self._total, self._total_count = np.zeros((0, FEATURES)), np.zeros((0, FEATURES)), np.zeros(0)
        self._learnt, self._solved, self._weighed = 0, 0, 0
        self._kept: dict[str, Shown] | None = None
        self.effects = Effects(prior)

    @property
    def learnt(self) -> int:
        """How many observations were learnt from."""
        return self._learnt

    def frozen(self, cells: Cells) -> "Measure":
        """A copy that answers as this one does now, on a copy of the cells, and that cannot learn."""
        other = copy(self)
        other._cells, other._kept, other.effects = cells, {}, deepcopy(self.effects)
        other._own_moments = self._own_moments[:0].copy()
        other.count, other._mean = self.count.copy(), self._mean.copy()
        other._offset, other._own_offset = self._offset.copy(), self._own_offset.copy()
        other._own, other._usual = self._own.copy(), self._usual.copy()
        other._errors, other._freedom = self._errors.copy(), self._freedom.copy()
        return other

    def learn(self, cells: Ints, rows: Floats, values: Floats, weights: Floats) -> None:
        """Learn from observations in the order in which they were made.

        Args:
            cells: of each observation.
            rows: FEATURES of its task, NaN where unknown.
            values: what was seen.
            weights: how much each counts.
        """
        self._grow()
        start = 0
        while start < len(cells):
            portion = slice(start, start + max(SMALL, int(PORTION * self._learnt)))
            self._learn_portion(cells[portion], rows[portion], values[portion], weights[portion])
            start = portion.stop

    def estimate(self, category: str, row: Floats, fading: float = 1.0) -> Estimate:
        """What to expect of every agent, by its number, and in the last place of one that was never seen.

        Args:
            category: of the task.
            row: what it looks like, FEATURES.
            fading: what is left of the weight of an observation.
        """
        shown = self._kept.get(category) if self._kept is not None else None
        if shown is None:
            shown = self._shown(category)
            if self._kept is not None and category in self._cells.categories:
                self._kept[category] = shown
        return shown.expected(row, fading)

    def _shown(self, category: str) -> Shown:
        """What everybody has shown in `category`."""
        agents = np.arange(len(self._cells.agents) + 1)
        number = self._cells.categories.get(category, NOWHERE)
        mean, variance = self.effects.expected(number, agents)
        noise = float(self._noise()[min(number, len(self._errors))])
        if not 0 <= number < len(self._usual):
            nothing = np.zeros(len(agents))
            return Shown(noise, nothing, nothing, mean, variance, None)
        cells = self._cells.row(category, agents)
        at = np.where((cells != NOWHERE) & (cells < len(self.count)), cells, 0)
        count = np.where(at == cells, self.count[at], 0.0)
        shared, own = self._helps(number)
        rows = np.where(agents < len(self._own), agents, 0)
        influence = Influence(
            usual=self._usual[number],
            shared=self._shared if shared else None,
            offset=self._offset[at],
            own=self._own if own else None,
            rows=rows,
            known=rows == agents,
            own_offset=self._own_offset[at],
        )
        return Shown(noise, count, self._mean[at], mean, variance, influence)

    def _learn_portion(self, cells: Ints, rows: Floats, values: Floats, weights: Floats) -> None:
        """As `learn`, few enough that what is solved need not be renewed in between."""
        most = np.clip((PORTION * self.count[cells]).astype(np.int64), 1, TOGETHER)
        self._sum([self._learn_round(cells[some], rows[some], values[some], weights[some]) for some in rounds(cells, most)])
        self._learnt += len(cells)
        if self._learnt - self._weighed >= max(WEIGHTS_GROWTH * self._weighed, WEIGHTS_LEAST):
            self._weigh()
        if self._learnt - self._solved >= GROWTH * self._solved:
            self._solve()

    def _learn_round(self, cells: Ints, rows: Floats, values: Floats, weights: Floats) -> "Seen":
        """As `learn`, sorted by cell and few enough of each that all can be compared with what it had shown before."""
        first = firsts(cells)
        once = cells[first]
        category, agent = self._cells.category_of[cells], self._cells.agent_of[cells]
        before = self.count[cells]
        self.count[once] += np.add.reduceat(weights, first)
        share = weights / self.count[cells]
        center = self._center[cells]
        known = np.where(before[:, None] > 0, center, self._usual[category])
        rows = np.where(np.isnan(rows), known, rows)
        away = rows - center
        off = values - self._mean[cells]
        weight = before * share
        shared = off - away @ self._shared
        near = folded(away)
        own = shared - (near * self._own[agent]).sum(axis=1)
        seen = before > 0
        faded = REMEMBERED ** np.bincount(category[seen], minlength=len(self._errors))
        self._errors *= faded[:, None]
        self._freedom *= faded
        errors = (weight / weights)[:, None] * np.column_stack([off, shared, own]) ** 2
        add_at(self._errors, category[seen], errors[seen])
        add_at(self._freedom, category[seen], np.ones(int(seen.sum())))
        self._mean[once] += np.add.reduceat(off * share, first)
        self._center[once] += np.add.reduceat(away * share[:, None], first)
        add_at(self._total, category, rows * weights[:, None])
        add_at(self._total_count, category, weights)
        self._offset[once] = self._center[once] @ self._shared
        self._own_offset[once] = (folded(self._center[once]) * self._own[agent[first]]).sum(axis=1)
        if self._changes is not None:
            level = values - np.where(self._errors[category, 1] < self._errors[category, 0], away @ self._shared, 0.0)
            self._changes.watch(cells, self._cells.category_of, level, self.count, self._mean)
        return Seen(agent, away, near, weight, off, shared)

    def _sum(self, seen: "list[Seen]") -> None:
        """Add up what observations say of the features, for all agents and for each."""
        all_seen = seen[0] if len(seen) == 1 else Seen(*(np.concatenate(parts) for parts in zip(*seen, strict=True)))
        agent, away, near, weight, off, shared = all_seen
        self._moments += (away * weight[:, None]).T @ away
        self._products += (weight * off) @ away
        order = np.argsort(agent, kind="stable")
        for some in np.split(order, np.flatnonzero(np.diff(agent[order])) + 1):
            whose = int(agent[some[0]])
            self._own_count[whose] += len(some)
            place = self._own_place(whose) if weight[some].any() else NOWHERE  # the first in a cell has nothing to differ from
            if place != NOWHERE:
                weighed = near[some] * weight[some, None]
                self._own_moments[place] += weighed.T @ near[some]
                self._own_products[place] += shared[some] @ weighed

    def _own_place(self, agent: int) -> int:
        """Where the sums of an agent's own stand; NOWHERE if there is no room."""
        if agent not in self._own_of and len(self._own_of) < MOST_OWN:
            self._own_of[agent] = len(self._own_of)
            self._own_moments = grown(self._own_moments, len(self._own_of))
            self._own_products = grown(self._own_products, len(self._own_of))
        return self._own_of.get(agent, NOWHERE)

    def _helps(self, category: int) -> tuple[bool, bool]:
        """Whether features, and weights of the agent's own, have predicted this category better than without."""
        plain, shared, own = self._errors[category]
        return bool(shared <= plain), bool(own <= min(plain, shared))

    def _noise(self) -> Floats:
        """The variance of a task about what is expected of it, drawn to that of all categories and to the prior.

        Of each category by its number, and in the last place of one that was never seen.
        """
        best = self._errors.min(axis=1)
        everywhere = (best.sum() + NOISE_DRAWN * self._prior.noise) / (self._freedom.sum() + NOISE_DRAWN)
        here = (best + NOISE_DRAWN * everywhere) / (self._freedom + NOISE_DRAWN)
        noise: Floats = np.maximum(np.append(here, everywhere), SMALLEST)
        return noise

    def _weigh(self) -> None:
        """Renew the weights of the features."""
        self._weighed = self._learnt
        self._shared = solve(self._moments + SHARED_RIDGE * np.eye(FEATURES), self._products, assume_a="pos")
        due = np.flatnonzero(self._own_count > self._own_solved * (1 + OWN_WEIGHTS_GROWTH))
        self._own_solved[due] = self._own_count[due]
        due = np.array([agent for agent in due.tolist() if agent in self._own_of], np.int64)
        at, ridge = [self._own_of[agent] for agent in due.tolist()], OWN_RIDGE * np.eye(OWN_FEATURES)
        self._own[due] = np.linalg.solve(self._own_moments[at] + ridge, self._own_products[at][:, :, None])[:, :, 0]
        seen = np.flatnonzero(self.count > 0)
        self._offset = self._center @ self._shared
        self._own_offset[seen] = (folded(self._center[seen]) * self._own[self._cells.agent_of[seen]]).sum(axis=1)

    def _solve(self) -> None:
        """Renew usual tasks and effects."""
        self._solved = self._learnt
        seen = np.flatnonzero(self.count > 0)
        category, agent = self._cells.category_of[seen], self._cells.agent_of[seen]
        self._usual = self._total / np.maximum(self._total_count, SMALLEST)[:, None]
        mean = self._mean[seen] + self._usual[category] @ self._shared - self._offset[seen]
        noise = self._noise()[category] / self.count[seen]
        self.effects.renew(category, agent, mean, noise, (len(self._cells.categories), len(self._cells.agents)))

    def _grow(self) -> None:
        """Make room for new cells, agents and categories."""
        cells, agents, categories = len(self._cells), len(self._cells.agents), len(self._cells.categories)
        self.count, self._mean = grown(self.count, cells), grown(self._mean, cells)
        self._center = grown(self._center, cells)
        self._offset, self._own_offset = grown(self._offset, cells), grown(self._own_offset, cells)
        self._own, self._own_count = grown(self._own, agents), grown(self._own_count, agents)
        self._own_solved = grown(self._own_solved, agents)
        self._errors, self._freedom = grown(self._errors, categories), grown(self._freedom, categories)
        self._usual, self._total = grown(self._usual, categories), grown(self._total, categories)
        self._total_count = grown(self._total_count, categories)


def add_at(target: Floats, index: Ints, amount: Floats) -> None:
    """Add to rows of `target`, of which some may be meant several times; numpy's own way is slow for one alone."""
    if len(index) == 1:
        target[index[0]] += amount[0]
    elif len(index):
        np.add.at(target, index, amount)


def rounds(cells: Ints, most: Ints) -> list[Ints]:
    """Positions in `cells`, parted so that no part holds more of a cell than its `most`, sorted by cell in their order."""
    if len(cells) == 1:
        return [np.zeros(1, np.int64)]
    order = np.argsort(cells, kind="stable")
    start = firsts(cells[order])
    turn = (np.arange(len(cells)) - np.repeat(start, np.diff(start, append=len(cells)))) // most[order]
    by_turn = np.argsort(turn, kind="stable")
    return np.split(order[by_turn], np.cumsum(np.bincount(turn))[:-1])
