"""What the store knows of agents, and what its tasks say of them."""

from datetime import datetime

import polars as pl

from exporters.looks import Stretch, bounds
from exporters.store import Store
from exporters.traces import IDS_AT_ONCE, question
from processors.agents import AGENTS, SIGHTINGS
from processors.frames import conform

MOST_SIGHTINGS = 1_000_000
"""Different things that tasks say of agents, which are looked at; of more, the latest."""
SECONDS_FOR_ALL = 300
"""Reading all tasks of a year takes longer than an answer may."""


def last_stored(store: Store, since: datetime) -> datetime:
    """When the last task was stored, by the store's clock; not before `since`."""
    stored: datetime = store.query(question("last_stored_task"), {"since": since})["stored_at"].item()
    return stored


def sightings(store: Store, look: Stretch | None) -> pl.DataFrame:
    """What tasks say of their agents, columns SIGHTINGS: those stored then, or all."""
    if look is None:
        found = store.query(question("agent_sightings"), {"most": MOST_SIGHTINGS}, seconds=SECONDS_FOR_ALL)
    else:
        found = store.query(question("new_agent_sightings"), {**bounds(look), "most": MOST_SIGHTINGS})
    return conform(found, SIGHTINGS)


def known_agents(store: Store, agent_ids: list[str]) -> pl.DataFrame:
    """What is known of at least these agents, or of all if none is named: columns AGENTS."""
    asked = agent_ids if len(agent_ids) <= IDS_AT_ONCE else []
    return conform(store.query(question("agents"), {"agent_ids": asked}), AGENTS)


def set_by_people(store: Store) -> pl.DataFrame:
    """What people have set for agents: `agent_id, agent_type, department`, null where they did not."""
    return store.query(question("set_by_people")).cast(pl.String())
