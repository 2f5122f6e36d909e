"""What to expect of an agent in a category where little is known of it: the average, the category's part, the agent's part.

A mixed model of two crossed random effects and their interaction (Searle, Casella and McCulloch, Variance Components, 1992):
value = average + category + agent + agent in category + noise. The effects are solved by turns, the variances renewed by one
step of expectation and maximisation each time, drawn to a prior, for a few agents tell little of how much agents differ.
"""

from dataclasses import dataclass

import numpy as np

from processors.routing.cells import Ints
from processors.routing.features import Floats

TURNS = 4
"""Rounds of solving by turns; more change the third digit at most."""
DRAWN = 8.0
"""Pseudo-effects behind the prior of each variance."""


@dataclass(frozen=True)
class Spread:
    """Variances: among agents, among categories, of an agent between categories."""

    agent: float
    category: float
    cell: float


@dataclass(frozen=True)
class Prior:
    """What is believed of a quantity before anything has been observed."""

    average: float
    doubt: float
    """The variance of the average: how far it may be off."""
    noise: float
    """Variance between tasks of one agent in one category."""
    spread: Spread


class Effects:
    """The solved effects.

    Args:
        prior: what to believe at first, and what the first observations are held against: one that is extreme must not become
            what is expected of everybody.
    """

    def __init__(self, prior: Prior) -> None:
        self._prior = prior
        self.average, self.spread = prior.average, prior.spread
        self.category, self.agent = np.zeros(0), np.zeros(0)
        self.agent_variance = np.zeros(0)
        """What is not known of each agent's part."""

    def renew(self, cell_category: Ints, cell_agent: Ints, mean: Floats, noise: Floats, sizes: tuple[int, int]) -> None:
        """Solve anew.

        Args:
            cell_category: the category of each cell that has been observed.
            cell_agent: its agent.
            mean: its mean.
            noise: the variance of that mean.
            sizes: how many categories and agents there are.
        """
        spread, prior, (categories, agents) = self.spread, self._prior, sizes
        weight = 1.0 / (noise + spread.cell)
        by_category: Floats = np.bincount(cell_category, weight, categories).astype(np.float64) + 1.0 / spread.category
        by_agent: Floats = np.bincount(cell_agent, weight, agents).astype(np.float64) + 1.0 / spread.agent
        category: Floats = np.zeros(categories)
        agent: Floats = np.zeros(agents)
        category[: len(self.category)], agent[: len(self.agent)] = self.category, self.agent
        for _ in range(TURNS):
            rest = mean - category[cell_category] - agent[cell_agent]
            self.average = float((weight @ rest + prior.average / prior.doubt) / (weight.sum() + 1.0 / prior.doubt))
            category = share_of(cell_category, weight * (mean - self.average - agent[cell_agent]), by_category)
            agent = share_of(cell_agent, weight * (mean - self.average - category[cell_category]), by_agent)
        self.category, self.agent, self.agent_variance = category, agent, 1.0 / by_agent
        own = (mean - self.average - category[cell_category] - agent[cell_agent]) * spread.cell * weight
        self.spread = Spread(
            agent=drawn(prior.spread.agent, agent**2 + self.agent_variance),
            category=drawn(prior.spread.category, category**2 + 1.0 / by_category),
            cell=drawn(prior.spread.cell, own**2 + spread.cell * noise * weight),
        )

    def expected(self, category: int, agents: Ints) -> tuple[Floats, Floats]:
        """Mean and variance of what `agents` show in `category`, before they have been observed there."""
        known = agents < len(self.agent)
        at = np.where(known, agents, 0)
        mean = np.full(len(agents), self.average + (self.category[category] if 0 <= category < len(self.category) else 0.0))
        variance = np.full(len(agents), self.spread.agent)
        if len(self.agent):
            mean += np.where(known, self.agent[at], 0.0)
            variance = np.where(known, self.agent_variance[at], variance)
        return mean, variance + self.spread.cell


def share_of(groups: Ints, rest: Floats, weight: Floats) -> Floats:
    """The part of each group: what is left in it, by its weight."""
    return np.bincount(groups, rest, len(weight)).astype(np.float64) / weight


def drawn(prior: float, squares: Floats) -> float:
    """A variance from `squares`, drawn to its prior."""
    return float((DRAWN * prior + squares.sum()) / (DRAWN + len(squares)))
