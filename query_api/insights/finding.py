"""Looks for insights: asks each question, and has its answer judged. For the route, for reports, and for the jobs."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache, lru_cache, partial
from typing import Any

import polars as pl

from processors.cost import COUNTS, Pricer
from processors.cost_settings import CostSettings
from processors.errors import Unavailable
from processors.frames import TIME
from processors.insights.of_nodes import failing_nodes, provider_weights, slow_nodes
from processors.insights.of_prompts import loops, prompt_caching
from processors.insights.of_tasks import better_settings, cheaper_models, reassigned
from query_api.asking.answers import Row
from query_api.asking.filters import Period, bound
from query_api.asking.questions import Ask
from query_api.insights.insights import Insights
from query_api.rankings.history import MOST_ROWS
from query_api.rankings.work_scores import PROFILE

log = logging.getLogger(__name__)

SPANS_BACK = timedelta(days=2)
"""What only spans tell is looked for in the last of them: there are many, and they are large."""
MANY_TOKENS = 10_000

MOST_STEPS = 2_000_000
"""Of more steps only those of one trace in two, three, … are looked at: it takes seconds to go through so many."""
BY_STEPS = ("steps", "providers", "prompts")
"""What is told of steps."""

Look = Callable[[Period, float], list[Row]]


def finder(ask: Ask, prices: CostSettings, most_steps: int = MOST_STEPS) -> Insights:
    """What looks for insights in a stretch of time. Of more than `most_steps` it looks at those of some traces."""
    price = cache(lambda: Pricer(prices))  # which reads the prices of all the world

    @lru_cache(maxsize=1)
    def parts(found: Period) -> int:
        return -(-int(ask("insight_steps", bounds(found), 1).item()) // most_steps) or 1

    def some(found: Period) -> Row:
        return bounds(found) | {"parts": parts(found)}

    def of_tasks(unit: str, found: Period) -> pl.DataFrame:
        return ask("insight_tasks", bounds(found) | {"unit": unit, "profile": PROFILE}, MOST_ROWS)

    def of_nodes(found: Period, _days: float) -> list[Row]:
        nodes = ask("insight_nodes", some(found), MOST_ROWS)
        return failing_nodes(nodes) + slow_nodes(nodes)

    def of_prompts(found: Period, days: float) -> list[Row]:
        calls = ask("insight_prompts", some(found), MOST_ROWS)
        return prompt_caching(with_saving(calls, price(), found), days / parts(found))

    def of_providers(found: Period, days: float) -> list[Row]:
        return provider_weights(ask("insight_providers", some(found), MOST_ROWS), days / parts(found))

    looks: Mapping[str, Look] = {
        "cheaper models": lambda found, days: cheaper_models(of_tasks("model", found), days),
        "other agents": lambda found, days: reassigned(of_tasks("agent", found), days),
        "temperatures": lambda found, _: better_settings("temperature", of_tasks("temperature", found)),
        "limits of tokens": lambda found, _: better_settings("token_limit", of_tasks("token_limit", lately(found))),
        "steps": of_nodes,
        "providers": of_providers,
        "prompts": of_prompts,
        "loops": lambda found, _: loops(ask("insight_loops", bounds(lately(found)), MOST_ROWS), days_of(lately(found))),
    }
    return partial(found_in, looks, parts)


def found_in(looks: Mapping[str, Look], parts: Callable[[Period], int], found: Period) -> tuple[list[Row], list[str]]:
    """Everything that is found, the largest savings first. What takes the store too long is left out, and named.

    Raises:
        Unavailable: the store answers none of the questions.
    """
    told: list[Row] = []
    notes: list[str] = []
    trouble: Unavailable | None = None
    for name, look in looks.items():
        try:
            told += look(found, days_of(found))
        except Unavailable as error:
            log.warning("insights: %s are left out: %s", name, error)
            notes.append(f"{name} are left out: the store could not answer in time; ask for a smaller window")
            trouble = error
    if trouble and len(notes) == len(looks):
        raise trouble
    if not any(note.startswith(BY_STEPS[0]) for note in notes) and parts(found) > 1:
        notes.append(f"{', '.join(BY_STEPS)}: one trace in {parts(found)} was looked at, for there are too many steps")
    return sorted(told, key=order), notes


def order(row: Row) -> tuple[Any, ...]:
    """The largest savings first, then the surest."""
    saving: Any = row["saving_usd_per_month"]
    return (saving is None, -(saving or 0), -float(str(row["certainty"])), row["insight_id"])


def with_saving(calls: pl.DataFrame, price: Pricer, found: Period) -> pl.DataFrame:
    """`calls` with `saved_usd_per_token`: what an input token costs less from a cache, at today's prices."""
    models = calls.select("model", "provider").unique()
    asked = [cost_of(models, price, found, cached).rename(f"cached_{cached}") for cached in (0, MANY_TOKENS)]
    saved = (asked[0] - asked[1]) / MANY_TOKENS
    return calls.join(models.with_columns(saved.alias("saved_usd_per_token")), on=["model", "provider"], how="left")


def cost_of(models: pl.DataFrame, price: Pricer, found: Period, cached: int) -> pl.Series:
    """What a call of many input tokens costs by each model, so many of them cached; null where no price is known."""
    tokens = {"InputTokens": MANY_TOKENS, "CachedInputTokens": cached}
    calls = models.select(
        pl.lit(found.until).cast(TIME).alias("Timestamp"),
        pl.col("provider").alias("Provider"),
        pl.col("model").alias("RequestModel"),
        pl.col("model").alias("ResponseModel"),
        pl.lit(None, dtype=pl.Float64).alias("ReportedCostUsd"),
        *(pl.lit(tokens.get(name, 0), dtype=pl.UInt64).alias(name) for name in COUNTS),
    )
    return price(calls)["CostUsd"].cast(pl.Float64)


def bounds(found: Period) -> dict[str, Any]:
    """The parameters of every question."""
    return {"since": bound(found.since), "until": bound(found.until), "limit": MOST_ROWS}


def lately(found: Period) -> Period:
    """The last part of a stretch of time."""
    return Period(max(found.since, found.until - SPANS_BACK), found.until)


def days_of(found: Period) -> float:
    """How many days it has."""
    return (found.until - found.since) / timedelta(days=1)
