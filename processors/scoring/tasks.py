"""What the scores of a task are: the one place that says so.

Whoever shows a task and whoever adds up tasks calls `score`; nothing repeats its formulas. A score lies in [0, 1], 1 is best,
and is null where nothing is known. DESIGN's words are explained for users in docs/scoring.md.
"""

from collections.abc import Mapping

import polars as pl

from processors.frames import STRING, Columns
from processors.scoring.points import points
from processors.scoring.settings import STANDING, OverallWeights, Profile

JUDGEMENTS: Columns = {
    "task_id": STRING,
    "criterion": STRING,
    "score": pl.Float64(),
    "rating": pl.Float64(),
    "evaluator": STRING,
    "evaluator_type": STRING,
}
"""What `score` needs of evaluations of whole tasks, none of them replaced or deleted."""

USUALS: Columns = {
    "category": STRING,
    "day": pl.Date(),
    "usual_duration_seconds": pl.Float64(),
    "usual_cost_usd": pl.Float64(),
}
"""What is usual in a category on a UTC day: medians of the 30 days before it, null where there were too few tasks."""

EXPECTED: Columns = {
    "agent_type": STRING,
    "complexity": pl.UInt8(),
    "expected_duration_seconds": pl.Float64(),
    "expected_cost_usd": pl.Float64(),
}
"""What stands in for the usual, by the type of the agent; `complexity` 0 stands for any."""

TASK_FACTS: Columns = {
    "task_id": STRING,
    "agent_id": STRING,
    "agent_type": STRING,
    "category": STRING,
    "complexity": pl.UInt8(),
    "complexity_said": pl.Boolean(),
    "status": STRING,
    "started_at": pl.Datetime("ns", "UTC"),
    "duration_seconds": pl.Float64(),
    "llm_calls": pl.UInt32(),
    "unpriced_calls": pl.UInt32(),
    "cost_usd": pl.Decimal(38, 12),
}
"""What `score` needs of tasks."""

LISTS: Columns = dict.fromkeys(("quality", "overall", "points"), pl.List(pl.Float64()))
SCORES: Columns = {
    "usual_duration_seconds": pl.Float64(),
    "usual_cost_usd": pl.Float64(),
    "judgements": pl.UInt32(),
    **dict.fromkeys(STANDING, pl.Float64()),
    "user_rating": pl.Float64(),
    "peer_score": pl.Float64(),
    "cost_known": pl.Boolean(),
    "efficiency": pl.Float64(),
    "speed": pl.Float64(),
    "thrift": pl.Float64(),
    "profiles": pl.List(STRING),
    **LISTS,
}
"""What `score` adds. `quality`, `overall` and `points` have one value for each of `profiles`, in their order. `cost_known` is
whether `cost_usd` is all that the task cost, as far as one can tell: only then it counts."""

PEERS = ("peer", "llm")


def score(
    tasks: pl.DataFrame,
    judgements: pl.DataFrame,
    usuals: pl.DataFrame,
    expected: pl.DataFrame,
    profiles: Mapping[str, Profile],
    most_unpriced: float,
) -> pl.DataFrame:
    """Add to `tasks` their scores.

    Args:
        tasks: at least the columns TASK_FACTS; any status, only succeeded and failed ones are scored.
        judgements: columns JUDGEMENTS, of any tasks.
        usuals: columns USUALS, each category and day once.
        expected: columns EXPECTED, each type and complexity once.
        profiles: by name.
        most_unpriced: share of a task's model calls without a known price beyond which its cost is unknown.

    Returns:
        `tasks` in their order, with the columns SCORES.
    """
    named = sorted({*STANDING, *(name for profile in profiles.values() for name in profile.overall.criteria)})
    judged = tasks.join(judged_tasks(by_others(judgements, tasks), named), on="task_id", how="left", maintain_order="left")
    compared = with_usual(judged.with_columns(pl.col("judgements").fill_null(0)), usuals, expected)
    scored = compared.with_columns(cost_known(most_unpriced)).with_columns(against_usual())
    several = [with_profile(scored, profile).select(*LISTS) for profile in profiles.values()]
    lists = [pl.concat_list([one[name] for one in several]).alias(name) for name in LISTS]
    return scored.with_columns(*lists, profiles=pl.lit(pl.Series([list(profiles)], dtype=pl.List(STRING))).first()).select(
        *tasks.columns, *(pl.col(name).cast(dtype) for name, dtype in SCORES.items())
    )


def by_others(judgements: pl.DataFrame, tasks: pl.DataFrame) -> pl.DataFrame:
    """`judgements` without those of agents that judge a task of their own as a peer: a peer is another agent."""
    own = tasks.select("task_id", pl.col("agent_id").cast(STRING).alias("evaluator"), evaluator_type=pl.lit("peer"))
    return judgements.join(own, on=own.columns, how="anti", maintain_order="left")


