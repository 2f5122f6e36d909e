"""Rewards and penalties of a task, each part by itself.

What is unknown rewards nothing and costs nothing. Points are exact; they are rounded where they are shown.
"""

from typing import NamedTuple

import polars as pl

from processors.scoring.settings import PointSettings


class Part(NamedTuple):
    """A reward (weight above 0) or a penalty (below): `value` times `weight` is what it contributes."""

    value: pl.Expr
    weight: float


def parts(said: PointSettings, overall: pl.Expr) -> dict[str, Part]:
    """Every part by name. `overall` is the overall score under the same profile."""
    succeeded, failed = pl.col("status") == "succeeded", pl.col("status") == "failed"
    seconds, dollars = pl.col("duration_seconds"), pl.col("cost_usd").cast(pl.Float64)
    completed = succeeded | failed if said.completion_of_failed else succeeded
    return {
        "completion": Part(completed.cast(pl.Float64), said.completion),
        "quality": Part(overall, said.quality),
        "speed": Part(pl.min_horizontal(1.0, said.speed_seconds / pl.max_horizontal(seconds, 1e-9)), said.speed),
        "cost": Part(pl.col("efficiency"), said.cost),
        "user": Part(pl.col("user_rating") / 5, said.user),
        "peers": Part(pl.col("peer_score"), said.peers),
        "failed": Part(failed.cast(pl.Float64), -said.failed),
        "expensive": Part((dollars - said.free_dollars).clip(0), -said.per_dollar),
        "slow": Part((seconds - said.patience_seconds).clip(0) / said.delay_seconds, -said.per_delay),
        "low_rating": Part((said.fair_stars - pl.col("user_rating")).clip(0), -said.per_star),
    }


def contribution(part: Part, truncated: bool) -> pl.Expr:
    """What a part adds to the points."""
    exact = part.value.fill_null(0.0) * part.weight + 0.0  # no penalty is 0, not -0
    return exact.cast(pl.Int64).cast(pl.Float64) if truncated else exact


def points(said: PointSettings, overall: pl.Expr) -> pl.Expr:
    """The sum of all parts of a finished task whose scores are there; null of any other."""
    finished = pl.col("status").is_in(("succeeded", "failed"))
    each = [contribution(part, said.truncated) for part in parts(said, overall).values()]
    return pl.when(finished).then(pl.sum_horizontal(each))


def itemised(scored: pl.DataFrame, name: str, said: PointSettings) -> list[list[dict[str, float | str | None]]]:
    """How the points of each task come about under the profile `name`: `part, value, weight, contribution`.

    Args:
        scored: what `tasks.score` has made.
        name: one of the names in its lists.
        said: the rewards and penalties of that profile.

    Returns:
        One list a task, in the order of `parts`; an empty one of a task that is not finished.
    """
    all_parts = parts(said, pl.col("overall").list.get(pl.col("profiles").list.eval(pl.element() == name).list.arg_max()))
    values = scored.select(
        pl.col("status").is_in(("succeeded", "failed")).alias("finished"),
        *(part.value.alias(f"{key}_value") for key, part in all_parts.items()),
        *(contribution(part, said.truncated).alias(f"{key}_given") for key, part in all_parts.items()),
    )
    return [
        [
            {"part": key, "value": row[f"{key}_value"], "weight": part.weight, "contribution": row[f"{key}_given"]}
            for key, part in all_parts.items()
            if row["finished"]
        ]
        for row in values.to_dicts()
    ]
