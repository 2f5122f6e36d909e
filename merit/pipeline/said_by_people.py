"""What people have set of agents, for the tasks that are derived: read again now and then."""

from threading import Lock

import polars as pl

from exporters.agents import set_by_people
from exporters.store import Store
from processors.agents import as_set


class SaidByPeople:
    """Gives tasks and nodes the type and the department that people have set for their agent.

    Args:
        store: holds what people have set; first asked when something is derived.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._edits: pl.DataFrame | None = None

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of tasks or nodes, with what was set; raises Unavailable if that was never read and cannot be."""
        if self._edits is None:
            self.refresh()
        assert self._edits is not None
        return as_set(rows, self._edits)

    def refresh(self) -> bool:
        """Read again what people have set; whether it has changed."""
        edits = set_by_people(self._store)
        with self._lock:
            changed = self._edits is not None and not edits.equals(self._edits)
            self._edits = edits
            return changed
