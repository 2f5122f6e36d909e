"""The job `insights`: looks for what could be done better, so that alerts can tell of it without looking themselves."""

from collections.abc import Callable
from datetime import datetime

import polars as pl

from exporters.store import Store
from merit.settings import Settings
from processors.alerts.levels import MEASURED
from processors.frames import conform, empty
from query_api.asking.filters import Period
from query_api.asking.pages import MONTH
from query_api.asking.questions import asker
from query_api.insights.finding import finder

MOST_AGENTS = 100_000
METRIC = "opportunities"


class Opportunities:
    """How many insights there are about each agent, as of the last look.

    Args:
        store: may still be closed.
        settings: all of them: prices, and how long a question may take.
        now: what time it is.
    """

    def __init__(self, store: Store, settings: Settings, now: Callable[[], datetime]) -> None:
        self._ask = asker(store, settings.exporters.clickhouse.query_seconds)
        self._find = finder(self._ask, settings.processors.cost)
        self._now = now
        self._found = empty(MEASURED)

    def run(self) -> int:
        """Look; how many insights there are. Raises Unavailable."""
        now = self._now()
        insights, _ = self._find(Period(now - MONTH, now))
        about = pl.DataFrame({"agent_id": [row["agent_id"] for row in insights]}, schema={"agent_id": pl.String})
        agents = self._ask("agent_ids", {"limit": MOST_AGENTS}, MOST_AGENTS)
        counts = agents.join(about.group_by("agent_id").len("value"), on="agent_id", how="left")
        told = counts.select("agent_id", pl.col("value").fill_null(0), metric=pl.lit(METRIC), service=pl.lit(""), n=pl.lit(1))
        self._found = conform(told, MEASURED)
        return len(insights)

    def __call__(self) -> pl.DataFrame:
        """Columns MEASURED: the metric `opportunities`, of every agent; nothing before the first look."""
        return self._found
