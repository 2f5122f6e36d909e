"""Recent work weighs more: an agent that got better, or worse, should not wait a year to be seen so."""

from collections.abc import Sequence

import polars as pl

from processors.scoring.settings import ScoringSettings


def blend(
    parts: pl.DataFrame, keys: Sequence[str], count: str, sums: Sequence[str], settings: ScoringSettings | None
) -> pl.DataFrame:
    """Join the recent and the older part of each group into observations and means.

    The recent part gets its own share of the observations, but at least `recent_share` · n_r / (n_r + `recent_half`). Weights
    cost certainty: `n` is the number of equally weighted observations that would be as certain (Kish, Survey Sampling, 1965:
    1 / Σ w²/n).

    Args:
        parts: `keys`, `recent` (a boolean), `count` and `sums`; any number of rows a group.
        keys: what a group is of.
        count: the column that counts observations.
        sums: columns that are sums over these observations.
        settings: how much recent work weighs; None counts every observation alike.

    Returns:
        `keys, n, observations` and the mean of each of `sums`, null where there is no observation; sorted.
    """
    ages = {"new": pl.col("recent"), "old": ~pl.col("recent")}
    halves = {
        f"{name}_{age}": pl.when(is_it).then(name).otherwise(0).cast(pl.Float64)
        for name in (count, *sums)
        for age, is_it in ages.items()
    }
    # Parted first and plain sums then: an expression within a group is worked out group by group.
    whole = parts.select(*keys, **halves).group_by(keys, maintain_order=True).agg(pl.col(*halves).sum())
    new, old = pl.col(f"{count}_new"), pl.col(f"{count}_old")
    own = new / (new + old)
    share = pl.max_horizontal(own, settings.recent_share * new / (new + settings.recent_half)) if settings else own
    means = [mean(name, count) for name in sums]
    return (
        whole.with_columns(share.fill_nan(0).alias("share"))
        .select(*keys, effective(count).alias("n"), (new + old).cast(pl.UInt64).alias("observations"), *means)
        .sort(keys)
    )


def mean(name: str, count: str) -> pl.Expr:
    """The mean of both parts by their share; null without any observation."""
    new = pl.when(pl.col(f"{count}_new") > 0).then(pl.col("share") * pl.col(f"{name}_new") / pl.col(f"{count}_new")).otherwise(0)
    old = pl.when(pl.col(f"{count}_old") > 0).then((1 - pl.col("share")) * pl.col(f"{name}_old") / pl.col(f"{count}_old"))
    seen = pl.col(f"{count}_new") + pl.col(f"{count}_old") > 0
    return pl.when(seen).then(new + old.fill_null(0)).alias(name)


def effective(count: str) -> pl.Expr:
    """How many equally weighted observations are as certain."""
    new = pl.when(pl.col(f"{count}_new") > 0).then(pl.col("share") ** 2 / pl.col(f"{count}_new")).otherwise(0)
    old = pl.when(pl.col(f"{count}_old") > 0).then((1 - pl.col("share")) ** 2 / pl.col(f"{count}_old")).otherwise(0)
    return pl.when(new + old > 0).then(1 / (new + old)).otherwise(0.0)
