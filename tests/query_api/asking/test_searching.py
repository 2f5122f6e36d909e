"""A search finds what is there now, whatever of it is scored and however long ago."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl
from fastapi.testclient import TestClient

from exporters.scores import progress, store_progress
from exporters.store import Store
from query_api.asking.filters import bound
from query_api.asking.questions import sql
from query_api.asking.searching import LAST_NS, behind, newest
from tests.builders import NOW, Row
from tests.merit.scored import judge, scoring
from tests.query_api.build import node, put, task

HOUR = timedelta(hours=1)
STATUSES = ("succeeded", "failed", "running")
CHANGES: dict[int, Row] = {
    1: {"status": "failed"},
    4: {"agent_id": "other"},
    5: {"started_at": NOW - 60 * HOUR},
    7: {"started_at": NOW - HOUR / 2, "status": "succeeded"},
    9: {"is_deleted": 1},
    10: {"models": ["o3"], "user_id": "late"},
}


def numbered(number: int, **more: Row) -> Row:
    """A task begun so many hours ago, two at once; all else hangs on its number."""
    plain = {
        "started_at": NOW - (1 + number // 2) * HOUR,
        "status": STATUSES[number % 3],
        "agent_id": f"agent-{number % 2}",
        "models": [f"model-{number % 4}"],
        "category": f"category-{number % 2}",
        "user_id": f"user-{number % 5}",
    }
    return task(number, **plain | more)


def found(api: TestClient, query: str, limit: int) -> list[str]:
    """The ids on all pages joined."""
    ids, cursor = [], ""
    while True:
        page = api.get(f"/v1/tasks?limit={limit}&{query}{cursor}").json()
        ids += [one["task_id"] for one in page["tasks"]]
        if page["next_cursor"] is None:
            return ids
        cursor = f"&cursor={page['next_cursor']}"


def plainly(store: Store, condition: str) -> list[str]:
    """The same, read task by task."""
    since = f"started_at >= '{NOW - 50 * HOUR:%Y-%m-%d %H:%M:%S}'"
    sql = f"SELECT task_id FROM tasks FINAL WHERE {since} AND {condition} ORDER BY started_at DESC, trace_id DESC, span_id DESC"
    return store.query(sql)["task_id"].to_list()


def as_if_long_ago(store: Store) -> None:
    """Nothing counts as stored since it was scored."""
    known = progress(store)
    assert known
    store_progress(store, known._replace(tasks_until=known.tasks_until + HOUR, version=known.version + 1))


QUERIES = {
    "": "true",
    "status=failed": "status = 'failed'",
    "status=failed&status=running&agent_id=agent-1": "status IN ('failed', 'running') AND agent_id = 'agent-1'",
    "model=model-2&model=o3": "hasAny(models, ['model-2', 'o3'])",
    "provider=one": "task_id IN (SELECT task_id FROM nodes FINAL WHERE provider = 'one')",
    "user_id=late": "user_id = 'late'",
    "category=category-0&user_id=user-0&department=none": "false",
}


def test_a_search_for_what_is_rare_takes_few_rounds(tables: Store) -> None:
    asked = []

    def ask(name: str, parameters: Mapping[str, Any], _rows: int) -> pl.DataFrame:
        asked.append(name)
        return tables.query(sql(name), dict(parameters))

    put(tables, "tasks", [numbered(number) for number in range(90)])
    names = ("status", "agent_id", "category", "model", "department", "service", "user_id", "trace_id")
    plain: dict[str, Any] = {name: [] for name in names} | behind((LAST_NS, "", "")) | {"provider": ["nobody"]}
    plain |= {"since": bound(NOW - 90 * HOUR), "until": bound(NOW)}

    assert newest(ask, "tasks", plain, 2).is_empty()  # type: ignore[arg-type]
    assert len(asked) <= 8


def test_a_search_finds_what_a_look_at_every_task_finds(api: TestClient, tables: Store) -> None:
    it, rows = scoring(tables), [numbered(number) for number in range(24)]
    put(tables, "tasks", rows)
    put(tables, "nodes", [node(number, provider="one" if number % 3 else "two") for number in range(24)])

    def assert_found() -> None:
        expected = {query: plainly(tables, condition) for query, condition in QUERIES.items()}
        for limit in (3, 1000):
            assert {query: found(api, f"window=50h&{query}", limit) for query in QUERIES} == expected

    assert_found()  # nothing is scored
    it.catch_up()
    assert_found()
    put(tables, "tasks", [numbered(number, **{"version": 2} | more) for number, more in CHANGES.items()])
    put(tables, "tasks", [numbered(number) for number in range(24, 30)])
    put(tables, "nodes", [node(3, provider="one", version=2), node(4, provider="two", version=2)])
    assert_found()  # some are not what they were when they were scored
    judge(tables, rows[0]["task_id"], 0.5)
    it.catch_up()
    assert_found()
    as_if_long_ago(tables)
    assert_found()  # by scores alone
