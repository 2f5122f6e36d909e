"""What alerts are told by, out of the store: a few bounded questions a round."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import polars as pl

from exporters.store import Store
from exporters.traces import question
from processors.alerts.causes import STEPS
from processors.alerts.changes import OBSERVED
from processors.alerts.frames import ALERT_EVENTS, ALERT_RULES, ALERTS, SILENCES
from processors.alerts.levels import MEASURED, SUMS
from processors.alerts.life import Fault
from processors.alerts.rules import shipped
from processors.alerts.waiting import (
    DECISIONS,
    QUEUES,
    USUAL,
    WORKED,
    decided_since,
    is_quiet,
    quiet_services,
    stuck_queues,
    waiting_decisions,
)
from processors.frames import conform

MOST_GROUPS = 200_000
"""Groups and windows that are added up in one round."""
MOST_TASKS = 1_000_000
"""Tasks that are looked at one by one."""
MOST_ALERTS = 10_000
LATELY = timedelta(minutes=5)
"""A queue or a resource that has not been heard of for longer is not known."""
LIFE = timedelta(hours=24)
"""Agents that gave no sign of life within this time are not expected to."""
WAITED = timedelta(hours=24)
"""What has waited for longer is forgotten."""
USUAL_FOR = timedelta(days=7)
"""How long tasks take is told by those of this time."""
REGULAR = 3.0
"""An agent is silent after as many times its own interval."""
BACK_SOON = timedelta(minutes=2)
"""Whoever could not reach Merit tries again within this time (gRPC, connection backoff protocol)."""
ALWAYS = datetime.min.replace(tzinfo=UTC)
"""Since when is listened where nothing was missed."""


class Window(NamedTuple):
    """A stretch of time with a name."""

    name: str
    since: datetime
    until: datetime


def sums(store: Store, source: str, windows: Sequence[Window]) -> pl.DataFrame:
    """What was done in these windows, columns SUMS; `source` is `tasks` or `calls`."""
    if not windows:
        return pl.DataFrame(schema=dict(SUMS))
    asked = {
        "windows": [one.name for one in windows],
        "since_ms": [milliseconds(one.since) for one in windows],
        "until_ms": [milliseconds(one.until) for one in windows],
        "limit": MOST_GROUPS,
    }
    return conform(store.query(question(f"alert_sums_of_{source}"), asked), SUMS)


class Bounds(NamedTuple):
    """Since when people accept what is new, and where the past of agents ends, because an alert is open."""

    accepted: Mapping[Fault, datetime]
    """By agent, category and measure."""
    alarmed: Mapping[str, datetime]


def past(store: Store, since: datetime, until: datetime, bounds: Bounds, each: int, part: tuple[int, int]) -> pl.DataFrame:
    """A sample of the tasks of this time, `each` of an agent and category; columns OBSERVED.

    Of agents of which people accept something, what has been since is sampled by itself, and up to now. `part` says of which
    agents: those whose CRC-32, modulo the second, is the first.
    """
    accepted: dict[str, datetime] = {}
    for (agent, *_), at in bounds.accepted.items():
        accepted[agent] = max(at, accepted.get(agent, at))
    asked = {"since": since, "until": until, "each": each, "limit": MOST_TASKS}
    asked |= {"accepting": list(accepted), "from_ms": [milliseconds(at) for at in accepted.values()]}
    asked |= {"part": part[0], "parts": part[1]}
    asked |= {"alarmed": list(bounds.alarmed), "to_ms": [milliseconds(at) for at in bounds.alarmed.values()]}
    return conform(store.query(question("alert_past"), asked), OBSERVED)


def recent(store: Store, since: datetime, each: int) -> pl.DataFrame:
    """The newest tasks, `each` of an agent and category; columns OBSERVED."""
    asked = {"since": since, "each": each, "limit": MOST_TASKS}
    return conform(store.query(question("alert_recent"), asked), OBSERVED)


def volumes(store: Store, since: datetime, days: float) -> pl.DataFrame:
    """Tasks a month of each agent: `agent_id, tasks_a_month`."""
    return store.query(question("alert_volumes"), {"since": since, "days": days, "limit": MOST_GROUPS})


def steps(store: Store, changed: Mapping[str, datetime], since: datetime) -> pl.DataFrame:
    """What the tasks of agents consisted of before and after each one's change; columns STEPS."""
    asked = {"agents": list(changed), "since_ms": [milliseconds(at) for at in changed.values()], "since": since}
    return conform(store.query(question("alert_steps"), asked | {"limit": MOST_GROUPS}), STEPS)


def measured(store: Store, metrics: Collection[str], now: datetime, listening_since: datetime = ALWAYS) -> pl.DataFrame:
    """Signs of life, queues and resources, as far as they are among `metrics`; columns MEASURED."""
    wanted = set(metrics)
    parts = [pl.DataFrame(schema=dict(MEASURED))]
    if wanted & {"silence", "uptime"}:
        parts += signs_of_life(store, now, listening_since)
    if wanted & {"cpu", "memory", "disk", "queue_length", "stuck_queue_length"}:
        parts.append(lately(store, "gauges", now))
    if wanted & {"cpu", "memory", "disk"}:
        parts.append(lately(store, "usage", now))
    if "network_bytes_per_second" in wanted:
        parts.append(lately(store, "network", now))
    if wanted & {"stuck_queue_length", "open_decisions"}:
        parts += waiting(store, pl.concat(parts), now)
    return pl.concat(parts)


