"""/v1/export."""

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters.store import Store
from processors.frames import TASKS
from query_api.asking import pages
from query_api.reports.export_formats import FORMATS
from tests.builders import frame, trace_of
from tests.merit.scored import judge, scoring
from tests.query_api.build import node, put, task, tool

WHATS = ("rankings", "tasks", "nodes", "costs")


def as_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline="")))


@pytest.mark.parametrize("what", WHATS)
@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("csv", "text/csv; charset=utf-8; header=present"),
        ("json", "application/json"),
        ("parquet", "application/vnd.apache.parquet"),
    ],
)
def test_a_file_says_what_it_is(api: TestClient, tables: Store, what: str, kind: str, media_type: str) -> None:
    put(tables, "tasks", [task(1)])
    put(tables, "nodes", [node(1)])
    answer = api.get(f"/v1/export/{what}?format={kind}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.headers["content-disposition"] == f'attachment; filename="merit-{what}-20260131T120000Z.{kind}"'
    assert answer.content


@pytest.mark.parametrize("what", WHATS)
def test_a_file_holds_what_is_on_the_screen(api: TestClient, tables: Store, what: str) -> None:
    put(tables, "tasks", [task(1, user_id="u", output='"quoted",\nand ü'), task(2, models=["a", "b"], cost_usd=None), task(3)])
    put(tables, "nodes", [node(1), tool(1), node(2, cost_usd=None, unpriced=True)])
    scoring(tables).catch_up()
    shown = api.get(f"/v1/{what}").json()[what]
    rows = api.get(f"/v1/export/{what}?format=json").json()
    assert len(rows) == len(shown) > 0
    assert [{name: one[name] for name in row} for row, one in zip(rows, shown, strict=True)] == rows
    missing = set(shown[0]) - set(rows[0])
    assert all(one[name] in (None, "default") for one in shown for name in missing)

    table = as_csv(api.get(f"/v1/export/{what}?format=csv").text)
    cells = [{name: number(cell) for name, cell in row.items()} for row in table]
    assert [{name: text(at(row, name)) for name in cells[0]} for row in rows] == cells


def at(row: dict[str, Any], name: str) -> Any:
    """The value in the column `name`: `scores.accuracy` is in `scores`."""
    whole, _, part = name.partition(".")
    return (row[whole] or {}).get(part) if part else row[name]


def text(value: Any) -> Any:
    """A JSON value as a cell."""
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else number(str(value))


def number(cell: str) -> Any:
    try:
        return float(cell)
    except ValueError:
        return cell


FIRST = {"tasks": "task_id", "nodes": "task_id", "costs": "group", "rankings": "rank"}


@pytest.mark.parametrize(("what", "first"), FIRST.items())
def test_the_first_column_says_what_the_row_is(api: TestClient, what: str, first: str) -> None:
    assert api.get(f"/v1/export/{what}").text.partition(",")[0] == first


def test_a_file_says_how_good_each_task_was(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1), task(2)])
    judge(tables, task(1)["task_id"], 0.8)
    shown = api.get("/v1/tasks").json()["tasks"]
    rows = api.get("/v1/export/tasks?format=json").json()
    assert [(row["scores"], row["points"]) for row in rows] == [(one["scores"], one["points"]) for one in shown]
    _, judged = as_csv(api.get("/v1/export/tasks").text)
    assert (float(judged["scores.quality"]), float(judged["points"])) == (0.8, 90)  # 10, 50 · 0.8, 20 for 2 s, 25 · 0.8
    found = pl.read_parquet(BytesIO(api.get("/v1/export/tasks?format=parquet").content))
    assert found["scores"].struct.field("quality").to_list() == [None, 0.8]


def test_the_columns_are_the_same_whether_anything_was_judged_or_not(api: TestClient, tables: Store) -> None:
    names = api.get("/v1/export/tasks").text.splitlines()[0]
    put(tables, "tasks", [task(1)])
    judge(tables, task(1)["task_id"], 0.8)
    assert api.get("/v1/export/tasks").text.splitlines()[0] == names


