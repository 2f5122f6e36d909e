"""Where the rows go, in all the ways to say it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from exporters.settings import ClickHouseSettings, ExporterSettings
from exporters.store import Store, chdb_folder
from processors.errors import Unavailable


def settings(dsn: str) -> ClickHouseSettings:
    return ClickHouseSettings.model_validate({"dsn": dsn})


@pytest.mark.parametrize(
    ("dsn", "folder"),
    [
        ("chdb:///./merit-data", Path.cwd() / "merit-data"),
        ("chdb:///../merit-data", Path.cwd().parent / "merit-data"),
        ("chdb:///var/lib/merit", Path("/var/lib/merit")),
        ("chdb:////var/lib/merit/", Path("/var/lib/merit")),
        ("chdb:///var/my%20data", Path("/var/my data")),
        ("chdb:///var/what%3F", Path("/var/what?")),
        ("clickhouse://user:password@host:8123/merit", None),
        ("clickhouses://host", None),
        ("clickhouse://[::1]:8123/merit", None),
    ],
)
def test_an_address_says_where_the_rows_go(dsn: str, folder: Path | None) -> None:
    assert chdb_folder(settings(dsn)) == folder


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("sqlite:///hunter2", "unknown scheme 'sqlite': use one of chdb://, clickhouse://, clickhouses://"),
        ("hunter2", "unknown scheme ''"),
        ("chdb://hunter2", "write chdb:///./folder"),
        ("chdb:///", "write chdb:///./folder"),
        ("clickhouse:///hunter2", "no host: write clickhouse://user:password@host:8123/merit"),
        ("clickhouse://user:hunter2@/merit", "no host"),
        ("clickhouse://user:hunter2#x@host/merit", "write %23 for #"),
        ("clickhouse://user:hunter2?x@host/merit", "write %23 for #"),
        ("clickhouse://user:hunter2/x@host/merit", "write %23 for #"),
        ("clickhouse://user:hunter2@host:99999/merit", "write %23 for #"),
        ("chdb:///./hunter2?x", "write %23 for #"),
        ("clickhouse://user:hunter2@[host/merit", ""),
    ],
)
def test_a_wrong_address_is_refused_without_showing_it(dsn: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ExporterSettings.model_validate({"clickhouse": {"dsn": dsn}})

    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_address_is_shown_nowhere() -> None:
    assert "hunter2" not in repr(settings("clickhouse://user:hunter2@host/merit"))


def test_a_server_that_does_not_answer_is_unavailable_and_its_password_not_told() -> None:
    with pytest.raises(Unavailable) as caught:
        Store(settings("clickhouse://user:hunter2@127.0.0.1:1/merit")).open()

    assert "127.0.0.1" in str(caught.value)
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        ExporterSettings.model_validate({"clickhouse": {"retention": {"weeks": 1}}})
