"""Which rows of a table have been stored since the last look: each is found once, and none is missed for being late.

A row is stamped when its insert begins and can be read when it has ended; another writer, or a clock that is set back, may stamp
it earlier than what has been seen. To look back at every look would find all there is again and again. So the rows within the
overlap are only counted, which reads a single column; what is new is read once, and the overlap if it holds more than before.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from exporters.store import Store
from exporters.traces import question

ALL = 2**31
"""More rows than are found at once."""


class Stretch(NamedTuple):
    """Rows that were stored after a moment and until another one."""

    after: datetime
    until: datetime


class Looks:
    """Looks at tables that have `stored_at`, the first time in this process with the overlap.

    Args:
        store: where they are.
        overlap: a row may become readable this long after the time at which it was stored.
    """

    def __init__(self, store: Store, overlap: timedelta) -> None:
        self._store, self._overlap = store, overlap
        self._counted: dict[str, tuple[datetime, int]] = {}
        self._still: dict[str, tuple[datetime, int]] = {}

    def next(self, table: str, since: datetime, most: int) -> Stretch | None:
        """When that was stored which is to be looked at: about `most` rows after `since`, or late ones; None if nothing was."""
        changes = self._store.changes(table)
        if self._still.get(table) == (since, changes):
            return None
        asked = {"table": table, "since": stamp(since), "overlap": int(self._overlap.total_seconds()), "most": most}
        found, before, then = self._store.query(question("next_stored"), asked).row(0)
        until, is_late = max(since, found), (since, before) != self._counted.get(table)
        self._counted[table] = (until, then)
        if until == since and not is_late:
            self._still[table] = (since, changes)
            return None
        return Stretch(since - self._overlap if is_late else since, until)

    def forget(self) -> None:
        """Look with the overlap again: what was found has not been dealt with."""
        self._counted.clear()
        self._still.clear()


def bounds(look: Stretch) -> dict[str, str]:
    """The parameters `after` and `until` of a question."""
    return {"after": stamp(look.after), "until": stamp(look.until)}


def stamp(moment: datetime) -> str:
    """`moment` as the store reads it, milliseconds kept."""
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"
