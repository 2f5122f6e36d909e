"""How good tasks and steps were, for whoever shows them: worked out as they are asked for, so that a rating shows at once."""

from collections.abc import Callable, Mapping

import polars as pl

from processors.frames import conform
from processors.scoring.points import itemised
from processors.scoring.settings import STANDING, Profile, ScoringSettings
from processors.scoring.tasks import EXPECTED, JUDGEMENTS, USUALS, score
from query_api.asking.answers import Row
from query_api.asking.questions import Ask

Mark = Callable[[pl.DataFrame], pl.DataFrame]

IDS_AT_ONCE = 1_000
MOST_JUDGEMENTS = 1_000_000
MOST_USUALS = 1_000_000
MOST_BENCHMARKS = 10_000
SHOWN = (*STANDING, "quality", "overall", "efficiency", "speed", "thrift", "cost_per_quality_point")
"""What `scores` of a task shows."""
DIGITS = 12
"""Decimals of a score: what differs beyond is how sums were rounded."""


def marks_of_tasks(ask: Ask, settings: ScoringSettings) -> Mark:
    """Adds `scores` (null while there are none), `user_rating` and `points` to tasks, under the default profile."""
    profile = {"default": settings.named["default"]}

    def mark(tasks: pl.DataFrame) -> pl.DataFrame:
        if tasks.is_empty():
            return tasks.with_columns(pl.lit(None).alias(name) for name in ("scores", "user_rating", "points"))
        scored = scored_tasks(ask, tasks, profile, settings).with_columns(pl.col("quality", "overall", "points").list.first())
        cost = pl.when("cost_known").then(pl.col("cost_usd").cast(pl.Float64))
        worth = pl.when(pl.col("overall") > 0).then(cost / pl.col("overall")).alias("cost_per_quality_point")
        shown = scored.with_columns(worth).with_columns(pl.col(*SHOWN, "points").round(DIGITS))
        known = pl.any_horizontal(pl.col(name).is_not_null() for name in SHOWN)
        marked = shown.with_columns(scores=pl.when(known).then(pl.struct(SHOWN)))
        return marked.select(*tasks.columns, "scores", "user_rating", "points")

    return mark


def points_of_tasks(ask: Ask, tasks: pl.DataFrame, settings: ScoringSettings) -> dict[object, list[Row]]:
    """How the points of tasks came about, by task id: `part, value, weight, contribution`; empty of unfinished tasks."""
    profile = settings.named["default"]
    scored = scored_tasks(ask, tasks, {"default": profile}, settings)
    each = [[Row(part) for part in parts] for parts in itemised(scored, "default", profile.points)]
    return dict(zip(scored["task_id"], each, strict=True))


def marks_of_steps(ask: Ask) -> Mark:
    """Adds `quality` to steps, the mean of what is said of each; null while nobody has said anything."""

    def mark(steps: pl.DataFrame) -> pl.DataFrame:
        if steps.is_empty():
            return steps.with_columns(quality=pl.lit(None, dtype=pl.Float64))
        said = judgements(ask, steps["task_id"].unique(maintain_order=True)).filter(pl.col("span_id") != "")
        quality = said.group_by("task_id", "span_id").agg(pl.col("score").mean().round(DIGITS).alias("quality"))
        return steps.join(quality, on=["task_id", "span_id"], how="left", maintain_order="left")

    return mark


def scored_tasks(ask: Ask, tasks: pl.DataFrame, profiles: Mapping[str, Profile], settings: ScoringSettings) -> pl.DataFrame:
    """`tasks` with the columns that `score` adds."""
    days = tasks["started_at"].dt.date()
    asked = {"since": days.min(), "until": days.max(), "category": tasks["category"].unique().to_list(), "limit": MOST_USUALS}
    coming = ask.soon("usuals", asked, MOST_USUALS), ask.soon("benchmarks", {"limit": MOST_BENCHMARKS}, MOST_BENCHMARKS)
    said = judgements(ask, tasks["task_id"])
    whole = said.filter((pl.col("span_id") == "") | pl.col("task_id").str.ends_with(pl.col("span_id")))
    usuals, benchmarks = (answer() for answer in coming)
    expected = conform(benchmarks.filter(pl.col("is_deleted") == 0), EXPECTED)
    return score(tasks, conform(whole, JUDGEMENTS), conform(usuals, USUALS), expected, profiles, settings.most_unpriced)


def judgements(ask: Ask, task_ids: pl.Series) -> pl.DataFrame:
    """What is said of these tasks and their steps: JUDGEMENTS and `span_id`."""
    slices = [task_ids.slice(start, IDS_AT_ONCE).to_list() for start in range(0, max(len(task_ids), 1), IDS_AT_ONCE)]
    return pl.concat([ask("judgements", {"task_id": ids, "limit": MOST_JUDGEMENTS}, MOST_JUDGEMENTS) for ids in slices])
