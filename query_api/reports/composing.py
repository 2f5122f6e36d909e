"""Puts a report together: for the route that shows it, and for the job that sends it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import polars as pl

from processors.frames import conform
from processors.reports.periods import Period
from processors.reports.words import change, money, percent
from processors.reports.work import moved, movers, series, sides, totals
from processors.scoring.ranking import rank
from processors.scoring.settings import ScoringSettings
from processors.scoring.statistics import AGENTS, STATISTICS
from query_api.asking.answers import Row, rows
from query_api.asking.filters import ChosenAgents, bound
from query_api.asking.questions import Ask
from query_api.rankings.history import MOST_ROWS, asked_of, profile_of
from query_api.rankings.work_scores import PROFILE
from query_api.reports.changes import measure
from query_api.reports.overview import shown

MOST_AGENTS = 100
MOST_ALERTS = 200
COVERED = 0.05
"""Steps tell of models only as long as they are kept: they must add up to what tasks say, but for this share."""

Recommend = Callable[[Period, list[Row]], list[Row]]
"""What to do, going by a period and its alerts: each with `advice` and what it is about."""

ALL = ChosenAgents()


def report(ask: Ask, found: Period, zone: str, scoring: ScoringSettings, now: datetime, recommend: Recommend) -> Row:
    """The report about a period, as JSON values."""
    statistics = statistics_of(ask, found)
    here, there = sides(statistics)
    now_done, before_done = (totals(side, scoring.most_unpriced) for side in (here, there))
    ranking = moved(
        ranking_of(ask, here, found.since, found.until, scoring, now),
        ranking_of(ask, there, found.before, found.since, scoring, now),
    )
    asked = {"since": bound(found.since), "until": bound(found.until), "limit": MOST_ALERTS}
    alerts = rows(ask("report_alerts", asked, MOST_ALERTS))
    spent, note = movers_of(ask, found, here, there)
    agents = rows(ranking)
    empty = not now_done["tasks"]
    return {
        "kind": found.kind,
        "first_day": found.first.isoformat(),
        "last_day": (found.after - timedelta(days=1)).isoformat(),
        "since": shown(found.since),
        "until": shown(found.until),
        "time_zone": zone,
        "complete": found.until <= now,
        "generated_at": shown(now),
        "empty": empty,
        "headline": headline(now_done, before_done, len(alerts)),
        "notes": [note] if note else [],
        **{name: measure(now_done[name], before_done[name]) for name in now_done},
        "agents": agents[:MOST_AGENTS],
        "agents_left_out": max(len(agents) - MOST_AGENTS, 0),
        "ranks_moved": [row for row in agents if row["moved"]][:MOST_AGENTS],
        "cost_movers": rows(spent),
        "alerts": [row for row in alerts if not row["is_anomaly"]],
        "anomalies": [row for row in alerts if row["is_anomaly"]],
        "recommendations": recommend(found, alerts),
        "series": rows(series(here, found.steps)),
    }


def statistics_of(ask: Ask, found: Period) -> pl.DataFrame:
    """What was done in the period, step by step, and in the one before: columns STATISTICS."""
    cuts = [found.before, *found.steps, found.until]
    asked = asked_of(ALL, cuts) | {"profile": PROFILE}
    return conform(ask("agent_statistics", asked, MOST_ROWS), STATISTICS)


def ranking_of(
    ask: Ask, statistics: pl.DataFrame, since: datetime, until: datetime, scoring: ScoringSettings, now: datetime
) -> pl.DataFrame:
    """The ranking by performance of the work of one period, luck taken out."""
    agents = conform(ask("ranking_agents", asked_of(ALL, [since, until]), MOST_ROWS), AGENTS)
    profile = profile_of(scoring, PROFILE)
    known = statistics.with_columns(recent=pl.lit(value=True))
    return rank(known, agents, "performance", profile, scoring, now, favour_recent=False)


def movers_of(ask: Ask, found: Period, here: pl.DataFrame, there: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """What changed most in cost, by agent, category and model; and what is not known of it."""
    sums = [
        movers("agent", by(here, "agent_id"), by(there, "agent_id")),
        movers("category", by(here, "category"), by(there, "category")),
    ]
    models = [costs_by_model(ask, since, until) for since, until in ((found.since, found.until), (found.before, found.since))]
    if not all(covers(model, side) for model, side in zip(models, (here, there), strict=True)):
        return pl.concat(sums), "Cost by model is not shown: it is not known of all that was done."
    return pl.concat([*sums, movers("model", *models)]), ""


def by(statistics: pl.DataFrame, column: str) -> pl.DataFrame:
    """`group, cost_usd` by a column of the statistics."""
    return statistics.select(group=column, cost_usd="total_cost_usd")


def costs_by_model(ask: Ask, since: datetime, until: datetime) -> pl.DataFrame:
    """`group, cost_usd` by model."""
    chosen: Row = {
        name: [] for name in ("trace_id", "agent_id", "category", "model", "provider", "department", "service", "user_id")
    }
    bounds = {"since": bound(since), "until": bound(until), "cuts": [bound(since), bound(until)], "by_task": False}
    asked = chosen | bounds | {"group_by": "model", "limit": MOST_ROWS, "offset": 0}
    return ask("costs", asked, MOST_ROWS).select("group", pl.col("cost_usd").cast(pl.Float64))


def covers(by_model: pl.DataFrame, statistics: pl.DataFrame) -> bool:
    """Whether the model calls that are known of tell of all that the tasks cost."""
    whole = float(statistics["total_cost_usd"].sum() or 0)
    return float(by_model["cost_usd"].sum() or 0) >= (1 - COVERED) * whole


def headline(now: Row, before: Row, alerts: int) -> str:
    """The report in a line."""
    if not now["tasks"]:
        return "Nothing happened: no task began." + (f" {alerts} alerts were open." if alerts else "")
    against = measure(now["tasks"], before["tasks"])["change_ratio"]
    parts = [f"{now['tasks']:,} tasks" + (f" ({change(against)})" if against is not None else "")]  # type: ignore[arg-type]
    if now["success_rate"] is not None:
        was = f" ({percent(before['success_rate'])} before)" if before["success_rate"] is not None else ""  # type: ignore[arg-type]
        parts.append(f"{percent(now['success_rate'])} succeeded{was}")  # type: ignore[arg-type]
    if now["cost_usd"] is not None:
        parts.append(f"{money(now['cost_usd'])} spent")  # type: ignore[arg-type]
    parts.append(f"{alerts or 'no'} alert{'' if alerts == 1 else 's'}")
    return ", ".join(parts) + "."
