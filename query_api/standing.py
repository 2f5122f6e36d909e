"""Where one agent stands among all: in the ranking by performance, and in that of each category it works in."""

from datetime import datetime

import polars as pl

from processors.frames import STRING, Columns, conform, empty
from processors.scoring.ranking import rank
from processors.scoring.settings import ScoringSettings
from query_api.answers import Row, rows
from query_api.filters import Chosen
from query_api.history import history, profile_of, ranked
from query_api.questions import Ask
from query_api.work_scores import PROFILE

MOST_CATEGORIES = 20
"""Categories in which a place is worked out: those with most tasks."""


def standing(ask: Ask, agent_id: str, settings: ScoringSettings, now: datetime) -> Row | None:
    """The agent's row in the ranking by performance; None while nothing of it is scored."""
    ranking = ranked(ask, Chosen(), "performance", PROFILE, settings, now)
    found = rows(ranking.filter(pl.col("agent_id") == agent_id))
    return found[0] if found else None


def with_places(categories: pl.DataFrame, ask: Ask, agent_id: str, settings: ScoringSettings, now: datetime) -> pl.DataFrame:
    """`categories`, by `category`, with the agent's rank and performance in each."""
    names = tuple(categories["category"].cast(pl.String).head(MOST_CATEGORIES))
    places = ask.once(("places", agent_id, names, now), lambda: places_of(ask, agent_id, names, settings, now))
    return categories.cast({"category": pl.String}).join(places, on="category", how="left", maintain_order="left")


def places_of(ask: Ask, agent_id: str, names: tuple[str, ...], settings: ScoringSettings, now: datetime) -> pl.DataFrame:
    """Columns PLACES, a row for each category in which the agent has one."""
    found = history(ask, Chosen(category=names), PROFILE, settings, now)
    weights = profile_of(settings, PROFILE)
    places = [empty(PLACES)]
    for (category,), statistics in found.statistics.partition_by("category", as_dict=True).items():
        agents = found.agents.join(statistics, on="agent_id", how="semi")
        mine = rank(statistics, agents, "performance", weights, settings, now).filter(pl.col("agent_id") == agent_id)
        ends = {"performance": "score", "performance_low": "score_low", "performance_high": "score_high"}
        places.append(conform(mine.select("rank", category=pl.lit(category), **ends), PLACES))
    return pl.concat(places)


PLACES: Columns = {
    "category": STRING,
    "rank": pl.UInt32(),
    "performance": pl.Float64(),
    "performance_low": pl.Float64(),
    "performance_high": pl.Float64(),
}
"""Where the agent stands in a category, and how sure that is."""