def judged_tasks(judgements: pl.DataFrame, criteria: list[str]) -> pl.DataFrame:
    """By task: how often it was judged, the mean for each of `criteria`, the users' stars, and what peers and judges say.

    Stars, and scores without a criterion, stand in for each of STANDING that nobody has judged by itself.
    """
    general = pl.col("score").filter(pl.col("criterion") == "").mean()
    own = {name: pl.col("score").filter(pl.col("criterion") == name).mean() for name in criteria}
    return judgements.group_by("task_id").agg(
        pl.len().alias("judgements"),
        *(pl.coalesce(mean, general).alias(name) if name in STANDING else mean.alias(name) for name, mean in own.items()),
        pl.col("rating").mean().alias("user_rating"),
        pl.col("score").filter(pl.col("evaluator_type").is_in(PEERS)).mean().alias("peer_score"),
    )


def with_usual(tasks: pl.DataFrame, usuals: pl.DataFrame, expected: pl.DataFrame) -> pl.DataFrame:
    """Add what is usual for each task: of its category before its day, else what is expected of its agent's type."""
    known = tasks.with_columns(
        day=pl.col("started_at").dt.date(), said=pl.when("complexity_said").then("complexity").otherwise(0).cast(pl.UInt8)
    ).join(usuals, on=["category", "day"], how="left", maintain_order="left")
    exact = expected.rename({"complexity": "said"})
    any_complexity = expected.filter(pl.col("complexity") == 0).drop("complexity")
    known = known.join(exact, on=["agent_type", "said"], how="left", maintain_order="left")
    known = known.join(any_complexity, on="agent_type", how="left", suffix="_any", maintain_order="left")
    return known.with_columns(
        pl.coalesce(f"usual_{what}", f"expected_{what}", f"expected_{what}_any").alias(f"usual_{what}")
        for what in ("duration_seconds", "cost_usd")
    )


def cost_known(most_unpriced: float) -> pl.Expr:
    """`cost_known`: `cost_usd` is the sum of the known prices, and where many are unknown it must not pass for a cheap task."""
    few = pl.col("unpriced_calls") <= most_unpriced * pl.max_horizontal("llm_calls", "unpriced_calls")
    return (pl.col("cost_usd").is_not_null() & few).alias("cost_known")


def against_usual() -> list[pl.Expr]:
    """`efficiency`, `speed`, `thrift`: 0.5 is the usual, 0 what failed; null of unfinished tasks and where no usual is known."""
    duration = ratio(pl.col("duration_seconds"), "usual_duration_seconds")
    cost = cost_ratio()
    both = {"efficiency": pl.mean_horizontal(duration, cost), "speed": duration, "thrift": cost}
    return [
        pl.when(parts.is_not_null() & (pl.col("status") == "succeeded"))
        .then(1 / (1 + parts))
        .when(parts.is_not_null() & (pl.col("status") == "failed"))
        .then(0.0)
        .alias(name)
        for name, parts in both.items()
    ]


def ratio(value: pl.Expr, usual: str) -> pl.Expr:
    """`value` over the usual; null where either is unknown or the usual is 0."""
    return pl.when(pl.col(usual) > 0).then(value / pl.col(usual))


def cost_ratio() -> pl.Expr:
    """The cost over the usual; null where either is unknown. Where the usual is 0, so is what is 0, and more is beyond.

    The latter is the limit of ever smaller usuals: left out, the dearest agent would win where most work is free.
    """
    cost, free = pl.when("cost_known").then(pl.col("cost_usd").cast(pl.Float64)), pl.col("usual_cost_usd") <= 0
    beyond = pl.when(cost > 0).then(float("inf")).when(cost.is_not_null()).then(1.0)
    return pl.when(free).then(beyond).otherwise(ratio(cost, "usual_cost_usd"))


def with_profile(scored: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """Add `quality`, `overall`, `points` under one profile."""
    quality, overall = judged_as(profile.overall)
    known = scored.with_columns(quality.alias("quality"), overall.alias("overall"))
    return known.with_columns(points(profile.points, pl.col("overall")).alias("points"))


def judged_as(weights: OverallWeights) -> tuple[pl.Expr, pl.Expr]:
    """Quality and overall: means of what is known by its weight; null unless a criterion that weighs something is known.

    Nobody's work gets worse or better by a criterion that nobody looked at. Unfinished tasks have neither.
    """
    criteria = {name: weight for name, weight in weights.criteria.items() if weight > 0}
    known = pl.any_horizontal(pl.col(name).is_not_null() for name in criteria) & finished()
    quality = pl.when(known).then(weighted(criteria))
    return quality, pl.when(known).then(weighted({**criteria, "efficiency": weights.efficiency}))


def weighted(weights: Mapping[str, float]) -> pl.Expr:
    """The weighted mean of the columns that are known."""
    parts = [pl.col(name) * weight for name, weight in weights.items()]
    shares = [pl.col(name).is_not_null() * pl.lit(weight) for name, weight in weights.items()]
    return pl.sum_horizontal(parts) / pl.sum_horizontal(shares)


def finished() -> pl.Expr:
    """Whether the task has come to an end, good or bad."""
    return pl.col("status").is_in(("succeeded", "failed"))
