"""The schema is applied once, mended after a crash, and refused when it is newer than the program."""

import re
from collections.abc import Iterator
from contextlib import nullcontext

import polars as pl
import pytest

from exporters.schema.migrations import RETENTION_OF, bound_system_logs, migrate, set_retention, shipped, statements
from exporters.settings import Retention
from exporters.store import Store
from processors.errors import Rejected, Unavailable
from tests.exporters.databases import Database, fresh_database

MADE = re.compile(r"^CREATE (?:TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS (\w+)", re.MULTILINE)
TEXT = "".join(shipped().values())
TABLES = {"merit_schema", *MADE.findall(TEXT)} - set(re.findall(r"^DROP VIEW IF EXISTS (\w+)", TEXT, re.MULTILINE))


@pytest.fixture
def database(store: Store) -> Iterator[Database]:
    with fresh_database(store._settings) as made:
        yield made


def tables(database: Database) -> set[str]:
    return set(database.query("SELECT name FROM system.tables WHERE database = currentDatabase()")["name"])


def applied(database: Database) -> list[int]:
    return sorted(database.query("SELECT number FROM merit_schema")["number"])


def test_every_migration_is_applied_once(database: Database) -> None:
    migrate(database)
    database.ran.clear()

    migrate(database)

    assert (tables(database), applied(database)) == (TABLES, list(shipped()))
    assert database.ran == [sql for sql in database.ran if "merit_schema" in sql]


def test_migrations_are_numbered_without_a_gap() -> None:
    assert list(shipped()) == list(range(1, len(shipped()) + 1))


def test_a_crash_between_any_two_statements_is_mended_by_the_next_start(database: Database) -> None:
    made = 1  # the table of what is applied, at each start
    for number, text in shipped().items():
        for ran in range(len(statements(text)) + 1):
            database.fail_after(made + ran)
            with pytest.raises(Unavailable):
                migrate(database)
            assert applied(database) == list(range(1, number))
        database.fail_after(made + len(statements(text)) + 1)
        with pytest.raises(Unavailable) if number < len(shipped()) else nullcontext():
            migrate(database)
        assert applied(database) == list(range(1, number + 1))

    assert tables(database) == TABLES


def test_a_crash_before_anything_is_made_is_mended_by_the_next_start(database: Database) -> None:
    database.fail_after(0)
    with pytest.raises(Unavailable):
        migrate(database)

    database.fail_after(None)
    migrate(database)

    assert (tables(database), applied(database)) == (TABLES, list(shipped()))


def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    migrate(database)
    newer = max(shipped()) + 1
    database.insert("merit_schema", pl.DataFrame({"number": [newer]}, schema={"number": pl.UInt32}))

    with pytest.raises(Rejected, match=f"has schema {newer}, this Merit knows up to {newer - 1}: use the newer Merit"):
        migrate(database)


def ttls(database: Database) -> dict[str, int]:
    """Days that each table keeps its rows."""
    sql = "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()"
    found = {name: re.search(r"TTL .*CAST\((\d+)", engine) for name, engine in database.query(sql).iter_rows()}
    return {name: int(days[1]) for name, days in found.items() if days}


def test_retention_is_as_the_settings_say_and_follows_them(database: Database) -> None:
    migrate(database)
    set_retention(database, Retention())
    kept = ttls(database)
    assert (kept["otel_traces"], kept["otel_traces_trace_id_ts"], kept["nodes"], kept["tasks"]) == (30, 30, 30, 395)

    set_retention(database, Retention(spans=7, nodes=8, tasks=9))

    nine = dict.fromkeys(("tasks", "workflows", "task_scores", "task_calls", "medians"), 9)
    assert ttls(database) == kept | {"otel_traces": 7, "otel_traces_trace_id_ts": 7, "nodes": 8} | nine
    assert set(ttls(database)) == set(RETENTION_OF)


def test_unchanged_retention_rewrites_nothing(database: Database) -> None:
    migrate(database)
    set_retention(database, Retention())
    mutations = "SELECT count() FROM system.mutations WHERE database = currentDatabase()"
    before = database.query(mutations).item()

    set_retention(database, Retention())

    assert database.query(mutations).item() == before


def test_the_logs_of_the_server_about_itself_are_bounded_unless_they_are_already(database: Database) -> None:
    columns = "(event_date Date, message String) ENGINE = MergeTree ORDER BY event_date"
    database.command(f"CREATE TABLE query_log {columns}")
    database.command(f"CREATE TABLE text_log {columns} TTL event_date + toIntervalDay(3)")
    database.command(f"CREATE TABLE of_somebody {columns}")

    bound_system_logs(database, 7, system=database.name)

    engines = dict(database.query("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()").iter_rows())
    assert ttls(database) == {"query_log": 7}
    assert "toIntervalDay(3)" in engines["text_log"]
    assert "TTL" not in engines["of_somebody"]


def test_what_is_too_old_goes_with_the_next_merge(database: Database) -> None:
    migrate(database)
    set_retention(database, Retention(spans=30))
    database.command(
        "INSERT INTO otel_traces (Timestamp, TraceId) "
        "SELECT now64(9) - toIntervalDay(number), toString(number) FROM numbers(20, 20)"
    )

    database.command("OPTIMIZE TABLE otel_traces FINAL")

    kept = database.query("SELECT TraceId FROM otel_traces")["TraceId"].cast(pl.Int64).sort().to_list()
    assert kept in (list(range(20, 30)), list(range(20, 31)))  # whole days go together


@pytest.mark.parametrize("days", [0, 20_001])
def test_retention_that_a_date_cannot_hold_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="20000" if days else "greater than or equal to 1"):
        Retention(spans=days)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1;\n", ["SELECT 1"]),
        ("-- what it is for; and why\nSELECT 1;\n\n  -- done;\nSELECT 2;\n-- the end\n", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';' AS a,\n    2;\nSELECT 3;", ["SELECT ';' AS a,\n    2", "SELECT 3"]),
        ("-- nothing\n", []),
    ],
)
def test_a_file_is_taken_apart_at_its_semicolons(text: str, expected: list[str]) -> None:
    assert statements(text) == expected
