"""Scores of agents that are means of what their tasks scored, with what to believe of each and how sure that is.

A mean in a category is drawn to that of the other agents there (`shrinkage`), its interval is a posterior (`posterior`). Over
several categories all agents are compared on the same work (direct standardisation: Rothman, Greenland and Lash, Modern
Epidemiology, 2008, ch. 4): so nobody leads by picking easy work, who is better at each is better at all, and nothing that an
agent does well lowers its score.
"""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import polars as pl

from processors.scoring.intervals import DEVIATIONS, beta_interval
from processors.scoring.posterior import with_posterior
from processors.scoring.recency import blend
from processors.scoring.settings import ScoringSettings
from processors.scoring.shrinkage import WORK, own_or_common, steadied, with_kappa, with_others
from processors.scoring.statistics import KIND


class Measure(NamedTuple):
    """A score that is a mean over tasks."""

    counts: str
    """The column that counts observations."""
    total: str
    """Their sum."""
    squares: str
    """The sum of their squares."""
    is_share: bool = True
    """Whether it lies in [0, 1]."""
    is_binary: bool = False
    """Whether each observation is 0 or 1."""


MEASURES = {
    "success_rate": Measure("finished", "succeeded", "succeeded", is_binary=True),
    "quality": Measure("quality_n", "quality_sum", "quality_squares"),
    "speed": Measure("speed_n", "speed_sum", "speed_squares"),
    "thrift": Measure("thrift_n", "thrift_sum", "thrift_squares"),
    "efficiency": Measure("efficiency_n", "efficiency_sum", "efficiency_squares"),
    "points": Measure("finished", "points_sum", "points_squares", is_share=False),
}

STANDING = 10
"""Tasks at which half of an agent's distance from the others is believed to hold for work that it was not seen to do."""
TRIFLE = 1e-9
"""A variance below is none, but for how sums were rounded."""
MIDDLE, WIDEST = 0.5, 0.5
"""The middle of [0, 1], and the largest deviation that agents can have there."""


def groups_of(statistics: pl.DataFrame, names: Sequence[str], recency: ScoringSettings | None, ordinary: float) -> pl.DataFrame:
    """WORK, `agent_id, n, told, observations, finished, mean, own`, sorted by these; n = 0 says nothing.

    Args:
        statistics: columns STATISTICS and `recent`.
        names: keys of `MEASURES`.
        recency: how much recent work weighs; None counts all alike.
        ordinary: as `told` takes it.
    """
    counted = statistics.with_columns(finished=pl.col("succeeded") + pl.col("failed")).filter(pl.col("finished") > 0)
    said = {name: MEASURES[name] for name in names}
    sums = pl.concat(
        counted.select(
            pl.lit(name).alias("measure"),
            *KIND,
            "agent_id",
            "recent",
            count=pl.col(of.counts).cast(pl.UInt64),
            sum=pl.col(of.total).cast(pl.Float64),
            squares=pl.col(of.squares).cast(pl.Float64),
        )
        for name, of in said.items()
    )
    groups = blend(sums, [*WORK, "agent_id"], "count", ["sum", "squares"], recency)
    weights = counted.group_by("agent_id", *KIND).agg(pl.col("finished").sum())
    return (
        groups.join(weights, on=["agent_id", *KIND], maintain_order="left")
        .rename({"sum": "mean"})
        .with_columns(
            told=told(ordinary, pl.col("squares")),
            own=(pl.col("squares") - pl.col("mean") ** 2).clip(lower_bound=0).fill_null(0.0),
        )
        .drop("squares")
    )


def told(ordinary: float, squares: pl.Expr) -> pl.Expr:
    """For how many observations an agent counts where the others are looked at: n, but fewer the farther off they are.

    As many as have, together, no larger a sum of squares than n ordinary ones may. So one task that ran away is its agent's own,
    and neither what the others are drawn to nor how far.

    Args:
        ordinary: how far from 0 an ordinary observation is at most.
        squares: the mean of the squares of those that there are.
    """
    return pl.when(squares > ordinary**2).then(pl.col("n") * ordinary**2 / squares).otherwise("n")


