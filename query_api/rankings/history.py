"""The history that scores of agents are made of, as the store has added it up.

For whoever ranks, compares or watches agents: `history` asks, `ranked` ranks. Both read sums, so they answer in milliseconds
over millions of tasks; only a filter by user, model or provider reads tasks one by one.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from processors.frames import conform
from processors.scoring.performance import likeness_of
from processors.scoring.ranking import By, judge, placed
from processors.scoring.settings import Profile, ScoringSettings
from processors.scoring.statistics import AGENTS, STATISTICS
from processors.scoring.trends import trend
from query_api.asking.filters import Chosen, bound
from query_api.asking.problems import wrong
from query_api.asking.questions import Ask

MOST_ROWS = 200_000
"""Agents times categories times stretches that are looked at; beyond, a ranking is refused rather than wrong."""
LAST = datetime(2105, 1, 1, tzinfo=UTC)
"""The store's seconds end soon after."""
WEEK = timedelta(days=7)


class History(NamedTuple):
    """What agents did."""

    statistics: pl.DataFrame
    """Columns STATISTICS and `recent`, of the work that is chosen."""
    agents: Callable[[], pl.DataFrame]
    """Columns AGENTS. They are asked for when the sums are there, and found beside what is worked out of these."""
    weeks: pl.DataFrame
    """Columns STATISTICS and `this`, of this week and the last, whatever window is chosen."""


def profile_of(settings: ScoringSettings, name: str, parameter: str = "profile") -> Profile:
    """The profile `name`; ProblemError 400 if there is none."""
    if name not in settings.named:
        raise wrong(parameter, name, f"no profile: known are {', '.join(settings.named)}")
    return settings.named[name]


def history(ask: Ask, question: Chosen, profile: str, settings: ScoringSettings, now: datetime) -> History:
    """What the agents did that is chosen by `question`, scored under `profile`. Without a window, everything that is kept."""
    period = question.period(now, None)
    since, until = period.since, min(period.until, LAST)
    today = whole_day(now)  # stretches begin and end with a day, so that whole days are read as such
    recent, week, last_week = today - timedelta(days=settings.recent_days), today - WEEK, today - 2 * WEEK
    end = today + timedelta(days=1)
    cuts = sorted({since, until, week, last_week, end} | ({recent} if recent > since else set()))  # else all of it is recent
    found = conform(ask("agent_statistics", asked_of(every(question), cuts) | {"profile": profile}, MOST_ROWS), STATISTICS)
    coming = ask.soon("ranking_agents", asked_of(question, [since, until]), MOST_ROWS)
    if question.category:
        found = found.filter(pl.col("category").is_in(question.category))
    segment = pl.col("segment")

    def begun(moment: datetime) -> int:
        return sum(cut <= moment for cut in cuts)

    chosen = found.filter((segment >= begun(since)) & (segment < begun(until)))
    weeks = found.filter((segment >= begun(last_week)) & (segment < begun(end)))
    recently, this = segment >= begun(recent), segment >= begun(week)
    return History(chosen.with_columns(recent=recently), lambda: conform(coming(), AGENTS), weeks.with_columns(this=this))


def whole_day(moment: datetime) -> datetime:
    """The UTC day that `moment` lies in."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def every(question: Chosen) -> Chosen:
    """The same work in every category: sums are asked for all of them at once, and kept."""
    return question.model_copy(update={"category": ()})


def asked_of(question: Chosen, cuts: Iterable[datetime], agent_id: tuple[str, ...] = (), period: str = "") -> dict[str, Any]:
    """The parameters of a question to the sums. Whose work it is is asked for apart: a rank is one among all."""
    filters = {name: values for name, values in question.choice().items() if name in FILTERS}
    return filters | {"cuts": [bound(cut) for cut in cuts], "limit": MOST_ROWS, "agent_id": list(agent_id), "period": period}


FILTERS = ("category", "model", "provider", "department", "service", "user_id")


def ranked(
    ask: Ask, question: Chosen, by: By, profile: str, settings: ScoringSettings, now: datetime, *, least_tasks: int = 0
) -> pl.DataFrame:
    """The whole ranking of the work that is chosen, the best first.

    Args:
        ask: puts questions to the store.
        question: which work; an explicit window weighs all of it alike.
        by: the score to rank by.
        profile: name of the weights; ProblemError 400 if there are none.
        settings: how far luck is distrusted.
        now: what time it is.
        least_tasks: agents with fewer finished tasks are left out.

    Returns:
        One row an agent: what `rank` returns, and `profile, trend, trend_change`.
    """
    weights = profile_of(settings, profile)

    def worked_out() -> pl.DataFrame:
        found = history(ask, question, profile, settings, now)
        recently = not question.is_explicit
        judged = judge(found.statistics, by, weights, settings, favour_recent=recently)
        moves = trend(found.weeks, weights.performance.shares(), likeness_of(found.weeks))
        told = placed(judged, found.agents(), by, settings, now, least_tasks=least_tasks)
        return told.join(moves, on="agent_id", how="left", maintain_order="left").with_columns(profile=pl.lit(profile))

    filters = tuple((name, tuple(values)) for name, values in question.choice().items() if name in FILTERS)
    key = ("ranked", filters, question.period(now, None), question.is_explicit, by, profile, least_tasks, now)
    return ask.once(key, worked_out)
