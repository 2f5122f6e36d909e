"""What a choice is worth: quality, cost and speed in one number, by the weights of a profile.

Quality is the chance of success times the quality of what succeeds, in [0, 1]. Cost counts in proportion to money (a bounded
score of thrift would tell cheap from very cheap and not dear from very dear): as a share of what the dearest agent of the
category costs, or of ten times the usual if that is less, lest one absurd price make all others look free. Duration likewise.
Those who never did the category do not count, however dear they are elsewhere.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from processors.routing.features import Floats
from processors.routing.settings import Weights
from processors.routing.shown import Estimate

NOTHING = 1e-300
"""Has a logarithm."""
MOST = 10.0
"""The dearest counts at most as so many times the usual."""


def worth(success: Estimate | None, quality: Estimate | None) -> tuple[Floats, Floats]:
    """Mean and variance of chance of success times quality; what has never been observed of anybody counts as 1."""
    parts = [(np.clip(each.mean, 0.0, 1.0), each.variance) for each in (success, quality) if each is not None]
    if len(parts) == 1:
        return parts[0]
    (s, s_variance), (q, q_variance) = parts
    return s * q, q**2 * s_variance + s**2 * q_variance


def scored(weights: Weights, worth: Floats, cost_share: Floats, duration_share: Floats, penalty: Floats) -> Floats:
    """The utility of each under a profile, `penalty` taken off."""
    return weights.quality * worth - weights.cost * cost_share - weights.speed * duration_share - penalty


def share(typical: Floats, done: NDArray[np.bool_]) -> Floats:
    """What each typically costs, or how long it takes, as a share of the dearest of those who have `done` the category."""
    usual = typical[done]
    dearest = max(min(usual.max(), MOST * middle(usual)), 1e-12)
    return np.asarray(np.minimum(typical / dearest, MOST))


def middle(values: Floats) -> float:
    """The median; numpy's own looks for what cannot be here, and takes longer over that than over finding it."""
    half = len(values) // 2
    parted = np.partition(values, (half - 1, half)) if len(values) > 1 else values
    return float(parted[half] if len(values) % 2 else (parted[half - 1] + parted[half]) / 2)


def typical(estimate: Estimate) -> Floats:
    """The mean of a log-normal quantity."""
    return np.asarray(np.exp(np.minimum(estimate.mean + estimate.noise / 2, 50.0)))


def chance_within(estimate: Estimate, limit: float) -> Floats:
    """The chance of each that a task stays within `limit`, a cost or a duration."""
    away = (np.log(max(limit, NOTHING)) - estimate.mean) / np.sqrt(estimate.noise + estimate.variance)
    return np.asarray(ndtr(away))
