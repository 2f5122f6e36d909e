"""Notices that an agent is suddenly better or worse in a category than it was.

The last observations of each cell are parted at every place, and the likelihood of two levels is compared with that of one
(the generalised likelihood ratio with Bernoulli divergence, which holds for everything in [0, 1]: Besson and Kaufmann, The
Generalized Likelihood Ratio Test meets klUCB, 2019). After a change what was before is let go. What was seen of an agent that
fell is then forgotten with every further task of its category, so that it is tried again and a repaired one comes back.
"""

import numpy as np

from processors.routing.cells import Ints, firsts, grown
from processors.routing.features import Floats

LOOKED_AT = 50
"""Newest observations of a cell among which a change is looked for."""
LEAST = 8
"""Observations on the later side of a change."""
FORGETTING = 200.0
"""Tasks of the category after which 1/e is left of what was seen of an agent that fell."""
TRUSTED = 100.0
"""Observations after its fall after which an agent counts like every other again."""
NEARLY = 1e-3


class Changes:
    """Watches the cells of a measure.

    Args:
        threshold: log-likelihood by which two levels must be likelier than one; at 10 there is a false alarm in tens of
            thousands of observations.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._newest = np.full((0, LOOKED_AT), np.nan)
        self._fallen = np.zeros(0)
        """Weight of what a fallen cell may still gather before it is trusted again; 0 where it has not fallen."""

    def watch(self, cells: Ints, category_of: Ints, levels: Floats, count: Floats, mean: Floats) -> None:
        """Take in observations; where there is a change in a cell, set its `count` and `mean` to what came after it.

        Args:
            cells: of each observation, sorted, and in their order within a cell.
            category_of: the category of every cell.
            levels: what was seen, as if of a usual task.
            count: of every cell, these observations included.
            mean: of every cell.
        """
        self._newest, self._fallen = grown(self._newest, len(count), np.nan), grown(self._fallen, len(count))
        first = firsts(cells)
        sizes = np.diff(first, append=len(cells))
        self._forget(cells, category_of, count)
        cells = cells[first]
        self._newest[cells] = followed(self._newest[cells], np.clip(levels, 0.0, 1.0), first + sizes - 1, sizes)
        self._fallen[cells] = np.maximum(self._fallen[cells] - sizes, 0)
        gain, size, level = best_split(self._newest[cells], count[cells], mean[cells])
        changed = gain > self._threshold
        if changed.any():
            cells, size, level = cells[changed], size[changed], level[changed]
            self._fallen[cells] = np.where(level < mean[cells], TRUSTED, 0.0)
            count[cells], mean[cells] = size, level
            self._newest[cells] = np.where(np.arange(LOOKED_AT) < size[:, None], self._newest[cells], np.nan)

    def _forget(self, cells: Ints, category_of: Ints, count: Floats) -> None:
        """Let what was seen of fallen cells fade with each task of their category."""
        fallen = np.flatnonzero(self._fallen > 0)
        if len(fallen):
            tasks = np.bincount(category_of[cells], minlength=category_of.max() + 1)
            count[fallen] *= np.exp(-tasks[category_of[fallen]] / FORGETTING)


def followed(newest: Floats, levels: Floats, last: Ints, sizes: Ints) -> Floats:
    """Rows of `newest` after so many further observations of each.

    Args:
        newest: a row a cell, the newest first.
        levels: what was seen, all of a cell in their order.
        last: where that ends for each row.
        sizes: how many there are for each row.
    """
    place, sizes = np.arange(newest.shape[1]), sizes[:, None]
    before = np.take_along_axis(newest, np.maximum(place - sizes, 0), axis=1)
    return np.where(place < sizes, levels[np.maximum(last[:, None] - place, 0)], before)


def best_split(newest: Floats, count: Floats, mean: Floats) -> tuple[Floats, Floats, Floats]:
    """Where two levels are likelier than one by most: by how much, how many observations came after, and their mean.

    Args:
        newest: a row a cell, the newest first, NaN where there is none.
        count: observations of the cell, also those that `newest` does not show.
        mean: of all of them.
    """
    later = np.arange(1, LOOKED_AT + 1)
    total = np.cumsum(newest, axis=1)
    before = count[:, None] - later
    possible = ~np.isnan(total) & (later >= LEAST) & (before >= LEAST)
    with np.errstate(invalid="ignore", divide="ignore"):
        after_level = total / later
        before_level = (count[:, None] * mean[:, None] - total) / before
        gain = later * divergence(after_level, mean[:, None]) + before * divergence(before_level, mean[:, None])
    gain = np.where(possible, gain, 0.0)
    best = gain.argmax(axis=1)
    row = np.arange(len(newest))
    return gain[row, best], later[best].astype(np.float64), after_level[row, best]


def divergence(observed: Floats, supposed: Floats) -> Floats:
    """Kullback and Leibler's divergence between two coins."""
    p, q = np.clip(observed, NEARLY, 1 - NEARLY), np.clip(supposed, NEARLY, 1 - NEARLY)
    return p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