def score_means(
    statistics: pl.DataFrame,
    names: Sequence[str],
    settings: ScoringSettings,
    recency: ScoringSettings | None,
    ordinary: float = inf,
) -> pl.DataFrame:
    """What to believe of each agent by some measures.

    Args:
        statistics: columns STATISTICS and `recent`.
        names: keys of `MEASURES`, all of them shares or none.
        settings: how far luck is distrusted.
        recency: how much recent work weighs; None counts all alike.
        ordinary: how far from 0 an ordinary observation is at most.

    Returns:
        `measure, agent_id, score, center, doubt, strength, unevenness, observations`. `center` and `doubt` are mean and variance
        of the posterior if agents' tasks vary alike, `strength` as how many tasks it is sure, `unevenness` how much more the
        agent's own tasks vary than the others'. An agent without an observation is believed to be as the others, with 0
        observations; null where there are no others either.
    """
    (is_share,) = {MEASURES[name].is_share for name in names}
    known = with_others(with_kappa(groups_of(statistics, names, recency, ordinary), settings), MIDDLE if is_share else None)
    spreads = known.with_columns(common=common(is_share)).with_columns(spread=spread(is_share))
    return across(spreads, WIDEST if is_share else None, is_share=is_share)


def common(is_share: bool) -> pl.Expr:
    """The variance of one observation of any agent of the category.

    Where hardly anybody was seen twice, a share varies as its mean allows, an amount as much as it is large.
    """
    if is_share:
        return pl.when(pl.col("within") > TRIFLE).then("within").otherwise(steadied_share().mean().over(WORK))
    n = pl.col("told")
    squares = n * (pl.col("own") + pl.col("mean").fill_null(0) ** 2)
    return steadied(squares.sum().over(WORK) / n.sum().over(WORK))


def spread(is_share: bool) -> pl.Expr:
    """The variance of one observation of an agent: its own, steadied by that of the category, `common`."""
    return steadied_share() if is_share else own_or_common()


def steadied_share() -> pl.Expr:
    """The variance of one observation of a share.

    A few equal observations show no variance, which does not mean that there is none: there is at least half an observation of
    either kind besides (Jeffreys' prior).
    """
    n, kappa = pl.col("n"), pl.col("kappa")
    seen = n * pl.col("own") + kappa * pl.col("within").fill_null(pl.col("own"))
    center = (pl.col("score").fill_null(MIDDLE) * (n + kappa) + 0.5) / (n + kappa + 1)
    chance = center * (1 - center)
    binary = pl.col("measure").is_in([name for name, measure in MEASURES.items() if measure.is_binary])
    return pl.when(binary).then(chance).otherwise((seen + chance) / (n + kappa + 1))


