"""The store on the real engine: rows in and out, errors in two kinds, a client to each thread."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from exporters.settings import ClickHouseSettings
from exporters.store import Store
from processors.errors import Rejected, Unavailable
from processors.frames import NODES, SPANS, TASKS, WORKFLOWS, Columns, empty
from tests.builders import NOW, frame, job, said_nothing

PRECISE = datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC)
SAMPLES: dict[type[pl.DataType], list[Any]] = {
    pl.String: ["", "naïve 😀 \t\n'\\", "x" * 10_000],
    pl.UInt8: [0, 1, 255],
    pl.UInt32: [0, 1, 2**32 - 1],
    pl.UInt64: [0, 1, 2**64 - 1],
    pl.Float64: [0.0, -1.5, 1e300],
    pl.Boolean: [True, False, True],
    pl.Datetime: [PRECISE, NOW, NOW - timedelta(days=1)],
    pl.Decimal: [Decimal("0"), Decimal("0.000000000001"), Decimal("999999.999999999999")],
    pl.Map: [{}, {"a": "1"}, {"a": "", "b": "ü"}],
}


def sample(dtype: pl.DataType) -> list[Any]:
    """Three values of a type."""
    if isinstance(dtype, pl.List):
        values = sample(dtype.inner)
        return [[], values[:1], values]
    return SAMPLES[dtype.base_type()]


def sampled(columns: Columns) -> pl.DataFrame:
    made = pl.DataFrame({name: pl.Series(name, sample(dtype), dtype=dtype, strict=False) for name, dtype in columns.items()})
    lists = [name for name in made.columns if "." in name]  # of one length in a row
    flags = {"is_deleted": pl.lit(0, pl.UInt8)} if "is_deleted" in columns else {}
    identity = {name: pl.Series(["a", "b", "c"]) for name in ("TraceId", "trace_id", "span_id") if name in columns}
    times = {"Timestamp", "started_at"} & set(columns)
    return made.with_columns(**flags, **identity, **{name: pl.lit(PRECISE).cast(columns[name]) for name in times}).select(
        *(name for name in columns if name not in lists), *lists
    )


@pytest.mark.parametrize(
    ("table", "columns"), [("otel_traces", SPANS), ("nodes", NODES), ("tasks", TASKS), ("workflows", WORKFLOWS)]
)
def test_every_type_comes_back_as_it_went_in(tables: Store, table: str, columns: Columns) -> None:
    rows = sampled(columns).select(columns.keys())

    tables.insert(table, rows)

    key = "TraceId" if table == "otel_traces" else "trace_id"
    assert_frame_equal(tables.query("SELECT * FROM {table:Identifier}", {"table": table}).sort(key), rows)


def test_what_is_null_comes_back_null(tables: Store) -> None:
    nullable = [name for name in NODES if name.endswith("_tokens")] + ["cost_usd"]
    rows = sampled(NODES).with_columns(pl.lit(None, dtype=NODES[name]).alias(name) for name in nullable)

    tables.insert("nodes", rows)

    assert tables.query("SELECT * FROM nodes").select(nullable).null_count().row(0) == (3,) * len(nullable)


def test_no_rows_are_nothing_to_insert(tables: Store) -> None:
    tables.insert("nodes", empty(NODES))
    tables.insert("no_such_table", empty(NODES))

    assert tables.query("SELECT count() FROM nodes").item() == 0


def test_rows_with_the_same_token_are_stored_once(tables: Store) -> None:
    rows = said_nothing(frame(job(1)))
    for token in ("one", "one", "two"):
        tables.insert("otel_traces", rows, token=token)

    assert tables.query("SELECT count() FROM otel_traces").item() == 14


def test_values_are_bound_by_the_server(tables: Store) -> None:
    wicked = ["a', 'b", "'; DROP TABLE nodes; --", "\\", "{x:String}", "é\n"]
    parameters = {"texts": wicked, "one": wicked[1], "at": PRECISE}

    found = tables.query("SELECT {texts:Array(String)} AS texts, {one:String} AS one, {at:DateTime64(6)} AS at", parameters)

    assert found.row(0) == (wicked, wicked[1], PRECISE)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT (", Rejected),
        ("SELECT no_such_column FROM nodes", Unavailable),
        ("SELECT * FROM no_such_table", Unavailable),
        ("SELECT no_such_function(1)", Rejected),
        ("SELECT toUInt8('x')", Rejected),
        ("SELECT {missing:String}", Rejected),
        ("SELECT sleepEachRow(0.5) FROM numbers(10) SETTINGS max_block_size = 1", Unavailable),
        ("SELECT throwIf(1)", Unavailable),
    ],
)
def test_errors_are_of_two_kinds_and_say_what_was_being_done(tables: Store, sql: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"^query: ") as caught:
        tables.query(sql, seconds=1)

    assert caught.value.__cause__ is not None


def test_each_call_takes_as_long_as_it_may_whatever_the_one_before_could(tables: Store) -> None:
    allowed = "SELECT toFloat64(getSetting('max_execution_time'))"

    assert tables.query(allowed, seconds=7).item() == 7
    tables.command("INSERT INTO agents (agent_id) SELECT toString(toFloat64(getSetting('max_execution_time')))")
    assert tables.query("SELECT agent_id FROM agents").item() == "0"
    assert tables.query(allowed).item() == 30


def test_of_several_rows_the_newest_counts_though_an_older_one_is_chosen_by_a_filter(tables: Store) -> None:
    for version, score in enumerate((1.0, 2.0), start=1):
        values = f"('a', '{score}', {score}, now(), {version})"
        tables.command(f"INSERT INTO evaluations (evaluation_id, comment, score, evaluated_at, version) VALUES {values}")

    found = "SELECT count() FROM evaluations FINAL WHERE evaluation_id = 'a' AND score = 1 AND comment = '1.0'"
    assert tables.query(found).item() == 0
    assert tables.query(found.replace("1", "2")).item() == 1


def test_rows_that_will_never_fit_are_rejected(tables: Store) -> None:
    with pytest.raises(Rejected, match="insert into nodes"):
        tables.insert("nodes", pl.DataFrame({"started_at": ["yesterday"]}))


def test_rows_of_a_table_that_is_not_as_it_should_be_may_be_stored_later(tables: Store) -> None:
    with pytest.raises(Unavailable, match="insert into nodes"):
        tables.insert("nodes", pl.DataFrame({"no_such_column": [1]}))
    with pytest.raises(Unavailable, match="insert into no_such_table"):
        tables.insert("no_such_table", pl.DataFrame({"a": [1]}))


def test_an_error_leaves_the_client_usable(tables: Store) -> None:
    with pytest.raises(Rejected):
        tables.query("SELECT no_such_function(1)")

    tables.ping()


def test_the_embedded_engine_keeps_within_the_memory_that_it_is_given(tables: Store) -> None:
    with pytest.raises(Unavailable, match="memory limit exceeded"):
        tables.query("SELECT length(groupArray(repeat('x', 1000000))) FROM numbers(2000)")
    tables.ping()


def test_what_a_failed_query_had_begun_to_answer_is_in_no_other_answer(tables: Store) -> None:
    for _ in range(3):
        with pytest.raises(Unavailable):
            tables.query("SELECT number, throwIf(number = 500000) FROM numbers(1000000)")
        assert tables.query("SELECT 7 AS n")["n"].to_list() == [7]


def test_threads_do_not_wait_for_each_other(store: Store) -> None:
    together = threading.Barrier(3)

    def ask(number: int) -> tuple[int, int]:
        together.wait(10)
        return id(store._client), store.query("SELECT sleep(0.2) + {n:UInt8} AS n", {"n": number})["n"].item()

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(ask, range(3)))

    assert [number for _, number in found] == [0, 1, 2]
    assert len({client for client, _ in found}) == 3


def test_clients_of_ended_threads_are_let_go(store: Store) -> None:
    before = len(store._handles)
    for _ in range(20):
        thread = threading.Thread(target=store.ping)
        thread.start()
        thread.join()

    assert len(store._handles) <= before + 1


def test_another_store_on_the_same_folder_is_told_who_has_it(store: Store) -> None:
    other = Store(store._settings)
    with pytest.raises(Unavailable, match="is in use by process"):
        other.open()

    other.close()
    store.ping()


REOPEN = """
import sys
import polars as pl
from exporters.settings import ClickHouseSettings
from exporters.store import Store
store = Store(ClickHouseSettings.model_validate({"dsn": f"chdb://{sys.argv[1]}"}))
store.open().command("INSERT INTO nodes (trace_id, started_at) VALUES ('kept', now())")
store.close()
store.close()
with store:
    print(store.query("SELECT trace_id FROM nodes").item())
"""


def test_a_store_may_be_closed_twice_and_opened_again(tmp_path: Path) -> None:
    """In a process of its own, for there is one engine to a process."""
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", REOPEN, str(tmp_path)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )

    assert (ran.stdout, ran.returncode) == ("kept\n", 0), ran.stderr


def test_a_store_that_was_never_opened_may_be_closed_twice(tmp_path: Path) -> None:
    never = Store(ClickHouseSettings.model_validate({"dsn": f"chdb://{tmp_path}"}))
    never.close()
    never.close()
