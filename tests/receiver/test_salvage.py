"""A journal that a failing disk has damaged: what can be read of it is saved, the rest is set aside, and both are said."""

import sqlite3
from contextlib import suppress
from pathlib import Path
from random import Random

import polars as pl
import pytest

from processors.errors import Rejected, Unavailable
from receiver.journal import Journal
from receiver.journal_file import NAME, PAGE_BYTES
from receiver.reading import Outcome
from receiver.receipts import DIGEST_BYTES, Receipt
from receiver.salvage import SAVING
from tests.receiver.builders import NOW

MIB = 1 << 20
ENTRIES = 60


def journal(folder: Path) -> Journal:
    return Journal(folder, lambda: NOW, 64 * MIB, MIB)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A folder with a journal of 60 entries of three pages each, in order of their numbers."""
    kept, random = journal(tmp_path).open(), Random(1)
    for number in range(ENTRIES):
        kept.append({"spans": pl.DataFrame({"n": [number], "text": [random.randbytes(10_000).hex()]})})
    kept.close()
    return tmp_path


def spoil(file: Path, *pages: int) -> None:
    with file.open("r+b") as opened:
        for page in pages:
            opened.seek((page - 1) * PAGE_BYTES)
            opened.write(b"\xff" * PAGE_BYTES)


def saved(kept: Journal) -> set[int]:
    """The numbers in the entries of a journal that can be read; others become dead letters when they are stored."""
    found = set()
    for entry in kept.after("spans", 0):
        with suppress(Rejected):
            found.add(kept.rows(entry.id)["n"].item())
    return found


@pytest.mark.parametrize("page", [20, 21, 22, 50, 51, 90])
def test_what_is_not_on_a_spoilt_page_is_saved_and_the_file_set_aside(filled: Path, page: int, caplog) -> None:
    spoil(filled / NAME, page)
    kept = journal(filled).open()

    numbers = saved(kept)
    assert ENTRIES - 12 <= len(numbers) < ENTRIES
    assert numbers < set(range(ENTRIES))
    assert kept.waiting().entries - len(numbers) <= 1
    assert (filled / f"damaged-{NOW:%Y%m%dT%H%M%S}.sqlite").exists()
    assert "is set aside as damaged-" in caplog.records[0].getMessage()
    assert f"{kept.waiting().entries} entries and 0 dead letters of it are saved" in caplog.records[1].getMessage()
    kept.append({"spans": pl.DataFrame({"n": [99], "text": ["new"]})})
    kept.close()
    again = journal(filled).open()
    assert saved(again) == numbers | {99}
    again.close()
    assert len(caplog.records) == 2


@pytest.mark.parametrize("ended", ["while it was copied", "before it was in its place"])
def test_a_rescue_that_was_cut_short_is_ended_by_the_next_start(filled: Path, ended: str) -> None:
    if ended == "while it was copied":
        (filled / SAVING).write_bytes((filled / NAME).read_bytes()[: 10 * PAGE_BYTES])
        spoil(filled / NAME, 20)
    else:
        (filled / NAME).rename(filled / SAVING)
        (filled / f"{NAME}-wal").write_bytes(b"of the one that is damaged")
    kept = journal(filled).open()

    assert len(saved(kept)) >= ENTRIES - 12
    assert not (filled / SAVING).exists()
    kept.close()


def test_what_senders_were_told_may_be_damaged_and_nobody_else_suffers(tmp_path: Path, caplog) -> None:
    kept = journal(tmp_path).open()
    outcome = Outcome(1, 0, "")
    for name in (b"a", b"b", b"c"):
        kept.append({"spans": pl.DataFrame({"n": [1]})}, [Receipt(name * DIGEST_BYTES, outcome)])
    kept.close()
    with sqlite3.connect(tmp_path / NAME) as db:
        db.execute("UPDATE receipts SET outcomes = CAST(x'ff5b' AS TEXT) WHERE id = 1")
        db.execute("UPDATE receipts SET at = 'never' WHERE id = 2")
    db.close()
    again = journal(tmp_path).open()

    assert [again.known(name * DIGEST_BYTES) for name in (b"a", b"b", b"c")] == [None, None, outcome]
    assert len([record for record in caplog.records if "is damaged and forgotten" in record.getMessage()]) == 2
    again.close()


def test_a_journal_that_is_damaged_while_it_is_used_says_what_to_do(filled: Path) -> None:
    kept = journal(filled).open()
    spoil(filled / NAME, *range(3, 150))
    other = sqlite3.connect(filled / NAME)  # a change by another process makes SQLite read the pages anew
    other.execute("PRAGMA user_version = 1")
    other.close()

    with pytest.raises(Unavailable, match="start Merit again, which saves what can be read"):
        saved(kept)
    kept.close()