def across(spreads: pl.DataFrame, widest: float | None, *, is_share: bool) -> pl.DataFrame:
    """Over the categories: what to expect of each agent if all were given the same work, each category by its share of all.

    Where an agent was seen, what is believed of it there counts; where it was not, what is usual there, moved as far as the agent
    stands from the others in what it did. Where little was seen, what it is drawn to is moved likewise, so that the first task
    of another kind changes little. A category in which fewer than two agents were seen compares nobody: it does not count,
    unless there is no other.

    Args:
        spreads: per WORK and agent, sorted by them, `n, observations, finished, mean, others, usual, score, kappa,
            common, spread`.
        widest: the largest deviation that agents can have; None: as far as the means lie apart.
        is_share: whether scores lie in [0, 1]; a distance then is the part that it takes of the room there is.

    Returns:
        `measure, agent_id, score, center, doubt, strength, unevenness, observations`.
    """
    known = with_posterior(with_nobody(spreads), widest)
    nobody = known.filter(pl.col("agent_id").is_null())
    work = shares(spreads).join(nobody, on=WORK, maintain_order="left").select(
        *WORK, "share", pl.col("usual", "common", "believed", "doubt").name.prefix("any_")
    )  # fmt: skip
    whole = {f"all_{name}": (pl.col("share") * pl.col(f"any_{name}")).sum() for name in ("usual", "common", "believed")}
    whole["all_doubt"] = (pl.col("share") ** 2 * pl.col("any_doubt")).sum()
    each = with_standing(known.filter(pl.col("agent_id").is_not_null()).join(work, on=WORK, how="left"), is_share)
    agents = by_agent(each, is_share).join(work.group_by("measure").agg(**whole), on="measure", how="left", maintain_order="left")
    rest, standing = 1 - pl.col("share"), pl.col("standing")
    unseen = {
        name: moved(pl.col(f"all_{name}") - pl.col(f"any_{name}"), rest, standing, is_share) for name in ("usual", "believed")
    }
    doubt = pl.col("all_doubt") + pl.col("doubt") + rest**2 * pl.col("own_doubt")
    doubt = pl.when(pl.col("observations") > 0).then(doubt).otherwise("idle_doubt")
    somebody = pl.col("observations").sum().over("measure") > 0
    return agents.select(
        "measure",
        "agent_id",
        pl.when(somebody).then(pl.col("score") + unseen["usual"]).alias("score"),
        pl.when(somebody).then(pl.col("believed") + unseen["believed"]).alias("center"),
        doubt.alias("doubt"),
        (pl.col("all_common") / doubt).alias("strength"),
        (1 + pl.col("spread") / pl.col("all_common")).alias("unevenness"),
        "observations",
    )


def by_agent(each: pl.DataFrame, is_share: bool) -> pl.DataFrame:
    """What `across` adds up for each agent: of the categories where it was seen, each by its share, what is believed of it there.

    Args:
        each: an agent in a category, with its standing, and `any_*`, what is believed there of whom nothing is known.
        is_share: as in `across`.

    Returns:
        `measure, agent_id, standing, observations`, `share` of all work, sums of `score, believed, spread` and their `any_*`, of
        `doubt` beyond `any_doubt`, `own_doubt` and `idle_doubt`: about what it was seen to do, and about all that it has done.
    """
    drawn, share = 1 - pl.col("n") / (pl.col("n") + pl.col("kappa")), pl.col("share")
    to = moved(pl.col("others"), pl.lit(1.0), pl.col("elsewhere"), is_share) - pl.col("others")
    each = each.with_columns(more=(drawn * to).fill_null(0).fill_nan(0))
    idle = pl.col("finished") / pl.col("finished").sum().over("measure", "agent_id")
    part = pl.when((pl.col("n") > 0) & share.is_not_null()).then(share).otherwise(0.0)
    sums = {
        "share": part,
        "score": part * (pl.col("score") + pl.col("more")),
        "believed": part * (pl.col("believed") + pl.col("more")),
        "doubt": part**2 * (pl.col("doubt") - pl.col("any_doubt")),
        "spread": part * (pl.col("spread") - pl.col("any_common")),
        **{f"any_{name}": part * pl.col(f"any_{name}") for name in ("usual", "believed")},
        "own_doubt": pl.col("weight") ** 2 * pl.col("doubt"),
        "idle_doubt": idle**2 * pl.col("doubt"),
    }
    # Products first and plain sums then: an expression within a group is worked out group by group.
    products = each.select(
        "measure", "agent_id", "standing", "observations", **{name: value.fill_null(0) for name, value in sums.items()}
    )
    agents = products.group_by("measure", "agent_id", maintain_order=True)
    return agents.agg(pl.col("standing").first(), pl.col("observations", *sums).sum())


