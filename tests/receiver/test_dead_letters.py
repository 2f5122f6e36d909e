"""What the store would not take can be looked at, and stored once the cause is mended."""

import pytest

from processors.errors import Rejected
from receiver.dead_letters import letters, put_back, rows_of
from receiver.journal import DeadLetter, Journal
from tests.receiver.builders import NOW
from tests.receiver.test_storing import MIB, Table, numbers, spool
from tests.running import eventually


@pytest.fixture
def journal(tmp_path):
    """With two dead letters, of three rows."""
    opened = Journal(tmp_path, lambda: NOW, MIB, MIB).open()
    entry = opened.append({"spans": numbers(1, 2, 3, 4)})["spans"]
    dead = [DeadLetter(numbers(2), "n is bad"), DeadLetter(numbers(3, 4), "n is worse")]
    opened.end(opened.begin("spans", entry, entry), dead)
    yield opened
    opened.close()


def test_they_are_listed_with_when_what_and_why(journal):
    assert [tuple(letter) for letter in letters(journal.file)] == [
        (1, "spans", NOW, 1, "n is bad"),
        (2, "spans", NOW, 2, "n is worse"),
    ]
    assert rows_of(journal.file, 2).equals(numbers(3, 4))


def test_those_put_back_are_stored_by_a_running_merit(journal, tmp_path):
    table = Table()
    with spool(tmp_path, spans=table):
        assert put_back(journal.file, [2]) == 2
        eventually(lambda: table.rows == [3, 4])
    assert [letter.id for letter in letters(journal.file)] == [1]


def test_a_number_that_there_is_none_of_is_refused_and_nothing_moves(journal):
    with pytest.raises(Rejected, match="no dead letter 7"):
        put_back(journal.file, [1, 7])
    with pytest.raises(Rejected, match="no dead letter 7"):
        rows_of(journal.file, 7)
    assert len(letters(journal.file)) == 2
    assert journal.after("spans", 0) == []
