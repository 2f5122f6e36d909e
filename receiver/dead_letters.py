"""Dead letters: rows that the store would not take. To be looked at, and given another try once the cause is mended.

They are in the file of the journal, which may be in use by a running Merit meanwhile: that finds what is put back.
"""

from datetime import datetime
from typing import NamedTuple

import polars as pl

from processors.errors import Rejected
from receiver.journal_file import JournalFile
from receiver.packed import Packed, unpack

MOVE = """INSERT INTO entries (kind, at, rows, size, data)
SELECT kind, at, rows, size, data FROM dead_letters WHERE id = ?"""


class Letter(NamedTuple):
    """A dead letter without its rows."""

    id: int
    kind: str
    at: datetime
    rows: int
    reason: str


def letters(file: JournalFile) -> list[Letter]:
    """All of them, the oldest first."""
    with file.reading() as db:
        found = db.execute("SELECT id, kind, at, rows, reason FROM dead_letters ORDER BY id").fetchall()
    return [Letter(number, kind, datetime.fromisoformat(at), rows, reason) for number, kind, at, rows, reason in found]


def rows_of(file: JournalFile, number: int) -> pl.DataFrame:
    """What a dead letter holds; raises Rejected if there is none of this number."""
    with file.reading() as db:
        found = db.execute("SELECT rows, size, data FROM dead_letters WHERE id = ?", (number,)).fetchone()
    if not found:
        raise Rejected(f"there is no dead letter {number}: see merit deadletter list")
    return unpack(Packed(*found))


def put_back(file: JournalFile, numbers: list[int]) -> int:
    """Put dead letters back into the journal, so that they are stored; how many rows they have.

    Raises:
        Rejected: there is none of one of these numbers; all stay where they are.
    """
    rows = 0
    with file.transaction() as db:
        for number in numbers:
            if not db.execute(MOVE, (number,)).rowcount:
                raise Rejected(f"there is no dead letter {number}: see merit deadletter list")
            rows += db.execute("DELETE FROM dead_letters WHERE id = ? RETURNING rows", (number,)).fetchone()[0]
    return rows
