"""`merit deadletter` as its users run it, beside a running Merit or without one."""

import json
from pathlib import Path

from receiver.dead_letters import letters
from receiver.journal import DeadLetter, Journal
from tests.merit.processes import merit
from tests.receiver.builders import NOW, body, decoded, span

FOLDER = "merit-data/journal"


def bury(folder: Path) -> None:
    """Two spans in a dead letter."""
    journal = Journal(folder / FOLDER, lambda: NOW, 1 << 20, 1 << 20).open()
    spans = decoded(body(span(1, name="[bold]first"), span(2))).spans
    entry = journal.append({"spans": spans})["spans"]
    journal.end(journal.begin("spans", entry, entry), [DeadLetter(spans, "insert into otel_traces: [too] large")])
    journal.close()


def test_list_and_show_say_what_it_was(tmp_path: Path) -> None:
    bury(tmp_path)

    listed, shown = merit(tmp_path, "deadletter", "list"), merit(tmp_path, "deadletter", "show", "1")

    assert "spans" in listed.stdout
    assert "insert into otel_traces: [too] large" in listed.stdout
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [row["SpanName"] for row in rows] == ["[bold]first", "chat"]


def test_retry_puts_them_back_into_the_journal(tmp_path: Path) -> None:
    bury(tmp_path)

    retried = merit(tmp_path, "deadletter", "retry", "--all")

    assert retried.stdout == "2 rows are back in the journal\n"
    assert merit(tmp_path, "deadletter", "list").stdout == "no dead letters\n"
    journal = Journal(tmp_path / FOLDER, lambda: NOW, 1 << 20, 1 << 20).open()
    assert ([entry.rows for entry in journal.after("spans", 0)], letters(journal.file)) == ([2], [])
    journal.close()


def test_what_is_not_there_is_refused_with_what_to_do(tmp_path: Path) -> None:
    for arguments, said in (
        (["list"], "there is no journal"),
        (["retry"], "there is no journal"),
    ):
        refused = merit(tmp_path, "deadletter", *arguments)
        assert (refused.returncode, said in refused.stderr) == (2, True)
    bury(tmp_path)
    for arguments, said in ((["retry"], "by their numbers, or --all"), (["show", "9"], "no dead letter 9")):
        refused = merit(tmp_path, "deadletter", *arguments)
        assert (refused.returncode, said in refused.stderr) == (2, True)
