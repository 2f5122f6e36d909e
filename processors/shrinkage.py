"""Shrinkage: what to believe of a mean that few observations stand behind (empirical Bayes).

A mean of n observations is drawn to the mean of the *other* agents in the category, as if it had κ observations more that
show what the others show. κ is how much observations of one agent differ over how much agents differ, σ²/τ², estimated per
category by the method of moments (one-way analysis of variance with unequal n: Searle, Linear Models, 1971, ch. 9; as
credibility: Bühlmann and Straub, 1970).
"""

import polars as pl

KAPPA_LEAST, KAPPA_MOST = 2.0, 50.0
KAPPA_UNKNOWN = 10.0
"""κ where too few agents are there to estimate it from."""
ENOUGH_AGENTS = 5


def with_kappa(groups: pl.DataFrame) -> pl.DataFrame:
    """Add `kappa` and `within`, the variance among the observations of one agent, per category.

    Args:
        groups: `category, n, mean, square` (the mean of the squares) of each agent; n = 0 says nothing.
    """
    n, seen = pl.col("n"), pl.col("n") > 0
    total, agents = n.sum().over("category"), seen.sum().over("category")
    center = (n * pl.col("mean")).sum().over("category") / total
    own = pl.when(seen).then((pl.col("square") - pl.col("mean") ** 2).clip(lower_bound=0))
    freedom = total - agents
    within = pl.when(freedom > 0).then((n * own).sum().over("category") / freedom)
    between = (n * (pl.col("mean") - center) ** 2).sum().over("category") / (agents - 1)
    typical = (total - (n**2).sum().over("category") / total) / (agents - 1)
    tau = (between - pl.col("within")) / typical
    kappa = pl.when(tau > 0).then(pl.col("within") / tau).otherwise(KAPPA_MOST).clip(KAPPA_LEAST, KAPPA_MOST)
    unknown = (agents < ENOUGH_AGENTS) | pl.col("within").is_null()
    return groups.with_columns(within.alias("within")).with_columns(
        pl.when(unknown).then(KAPPA_UNKNOWN).otherwise(kappa).alias("kappa")
    )


def with_others(groups: pl.DataFrame, *means: str) -> pl.DataFrame:
    """Add `others_x` and `category_x` for each of `means`: what the other agents, and all agents, of the category show.

    An agent counts by n / (n + κ), as much as its own mean tells of the typical agent. Where no other agent has been seen in the
    category, what the others show elsewhere stands in; where there is none at all, the agent's own mean and a κ of 0: with
    nobody to be compared with there is nothing to draw it to.

    Args:
        groups: `agent_id, category, n, kappa` and `means`; n = 0 says nothing.
        *means: columns of `groups`.
    """
    weighted = groups.with_columns(
        (pl.col("n") / (pl.col("n") + pl.col("kappa"))).alias("weight"), (pl.col("n") > 0).cast(pl.Int64).alias("seen")
    )
    near, far = here("seen") > 0, anywhere("seen") > 0
    return weighted.with_columns(
        *(mean_of_category(name) for name in means),
        *(mean_of_others(name, near, far) for name in means),
        pl.when(near | far).then("kappa").otherwise(0.0).alias("kappa"),
    ).drop("weight", "seen")


def mean_of_category(name: str) -> pl.Expr:
    """The mean over all agents of the category; null where nobody was seen."""
    weight = pl.col("weight").sum().over("category")
    total = (pl.col("weight") * pl.col(name)).sum().over("category")
    return pl.when(weight > 0).then(total / weight).alias(f"category_{name}")


def mean_of_others(name: str, near: pl.Expr, far: pl.Expr) -> pl.Expr:
    """The mean over the other agents of the category, else over the others anywhere, else the agent's own."""
    weighted = pl.col("weight") * pl.col(name).fill_null(0)
    return (
        pl.when(near)
        .then(here(weighted) / here("weight"))
        .when(far)
        .then(anywhere(weighted) / anywhere("weight"))
        .otherwise(name)
        .alias(f"others_{name}")
    )


def here(amount: str | pl.Expr) -> pl.Expr:
    """The sum of `amount` over the others in the category."""
    own = pl.col(amount) if isinstance(amount, str) else amount
    return own.sum().over("category") - own


def anywhere(amount: str | pl.Expr) -> pl.Expr:
    """The sum of `amount` over the others in all categories."""
    own = pl.col(amount) if isinstance(amount, str) else amount
    return own.sum() - own.sum().over("agent_id")


def shrunk(mean: str) -> pl.Expr:
    """The mean drawn to what the others show; null where neither is known."""
    weighed = pl.col("n") * pl.col(mean).fill_null(0) + pl.col("kappa") * pl.col(f"others_{mean}")
    return pl.when(pl.col("n") + pl.col("kappa") > 0).then(weighed / (pl.col("n") + pl.col("kappa")))
