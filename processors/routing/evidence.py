"""All that is known of one kind of candidates: four measures on the same cells, and what is free."""

from collections.abc import Mapping
from copy import copy, deepcopy

import numpy as np
import polars as pl
from numpy.typing import NDArray

from processors.frames import STRING, Columns
from processors.routing.cells import NOWHERE, Cells, Ints
from processors.routing.changes import Changes
from processors.routing.effects import Prior, Spread
from processors.routing.features import Floats, features
from processors.routing.free import Free
from processors.routing.measure import Measure

OBSERVATIONS: Columns = {
    "agent_id": STRING,
    "category": STRING,
    "description": STRING,
    "complexity": pl.UInt8(),
    "success": pl.Float64(),
    "quality": pl.Float64(),
    "cost_usd": pl.Float64(),
    "duration_seconds": pl.Float64(),
}
"""One task as it went, the oldest first. Null is unknown; `quality` is in [0, 1], `success` 0 or 1."""

FREE = 1e-7
"""US dollars up to which something is free."""
SHORTEST = 1e-3
"""Seconds: what took less counts as this, for clocks tell no less, and nothing has no logarithm."""

SHARE = Prior(average=0.5, doubt=0.25**2, noise=0.2, spread=Spread(agent=0.1**2, category=0.25**2, cell=0.2**2))
LOG = Prior(average=0.0, doubt=100.0**2, noise=1.0, spread=Spread(agent=1.0, category=1.0, cell=0.25))
"""Of what is counted in dollars or seconds nothing is believed beforehand."""


class Evidence:
    """What agents (or models, or providers) have shown.

    Args:
        threshold: of the detection of changes.
    """

    def __init__(self, threshold: float) -> None:
        self.cells = Cells()
        self.success = Measure(self.cells, SHARE, Changes(threshold))
        self.quality = Measure(self.cells, SHARE, Changes(threshold))
        self.cost = Measure(self.cells, LOG)
        self.duration = Measure(self.cells, LOG)
        self.free = Free(self.cells)
        self._done: dict[str, NDArray[np.bool_]] | None = None

    def frozen(self) -> "Evidence":
        """A copy that answers as this does now, for those who ask while this one learns on."""
        other = copy(self)
        other.cells, other._done = self.cells.copy(), {}
        for name in MEASURES.values():
            setattr(other, name, getattr(self, name).frozen(other.cells))
        other.free = self.free.frozen(other.cells)
        return other

    def done(self, category: str) -> NDArray[np.bool_]:
        """Who was seen to do `category`, by number; if nobody was, everybody. In the last place one that was never seen."""
        found = self._done.get(category) if self._done is not None else None
        if found is None:
            found = self.cells.row(category, np.arange(len(self.cells.agents) + 1)) != NOWHERE
            found = found if found.any() else np.ones(len(found), np.bool_)
            if self._done is not None and category in self.cells.categories:
                self._done[category] = found
        return found

    def with_more(self, observations: pl.DataFrame, weights: Floats) -> "Evidence":
        """A copy that has learnt from these too, while this one has not: what may yet be replaced is known for a while only."""
        other = copy(self)
        other.cells, other._done = self.cells.copy(), None
        for name in (*MEASURES.values(), "free"):
            setattr(other, name, deepcopy(getattr(self, name), {id(self.cells): other.cells}))
        other.learn(observations, weights)
        return other

    def learn(self, observations: pl.DataFrame, weights: Floats | None = None) -> None:
        """Learn from tasks, columns OBSERVATIONS, in the order in which they ended; `weights` say how much each counts."""
        rows = features(observations["description"].to_list(), observations["complexity"].to_list())
        cells = self.cells.add(observations["agent_id"].to_list(), observations["category"].to_list())
        values = {name: observations[name].to_numpy() for name in MEASURES}
        self.absorb(cells, rows, values, np.ones(len(rows)) if weights is None else weights)

    def absorb(self, cells: Ints, rows: Floats, values: Mapping[str, Floats], weights: Floats) -> None:
        """As `learn`, of tasks whose cells and features are known; `values` by column of MEASURES, NaN where unknown."""
        for name, column in values.items():
            measure: Measure = getattr(self, MEASURES[name])
            seen = column
            if name == "cost_usd":
                priced, free = np.isfinite(column), column <= FREE
                self.free.learn(cells[priced], free[priced], weights[priced])
                seen = np.log(np.where(free, np.nan, column))
            elif name == "duration_seconds":
                seen = np.log(np.maximum(column, SHORTEST))
            known = np.isfinite(seen)
            if known.all():
                measure.learn(cells, rows, seen, weights)
            elif known.any():
                measure.learn(cells[known], rows[known], seen[known], weights[known])


MEASURES = {"success": "success", "quality": "quality", "cost_usd": "cost", "duration_seconds": "duration"}
"""Which column is learnt by which measure; costs and durations as logarithms, costs of what was not free."""
