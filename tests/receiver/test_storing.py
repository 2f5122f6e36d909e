"""What is in the journal reaches the store: once, in few inserts, whatever the store does meanwhile, each kind by itself."""

import sqlite3
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from threading import Timer

import polars as pl
import pytest

from processors.errors import Rejected, Unavailable
from receiver.dead_letters import letters, rows_of
from receiver.journal import Journal
from receiver.packed import size_of
from receiver.spool import PACE_SECONDS, Spool
from receiver.storing import MOST_BYTES, MOST_ROWS, Storer, memory_of, parts_of
from tests.receiver.builders import NOW
from tests.running import eventually

MIB = 1 << 20
GRACE = timedelta(seconds=10)


class Table:
    """A store of one kind. It knows the tokens it has seen, and does what it is told: refuse, hang, reject some rows."""

    def __init__(self):
        self.rows, self.sizes, self.tokens, self.calls = [], [], {}, 0
        self.error, self.bad = None, frozenset()
        self.go = threading.Event()
        self.go.set()
        self.called = threading.Event()

    def __call__(self, rows, token):
        self.calls += 1
        self.called.set()
        assert self.go.wait(30)
        if self.error:
            raise self.error
        if self.bad & set(rows["n"]):
            raise Rejected("n is bad")
        if token not in self.tokens:
            self.tokens[token] = rows["n"].to_list()
            self.rows += rows["n"].to_list()
            self.sizes.append(len(rows))


def numbers(*found):
    return pl.DataFrame({"n": found}, schema={"n": pl.Int64})


@contextmanager
def spool(folder, held_bytes=MIB, max_bytes=MIB, max_dead=MIB, tables=None, grace=GRACE, missing=None, **consumers):
    """A spool over a journal in `folder`."""
    journal = Journal(folder, lambda: NOW, max_bytes, max_dead).open()

    def insert(table, rows, token):
        tables[table](rows, token)

    running = Spool(journal, consumers, insert, held_bytes, missing)
    running.start()
    try:
        yield running
    finally:
        running.stop(grace)
        journal.close()


def test_a_request_of_very_many_rows_is_stored_in_parts_each_of_them_once(tmp_path):
    table = Table()
    with spool(tmp_path, max_bytes=8 * MIB, spans=table) as kept:
        table.error = Unavailable("away")
        kept.keep({"spans": numbers(*range(3 * MOST_ROWS + 5))})
        eventually(lambda: table.calls > 1)
        table.error = None
        eventually(lambda: kept.waiting() == (0, 0, None))
    assert table.rows == list(range(3 * MOST_ROWS + 5))
    assert len(table.sizes) == 4
    assert max(table.sizes) <= MOST_ROWS


