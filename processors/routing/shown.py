"""What agents have shown of a quantity in one category, before it is known what the task at hand looks like.

Questions about one category share all of this; what a task looks like changes a few sums.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.routing.cells import Ints
from processors.routing.features import Floats, folded


@dataclass(frozen=True)
class Estimate:
    """Mean and its variance for each agent asked about; `noise` is the variance of a single task about it."""

    mean: Floats
    variance: Floats
    noise: float
    observations: Floats

    def of(self, some: Ints) -> "Estimate":
        """Of some of the agents, by their place."""
        return Estimate(self.mean[some], self.variance[some], self.noise, self.observations[some])


@dataclass(frozen=True)
class Influence:
    """What features change in a category: weights that all agents share, and each agent's own; None where they do not help.

    `offset` and `own_offset` are what they come to for the tasks that the agent has had here.
    """

    usual: Floats
    """The features of a usual task of the category."""
    shared: Floats | None
    offset: Floats
    own: Floats | None
    """A row an agent, by its number."""
    rows: Ints
    """Whose row is whose; of an agent without one any."""
    known: NDArray[np.bool_]
    own_offset: Floats


@dataclass(frozen=True)
class Shown:
    """What was seen of agents: `seen` is the mean of `count` observations here, `mean` and `variance` what else is expected."""

    noise: float
    count: Floats
    seen: Floats
    mean: Floats
    variance: Floats
    influence: Influence | None
    """None where nobody has done the category."""

    def expected(self, row: Floats, fading: float = 1.0) -> Estimate:
        """What to expect of the agents for a task that looks like `row`; `fading` is what is left of a weight."""
        seen, mean = self._for(row)
        count = self.count * fading
        # Where little was seen and it surprises, its own noise may be greater than that of others: it is believed the less.
        doubted = self.noise + (seen - mean) ** 2 / (count + 1.0)
        pseudo = doubted / self.variance
        total = count + pseudo
        return Estimate((count * seen + pseudo * mean) / total, doubted / total, self.noise, count)

    def _for(self, row: Floats) -> tuple[Floats, Floats]:
        """What was seen and what else is expected, as if all tasks had looked like `row`."""
        seen, mean, features = self.seen, self.mean, self.influence
        if features is None:
            return seen, mean
        row = np.where(np.isnan(row), features.usual, row)
        if features.shared is not None:
            toward = row @ features.shared
            seen = seen + (toward - features.offset)
            mean = mean + (toward - features.usual @ features.shared)
        if features.own is not None:
            toward_own = (features.own @ folded(row))[features.rows] - features.own_offset
            seen = seen + np.where(features.known, toward_own, 0.0)
        return seen, mean
