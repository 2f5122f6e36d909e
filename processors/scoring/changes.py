"""An agent takes up another model: an event, with how its work went before and after."""

from datetime import timedelta

import polars as pl

from processors.scoring.intervals import beta_interval, ratio_interval
from processors.scoring.shrinkage import GUESSES

AROUND = timedelta(days=30)
"""How far before and after a change is looked, at most; after it only until the next."""
IN_A_ROW = 3
"""A model is taken up by the first of so many tasks in a row that it works in."""
SHARES, AMOUNTS = ("success_rate", "quality"), ("cost_usd", "duration_seconds")


def model_changes(taken_up: pl.DataFrame) -> pl.DataFrame:
    """The changes among the models that an agent has worked with.

    An agent that goes back and forth between models it has had does not change, nor does one whose call falls back to another
    model once in a while. What it began with is no change.

    Args:
        taken_up: each `model` with `since`, the task that took it up, and `models`, all that worked in that task; in order.

    Returns:
        `changed_at, models, new_models, before, after` in order: between `before` and `changed_at` lies the work before, from
        there to `after` that after.
    """
    changes = taken_up.group_by("since", maintain_order=True).agg(pl.col("models").first(), new_models="model").slice(1)
    since = pl.col("since")
    return changes.select(
        changed_at="since",
        models="models",
        new_models="new_models",
        before=since - AROUND,
        after=pl.min_horizontal(since + AROUND, since.shift(-1)),
    )


def measured(around: pl.DataFrame) -> pl.DataFrame:
    """Means with their 90 % intervals.

    Args:
        around: `change, is_after`, and of each measure `<name>_n`, `<name>_sum`, `<name>_squares`.

    Returns:
        `change, is_after, tasks`, and a struct `value, low, high, observations` for each of `success_rate, quality, cost_usd,
        duration_seconds`; its values are null without observations. Nothing is shrunk: an agent is held against itself.
    """
    shares = [share_of(around, name) for name in SHARES]
    amounts = [amount_of(around, name) for name in AMOUNTS]
    return around.select("change", "is_after", pl.col("success_rate_n").alias("tasks"), *shares, *amounts)


def share_of(around: pl.DataFrame, name: str) -> pl.Series:
    """A mean of values in [0, 1]: the beta distribution with its mean and variance, with half an observation of either end."""
    n = pl.col(f"{name}_n").cast(pl.Float64)
    mean = pl.col(f"{name}_sum") / n
    center = (pl.col(f"{name}_sum") + 0.5) / (n + 1)
    own = (pl.col(f"{name}_squares") / n - mean**2).clip(lower_bound=0).fill_nan(0)
    spread = (n * own + center * (1 - center)) / (n + 1)
    known = around.select(value=mean, center=center, variance=spread / (n + 2), n=n)
    low, high = beta_interval(known["center"], known["variance"])
    return ends(known.with_columns(low=low, high=high), name)


def amount_of(around: pl.DataFrame, name: str) -> pl.Series:
    """A mean of amounts that are never negative: log-normal. A single one shows no variance: it may be off by all it is."""
    n = pl.col(f"{name}_n").cast(pl.Float64)
    mean = pl.col(f"{name}_sum") / n
    squares = (pl.col(f"{name}_squares") - n * mean**2).clip(lower_bound=0)
    variance = (squares + GUESSES * mean**2) / (n - 1 + GUESSES) / n
    known = around.select(value=mean, variance=variance, n=n)
    low, high = ratio_interval(pl.col("value"), pl.col("variance"))
    return ends(known.with_columns(low=low, high=high), name)


def ends(known: pl.DataFrame, name: str) -> pl.Series:
    """One struct a row, null where nothing was observed."""
    seen = pl.col("n") > 0
    values = [
        pl.when(seen).then("value").alias("value"),
        pl.when(seen).then(pl.min_horizontal("value", "low")).alias("low"),
        pl.when(seen).then(pl.max_horizontal("value", "high")).alias("high"),
        pl.col("n").cast(pl.Int64).alias("observations"),
    ]
    return known.select(pl.struct(values).alias(name)).to_series()
