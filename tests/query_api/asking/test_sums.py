"""Answers made of sums are kept for as long as these are the same, and no longer."""

from collections.abc import Mapping
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import polars as pl
import pytest

from exporters.store import Store
from merit.jobs.live import ranking_on
from merit.settings import Settings
from processors.errors import Unavailable
from query_api.asking.kept import Kept
from query_api.asking.questions import asker
from query_api.rankings.history import FILTERS
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from tests.builders import NOW, Clock
from tests.merit.scored import rate, scoring, work_out
from tests.query_api.build import node, put, task

from fastapi.testclient import TestClient  # isort: skip


class Counted:
    """A store that counts what it is asked."""

    def __init__(self, store: Store) -> None:
        self._store, self.asked = store, list[str]()

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None, *, seconds: float | None = None) -> pl.DataFrame:
        self.asked.append(sql)
        return self._store.query(sql, parameters, seconds=seconds)

    def ping(self) -> None: ...


@pytest.fixture
def counted(tables: Store) -> Counted:
    return Counted(tables)


@pytest.fixture
def api(tables: Store, counted: Counted) -> TestClient:
    return TestClient(create_app(counted, tables.insert, QueryApiSettings(), lambda: NOW, Condition(dict)))


KEPT = ("rankings", "rankings?category=general&window=7d", "costs", "models", "agents", "departments", "agents/researcher")


@pytest.mark.parametrize("path", [f"/v1/{path}" for path in KEPT])
def test_the_same_question_is_answered_from_memory_until_scoring_has_gone_on(
    api: TestClient, tables: Store, counted: Counted, path: str
) -> None:
    it = scoring(tables)
    put(tables, "tasks", [task(1, started_at=NOW - timedelta(days=2)), task(2)])
    put(tables, "nodes", [node(1, started_at=NOW - timedelta(days=2)), node(2)])
    it.catch_up()
    first = api.get(path).json()
    counted.asked.clear()

    assert api.get(path).json() == first
    assert all("how new is what is known" in sql for sql in counted.asked)

    put(tables, "tasks", [task(3)])
    put(tables, "nodes", [node(3)])
    it.catch_up()
    assert api.get(path).json() != first


def test_the_overview_is_kept_to_the_end_of_the_minute_and_begins_no_earlier_for_it(tables: Store, counted: Counted) -> None:
    clock = Clock(NOW + timedelta(seconds=20))
    api = TestClient(create_app(counted, tables.insert, QueryApiSettings(), clock, Condition(dict)))
    put(tables, "tasks", [task(1), task(2, started_at=clock())])
    work_out(tables, clock)
    first = api.get("/v1/overview").json()
    assert (first["tasks"]["value"], first["until"]) == (2, "2026-01-31T12:01:00Z")
    counted.asked.clear()

    clock.tick(30)
    assert api.get("/v1/overview").json() == first
    assert not [sql for sql in counted.asked if "did the tasks of a window go" in sql or "passed between" in sql]
    put(tables, "tasks", [task(3, started_at=clock())])
    work_out(tables, clock)
    assert api.get("/v1/overview").json()["tasks"]["value"] == 3


def test_what_people_say_of_an_agent_shows_at_once_though_its_sums_are_kept(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1)])
    work_out(tables)
    for said in ({"nickname": "Max"}, {"nickname": "Moritz"}, {"nickname": None}):
        assert api.patch("/v1/agents/researcher", json=said).json()["nickname"] == said["nickname"]
        assert api.get("/v1/agents").json()["agents"][0]["nickname"] == said["nickname"]


def test_late_work_of_a_day_that_is_over_is_seen_at_once(api: TestClient, tables: Store) -> None:
    it = scoring(tables)
    rows = [task(n, started_at=NOW - timedelta(days=9)) for n in range(3)]
    put(tables, "tasks", rows)
    it.catch_up()
    assert api.get("/v1/rankings").json()["rankings"][0]["tasks"] == 3

    rate(tables, rows[0]["task_id"], 5)
    put(tables, "tasks", [task(7, started_at=NOW - timedelta(days=8))])
    it.catch_up()
    (row,) = api.get("/v1/rankings").json()["rankings"]
    assert (row["tasks"], row["avg_user_rating"]) == (4, 5)


def test_what_is_kept_is_asked_for_again_as_the_clock_goes_on(tables: Store, counted: Counted) -> None:
    clock = Clock()
    api = TestClient(create_app(counted, tables.insert, QueryApiSettings(), clock, Condition(dict)))
    put(tables, "tasks", [task(1, started_at=NOW - timedelta(hours=23, minutes=59))])
    scoring(tables).catch_up()
    assert len(api.get("/v1/rankings?window=24h").json()["rankings"]) == 1

    clock.tick(7200)
    assert api.get("/v1/rankings?window=24h").json()["rankings"] == []


def test_what_would_have_to_be_cut_is_refused_rather_than_wrong(tables: Store) -> None:
    put(tables, "tasks", [task(n, agent_id=f"agent {n}") for n in range(4)])
    scoring(tables).catch_up()
    ask = asker(tables, 10)
    asked = {name: [] for name in (*FILTERS, "agent_id")} | {
        "cuts": ["2000-01-01 00:00:00", "2100-01-01 00:00:00"],
        "profile": "default",
    }

    assert len(ask("agent_statistics", asked, 4)) == 4
    with pytest.raises(Unavailable, match="more than 3 rows"):
        ask("agent_statistics", asked, 3)


def test_a_ranking_that_is_watched_is_ready_for_whoever_asks_the_api(tables: Store, counted: Counted) -> None:
    kept = Kept()
    put(tables, "tasks", [task(1)])
    work_out(tables)
    watched = ranking_on(tables, Settings(), lambda: NOW, kept)()
    app = create_app(counted, tables.insert, QueryApiSettings(), lambda: NOW, Condition(dict), kept=kept)

    (row,) = TestClient(app).get("/v1/rankings").json()["rankings"]
    assert row["agent_id"] == watched["agent_id"].item()
    assert all("how new is what is known" in sql for sql in counted.asked)


def test_those_who_ask_at_once_wait_for_one_answer() -> None:
    kept, begun, made = Kept(), Barrier(2), []

    def make() -> pl.DataFrame:
        begun.wait(5)
        made.append(1)
        return pl.DataFrame({"x": [1]})

    threads = [Thread(target=kept, args=("key", make)) for _ in range(3)]
    for thread in threads:
        thread.start()
    begun.wait(5)
    for thread in threads:
        thread.join()
    assert made == [1]


def test_a_failure_is_not_kept_and_what_is_oldest_goes_first() -> None:
    def fail() -> pl.DataFrame:
        raise Unavailable("away")

    kept, frame = Kept(most_bytes=200_000), pl.DataFrame({"x": range(10_000)})  # 80,000 bytes each
    with pytest.raises(Unavailable):
        kept("a", fail)
    for key in ("a", "b", "a", "c"):
        kept(key, lambda: frame)
    assert kept("a", fail) is frame
    with pytest.raises(Unavailable):
        kept("b", fail)


def test_answers_without_rows_go_as_well_when_there_are_many_and_so_do_those_to_long_questions() -> None:
    made = []

    def make() -> pl.DataFrame:
        made.append(1)
        return pl.DataFrame(schema={"x": pl.Int64})

    kept = Kept(most_bytes=1 << 20)
    for key in [*range(1_000), 0, "x" * (1 << 20), 999]:
        kept(key, make)
    assert len(made) == 1_003
