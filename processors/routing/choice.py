"""From utilities and how sure they are to the probability of each candidate, and from that to the choice.

The probabilities come first and the choice is drawn from them, so that the propensity which is stored is exact and other
policies can be judged on past decisions. Thompson sampling's probability of a candidate is that it is the best if every
utility is drawn from its normal posterior; it is integrated instead of sampled, so that all replicas say the same.
"""

import numpy as np
from numpy.typing import NDArray

from processors.routing.features import Floats
from processors.routing.settings import Strategy

POINTS = 64
"""Of the integral, at most."""
FAR = 4.0
"""Standard deviations beyond which a normal distribution is taken to end."""
TINY = np.float32(1e-37)
PORTION = 512
"""Candidates that are integrated together: what is worked out on the way stays in the cache of a processor."""
ENOUGH = 20
"""So many candidates are not all below their means at once: 1 in a million."""
HASTINGS = (np.array([0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429]) / np.sqrt(2 * np.pi)).astype(np.float32)
Singles = NDArray[np.float32]


def probabilities(strategy: Strategy, mean: Floats, deviation: Floats, exploration: float, floor: float) -> Floats:
    """The probability of each candidate; they sum to 1.

    Args:
        strategy: how to explore.
        mean: the utility expected of each; at least one.
        deviation: its standard deviation.
        exploration: scales the deviation: below 1 explores less than it should if nothing else were known, see docs/routing.md.
        floor: the part of all choices that is spread evenly; `epsilon` has ten times as much, `greedy` none.
    """
    even = np.full(len(mean), 1.0 / len(mean))
    if strategy == "thompson":
        return (1 - floor) * best_of_normals(mean, exploration * deviation) + floor * even
    if strategy == "ucb":
        return (1 - floor) * highest(mean + UCB_WIDTH * exploration * deviation) + floor * even
    if strategy == "epsilon":
        share = min(1.0, 10 * floor)
        return (1 - share) * highest(mean) + share * even
    return highest(mean)


UCB_WIDTH = 2.5
"""Deviations above the mean at which `ucb` looks, before exploration scales them."""


def highest(values: Floats) -> Floats:
    """All on the highest value, shared where several are as high."""
    best = values >= values.max() - 1e-12
    return np.asarray(best / best.sum())


def best_of_normals(mean: Floats, deviation: Floats) -> Floats:
    """The probability of each of several independent normal variables that it is the highest."""
    low, high = (mean - FAR * deviation).max(), (mean + FAR * deviation).max()
    if high - low < 1e-9:
        return highest(mean)
    step = (high - low) / (POINTS - 1)
    if len(mean) > ENOUGH:
        low = max(low, np.partition(mean, -ENOUGH)[-ENOUGH])
    able, count = np.flatnonzero(mean + FAR * deviation >= low), min(int(np.ceil((high - low) / step)) + 1, POINTS)
    spread = np.maximum(deviation[able], step)
    points, above, narrow = (each.astype(np.float32) for each in (step * np.arange(count), mean[able] - low, 1.0 / spread))
    ratio, all_below = np.empty((len(able), count), np.float32), np.zeros(count)
    for start in range(0, len(able), PORTION):
        some = slice(start, start + PORTION)
        ratio[some], below = against((points - above[some, None]) * narrow[some, None])
        all_below += below.sum(axis=0, dtype=np.float64)
    mass = ratio @ np.exp(all_below).astype(np.float32) / spread
    out = np.zeros(len(mean))
    out[able] = mass / mass.sum()
    return out


def against(away: Singles) -> tuple[Singles, Singles]:
    """Of a standard normal variable at `away`: its density over the chance to be below, and the logarithm of that chance.

    The density lacks a factor that all have. The chance is Hastings' approximation (Abramowitz and Stegun, Handbook of
    Mathematical Functions, 26.2.17), within 1e-7: scipy's goes number by number, and there are 32,000 in a question.
    """
    density = np.exp(np.float32(-0.5) * away * away)
    t = np.float32(1) / (np.float32(1) + np.float32(0.2316419) * np.abs(away))
    below = t * HASTINGS[-1]
    for factor in HASTINGS[-2::-1]:
        below += factor
        below *= t
    below *= density
    np.copyto(below, np.float32(1) - below, where=away > 0)
    np.maximum(below, TINY, out=below)
    density /= below
    return density, np.log(below, out=below)


def draw(probability: Floats, number: float) -> int:
    """Which candidate `number`, even in [0, 1), falls on."""
    return int(min(np.searchsorted(np.cumsum(probability), number * probability.sum(), side="right"), len(probability) - 1))
