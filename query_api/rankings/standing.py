"""Where one agent stands among all: in the ranking by performance, and in that of each category it works in."""

from datetime import datetime
from functools import cache, partial

import polars as pl

from processors.frames import STRING, Columns, conform, empty
from processors.scoring.performance import parts_of
from processors.scoring.ranking import by_performance, in_order
from processors.scoring.settings import ScoringSettings
from query_api.asking.answers import Row, rows
from query_api.asking.filters import Chosen
from query_api.asking.questions import Ask
from query_api.rankings.history import history, profile_of, ranked
from query_api.rankings.work_scores import PROFILE

MOST_CATEGORIES = 20
"""Categories in which a place is worked out: those with most tasks."""


def standing(ask: Ask, agent_id: str, settings: ScoringSettings, now: datetime) -> Row | None:
    """The agent's row in the ranking by performance; None while nothing of it is scored."""
    ranking = ranked(ask, Chosen(), "performance", PROFILE, settings, now)
    found = rows(ranking.filter(pl.col("agent_id") == agent_id))
    return found[0] if found else None


def with_places(categories: pl.DataFrame, ask: Ask, agent_id: str, settings: ScoringSettings, now: datetime) -> pl.DataFrame:
    """`categories`, by `category`, with the agent's rank and performance in each."""

    @cache
    def statistics() -> pl.DataFrame:
        return history(ask, Chosen(), PROFILE, settings, now).statistics.sort("agent_id", "complexity", "segment")

    def worked_out(category: str) -> pl.DataFrame:
        return places_of(statistics().filter(pl.col("category") == category), category, settings)

    names = categories["category"].cast(pl.String).head(MOST_CATEGORIES)
    places = [empty(PLACES), *(ask.once(("places", name, now), partial(worked_out, name)) for name in names)]
    mine = pl.concat(places).filter(pl.col("agent_id") == agent_id).drop("agent_id")
    return categories.cast({"category": pl.String}).join(mine, on="category", how="left", maintain_order="left")


def places_of(statistics: pl.DataFrame, category: str, settings: ScoringSettings) -> pl.DataFrame:
    """Columns PLACES of all agents that have one, of the statistics of a category: what `rank` says of it and no more."""
    weights = profile_of(settings, PROFILE)
    scores = by_performance(statistics, parts_of(statistics, settings, settings), weights)
    ends = {"performance": "score", "performance_low": "score_low", "performance_high": "score_high"}
    ranks = in_order(scores, lower_is_better=False)
    return conform(ranks.select("agent_id", "rank", category=pl.lit(category), **ends), PLACES)


PLACES: Columns = {
    "agent_id": STRING,
    "category": STRING,
    "rank": pl.UInt32(),
    "performance": pl.Float64(),
    "performance_low": pl.Float64(),
    "performance_high": pl.Float64(),
}
"""Where an agent stands in a category, and how sure that is."""