def lately(store: Store, what: str, now: datetime) -> pl.DataFrame:
    """What services have said of themselves in the last minutes, columns MEASURED."""
    said = store.query(question(f"alert_{what}"), {"since": now - LATELY, "limit": MOST_GROUPS})
    return conform(said.with_columns(agent_id=pl.lit("")), MEASURED)


def signs_of_life(store: Store, now: datetime, listening_since: datetime) -> list[pl.DataFrame]:
    """How long agents have been silent that are not expected to be, and in how much of the day they were heard.

    Of the day counts what is over of it, and since when somebody has listened: nobody can be heard while Merit is stopped.
    """
    life = life_of(store, now, listening_since)
    silence = life.filter(pl.col("silent_seconds").is_not_null())
    listened = life.filter(pl.col("expected") > 0)
    uptime = (pl.col("stretches") / pl.col("expected")).clip(0, 1)
    parts = [
        silence.select(metric=pl.lit("silence"), agent_id="agent_id", service="service", value="silent_seconds", n="n"),
        listened.select(metric=pl.lit("uptime"), agent_id="agent_id", service="service", value=uptime, n="stretches"),
    ]
    return [conform(part, MEASURED) for part in parts]


def life_of(store: Store, now: datetime, listening_since: datetime) -> pl.DataFrame:
    """Signs of life of who sends them, a row an agent; `silent_seconds` is 0 of who need not have sent another by now.

    It is null of whom nobody has listened to for long enough, and who was not heard since: it may have spoken meanwhile.
    """
    asked = {"since": now - LIFE, "now": now, "listening_since": max(listening_since, now - LIFE), "limit": MOST_GROUPS}
    life = store.query(question("alert_signs_of_life"), asked)
    unusual = pl.col("silence") > REGULAR * pl.col("every_seconds")
    listened = (now - listening_since).total_seconds()
    enough = listened > pl.max_horizontal(REGULAR * pl.col("every_seconds"), BACK_SOON.total_seconds())
    silence = pl.when(unusual).then("silence").otherwise(0.0)
    return life.with_columns(silent_seconds=pl.when((pl.col("silence") <= listened) | enough).then(silence))


def heard(store: Store, now: datetime, listening_since: datetime = ALWAYS) -> pl.DataFrame:
    """Who sends signs of life, when the last came, and whether the rule `silent-agent`, as it is shipped, tells of that.

    Without those of whom that is not known. Columns `agent_id, heard_at` (seconds since 1970), `is_silent`.
    """
    rule = next(one for one in shipped() if one.name == "silent-agent")
    too_long = pl.col("silent_seconds") > min(rule.levels.values())
    is_silent = too_long & (pl.col("n") >= rule.min_observations)
    life = life_of(store, now, listening_since).filter(pl.col("silent_seconds").is_not_null())
    return life.select("agent_id", "heard_at", is_silent=is_silent)


def waiting(store: Store, known: pl.DataFrame, now: datetime) -> list[pl.DataFrame]:
    """What waits where nobody works: queues, of those that are known, and decisions. More is asked only when it is quiet."""
    queues = known.filter(pl.col("metric") == "queue_length")
    asked = {"since": now - WAITED, "lately": now - LATELY, "limit": MOST_GROUPS}
    worked = conform(store.query(question("alert_activity"), asked), WORKED)
    stuck = bool(quiet_services(queues, worked, now))
    usual, waits, decisions = pl.DataFrame(schema=dict(USUAL)), pl.DataFrame(schema=dict(QUEUES)), 0
    if stuck or is_quiet(worked, now):
        usual = conform(store.query(question("alert_usual"), asked | {"since": now - USUAL_FOR}), USUAL)
    if stuck:
        waits = conform(store.query(question("alert_queues"), asked), QUEUES)
    if is_quiet(worked, now):
        open_since = {"since": decided_since(worked, usual, now, WAITED), "limit": MOST_GROUPS}
        found = conform(store.query(question("alert_decisions"), open_since), DECISIONS)
        decisions = waiting_decisions(found, worked, usual, now)
    row = {"metric": "open_decisions", "agent_id": "", "service": "", "value": float(decisions), "n": 1}
    return [stuck_queues(queues, waits, worked, usual, now), pl.DataFrame([row], schema=dict(MEASURED))]


def to_go_on(store: Store, since: datetime) -> pl.DataFrame:
    """Alerts that are open, were resolved since, or that people accept; columns ALERTS."""
    return conform(store.query(question("alerts_to_go_on"), {"since": since, "limit": MOST_ALERTS}), ALERTS)


def by_people(store: Store, alert_ids: list[str]) -> pl.DataFrame:
    """What people did to these alerts; columns ALERT_EVENTS."""
    return conform(store.query(question("said_to_alerts"), {"alert_ids": alert_ids}), ALERT_EVENTS)


def edited_rules(store: Store, most: int) -> pl.DataFrame:
    """Rules as people have edited them; columns ALERT_RULES."""
    return conform(store.query(question("alert_rules"), {"limit": most}), ALERT_RULES)


def silences(store: Store, now: datetime) -> pl.DataFrame:
    """Those that hold now; columns SILENCES."""
    return conform(store.query(question("silences"), {"now": now, "limit": MOST_ALERTS}), SILENCES)


def milliseconds(at: datetime) -> int:
    """Since 1970."""
    return round(at.timestamp() * 1000)
