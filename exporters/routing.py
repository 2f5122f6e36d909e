"""What routing learns from: tasks, model calls, judgements, and what was reported of decisions."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import polars as pl

from exporters.looks import Stretch, bounds
from exporters.store import Store
from exporters.traces import question

MOST_NEW = 20_000
"""Rows that one look takes in; of more, the latest. Working everything out anew takes in the rest."""
MOST_HISTORY = 60_000
EACH = 1_000
"""Of each agent in each category."""
EACH_NEW = 250
"""The same of one look: each observation of a cell is learnt from after the one before."""
TRACES_AT_ONCE = 2_000
TIMED = ("tasks", "evaluations", "outcomes", "decisions")
"""What is looked for from a time on."""


class News(NamedTuple):
    """What there is of a kind since some time: it is another one whenever something has been stored."""

    rows: int
    newest: int
    """Of what has a time, milliseconds since 1970."""


def news(store: Store, since: Mapping[str, datetime]) -> dict[str, News]:
    """What there is that routing learns from, by kind; `since` is the time of each of TIMED."""
    found = store.query(question("routing_news"), {kind: since[kind] for kind in TIMED})
    return {kind: News(rows, newest) for kind, rows, newest in found.iter_rows()}


def new_tasks(store: Store, look: Stretch) -> pl.DataFrame:
    """Finished tasks that were stored then, the oldest first."""
    found = store.query(question("routing_tasks"), {**bounds(look), "each": EACH_NEW, "most": MOST_NEW})
    return found.sort("ended_at", "task_id")


def last_tasks(store: Store, since: datetime) -> pl.DataFrame:
    """The last finished tasks of each agent in each category, the oldest first."""
    asked = {"since": since, "each": EACH, "most": MOST_HISTORY}
    return store.query(question("routing_history"), asked).reverse()


def calls(store: Store, trace_ids: list[str], since: datetime) -> pl.DataFrame:
    """How the model calls of these traces, derived since, went, by task, provider and model."""
    asked = {"since": since, "most": MOST_HISTORY}
    slices = [trace_ids[start : start + TRACES_AT_ONCE] for start in range(0, max(len(trace_ids), 1), TRACES_AT_ONCE)]
    return pl.concat([store.query(question("routing_calls"), {**asked, "trace_ids": some}) for some in slices])


def qualities(store: Store, since: datetime) -> pl.DataFrame:
    """Succeeded tasks of which a judgement was stored since, and how good they are."""
    return store.query(question("routing_qualities"), {"since": since, "most": MOST_HISTORY})


def decided(store: Store, since: datetime, oldest: datetime) -> pl.DataFrame:
    """Decisions stored since that are not older than `oldest`."""
    return store.query(question("routing_decided"), {"since": since, "oldest": oldest, "most": MOST_NEW})


def known(store: Store) -> pl.DataFrame:
    """Since when each candidate is known, and how many tasks it has finished: `kind, agent_id, finished, first_seen`."""
    return store.query(question("routing_known"), {"most": MOST_HISTORY})


def outcomes(store: Store, since: datetime) -> pl.DataFrame:
    """What was reported of decisions since, and of which finished task; `task_id` is empty where none is known."""
    return store.query(question("routing_outcomes"), {"since": since, "most": MOST_HISTORY})


def declared(store: Store) -> dict[str, frozenset[str]]:
    """Who has declared to be able to do each category."""
    found = store.query(question("routing_declared"), {"most": MOST_HISTORY}).group_by("category").agg("agent_id")
    return {category: frozenset(agents) for category, agents in found.iter_rows()}
