"""What is usual of each agent, worked out anew every hour: a part of the agents in each round, lest one round cost much more."""

from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from zlib import crc32

import polars as pl

from exporters import alerts as stored
from exporters.alerts import Bounds
from exporters.store import Store
from processors.alerts.accepted import as_before, as_since
from processors.alerts.changes import OBSERVED, usual
from processors.frames import empty

DAY = timedelta(days=1)
PAST_DAYS = 28
"""What is usual is told by so many days,"""
SAMPLE = 1_000
"""of so many tasks of an agent and category,"""
LAST_DAY = DAY
"""without the last one."""
PARTS = 16
"""Agents fall into so many parts by a hash of their id."""
ENOUGH = 20_000
"""When so many tasks have been looked at in a round, the other parts wait for the next ones."""


class Part(NamedTuple):
    """What is usual of a part of the agents."""

    hour: datetime
    """As of when."""
    bounds: Bounds
    """Where their past begins and ends."""
    usual: pl.DataFrame
    """As it was before anything that people accept."""
    accepted: pl.DataFrame
    """Of what they accept, as it has been since."""


class Known(NamedTuple):
    """What is known of agents."""

    usual: pl.DataFrame
    """As `usual` has it; of what people accept as it was before."""
    accepted: pl.DataFrame
    """The same, of what they accept as it has been since."""
    volumes: pl.DataFrame
    """Tasks a month of each agent."""


class Usual:
    """What is usual of agents, as of this hour or, of some, of one before.

    Args:
        store: has what was.
        enough: how many tasks are looked at in a round.
        parts: into how many parts agents fall.
    """

    def __init__(self, store: Store, enough: int = ENOUGH, parts: int = PARTS) -> None:
        self._store, self._enough, self._number = store, enough, parts
        self._parts: dict[int, Part] = {}
        self._volumes: tuple[datetime, pl.DataFrame] | None = None
        self._there: set[int] = set()
        """Parts in which there is somebody."""

    def __call__(self, bounds: Bounds, now: datetime) -> Known:
        """What is known.

        After a start some agents may be missing for a few calls.
        """
        hour = now.replace(minute=0, second=0, microsecond=0)
        if self._volumes is None or self._volumes[0] != hour:
            self._volumes = (hour, stored.volumes(self._store, hour - PAST_DAYS * DAY, PAST_DAYS))
            self._there = {part_of(agent, self._number) for agent in self._volumes[1]["agent_id"].cast(pl.String)}
        seen = 0
        for part, its in self._outdated(bounds, hour):
            if part not in self._there and not its.accepted:
                self._parts[part] = Part(hour, its, nothing(), nothing())
                continue
            if seen >= self._enough and not self._is_urgent(part, its):
                break
            until = hour - LAST_DAY
            past = stored.past(self._store, hour - PAST_DAYS * DAY, until, its, SAMPLE, (part, self._number))
            since = usual(as_since(past, its.accepted, until))
            self._parts[part] = Part(hour, its, usual(as_before(past, its.accepted, until)), since)
            seen += max(past.height, 1)
        parts = self._parts.values()
        before, since = pl.concat([part.usual for part in parts]), pl.concat([part.accepted for part in parts])
        return Known(before, since, self._volumes[1])

    def _outdated(self, bounds: Bounds, hour: datetime) -> list[tuple[int, Bounds]]:
        """Which parts are to be worked out anew, with their bounds: what people accept first, then the oldest."""
        every = [(part, of_part(bounds, part, self._number)) for part in range(self._number)]
        known = self._parts
        stale = [(part, its) for part, its in every if part not in known or known[part][:2] != (hour, its)]
        age = {part: known[part].hour.timestamp() if part in known else 0.0 for part, _ in stale}
        return sorted(stale, key=lambda each: (not self._is_urgent(*each), age[each[0]], each[0]))

    def _is_urgent(self, part: int, its: Bounds) -> bool:
        """Whether people accept of these agents what was not usual: that holds at once."""
        return part in self._parts and self._parts[part].bounds.accepted != its.accepted


@cache
def nothing() -> pl.DataFrame:
    """What is usual where nobody is."""
    return usual(empty(OBSERVED))


def part_of(agent: str, parts: int) -> int:
    """The part that an agent falls into, as the store has it."""
    return crc32(agent.encode()) % parts


def of_part(bounds: Bounds, part: int, parts: int) -> Bounds:
    """The bounds of the agents of a part."""

    def is_in(agent: str) -> bool:
        return part_of(agent, parts) == part

    accepted = {fault: at for fault, at in bounds.accepted.items() if is_in(fault[0])}
    return Bounds(accepted, {agent: at for agent, at in bounds.alarmed.items() if is_in(agent)})
