"""90 % intervals: how far off a score may be."""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import betaincinv

LOW, HIGH = 0.05, 0.95
DEVIATIONS = 1.6448536269514722
"""Standard deviations to either side that hold 90 % of a normal distribution."""

LEAST_STRENGTH = 0.5
"""As how many observations the vaguest beta distribution is sure; no variance that is larger has one."""

Floats = NDArray[np.float64]


def beta_interval(center: pl.Series, variance: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The 5 % and 95 % quantiles of the beta distribution with this mean, in (0, 1), and this variance.

    For a rate it is its beta posterior, whose mean and variance say all of it.
    """
    mean, spread = center.to_numpy().astype(float), variance.to_numpy().astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        strength = np.maximum(mean * (1 - mean) / spread - 1, LEAST_STRENGTH)
    return quantile(mean, strength, LOW), quantile(mean, strength, HIGH)


def quantile(mean: Floats, strength: Floats, share: float) -> pl.Series:
    """The quantile `share` of beta distributions; null where the mean is."""
    return pl.Series(betaincinv(mean * strength, (1 - mean) * strength, share), dtype=pl.Float64).fill_nan(None)


def ratio_interval(center: pl.Expr, variance: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The interval of something that is never negative, taken as log-normal: by a factor, not by a distance."""
    factor = (DEVIATIONS * variance.sqrt() / center).exp()
    return (
        pl.when(center > 0).then(center / factor).otherwise(center),
        pl.when(center > 0).then(center * factor).otherwise(center),
    )
