"""What agents have shown of a quantity in one category, before it is known what the task at hand looks like.

Questions about one category share all of this; what a task looks like changes a few sums.
"""

from dataclasses import dataclass, field

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

    _usual: dict[float, Estimate] = field(default_factory=dict, repr=False)

    def expected(self, row: Floats, fading: float = 1.0) -> Estimate:
        """What to expect of the agents for a task that looks like `row`; `fading` is what is left of a weight."""
        features = self.influence
        if features is None:
            return self._of_usual(fading)
        away = row - features.usual
        away[np.isnan(away)] = 0.0
        toward = 0.0 if features.shared is None else float(away @ features.shared)
        if features.own is None:  # all agents alike are expected to do as much better or worse
            usual = self._of_usual(fading)
            return Estimate(usual.mean + toward, usual.variance, usual.noise, usual.observations)
        toward_own = (features.own @ folded(features.usual + away))[features.rows] - features.own_offset
        seen, mean = self._with_usual()
        return self._weighed(seen + toward + np.where(features.known, toward_own, 0.0), mean + toward, fading)

    def _of_usual(self, fading: float) -> Estimate:
        """What to expect for a usual task of the category, where no agent's own weights count; worked out once."""
        if fading not in self._usual:
            self._usual[fading] = self._weighed(*self._with_usual(), fading)
        return self._usual[fading]

    def _with_usual(self) -> tuple[Floats, Floats]:
        """What was seen and what else is expected, as if all tasks had looked like the usual one."""
        features = self.influence
        if features is None or features.shared is None:
            return self.seen, self.mean
        return self.seen + (features.usual @ features.shared - features.offset), self.mean

    def _weighed(self, seen: Floats, mean: Floats, fading: float) -> Estimate:
        """What was seen and what else is expected, each by how sure it is."""
        count = self.count * fading
        # Where little was seen and it surprises, its own noise may be greater than that of others: it is believed the less.
        doubted = self.noise + (seen - mean) ** 2 / (count + 1.0)
        pseudo = doubted / self.variance
        total = count + pseudo
        return Estimate((count * seen + pseudo * mean) / total, doubted / total, self.noise, count)