def with_nobody(spreads: pl.DataFrame) -> pl.DataFrame:
    """With a row more a category, of an agent (null) that was never seen: what is believed of whom nothing is known."""
    first = spreads.unique(WORK, keep="first", maintain_order=True)
    nobody = first.with_columns(agent_id=pl.lit(None, pl.String), n=pl.lit(0.0), mean=pl.lit(None, pl.Float64), others="usual")
    return pl.concat([spreads, nobody]).sort(WORK, maintain_order=True)


def shares(spreads: pl.DataFrame) -> pl.DataFrame:
    """WORK, `share`: of what was observed where at least two agents were seen, or, where nowhere two were, one."""
    found = spreads.group_by(WORK, maintain_order=True).agg((pl.col("n") > 0).sum().alias("agents"), pl.sum("observations"))
    some = found.filter(pl.col("agents") >= pl.col("agents").max().over("measure").clip(upper_bound=2))
    return some.select(*WORK, share=pl.col("observations") / pl.col("observations").sum().over("measure"))


def with_standing(each: pl.DataFrame, is_share: bool) -> pl.DataFrame:
    """Add how far an agent stands from the others: `standing` by all it did, `elsewhere` by what it did in other categories.

    A distance is drawn to none as if `STANDING` tasks more had shown none. What counts for nobody counts where there is nothing
    else, by `weight`.
    """
    counts = pl.col("n") > 0
    somewhere = (counts & pl.col("share").is_not_null()).any().over("measure", "agent_id")
    n = pl.when(counts & (pl.col("share").is_not_null() | ~somewhere)).then("n").otherwise(0.0)
    away, others = pl.col("mean") - pl.col("others"), pl.col("others")
    if is_share:
        room = pl.when(away >= 0).then(1 - others).otherwise(others)
        away = pl.when(room > 0).then(away / room).otherwise(0.0)
    each = each.with_columns(_n=n, _away=(n * away).fill_null(0))
    total, far = (pl.col(name).sum().over("measure", "agent_id") for name in ("_n", "_away"))
    return each.with_columns(
        standing=far / (total + STANDING),
        elsewhere=(far - pl.col("_away")) / (total - pl.col("_n") + STANDING),
        weight=pl.when(total > 0).then(pl.col("_n") / total).otherwise(0.0),
    ).drop("_n", "_away")


def moved(value: pl.Expr, share: pl.Expr, standing: pl.Expr, is_share: bool) -> pl.Expr:
    """`value`, the sum of what is usual in categories that together are `share` of all, moved as far as an agent stands."""
    if not is_share:
        return value + share * standing
    return pl.when(standing >= 0).then(value + standing * (share - value)).otherwise(value * (1 + standing))


def with_interval(scores: pl.DataFrame, *, is_share: bool, is_binary: bool = False) -> pl.DataFrame:
    """`agent_id, score, score_low, score_high, observations` of what `score_means` has found; null without observations."""
    sure = scores.with_columns(pl.col("score").clip(0, 1)) if is_share else scores
    if is_share:
        strength = pl.col("strength")
        center = ((pl.col("center").clip(0, 1) * strength + MIDDLE) / (strength + 1)).clip(1e-6, 1 - 1e-6)
        doubt = pl.col("doubt") * pl.col("unevenness") * strength / (strength + 2)
        whole = center * (1 - center) / (strength + 2) if is_binary else doubt
        both = sure.select(center=center, variance=whole)
        low, high = beta_interval(both["center"], both["variance"])
        sure = sure.with_columns(score_low=low, score_high=high)
    else:
        reach = DEVIATIONS * (pl.col("doubt") * pl.col("unevenness")).sqrt()
        sure = sure.with_columns(score_low=pl.col("center") - reach, score_high=pl.col("center") + reach)
    return sure.filter((pl.col("observations") > 0) & pl.col("score").is_not_null()).select(
        "agent_id",
        "score",
        pl.min_horizontal("score", "score_low").alias("score_low"),
        pl.max_horizontal("score", "score_high").alias("score_high"),
        "observations",
    )
