"""What is in the journal is there again after whatever ended the process, until it has been stored; and no more than may be."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.errors import NoRoom, Rejected, Unavailable
from processors.frames import RECEIVED, conform
from receiver.journal import DeadLetter, Journal
from receiver.journal_file import NAME
from receiver.packed import pack, unpack
from receiver.reading import Outcome
from receiver.receipts import Receipt, Receipts, digest, read, written
from tests.builders import Clock
from tests.receiver.builders import NOW, body, decoded, span

MIB = 1 << 20
RECEIPT = Receipt(digest("traces", b"request"), Outcome(2, 1, "one is wrong"))


def spans(*numbers):
    return decoded(body(*(span(number) for number in numbers))).spans


@contextmanager
def journal(folder, max_bytes=MIB, max_dead_bytes=MIB, now=lambda: NOW):
    opened = Journal(Path(folder), now, max_bytes, max_dead_bytes).open()
    try:
        yield opened
    finally:
        opened.close()


def test_rows_come_back_as_they_were_with_every_type(tmp_path):
    rows = decoded(body(span(1, name="ü" * 100), span(2), resource={"a": ["x", 1]}, scope={"b": {"c": 2.5}}), body(span(3))).spans
    with journal(tmp_path) as first:
        entry = first.append({"spans": rows})["spans"]
    with journal(tmp_path) as second:
        assert second.rows(entry).equals(rows)
        assert second.rows(entry).schema == rows.schema == conform(rows, RECEIVED).schema


def test_what_was_appended_is_there_after_a_kill(tmp_path):
    script = (
        "import os, signal, sys\nfrom tests.receiver.test_journal import *\n"
        "kept = Journal(Path(sys.argv[1]), lambda: NOW, MIB, MIB).open()\n"
        "kept.append({'spans': spans(1, 2)}, [RECEIPT])\nkept.begin('spans', 1, 1)\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=Path(__file__).parents[2], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL

    with journal(tmp_path) as again:
        (entry,) = again.after("spans", 0)
        assert again.rows(entry.id)["SpanId"].to_list() == spans(1, 2)["SpanId"].to_list()
        assert again.known(RECEIPT.digest) == RECEIPT.outcome
        assert again.begun("spans")[:3] == ("spans", 1, 1)
        assert again.waiting().entries == 1


def test_entries_of_a_kind_leave_when_they_have_been_stored_and_those_of_others_stay(tmp_path):
    with journal(tmp_path) as kept:
        first = kept.append({"spans": spans(1), "evaluations": pl.DataFrame({"score": [0.5]})})
        last = kept.append({"spans": spans(2)})["spans"]
        assert kept.waiting()[::2] == (3, NOW)
        kept.end(kept.begin("spans", first["spans"], last))

        assert (kept.after("spans", 0), kept.begun("spans"), kept.kinds()) == ([], None, {"evaluations"})
        kept.end(kept.begin("evaluations", *[first["evaluations"]] * 2))
        assert kept.waiting() == (0, 0, None)


def test_a_batch_has_a_token_of_its_own_each_time(tmp_path):
    with journal(tmp_path) as kept:
        assert len({kept.begin("spans", 1, 1).token for _ in range(3)}) == 3


def test_numbers_are_never_used_again(tmp_path):
    for number in range(1, 4):
        with journal(tmp_path) as kept:
            assert kept.append({"spans": spans(1)}) == {"spans": number}
            kept.end(kept.begin("spans", number, number))


def test_a_full_journal_says_so_at_once_and_takes_again_when_there_is_room(tmp_path):
    with journal(tmp_path, max_bytes=len(pack(spans(1)).data) + 10) as kept:
        entry = kept.append({"spans": spans(1)})["spans"]
        with pytest.raises(NoRoom, match="again later") as full:
            kept.append({"spans": spans(2)}, [RECEIPT])
        assert full.value.retry_after == timedelta(seconds=5)
        assert kept.known(RECEIPT.digest) is None
        with pytest.raises(NoRoom):
            kept.refuse_if_full(1000)
        kept.end(kept.begin("spans", entry, entry))
        kept.refuse_if_full(10)
        kept.append({"spans": spans(2)})


def test_receipts_go_after_an_hour_also_from_the_disk(tmp_path):
    clock = Clock()
    with journal(tmp_path, now=clock) as kept:
        kept.append({"spans": spans(1)}, [RECEIPT])
        clock.tick(3599)
        kept.append({"spans": spans(2)}, [Receipt(digest("traces", b"2"), Outcome(1))])
        assert kept.known(RECEIPT.digest)
        clock.tick(2)
        kept.append({"spans": spans(3)}, [Receipt(digest("traces", b"3"), Outcome(1))])
        assert kept.known(RECEIPT.digest) is None
    with journal(tmp_path) as again:
        assert again.known(RECEIPT.digest) is None
        assert again.known(digest("traces", b"2")) == Outcome(1)


def test_a_clock_that_jumps_back_forgets_no_receipt(tmp_path):
    clock = Clock()
    with journal(tmp_path, now=clock) as kept:
        kept.append({"spans": spans(1)}, [RECEIPT])
        clock.tick(-86_400)
        kept.append({"spans": spans(2)}, [Receipt(digest("traces", b"2"), Outcome(1))])
        assert kept.known(RECEIPT.digest) == RECEIPT.outcome
        assert kept.known(digest("traces", b"2")) == Outcome(1)


@given(st.lists(st.integers(1, 4), max_size=30), st.integers(1, 10))
def test_receipts_are_bounded_in_number_and_the_newest_stay(groups, most):
    kept, given_out = Receipts(most), []
    for number, size in enumerate(groups, start=1):
        names = [Receipt(digest("traces", f"{number} {each}".encode()), Outcome(1)) for each in range(size)]
        kept.expire(NOW)
        assert len(kept) <= most
        kept.add(number, NOW, names)
        given_out += names
    assert all(kept.known(name) == told for name, told in given_out[-min(most, groups[-1] if groups else 0) :])


def test_receipts_are_written_and_read_whatever_was_told():
    several = [RECEIPT, Receipt(digest("logs", b""), Outcome(1, 2, 'a "quoted" ü')), Receipt(digest("logs", b"x"), Outcome(7))]
    assert read(*written(several)) == several


def test_the_same_bytes_of_another_signal_are_another_request():
    assert digest("traces", b"x") != digest("logs", b"x")


def test_dead_letters_are_put_aside_when_their_batch_ends_and_the_oldest_go_when_there_are_too_many(tmp_path, caplog):
    size = len(pack(spans(1)).data)
    with journal(tmp_path, max_dead_bytes=2 * size + size // 2) as kept:
        for number in range(1, 5):
            entry = kept.append({"spans": spans(number)})["spans"]
            kept.end(kept.begin("spans", entry, entry), [DeadLetter(spans(number), "never")])
        assert kept.waiting().entries == 0
        assert kept.dropped_dead_rows == 2
    with sqlite3.connect(tmp_path / NAME) as db:
        assert [found[0] for found in db.execute("SELECT id FROM dead_letters ORDER BY id")] == [3, 4]
    db.close()
    assert "dead letters are dropped" in caplog.text


def test_a_journal_of_a_newer_version_is_refused(tmp_path):
    with journal(tmp_path):
        pass
    with sqlite3.connect(tmp_path / NAME) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(Rejected, match="has version 99, this Merit knows up to 1: use the newer Merit"), journal(tmp_path):
        pass


def test_a_file_that_is_no_journal_is_refused(tmp_path):
    (tmp_path / NAME).write_bytes(b"no database" * 1000)
    with pytest.raises(Rejected, match="is damaged"), journal(tmp_path):
        pass


def test_a_folder_that_cannot_be_used_is_named_with_its_setting(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match=r"file/journal.sqlite.*receivers\.journal\.folder"), journal(tmp_path / "file"):
        pass


def test_what_is_closed_takes_nothing_more(tmp_path):
    with journal(tmp_path) as kept:
        pass
    with pytest.raises(Unavailable, match="closed"):
        kept.append({"spans": spans(1)})


FILL_THE_DISK = """
import resource, sys
from tests.receiver.test_journal import *
kept = Journal(Path(sys.argv[1]), lambda: NOW, 1 << 30, MIB).open()
entries = [kept.append({'spans': spans(1)})['spans']]
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
rows = decoded(body(*(span(n, name=os.urandom(500).hex()) for n in range(1, 50)))).spans
try:
    while True:
        entries.append(kept.append({'spans': rows})['spans'])
except Unavailable as error:
    print('full', len(entries), str(error))
kept.end(kept.begin('spans', entries[0], entries[-1]))
for _ in range(3):
    try:
        print('again', kept.append({'spans': spans(2, 3)}))
        break
    except Unavailable:
        pass
print('waiting', kept.waiting().entries)
"""


def test_a_full_disk_refuses_takes_nothing_by_halves_and_can_be_emptied(tmp_path):
    command = [sys.executable, "-c", FILL_THE_DISK, str(tmp_path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=60, env=os.environ)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("full ")
    assert "send this request again later" in lines[0]
    assert lines[1].startswith("again {'spans': ")
    assert lines[2] == "waiting 1"
    with journal(tmp_path) as kept:
        (entry,) = kept.after("spans", 0)
        assert kept.rows(entry.id)["SpanId"].to_list() == spans(2, 3)["SpanId"].to_list()


def test_packing_changes_nothing():
    assert unpack(pack(spans())).equals(spans())
