"""Agents at work, by day and by night, with the noise that there is, and faults of known size put in."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from processors.alerts.changes import OBSERVED
from processors.frames import conform
from tests.builders import NOW

HOUR = 3600.0


@dataclass(frozen=True)
class Agent:
    """How an agent works when all is well."""

    name: str = "writer"
    a_day: float = 200.0
    fails: float = 0.03
    seconds: float = 8.0
    spread: float = 0.5
    """Of the logarithm of the duration."""
    dollars: float = 0.01
    cost_spread: float = 0.6
    judged: float = 0.3
    quality: float = 0.8


@dataclass(frozen=True)
class Fault:
    """What goes wrong, from `at` (days after the beginning) on."""

    at: float = 1e9
    fails: float = 0.0
    """More failures than usual: of what would have succeeded, this share."""
    slower: float = 1.0
    dearer: float = 1.0
    worse: float = 0.0
    """Less quality."""


def history(agent: Agent, days: float, seed: int, fault: Fault = Fault(), start: datetime = NOW) -> pl.DataFrame:
    """`days` of tasks, columns OBSERVED.

    There are four times as many tasks by day as at night and half as many at weekends. Durations are up to 30 % longer when
    there is most to do, drift by 8 % from hour to hour, and every hundredth is ten times as long. Twice a month for 10 minutes a
    third of the tasks fails, as when a provider stumbles.
    """
    random = np.random.default_rng(seed)
    hours = int(days * 24)
    hour = np.arange(hours)
    load = 0.5 - 0.5 * np.cos(2 * np.pi * (hour % 24) / 24)
    weekend = np.where((hour // 24) % 7 >= 5, 0.5, 1.0)
    rate = agent.a_day / 24 * (0.4 + 1.2 * load) * weekend
    counts = random.poisson(rate)
    at_hour = np.repeat(hour, counts)
    n = len(at_hour)
    at = np.sort(at_hour + random.random(n)) / 24
    drift = np.zeros(hours)
    for i in range(1, hours):
        drift[i] = 0.8 * drift[i - 1] + random.normal(0, 0.08 * 0.6)
    where = np.minimum((at * 24).astype(int), hours - 1)
    seconds = agent.seconds * np.exp(random.normal(0, agent.spread, n) + drift[where] + np.log1p(0.3) * load[where])
    seconds *= np.where(random.random(n) < 0.01, 10.0, 1.0)
    dollars = agent.dollars * np.exp(random.normal(0, agent.cost_spread, n))
    failed = random.random(n) < agent.fails
    for stumble in random.random(max(1, int(days / 15))) * days:
        failed |= (at >= stumble) & (at < stumble + 10 / 1440) & (random.random(n) < 0.33)
    quality = np.clip(random.normal(agent.quality, 0.12, n), 0, 1)
    is_judged = random.random(n) < agent.judged
    hit = at >= fault.at
    failed |= hit & (random.random(n) < fault.fails)
    seconds = np.where(hit, seconds * fault.slower, seconds)
    dollars = np.where(hit, dollars * fault.dearer, dollars)
    quality = np.where(hit, np.clip(quality - fault.worse, 0, 1), quality)
    frame = pl.DataFrame(
        {
            "agent_id": agent.name,
            "category": "general",
            "trace_id": [f"{seed:x}-{i:x}" for i in range(n)],
            "at": [start + timedelta(days=float(day)) for day in at],
            "failed": failed,
            "duration_seconds": pl.Series(np.where(failed, np.nan, seconds)).fill_nan(None),
            "cost_usd": dollars,
            "quality": pl.Series(np.where(is_judged, quality, np.nan)).fill_nan(None),
        }
    )
    return conform(frame, OBSERVED)


def renamed(agent: Agent, name: str) -> Agent:
    """The same agent under another name."""
    return replace(agent, name=name)
