"""Traces that show what alerts of rules with a level tell of."""

from collections.abc import Sequence

from exporters.alerts import milliseconds
from exporters.store import Store
from exporters.traces import question
from processors.alerts.examples import Wanted
from processors.alerts.metrics import SPLITS

EACH = 5
"""Traces of one alert."""


def examples(store: Store, wanted: Sequence[Wanted]) -> dict[str, list[str]]:
    """By key: the traces that show it best, that most of all first."""
    found: dict[str, list[str]] = {}
    for source in ("tasks", "calls"):
        mine = [one for one in wanted if one.source == source]
        if mine:
            asked = {
                "keys": [one.key for one in mine],
                "shows": [one.shows for one in mine],
                "since_ms": [milliseconds(one.since) for one in mine],
                **{name: [list(one.chosen.get(name, ())) for one in mine] for name in SPLITS[source]},
            }
            rows = store.query(question(f"alert_examples_of_{source}"), asked | {"each": EACH, "limit": EACH * len(mine)})
            found |= dict(rows.group_by("key", maintain_order=True).agg("trace_id").iter_rows())
    return found
