"""Shrinkage: what to believe of a mean that few observations stand behind (empirical Bayes).

A mean of n observations is drawn to the mean of the *other* agents in the category, as if it had κ observations more that
show what the others show. κ is how much observations of one agent differ over how much agents differ, σ²/τ², estimated per
category by the method of moments (one-way analysis of variance with unequal n: Searle, Linear Models, 1971, ch. 9; as
credibility: Bühlmann and Straub, 1970).

Neither what an agent is drawn to nor how far depends on the agent itself: both come from the others alone. So its score
never falls because its record gets better.

Where little is known of the others too, two things keep agents from being drawn past each other. The others stand for no more
pseudo-observations than they have observations. And below five agents they are joined by a tenth of an agent of which nothing
is known, which scores the middle of the scale, 0.5: else, of two agents, one that succeeded three times of three would pass
one that succeeded 95 times of 100.
"""

import polars as pl

from processors.scoring.settings import ScoringSettings
from processors.scoring.statistics import KIND

WORK = ("measure", *KIND)
"""Agents are held against each other in each measure of each kind of work, which is called category here and in what builds on
this: its category, and its complexity where that is said."""
ENOUGH_AGENTS = 5
"""Fewer agents are too few to estimate κ from."""
HALF = 10
"""Observations at which an agent counts half in the mean of the others. Not κ, which would hang on the agent that is drawn."""
PSEUDO_SHARE = 0.8
"""From five agents on, where nobody unknown is among the others, they stand for this share of their observations: with the
whole of it, agents of equally few tasks would all score the same."""
GUESSES = 0.5
"""Observations that a guessed variance counts."""
LEAST_PSEUDO = 2
"""Observations at least by which a variance is drawn to the common one, also where nobody is there to draw a mean to."""
UNKNOWN_AGENT = 0.1
"""How much the agent counts of which nothing is known; a well-known one counts nearly 1."""


def with_kappa(groups: pl.DataFrame, settings: ScoringSettings) -> pl.DataFrame:
    """Add `within`, the variance among the observations of one agent of the category, by `freedom` many, and `kappa`.

    κ is by what the others show, `within` by what all do; it is null where nobody was seen more than once.

    Args:
        groups: columns WORK, `told, mean, own` (the variance of the agent's own observations), each agent; `told` is for how
            many observations it counts where others are looked at, 0 says nothing.
        settings: the bounds of κ.
    """
    n, seen = pl.col("told"), pl.col("told") > 0
    mean, own = pl.col("mean").fill_null(0), pl.when(seen).then(pl.col("own")).otherwise(0)
    agents = seen.sum().over(WORK)
    others = {
        "total": others_of(n),
        "agents": others_of(seen.cast(pl.Float64)),
        "sum": others_of(n * mean),
        "squares": others_of(n * mean**2),
        "sizes": others_of(n**2),
        "own": others_of(n * own),
    }
    freedom = others["total"] - others["agents"]
    within = pl.when(freedom > 0).then(others["own"] / freedom)
    between = (others["squares"] - others["sum"] ** 2 / others["total"]) / (others["agents"] - 1)
    typical = (others["total"] - others["sizes"] / others["total"]) / (others["agents"] - 1)
    tau = (between - within) / typical
    least, most = settings.kappa_least, settings.kappa_most
    kappa = pl.when(tau > 1e-12).then(within / tau).otherwise(most).clip(least, most)
    everyone = (n.sum().over(WORK) - agents).clip(lower_bound=0)
    return groups.with_columns(
        everyone.alias("freedom"),
        pl.when(everyone > 0).then((n * own).sum().over(WORK) / everyone).alias("within"),
        pl.when((agents < ENOUGH_AGENTS) | freedom.le(0) | tau.is_null() | tau.is_nan())
        .then(settings.kappa_unknown)
        .otherwise(kappa)
        .alias("kappa"),
    )


def steadied(guess: pl.Expr) -> pl.Expr:
    """`within`, with half an observation more that is as far off as `guess`, a variance, says.

    A few equal amounts show no variance, which does not mean that there is none.
    """
    freedom = pl.col("freedom")
    return (freedom * pl.col("within").fill_null(0) + GUESSES * guess) / (freedom + GUESSES)


def own_or_common() -> pl.Expr:
    """The variance of one observation of an agent: its own, drawn to `common`, the other agents' in its category."""
    n, pseudo = pl.col("n"), pl.col("kappa").clip(lower_bound=LEAST_PSEUDO)
    return (n * pl.col("own") + pseudo * pl.col("common")) / (n + pseudo)


def others_of(amount: pl.Expr) -> pl.Expr:
    """The sum of `amount` over the other agents of the category."""
    return amount.sum().over(WORK) - amount


def with_others(groups: pl.DataFrame, middle: float | None) -> pl.DataFrame:
    """Add `others`, the mean that an agent is drawn to, `score`, how far it is, and `usual`, the mean of the whole category.

    An agent counts by n / (n + 10), n being `told`, as much as its own mean tells of the typical agent. Where no other agent has
    been seen in the category, what the others show elsewhere stands in; where there is none at all, `others` is null, the
    score the agent's own mean: with nobody to be compared with there is nothing to draw it to.

    Args:
        groups: columns WORK, `agent_id, n, told, mean, kappa`; n = 0 says nothing.
        middle: what an agent scores of which nothing is known; None where the scale has no middle.
    """
    weighted = groups.with_columns(weight=pl.col("told") / (pl.col("told") + HALF))
    weight, value = pl.col("weight"), pl.col("weight") * pl.col("mean").fill_null(0)
    near = others_of(weight), others_of(value), others_of((pl.col("n") > 0).cast(pl.Int64))
    everyone = tuple(amount.sum().over(WORK) for amount in (weight, value, (pl.col("n") > 0).cast(pl.Int64)))
    far = anywhere(weight), anywhere(value), anywhere((pl.col("n") > 0).cast(pl.Int64))
    known = weighted.with_columns(
        pl.when(near[2] > 0)
        .then(mean_of(near, everyone[2], middle))
        .when(far[2] > 0)
        .then(mean_of(far, far[2] + 1, middle))
        .alias("others"),
        mean_of(everyone, everyone[2], middle).alias("usual"),
    ).drop("weight")
    n, told = pl.col("n"), pl.col("told")
    amount = pl.when(near[2] > 0).then(others_of(told)).otherwise(anywhere(told))
    share = (
        pl.when(pl.when(near[2] > 0).then(everyone[2]).otherwise(far[2] + 1) < ENOUGH_AGENTS).then(1.0).otherwise(PSEUDO_SHARE)
    )
    known = known.with_columns(kappa=pl.min_horizontal("kappa", share * amount))
    kappa = pl.col("kappa")
    drawn = (n * pl.col("mean").fill_null(0) + kappa * pl.col("others")) / (n + kappa)
    return known.with_columns(pl.when(pl.col("others").is_null()).then("mean").otherwise(drawn).alias("score"))


def mean_of(others: tuple[pl.Expr, ...], agents: pl.Expr, middle: float | None) -> pl.Expr:
    """The mean of others, with the unknown agent among them where they are few."""
    weight, value = others[:2]
    if middle is None:
        return value / weight
    unknown = pl.when(agents < ENOUGH_AGENTS).then(UNKNOWN_AGENT).otherwise(0.0)
    return (value + unknown * middle) / (weight + unknown)


def anywhere(amount: pl.Expr) -> pl.Expr:
    """The sum of `amount` over the other agents in all categories."""
    return amount.sum().over("measure") - amount.sum().over("measure", "agent_id")
