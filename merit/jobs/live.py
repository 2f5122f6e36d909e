"""What the live stream is told: tasks as they are derived, what happens to alerts, ranks that change."""

from collections.abc import Callable
from datetime import datetime, timedelta

import polars as pl

from exporters.happenings import happened
from exporters.store import Store
from merit.settings import Settings
from processors.events import of_alerts, of_ranks, of_tasks
from processors.frames import STRING
from query_api.asking.kept import Kept
from query_api.asking.questions import asker, to_the_minute
from query_api.rankings.history import ranked
from query_api.rankings.rankings import ChosenRanking

REMEMBERED = 200_000
"""Tasks of which it is known what was told: one that is derived again is told again only if it stands otherwise."""
OVERLAP = timedelta(minutes=10)
"""What happens to an alert may be stored later than it happened, by this much at most."""
RANKING = ChosenRanking()
"""The ranking that is watched: the one that is shown if nothing else is asked for."""

Publish = Callable[[pl.DataFrame], None]


class Tasks:
    """Tells of tasks that are derived: once that one runs, once how it ended.

    Args:
        publish: takes events, columns EVENTS.
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._known = pl.DataFrame(schema={"task_id": STRING, "status": STRING})

    def __call__(self, tasks: pl.DataFrame) -> None:
        """Tell of `tasks`, columns TASKS, which are stored."""
        fresh = tasks.join(self._known, on=["task_id", "status"], how="anti", maintain_order="left")
        self._known = pl.concat([self._known, fresh.select(self._known.columns)]).tail(REMEMBERED)
        self._publish(of_tasks(fresh))


class Alerts:
    """Tells what happens to alerts, wherever it was done: by the job, or over the API of any process.

    Args:
        store: may still be closed.
        publish: takes events, columns EVENTS.
        now: what time it is.
    """

    def __init__(self, store: Store, publish: Publish, now: Callable[[], datetime]) -> None:
        self._store, self._publish, self._now = store, publish, now
        self._known: dict[str, datetime] | None = None
        self._changes = 0, 0

    def run(self) -> int:
        """Tell what is new since the last run; the first one only looks. How much it was."""
        changes = self._store.changes("alert_events"), self._store.changes("alerts")
        if self._known is not None and changes == self._changes:
            return 0
        since = self._now() - OVERLAP
        rows = happened(self._store, since)
        new = [row for row in rows if row["event_id"] not in (self._known or {})]
        if self._known is not None:
            self._publish(of_alerts(new))
        known = {row["event_id"]: row["at"] for row in rows}
        self._known = known | {one: at for one, at in (self._known or {}).items() if at >= since}
        self._changes = changes
        return len(new)


class Ranks:
    """Tells whose rank has changed.

    Args:
        ranking: the ranking as it is, columns `agent_id, agent_name, rank, score` and others.
        publish: takes events, columns EVENTS.
    """

    def __init__(self, ranking: Callable[[], pl.DataFrame], publish: Publish) -> None:
        self._ranking, self._publish = ranking, publish
        self._before: pl.DataFrame | None = None

    def run(self) -> int:
        """Compare with the last run; the first one only looks. How many ranks have changed."""
        after = self._ranking()
        moved = of_ranks(self._before if self._before is not None else after, after, RANKING.by)
        self._publish(moved)
        self._before = after
        return moved.height


def ranking_on(store: Store, settings: Settings, now: Callable[[], datetime], kept: Kept) -> Callable[[], pl.DataFrame]:
    """The ranking that is shown if nothing else is asked for. Whoever asks the API for it finds it `kept`."""
    ask = asker(store, settings.exporters.clickhouse.query_seconds, kept)
    minute = to_the_minute(now)
    return lambda: ranked(ask, RANKING, RANKING.by, RANKING.profile, settings.processors.scoring, minute())
