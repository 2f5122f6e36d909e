"""`merit check`: what it finds, and that it leaves everything as it was."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from merit.commands.check import ROOM_BYTES, Finding, check, check_room
from merit.settings import Settings, load
from processors.errors import Rejected
from tests.merit.processes import FREE_PORTS, environment, merit


def findings(**environ: str) -> list[Finding]:
    return list(check(lambda path: load(path, FREE_PORTS | environ), None))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_on_a_fresh_machine_everything_is_ok_and_nothing_is_made(tmp_path: Path) -> None:
    found = findings()

    assert [each.subject for each in found if each.ok] == ["settings", "disk", "folder", "port", "port", "port"]
    assert all(each.ok for each in found)
    assert list(tmp_path.iterdir()) == []


def test_wrong_settings_are_found_and_nothing_else_is_looked_at() -> None:
    def refuse(_: Path | None) -> Settings:
        raise Rejected("merit.yaml, line 3: x is no setting")

    assert [(each.subject, each.ok) for each in check(refuse, None)] == [("settings", False)]


def test_a_taken_port_is_found_with_the_setting_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = f"127.0.0.1:{taken.getsockname()[1]}"

        wrong = [each for each in findings(MERIT_QUERY_API__ENDPOINT=endpoint) if not each.ok]

    assert [(each.subject, each.found) for each in wrong] == [
        ("port", f"{endpoint} for query_api.endpoint: Address already in use"),
    ]
    assert "change query_api.endpoint" in wrong[0].mend


def test_an_address_of_another_machine_is_found() -> None:
    endpoints = {"MERIT_QUERY_API__ENDPOINT": "192.0.2.1:8080", "MERIT_QUERY_API__INSECURE": "true"}

    assert [each.found for each in findings(**endpoints) if not each.ok] == [
        "192.0.2.1:8080 for query_api.endpoint: Cannot assign requested address"
    ]


def test_a_file_where_the_folder_should_be_is_found(tmp_path: Path) -> None:
    (tmp_path / "merit-data").write_text("")

    wrong = [each for each in findings() if not each.ok]

    assert [each.subject for each in wrong] == ["folder"]
    assert "choose another in exporters.clickhouse.dsn" in wrong[0].mend


def test_a_server_that_does_not_answer_is_found_without_its_password() -> None:
    wrong = [each for each in findings(MERIT_EXPORTERS__CLICKHOUSE__DSN="clickhouse://me:hunter2@127.0.0.1:1/x") if not each.ok]

    assert [(each.subject, each.found) for each in wrong] == [("store", "open the store at 127.0.0.1:1: Connection refused")]
    assert "hunter2" not in str(wrong)


def test_little_room_is_found(tmp_path: Path) -> None:
    assert check_room(tmp_path, ROOM_BYTES).ok
    assert not check_room(tmp_path, ROOM_BYTES - 1).ok


def test_an_existing_empty_folder_is_good_and_stays_without_tables(tmp_path: Path) -> None:
    (tmp_path / "merit-data").mkdir()

    checked = merit(tmp_path, "check", **FREE_PORTS)

    assert checked.returncode == 0, checked.stdout
    assert "answers; the first start makes the tables" in checked.stdout


def test_the_schema_of_a_newer_merit_is_found(tmp_path: Path) -> None:
    assert merit(tmp_path, "job", "run", "sweep").returncode == 0
    add_migration(tmp_path / "merit-data", 9999)

    checked = merit(tmp_path, "check", **FREE_PORTS)

    assert checked.returncode == 1
    assert "has schema 9999, this Merit knows up to" in checked.stdout
    assert "use the newer Merit" in checked.stdout


def add_migration(folder: Path, number: int) -> None:
    """In a process of its own: there is one engine to a process, and this one may have it already."""
    program = (
        "import sys; from exporters.store import Store; from exporters.settings import ClickHouseSettings as S\n"
        "with Store(S.model_validate({'dsn': 'chdb://' + sys.argv[1]})) as store:\n"
        "    store.command('INSERT INTO merit_schema VALUES ({number:UInt32})', {'number': int(sys.argv[2])})\n"
    )
    subprocess.run([sys.executable, "-c", program, str(folder), str(number)], env=environment(), check=True)


def test_a_receiver_of_alerts_that_cannot_be_reached_is_found_without_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        urls = {"there": f"json://127.0.0.1:{there.getsockname()[1]}", "gone": "json://u:hunter22@127.0.0.1:1"}
        routes = "[" + ", ".join(f"{{name: {name}, url: '{url}'}}" for name, url in urls.items()) + "]"
        found = [each for each in findings(MERIT_EXPORTERS__NOTIFICATIONS__ROUTES=routes) if each.subject == "route"]

    assert [(each.ok, each.found.partition(" of ")[0]) for each in found] == [(True, "there"), (False, "gone")]
    assert found[1].found.endswith("cannot be reached: Connection refused")
    assert "hunter22" not in str(found)
