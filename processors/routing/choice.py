"""From utilities and how sure they are to the probability of each candidate, and from that to the choice.

The probabilities come first and the choice is drawn from them, so that the propensity which is stored is exact and other
policies can be judged on past decisions. Thompson sampling's probability of a candidate is that it is the best if every
utility is drawn from its normal posterior; it is integrated instead of sampled, so that all replicas say the same.
"""

import numpy as np
from scipy.special import ndtr

from processors.routing.features import Floats
from processors.routing.settings import Strategy

POINTS = 64
"""Of the integral."""
FAR = 4.0
"""Standard deviations beyond which a normal distribution is taken to end."""
TINY = 1e-300


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
    points = low + step * np.arange(POINTS)
    able = np.flatnonzero(mean + FAR * deviation >= low)
    spread = np.maximum(deviation[able], step)
    away = (points[:, None] - mean[able]) / spread
    below = np.maximum(ndtr(away), TINY)
    all_below = np.exp(np.log(below).sum(axis=1))
    mass = ((np.exp(-0.5 * away**2) / spread / below) * all_below[:, None]).sum(axis=0)
    out = np.zeros(len(mean))
    out[able] = mass / mass.sum()
    return out


def draw(probability: Floats, number: float) -> int:
    """Which candidate `number`, even in [0, 1), falls on."""
    return int(min(np.searchsorted(np.cumsum(probability), number * probability.sum(), side="right"), len(probability) - 1))
