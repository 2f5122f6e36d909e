"""Means with errors that hold for what comes in clusters.

Failures come together: a provider stumbles for ten minutes. So observations of one hour are not taken for independent; the error
of a mean is worked out from how much whole hours differ (the cluster-robust variance of a ratio: Cochran, Sampling Techniques,
3rd ed., 1977, 6.5), and is never less than if all were independent.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtr

Floats = NDArray[np.float64]

LEAST_HOURS = 8
"""In fewer hours nobody knows how much they differ."""
FLOOR = 0.05
"""No measure is taken to be more even than this, as its deviation over its mean (of scores: over 1)."""


def with_mean(frame: pl.DataFrame, name: str, *, is_rate: bool = False, relative: bool = False) -> pl.DataFrame:
    """Add `{name}` and `{name}_variance`, of the mean of a measure.

    Args:
        frame: `hours`, and of the measure `{name}_n`, `{name}_sum`, and over hours the sums of squares and products `{name}_nn`
            (of the hour's n), `{name}_xx` (of the hour's sum) and `{name}_nx`.
        name: the measure.
        is_rate: whether observations are 0 or 1: then the error is never less than the binomial one.
        relative: whether the least error is a part of the mean, and not of 1.
    """
    n, hours = pl.col(f"{name}_n").cast(pl.Float64), pl.col("hours").cast(pl.Float64)
    mean = pl.when(n > 0).then(pl.col(f"{name}_sum") / n)
    between = pl.col(f"{name}_xx") - 2 * mean * pl.col(f"{name}_nx") + mean**2 * pl.col(f"{name}_nn")
    clustered = pl.when(hours > 1).then(between.clip(0) / n**2 * hours / (hours - 1))
    drawn = (pl.col(f"{name}_sum") + 1) / (n + 2)
    alone = drawn * (1 - drawn) / n if is_rate else (FLOOR * (mean if relative else 1.0)) ** 2 / n
    return frame.with_columns(mean.alias(name), pl.max_horizontal(clustered, alone).alias(f"{name}_variance"))


def chance_above(value: pl.Series, variance: pl.Series, hours: pl.Series) -> pl.Series:
    """The probability that a mean whose estimate this is lies above 0, by Student's t with as many degrees as hours less 1."""
    degrees = np.maximum(hours.to_numpy().astype(float) - 1, 1)
    error = np.sqrt(np.maximum(variance.to_numpy().astype(float), 1e-300))
    chance: Floats = stdtr(degrees, value.to_numpy().astype(float) / error)
    return pl.Series(np.nan_to_num(chance), dtype=pl.Float64)
