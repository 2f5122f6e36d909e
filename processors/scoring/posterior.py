"""How far off a mean may be: its 90 % interval, from what the other agents of the category show.

Agents differ with a variance τ² that is itself uncertain, above all where few agents are compared. So τ is not estimated but
averaged over: for each value of a grid it is worked out what the agent's true mean would be (normal theory), and how well the
value fits all agents of the category (the restricted likelihood, flat in τ: Gelman et al., Bayesian Data Analysis, 3rd ed.,
2013, 5.4). The variance of the mixture holds three doubts: about the agent, about the mean of the category, about τ.

The cap on κ that `shrinkage` has is for the score, lest a large crowd of equals hides who is good. An interval must not have it:
where agents are alike, a capped κ leaves intervals too wide.
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from processors.scoring.shrinkage import WORK

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

STEPS = 30
"""Values of τ that are tried, twice."""


def with_posterior(groups: pl.DataFrame, widest: float | None) -> pl.DataFrame:
    """Add `believed` and `doubt`, mean and variance of each agent's true mean in its category.

    Where nobody of a category was seen, an agent is believed to be as the others are elsewhere, give or take the whole scale:
    that they are as good at this too is a guess.

    Args:
        groups: columns WORK, `n, mean, others` (what the others show), `common` (the variance of one observation, the same
            for a category: were it the agent's own, those that happen to look even would weigh more, and the center lean to the
            ends of the scale), sorted by WORK; n = 0 says nothing.
        widest: the largest τ there can be; None: as far as the means lie apart.
    """
    if groups.is_empty():
        return groups.with_columns(believed=pl.lit(None, dtype=pl.Float64), doubt=pl.lit(None, dtype=pl.Float64))
    mean, n = (groups[name].fill_null(0).to_numpy().astype(float) for name in ("mean", "n"))
    error = groups["common"].fill_null(0).to_numpy().astype(float) / np.maximum(n, 1e-9)
    starts = groups.select(pl.struct(WORK).rle_id()).to_series().to_numpy()
    believed, doubt = mixture(mean, np.maximum(error, 1e-12), n > 0, starts, widest)
    seen = pl.col("n").max().over(WORK) > 0
    return groups.with_columns(
        believed=pl.when(seen).then(pl.Series(believed)).otherwise("others"),
        doubt=pl.when(seen).then(pl.Series(doubt)).otherwise(pl.lit(widest, dtype=pl.Float64) ** 2 / 3),  # of a uniform one
    )


def mixture(
    mean: Floats, error: Floats, seen: Flags, category: NDArray[np.integer[Any]], widest: float | None
) -> tuple[Floats, Floats]:
    """Mean and variance of what is believed, over all τ.

    Args:
        mean: of each agent.
        error: variance of the mean.
        seen: whether there is any observation.
        category: the number of its category, growing.
        widest: the largest τ.
    """
    first = np.flatnonzero(np.r_[True, np.diff(category) > 0])
    of = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(category)]))
    reach = np.full(len(first), widest) if widest is not None else reach_of(mean, seen, first)
    low, high = np.zeros(len(first)), np.sqrt(np.maximum(reach, 1e-6))
    for _ in range(2):  # the second time closely, where the first has found what fits
        edges = low[:, None] + (high - low)[:, None] * (np.arange(STEPS) + 0.5) / STEPS
        fit = Fit(mean[:, None], error[:, None], seen[:, None], of, first, edges**4)
        share = fit.share(edges)
        low, high = around(edges, share, (high - low) / STEPS)
    return fit.believed(share[of])


def reach_of(mean: Floats, seen: Flags, first: NDArray[np.intp]) -> Floats:
    """How far the means of each category lie apart."""
    most = np.maximum.reduceat(np.where(seen, mean, -np.inf), first)
    least = np.minimum.reduceat(np.where(seen, mean, np.inf), first)
    return np.where(most > least, most - least, 0.0)


def around(edges: Floats, share: Floats, step: Floats) -> tuple[Floats, Floats]:
    """Between which values all but a trifle of the likelihood lies."""
    fits = share > 1e-4 * share.max(axis=1, keepdims=True)
    low = np.where(fits, edges, np.inf).min(axis=1) - step
    return np.maximum(low, 0), np.where(fits, edges, -np.inf).max(axis=1) + step


class Fit:
    """What the means of agents say for each value of τ², and what it says of them."""

    def __init__(
        self, mean: Floats, error: Floats, seen: Flags, of: NDArray[np.intp], first: NDArray[np.intp], tau2: Floats
    ) -> None:
        self.mean, self.error, self.seen, self.of, self.first, self.tau2 = mean, error, seen, of, first, tau2[of]
        self.total = error + self.tau2
        weight = np.where(seen, 1 / self.total, 0)
        self.precision = np.maximum(np.add.reduceat(weight, first), 1e-12)
        self.center = np.add.reduceat(weight * mean, first) / self.precision

    def share(self, edges: Floats) -> Floats:
        """How likely each τ is, adding up to 1 over the values of a category; flat in τ, of which the edges are the root."""
        misfit = np.log(self.total) + (self.mean - self.center[self.of]) ** 2 / self.total
        sums = np.add.reduceat(np.where(self.seen, misfit, 0), self.first)
        likely = -0.5 * (sums + np.log(self.precision)) + np.log(edges)
        share = np.exp(likely - likely.max(axis=1, keepdims=True))
        whole: Floats = share / share.sum(axis=1, keepdims=True)
        return whole

    def believed(self, share: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the true mean of each agent, over all τ by their `share`."""
        drawn = np.where(self.seen, self.error / self.total, 1)  # how far the mean is drawn to the center
        each = drawn * self.center[self.of] + (1 - drawn) * self.mean
        variance = drawn * self.tau2 + drawn**2 / self.precision[self.of]
        believed: Floats = (share * each).sum(axis=1)
        return believed, np.maximum((share * (variance + each**2)).sum(axis=1) - believed**2, 0)