def test_parquet_keeps_types_and_money_exact(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1, cost_usd=Decimal("0.123456789012"), models=["a", "b"])])
    found = pl.read_parquet(BytesIO(api.get("/v1/export/tasks?format=parquet").content))
    assert found.select("cost_usd", "models", "user_id").row(0) == (Decimal("0.123456789012"), ["a", "b"], None)
    assert found["started_at"].to_list() == [datetime(2026, 1, 31, 11, 0, 1, tzinfo=UTC)]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_no_cell_begins_as_a_formula(api: TestClient, tables: Store, cell: str) -> None:
    put(tables, "tasks", [task(1, input=cell, agent_name=cell, models=[cell], temperature=-1.5)])
    (row,) = as_csv(api.get("/v1/export/tasks").text)
    assert (row["input"], row["agent_name"], row["models"]) == (f"'{cell}",) * 3
    assert row["temperature"] == "-1.5", "a number is none"
    (exact,) = api.get("/v1/export/tasks?format=json").json()
    assert exact["input"] == cell


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
def test_any_text_comes_out_as_it_went_in_but_for_the_quote(cell: str) -> None:
    part = pl.DataFrame({"a": [cell], "b": ["end"]})
    content = b"".join(FORMATS["csv"].write(iter([part]))).decode()
    (row,) = as_csv(content)
    assert (row["a"].removeprefix("'"), row["b"]) == (cell.removeprefix("'"), "end")
    assert json.loads(b"".join(FORMATS["json"].write(iter([part])))) == [{"a": cell or None, "b": "end"}]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("status=failed", [2]),
        ("agent_id=b", [3]),
        ("user_id=u&service=web", [4]),
        ("limit=2", [5, 4]),
        ("until=2026-01-31T11:00:03Z", [2, 1]),
    ],
)
def test_filters_are_those_of_the_list(api: TestClient, tables: Store, query: str, numbers: list[int]) -> None:
    put(
        tables,
        "tasks",
        [task(1), task(2, status="failed"), task(3, agent_id="b"), task(4, user_id="u", service_name="web"), task(5)],
    )
    rows = api.get(f"/v1/export/tasks?format=json&{query}").json()
    assert [int(row["trace_id"], 16) for row in rows] == numbers


def test_a_long_list_is_read_in_parts_and_is_whole(api: TestClient, tables: Store) -> None:
    count = pages.AT_ONCE + 5
    same = frame([task(1)], TASKS).drop("task_id", "trace_id")
    ids = pl.DataFrame({"trace_id": [trace_of(n) for n in range(count)]}).with_columns(task_id="trace_id")
    tables.insert("tasks", ids.join(same, how="cross").select(*TASKS))
    files = {kind: api.get(f"/v1/export/tasks?format={kind}&limit={count - 1}").content for kind in FORMATS}
    expected = [trace_of(n) for n in range(count - 1, 0, -1)]
    assert [row["trace_id"] for row in as_csv(files["csv"].decode())] == expected
    assert [row["trace_id"] for row in json.loads(files["json"])] == expected
    assert pl.read_parquet(BytesIO(files["parquet"]))["trace_id"].to_list() == expected


@pytest.mark.parametrize("what", WHATS)
def test_nothing_is_a_file_too(api: TestClient, what: str) -> None:
    assert api.get(f"/v1/export/{what}?format=json").json() == []
    assert as_csv(api.get(f"/v1/export/{what}?format=csv").text) == []
    assert pl.read_parquet(BytesIO(api.get(f"/v1/export/{what}?format=parquet").content)).is_empty()


@pytest.mark.parametrize("query", ["tasks?format=xls", "tasks?limit=0", "tasks?limit=1000001", "tasks?cursor=x", "nodes?statu=x"])
def test_what_cannot_be_written_is_refused(api: TestClient, query: str) -> None:
    answer = api.get(f"/v1/export/{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_there_is_no_file_of_anything_else(api: TestClient) -> None:
    assert api.get("/v1/export/secrets").status_code == 404
