"""Whose rank moves between two sets of weights, and which part of the score moves it."""

from datetime import datetime

import polars as pl

from processors.scoring.performance import PARTS, parts_of
from processors.scoring.ranking import By, rank
from processors.scoring.settings import Profile, ScoringSettings

Weighed = tuple[Profile, pl.DataFrame]
"""A profile, and STATISTICS (with `recent`) made under it."""


def compare(
    before: Weighed,
    after: Weighed,
    agents: pl.DataFrame,
    by: By,
    settings: ScoringSettings,
    now: datetime,
    *,
    favour_recent: bool,
) -> pl.DataFrame:
    """The same history under two profiles.

    Args:
        before: the first.
        after: the second.
        agents: columns AGENTS.
        by: the score to rank by.
        settings: how far luck is distrusted.
        now: for the age of agents.
        favour_recent: whether recent work weighs more.

    Returns:
        One row an agent, by the second rank: `agent_id, agent_name, rank_before, rank_after, moved, score_before, score_after,
        moved_by, parts`. `moved` is how many ranks it rises. `parts` says by how many points of performance each part moves the
        agent against the mean of all agents, for what moves all alike moves no rank; null by another score.
    """
    first, second = (
        rank(frame, agents, by, profile, settings, now, favour_recent=favour_recent) for profile, frame in (before, after)
    )
    both = second.select("agent_id", "agent_name", rank_after="rank", score_after="score").join(
        first.select("agent_id", rank_before="rank", score_before="score"), on="agent_id", how="left", maintain_order="left"
    )
    moved = both.with_columns(moved=pl.col("rank_before").cast(pl.Int64) - pl.col("rank_after").cast(pl.Int64))
    if by != "performance":
        return moved.with_columns(moved_by=pl.lit(None, dtype=pl.String), parts=pl.lit(None))
    return moved.join(
        moves(before, after, settings, favour_recent), on="agent_id", how="left", maintain_order="left"
    ).with_columns(pl.when(pl.col("moved") != 0).then("moved_by").alias("moved_by"))


def moves(before: Weighed, after: Weighed, settings: ScoringSettings, favour_recent: bool) -> pl.DataFrame:
    """`agent_id, moved_by, parts`: what each part adds to performance, and which adds most in the direction of the whole."""
    old, new = (contributions(weighed, settings, favour_recent) for weighed in (before, after))
    both = new.join(old, on="agent_id", suffix="_before", maintain_order="left")
    change = both.select("agent_id", *((pl.col(name) - pl.col(f"{name}_before")).alias(name) for name in PARTS))
    against = change.with_columns((pl.col(name) - pl.col(name).mean()).alias(name) for name in PARTS)
    whole = pl.sum_horizontal(PARTS)
    signed = pl.concat_list((pl.col(name) * whole.sign()) for name in PARTS)
    names = pl.lit(pl.Series([list(PARTS)])).first()
    return against.with_columns(
        moved_by=pl.when(signed.list.max() > 0).then(names.list.get(signed.list.arg_max())), parts=pl.struct(PARTS)
    ).select("agent_id", "moved_by", "parts")


def contributions(weighed: Weighed, settings: ScoringSettings, favour_recent: bool) -> pl.DataFrame:
    """`agent_id` and how many points each part adds to performance."""
    profile, statistics = weighed
    parts = parts_of(statistics, settings, settings if favour_recent else None)
    return parts.select(
        "agent_id", *((100 * share * pl.col(f"score_{name}")).alias(name) for name, share in profile.performance.shares().items())
    )