def test_rows_of_very_many_bytes_are_parted_by_their_bytes_and_always_alike():
    texts = ["x" * (MOST_BYTES // 4)] * 10 + ["y"] * 990
    rows = pl.DataFrame({"n": range(1000), "text": texts})

    parts = parts_of(rows, size_of(rows))

    assert pl.concat(parts).equals(rows)
    assert all(size_of(part) <= MOST_BYTES for part in parts)
    assert 4 <= len(parts) <= 20
    again = pl.concat([rows[:7], rows[7:]], rechunk=True)
    assert [len(part) for part in parts_of(again, size_of(again))] == [len(part) for part in parts]


def test_a_row_too_large_for_any_insert_is_a_part_of_its_own():
    rows = pl.DataFrame({"text": ["x" * (MOST_BYTES + 1), "y"]})

    assert [len(part) for part in parts_of(rows, size_of(rows))] == [1, 1]


def test_what_comes_within_a_moment_is_stored_together(tmp_path):
    table = Table()
    with spool(tmp_path, spans=table) as kept:
        for number in range(50):
            kept.keep({"spans": numbers(number)})
        eventually(lambda: len(table.rows) == 50)
        assert table.rows == list(range(50))
        assert len(table.sizes) <= 3
        eventually(lambda: kept.waiting() == (0, 0, None))
        eventually(lambda: kept.counts()["spans"].stored_rows == 50)


def test_the_longer_storing_takes_the_longer_the_next_batch_waits_for_company(tmp_path):
    table = Table()
    with spool(tmp_path, spans=lambda rows, token: (time.sleep(0.15), table(rows, token))) as kept:
        kept.keep({"spans": numbers(1)})
        eventually(lambda: kept.counts()["spans"].stored_rows == 1)
        kept.keep({"spans": numbers(2)})
        time.sleep(0.3)
        kept.keep({"spans": numbers(3)})
        eventually(lambda: kept.counts()["spans"].stored_rows == 3)
    assert table.sizes == [1, 2]


def test_what_does_not_fit_into_memory_is_read_back_from_the_journal(tmp_path):
    table = Table()
    table.go.clear()
    with spool(tmp_path, held_bytes=100, spans=table) as kept:
        for number in range(40):
            kept.keep({"spans": numbers(number, number)})
        table.go.set()
        eventually(lambda: len(table.rows) == 80)
    assert table.rows == [number for number in range(40) for _ in range(2)]


def test_a_store_that_is_away_is_tried_again_until_it_is_back_and_said_to_be_so_once(tmp_path, caplog):
    table = Table()
    table.error = Unavailable("no route to host")
    with spool(tmp_path, spans=table) as kept:
        for number in range(5):
            kept.keep({"spans": numbers(number)})
            time.sleep(0.1)
        eventually(lambda: table.calls >= 3)
        table.error = None
        eventually(lambda: len(table.rows) == 5)
        assert kept.counts()["spans"].retries >= 3
    assert table.rows == list(range(5))
    said = [record.message for record in caplog.records if "spans" in record.message]
    assert said == ["spans wait in the journal until the store is back: no route to host", "spans are stored again"]


def test_a_store_that_hangs_keeps_nobody_waiting(tmp_path):
    table = Table()
    table.go.clear()
    with spool(tmp_path, held_bytes=1, spans=table) as kept:
        began = time.monotonic()
        for number in range(20):
            kept.keep({"spans": numbers(number)})
        assert time.monotonic() - began < 5
        assert kept.waiting().entries == 20
        table.go.set()
        eventually(lambda: sorted(table.rows) == list(range(20)))


def test_a_store_that_is_slow_but_well_sets_the_pace(tmp_path):
    held = memory_of(numbers(1))

    class Slow(Table):
        def __call__(self, rows, token):
            time.sleep(0.05)
            super().__call__(rows, token)

    table, most = Slow(), 0
    with spool(tmp_path, held_bytes=held, spans=table) as kept:
        for number in range(10):
            kept.keep({"spans": numbers(number)})
            most = max(most, kept.waiting().entries)
    assert table.rows == list(range(10))
    assert most <= 4


def test_no_more_than_one_batch_waits_while_another_is_being_stored(tmp_path):
    table = Table()
    table.go.clear()
    with spool(tmp_path, held_bytes=64 * MIB, max_bytes=64 * MIB, spans=table) as kept:
        for _ in range(2):
            kept.keep({"spans": numbers(*range(MOST_ROWS))})
            eventually(lambda: table.calls == 1)
        began = time.monotonic()
        Timer(0.3, table.go.set).start()
        kept.keep({"spans": numbers(1)})
        assert 0.2 < time.monotonic() - began < PACE_SECONDS
    assert len(table.rows) == 2 * MOST_ROWS + 1


def test_one_table_in_trouble_holds_up_no_other(tmp_path):
    good, bad = Table(), Table()
    bad.error = Unavailable("evaluations: table is read only")
    with spool(tmp_path, spans=good, tables={"evaluations": bad}) as kept:
        kept.keep({"evaluations": numbers(1)})
        kept.keep({"spans": numbers(2)})
        eventually(lambda: good.rows == [2])
        assert bad.rows == []
        bad.error = None
        eventually(lambda: bad.rows == [1])


def test_rows_of_the_api_can_be_read_on_return(tmp_path):
    table = Table()
    with spool(tmp_path, tables={"evaluations": table}) as kept:
        for number in range(3):
            kept.keep_readable("evaluations", numbers(number))
            assert table.rows[-1] == number


def test_rows_of_the_api_are_safe_on_return_when_the_store_is_away(tmp_path):
    table = Table()
    table.error = Unavailable("away")
    with spool(tmp_path, tables={"evaluations": table}, grace=timedelta(0)) as kept:
        began = time.monotonic()
        kept.keep_readable("evaluations", numbers(7))
        kept.keep_readable("evaluations", numbers(8))
        assert time.monotonic() - began < 2
    table.error = None
    with spool(tmp_path, tables={"evaluations": table}):
        eventually(lambda: table.rows == [7, 8])


def test_guilty_rows_alone_become_dead_letters(tmp_path, caplog):
    table = Table()
    table.bad = frozenset({13, 77})
    with spool(tmp_path, spans=table) as kept:
        for start in range(0, 100, 10):
            kept.keep({"spans": numbers(*range(start, start + 10))})
        eventually(lambda: len(table.rows) == 98)
        eventually(lambda: kept.waiting().entries == 0)
        eventually(lambda: (kept.counts()["spans"].stored_rows, kept.counts()["spans"].dead_rows) == (98, 2))
        kept.keep({"spans": numbers(200)})
        eventually(lambda: 200 in table.rows)
    assert sorted(table.rows) == [n for n in [*range(100), 200] if n not in table.bad]
    assert "rejects" in caplog.text


def test_a_batch_of_which_all_is_rejected_is_put_aside_after_a_bounded_number_of_tries(tmp_path):
    table = Table()
    table.bad = frozenset(range(5000))
    with spool(tmp_path, spans=table) as kept:
        kept.keep({"spans": numbers(*range(5000))})
        eventually(lambda: kept.counts()["spans"].dead_rows == 5000)
        assert table.calls < 500


def test_a_fault_of_ours_in_one_row_is_that_rows_and_one_in_all_waits_for_a_better_program(tmp_path):
    class Faulty(Table):
        def __call__(self, rows, token):
            if set(rows["n"]) & set(range(100, 200)):
                self.calls += 1
                raise ZeroDivisionError("a fault")
            super().__call__(rows, token)

    table = Faulty()
    with spool(tmp_path, spans=table, grace=timedelta(seconds=1)) as kept:
        kept.keep({"spans": numbers(1, 100, 2)})
        eventually(lambda: kept.counts()["spans"].dead_rows == 1)
        assert sorted(table.rows) == [1, 2]
        kept.keep({"spans": numbers(*range(100, 200))})
        eventually(lambda: kept.counts()["spans"].retries > 0)
        assert kept.counts()["spans"].dead_rows == 1
        assert kept.waiting().entries == 1


def test_stopping_stores_what_waits_and_leaves_in_the_journal_what_it_cannot_store(tmp_path, caplog):
    table = Table()
    with spool(tmp_path, spans=table) as kept:
        kept.keep({"spans": numbers(1)})
    assert table.rows == [1]

    table.error = Unavailable("away")
    with spool(tmp_path, spans=table, grace=timedelta(seconds=0.3)) as kept:
        kept.keep({"spans": numbers(2)})
    assert "1 entries" in caplog.text
    assert "the next start stores them" in caplog.text

    table.error = None
    with spool(tmp_path, spans=table):
        eventually(lambda: table.rows == [1, 2])


@pytest.mark.parametrize("stored", [True, False])
def test_a_batch_that_was_being_stored_when_the_process_died_is_stored_again_as_it_was(tmp_path, stored):
    """The process dies after the store has taken the batch, or before: it cannot know."""
    table = Table()
    journal = Journal(tmp_path, lambda: NOW, MIB, MIB).open()
    entries = [journal.append({"spans": numbers(number)})["spans"] for number in range(3)]
    batch = journal.begin("spans", entries[0], entries[1])
    if stored:
        table(numbers(0, 1), batch.token)
    journal.close()

    with spool(tmp_path, spans=table) as kept:
        kept.keep({"spans": numbers(3)})
        eventually(lambda: len(table.rows) == 4)
    assert table.rows == [0, 1, 2, 3]
    assert table.tokens[batch.token] == [0, 1]


def test_rows_that_the_store_takes_for_stored_and_does_not_have_are_stored_after_a_crash(tmp_path):
    """It died after it had noted the token, and before the rows were there."""
    table = Table()
    journal = Journal(tmp_path, lambda: NOW, MIB, MIB).open()
    entry = journal.append({"spans": numbers(1, 2, 3)})["spans"]
    table.tokens[journal.begin("spans", entry, entry).token] = []
    table.rows.append(2)
    journal.close()

    with spool(tmp_path, spans=table, missing={"spans": lambda rows: rows.filter(~pl.col("n").is_in(table.rows))}) as kept:
        eventually(lambda: sorted(table.rows) == [1, 2, 3])
        eventually(lambda: kept.waiting().entries == 0)


def test_rows_that_a_store_takes_for_stored_that_died_meanwhile_are_stored(tmp_path):
    """It has noted the token and not the rows; Merit lives."""
    table = Table()

    def dying(rows, token):
        if not table.tokens:
            table.tokens[token] = []
            raise Unavailable("it died")
        table(rows, token)

    with spool(tmp_path, spans=dying, missing={"spans": lambda rows: rows.filter(~pl.col("n").is_in(table.rows))}) as kept:
        kept.keep({"spans": numbers(1, 2)})
        eventually(lambda: kept.waiting().entries == 0)

    assert table.rows == [1, 2]


def test_what_another_process_puts_into_the_journal_is_found(tmp_path):
    table = Table()
    with spool(tmp_path, spans=table) as kept:
        other = Journal(tmp_path, lambda: NOW, MIB, MIB).open()
        other.append({"spans": numbers(5)})
        other.close()
        eventually(lambda: table.rows == [5])
        eventually(lambda: kept.waiting() == (0, 0, None))


def test_rows_that_are_found_in_the_journal_before_they_are_offered_wait_for_nobody_afterwards(tmp_path):
    table, journal = Table(), Journal(tmp_path, lambda: NOW, MIB, MIB).open()
    looks = []
    storer = Storer(journal, "spans", table, MIB)
    journal.refresh, look = lambda: looks.append(1) or look(), journal.refresh
    storer.start()
    late = journal.append({"spans": numbers(5)})["spans"]
    eventually(lambda: table.rows == [5])
    storer.offer(late, numbers(5))
    del looks[:]
    time.sleep(0.3)
    seen = len(looks)
    storer.offer(journal.append({"spans": numbers(6)})["spans"], numbers(6))
    eventually(lambda: table.rows == [5, 6])
    storer.stop(10)
    journal.close()

    assert seen <= 2


def damage(folder, entry):
    with sqlite3.connect(folder / "journal.sqlite") as db:
        db.execute(
            "UPDATE entries SET data = CAST(substr(data, 1, 20) || zeroblob(length(data) - 20) AS BLOB) WHERE id = ?", (entry,)
        )
    db.close()


@pytest.mark.parametrize("damaged", [(2,), (1, 2, 3)])
def test_an_entry_that_is_damaged_is_put_aside_and_holds_up_no_other(tmp_path, damaged, caplog):
    journal = Journal(tmp_path, lambda: NOW, MIB, MIB).open()
    for number in (1, 2, 3):
        journal.append({"spans": numbers(number, 10 * number)})
    journal.close()
    for entry in damaged:
        damage(tmp_path, entry)

    table = Table()
    with spool(tmp_path, spans=table) as kept:
        eventually(lambda: kept.waiting() == (0, 0, None))
        kept.keep({"spans": numbers(4)})
        eventually(lambda: 4 in table.rows)
        assert table.rows == [n for number in (1, 2, 3) if number not in damaged for n in (number, 10 * number)] + [4]
        assert kept.counts()["spans"].dead_rows == 2 * len(damaged)

    journal = Journal(tmp_path, lambda: NOW, MIB, MIB).open()
    assert [(letter.rows, letter.reason) for letter in letters(journal.file)] == [
        (2, "the bytes in the journal are damaged and cannot be read as rows")
    ] * len(damaged)
    with pytest.raises(Rejected, match="damaged"):
        rows_of(journal.file, 1)
    journal.close()
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == len(damaged)


def test_what_an_older_merit_left_is_stored_with_what_comes(tmp_path):
    journal = Journal(tmp_path, lambda: NOW, MIB, MIB).open()
    journal.append({"spans": numbers(1)})
    journal.append({"spans": numbers(2).with_columns(new=pl.lit("x"))})
    journal.close()

    table = Table()
    with spool(tmp_path, spans=table):
        eventually(lambda: table.rows == [1, 2])
    assert len(table.sizes) == 1
