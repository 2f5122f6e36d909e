"""Which work costs nothing: tasks without a model call, models on a machine of one's own.

What is free has no place on a scale of logarithms: a few tasks at nearly nothing would make all costs look uncertain, and so
the expected ones of everybody many times as high. So how often work is free is learnt apart from what the rest costs.
"""

from copy import copy

import numpy as np
from numpy.typing import NDArray

from processors.routing.cells import NOWHERE, Cells, Ints, grown
from processors.routing.features import Floats

DRAWN = 0.5
"""Pseudo-observations: an agent's share here is drawn to its share everywhere, and that to the share of all agents."""


class Free:
    """Learns how often each agent's work is free.

    Args:
        cells: agents and categories, shared with the measures.
    """

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._seen, self._free = np.zeros(0), np.zeros(0)
        self._kept: dict[str, Floats] | None = None

    def frozen(self, cells: Cells) -> "Free":
        """A copy that answers as this one does now, on a copy of the cells, and that cannot learn."""
        other = copy(self)
        other._cells, other._kept = cells, {}
        other._seen, other._free = self._seen.copy(), self._free.copy()
        return other

    def learn(self, cells: Ints, free: NDArray[np.bool_], weights: Floats) -> None:
        """Learn from tasks: the cell of each, whether it was free, and how much it counts."""
        self._seen, self._free = grown(self._seen, len(self._cells)), grown(self._free, len(self._cells))
        np.add.at(self._seen, cells, weights)
        np.add.at(self._free, cells[free], weights[free])

    def share(self, category: str) -> Floats | None:
        """How much of each agent's work in `category` is free, by number, and in the last place of one that was never seen.

        None where nothing ever was free.
        """
        if not self._free.any():
            return None
        found = self._kept.get(category) if self._kept is not None else None
        if found is None:
            found = self._share(category)
            if self._kept is not None and category in self._cells.categories:
                self._kept[category] = found
        return found

    def _share(self, category: str) -> Floats:
        size, cells = len(self._cells.agents) + 1, min(len(self._cells), len(self._seen))
        agent, seen, free = self._cells.agent_of[:cells], self._seen[:cells], self._free[:cells]
        everywhere = drawn(free.sum(), seen.sum(), 0.0)
        own_free, own_seen = (np.bincount(agent, each, size).astype(np.float64) for each in (free, seen))
        own = drawn(own_free, own_seen, everywhere)
        row = self._cells.row(category, np.arange(size))
        known = (row != NOWHERE) & (row < cells)
        at = np.where(known, row, 0)
        return drawn(np.where(known, free[at], 0.0), np.where(known, seen[at], 0.0), own)


def drawn(free: Floats, seen: Floats, share: Floats | float) -> Floats:
    """The part of `seen` that is free, drawn to `share`."""
    return np.asarray((free + DRAWN * share) / (seen + DRAWN))
