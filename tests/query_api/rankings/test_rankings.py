"""/v1/rankings: from stored tasks to ranks."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from processors.scoring.ranking import By
from tests.builders import truncate
from tests.merit.scored import judge, rate, work_out
from tests.query_api.build import NOW, Row, task
from tests.query_api.build import put as put_rows

FIELDS = {
    *("rank", "badge", "agent_id", "agent_name", "score", "score_low", "score_high", "profile", "performance", "points"),
    *("points_per_task", "quality", "success_rate", "reliability", "consistency", "efficiency", "speed", "thrift", "tasks"),
    *("succeeded", "failed", "rated_tasks", "avg_duration_seconds", "p95_duration_seconds", "total_cost_usd", "avg_cost_usd"),
    *("cost_per_success_usd", "cost_per_quality_point", "avg_user_rating", "trend", "trend_change", "probation", "first_seen"),
    *("days_active", "last_seen"),
}


def put(store: Store, table: str, rows: list[Row]) -> None:
    """Store rows and have them scored."""
    put_rows(store, table, rows)
    work_out(store)


def history(agent_id: str, first: int, succeeded: int, failed: int, **more: Any) -> list[Row]:
    """Tasks numbered from `first`; the first of them 40 days ago, the others yesterday, a second apart."""
    yesterday, long_ago = NOW - timedelta(days=1), NOW - timedelta(days=40)
    return [
        task(
            first + n,
            **{
                "agent_id": agent_id,
                "agent_name": agent_id.title(),
                "status": "succeeded" if n < succeeded else "failed",
                "started_at": (yesterday if n else long_ago) + timedelta(seconds=n),
            }
            | more,
        )
        for n in range(succeeded + failed)
    ]


def test_a_ranking_has_the_fields_of_the_contract(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", history("a", 0, 9, 3))
    answer = api.get("/v1/rankings?window=90d").json()
    (row,) = answer["rankings"]
    assert set(row) == FIELDS
    assert (answer["by"], answer["profile"], answer["note"]) == ("performance", "default", None)
    assert (row["rank"], row["badge"], row["probation"], row["profile"]) == (1, "gold", False, "default")
    assert (row["success_rate"], row["succeeded"], row["failed"]) == (0.75, 9, 3)
    assert row["performance"] == pytest.approx(100 * (0.4 * 0.5 + 0.3 * 0.75 + 0.3 * 0.5))
    assert (row["total_cost_usd"], row["avg_cost_usd"], row["cost_per_success_usd"]) == (0.012, 0.001, pytest.approx(0.012 / 9))
    assert (row["avg_duration_seconds"], row["p95_duration_seconds"], row["days_active"]) == (2.0, 2.0, 2)
    assert (row["first_seen"], row["last_seen"]) == ("2025-12-22T12:00:00Z", "2026-01-30T12:00:11Z")


def test_means_are_drawn_to_those_of_the_other_agents(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", history("a", 0, 18, 2) + history("b", 100, 5, 5))
    rows = api.get("/v1/rankings?by=success_rate&window=90d").json()["rankings"]
    assert [(row["agent_id"], row["badge"]) for row in rows] == [("a", "gold"), ("b", "silver")]
    # as worked out in the tests of the scores
    assert [row["score"] for row in rows] == [pytest.approx(23 / 30), pytest.approx((5 + 6.5 / (2 / 3 + 0.1)) / 20)]


@pytest.mark.parametrize("said", [True, False])
def test_tasks_are_compared_with_those_of_the_complexity_that_users_said(api: TestClient, tables: Store, said: bool) -> None:
    def done(agent_id: str, first: int, succeeded: int, failed: int, complexity: int) -> list[Row]:
        return history(agent_id, first, succeeded, failed, complexity=complexity, complexity_said=said)

    both = [row for n in range(3) for row in (*done(f"b{n}", 100 * n, 27, 3, 1), *done(f"b{n}", 100 * n + 50, 12, 18, 5))]
    put(tables, "tasks", both + done("simple", 300, 26, 4, 1) + done("hard", 400, 20, 10, 5))
    rows = api.get("/v1/rankings?by=success_rate&window=90d").json()["rankings"]
    assert rows[0]["agent_id"] == ("hard" if said else "simple")


def test_running_and_interrupted_tasks_are_counted_but_not_scored(api: TestClient, tables: Store) -> None:
    put(
        tables,
        "tasks",
        history("a", 0, 2, 0) + history("a", 10, 0, 2, status="running") + history("b", 20, 1, 0, status="interrupted"),
    )
    a, b = api.get("/v1/rankings").json()["rankings"]
    assert (a["tasks"], a["succeeded"], a["failed"], a["success_rate"]) == (4, 2, 0, 1.0)
    assert (b["agent_id"], b["rank"], b["score"], b["success_rate"]) == ("b", None, None, None)


def test_a_newcomer_is_on_probation_whatever_the_window_says_of_its_age(api: TestClient, tables: Store) -> None:
    new = history("new", 100, 20, 0, started_at=NOW - timedelta(days=1))
    put(tables, "tasks", history("old", 0, 15, 0) + new)
    rows = api.get("/v1/rankings?window=7d").json()["rankings"]
    assert {row["agent_id"]: (row["probation"], row["tasks"]) for row in rows} == {"old": (False, 14), "new": (True, 20)}


def test_speed_is_against_the_usual_duration_of_the_days_before(api: TestClient, tables: Store) -> None:
    day = timedelta(days=1)
    before = [task(n, agent_id="usual", duration_seconds=4.0, started_at=NOW - 2 * day) for n in range(10)]
    quick = [task(100 + n, agent_id="quick", duration_seconds=1.0, status="succeeded" if n else "failed") for n in range(4)]
    put(tables, "tasks", before + quick)
    answer = api.get("/v1/rankings?by=speed").json()
    speeds = {row["agent_id"]: row["speed"] for row in answer["rankings"]}
    # 1 / (1 + 1/4) = 0.8 three times and 0 once; nothing was usual on the day of the ten
    assert speeds == {"quick": pytest.approx(0.6), "usual": None}
    assert [row["rank"] for row in answer["rankings"]] == [1, None]
    assert answer["note"] is None


def test_nine_tasks_make_no_usual_and_the_ranking_says_so(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(n, started_at=NOW - timedelta(days=2)) for n in range(9)] + [task(100)])
    answer = api.get("/v1/rankings?by=speed").json()
    assert [row["speed"] for row in answer["rankings"]] == [None]
    assert "10 tasks" in answer["note"]


def test_the_usual_is_forgotten_after_thirty_days(api: TestClient, tables: Store) -> None:
    for days, known in ((30, True), (31, False)):
        truncate(tables)
        put(tables, "tasks", [task(n, started_at=NOW - timedelta(days=days)) for n in range(10)] + [task(100, agent_id="b")])
        speeds = {row["agent_id"]: row["speed"] for row in api.get("/v1/rankings?by=speed").json()["rankings"]}
        assert (speeds["b"] is not None) is known


def test_the_cheapest_success_is_first_and_unknown_prices_are_last(api: TestClient, tables: Store) -> None:
    put(
        tables,
        "tasks",
        history("cheap", 0, 20, 0)
        + history("dear", 100, 20, 0, cost_usd=Decimal("0.01"))
        + history("unknown", 200, 20, 0, cost_usd=None, unpriced_calls=1),
    )
    rows = api.get("/v1/rankings?by=cost_per_success&window=90d").json()["rankings"]
    assert [(row["agent_id"], row["rank"], row["cost_per_success_usd"]) for row in rows] == [
        ("cheap", 1, 0.001),
        ("dear", 2, 0.01),
        ("unknown", None, None),
    ]
    # its own dollars, and by a factor towards those of the other
    assert 0.001 < rows[0]["score"] < 0.003


PARTLY = {"cost_usd": Decimal("0.000001"), "llm_calls": 10, "unpriced_calls": 9}
"""One call of ten has a price."""


@pytest.mark.parametrize("question", ["", "profile=cost", "by=efficiency", "by=points"])
def test_an_agent_whose_calls_mostly_have_no_price_is_not_the_cheapest(api: TestClient, tables: Store, question: str) -> None:
    ago = [{"started_at": NOW - timedelta(days=days)} for days in (20, 9)]
    usual = history("priced", 0, 20, 0, **ago[0]) + history("partly", 50, 20, 0, **ago[0])
    cheap = history("cheap", 200, 40, 0, **ago[1], cost_usd=Decimal("0.0008"))
    partly = history("partly", 300, 40, 0, **ago[1], **PARTLY)
    put(tables, "tasks", usual + history("priced", 100, 40, 0, **ago[1]) + cheap + partly)
    rows = api.get(f"/v1/rankings?window=15d&{question}").json()["rankings"]
    assert rows[0]["agent_id"] == "cheap"
    assert next(row["thrift"] for row in rows if row["agent_id"] == "partly") is None


def test_where_most_work_is_free_who_costs_is_not_first(api: TestClient, tables: Store) -> None:
    ago, free = NOW - timedelta(days=9), {"cost_usd": Decimal(0)}
    rows = history("old", 0, 60, 0, started_at=NOW - timedelta(days=15), **free)
    rows += history("free", 100, 60, 0, started_at=ago, **free) + history("free too", 200, 60, 0, started_at=ago, **free)
    rows += history("dear", 300, 60, 0, started_at=ago, cost_usd=Decimal("0.5"))
    rows += history("dearest", 400, 61, 0, started_at=ago, cost_usd=Decimal(5))
    put(tables, "tasks", rows)
    for question in ("profile=cost", "by=thrift"):
        answer = api.get(f"/v1/rankings?window=12d&{question}").json()
        assert [row["rank"] for row in answer["rankings"][:2]] == [1, 1]
        assert {row["agent_id"] for row in answer["rankings"][:2]} == {"free", "free too"}
        assert answer["rankings"][-1]["agent_id"] == "dearest"
    assert {row["agent_id"]: row["thrift"] for row in answer["rankings"]} == {
        **dict.fromkeys(("free", "free too"), 0.5),
        **dict.fromkeys(("dear", "dearest"), 0.0),
    }


def test_what_running_tasks_have_spent_is_told(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", history("a", 0, 4, 0, status="running", started_at=NOW - timedelta(hours=1), cost_usd=Decimal("0.12")))
    (row,) = api.get("/v1/rankings?window=1d").json()["rankings"]
    assert (row["total_cost_usd"], row["avg_cost_usd"], row["cost_per_success_usd"]) == (0.48, None, None)


def test_moving_to_models_without_a_price_is_no_trend(api: TestClient, tables: Store) -> None:
    weeks = [
        history(agent, first + 100 * days, 8, 0, started_at=NOW - timedelta(days=days), **(PARTLY if moved and days < 7 else {}))
        for agent, first, moved in (("moves", 0, True), ("stays", 50, False))
        for days in (20, 10, 9, 8, 3, 2, 1)
    ]
    put(tables, "tasks", [row for week in weeks for row in week])
    trends = {row["agent_id"]: row["trend"] for row in api.get("/v1/rankings").json()["rankings"]}
    assert trends == {"moves": "stable", "stays": "stable"}


def test_filters_choose_the_work_and_an_agent_is_picked_from_the_whole_ranking(api: TestClient, tables: Store) -> None:
    put(
        tables,
        "tasks",
        history("a", 0, 20, 0, category="coding") + history("b", 100, 10, 10, category="coding") + history("c", 200, 5, 0),
    )
    rows = api.get("/v1/rankings?by=success_rate&category=coding").json()["rankings"]
    assert [row["agent_id"] for row in rows] == ["a", "b"]
    (picked,) = api.get("/v1/rankings?by=success_rate&category=coding&agent_id=b").json()["rankings"]
    assert picked == rows[1]


def test_pages_joined_are_the_whole_ranking(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [row for n in range(5) for row in history(f"agent-{n}", 100 * n, 10 + n, 5 - n)])
    seen, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/v1/rankings?by=success_rate&limit=2{cursor}").json()
        seen += [(row["rank"], row["agent_id"]) for row in page["rankings"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert seen == [(n + 1, f"agent-{4 - n}") for n in range(5)]


def test_no_tasks_make_an_empty_ranking_that_says_why(api: TestClient) -> None:
    answer = api.get("/v1/rankings").json()
    assert answer["rankings"] == []
    assert "no task" in answer["note"]


def test_an_evaluation_moves_quality_points_and_their_ranking(api: TestClient, tables: Store) -> None:
    rows = history("a", 0, 12, 0) + history("b", 100, 12, 0)
    put_rows(tables, "tasks", rows)
    for row in rows[:4]:
        rate(tables, row["task_id"], 5)
    for row in rows[12:16]:
        judge(tables, row["task_id"], 0.25)
    work_out(tables)
    a, b = api.get("/v1/rankings?by=quality&window=90d").json()["rankings"]
    assert [(row["agent_id"], row["quality"], row["rated_tasks"]) for row in (a, b)] == [("a", 1.0, 4), ("b", 0.25, 4)]
    assert (a["avg_user_rating"], b["avg_user_rating"]) == (5.0, None)
    assert a["score_low"] <= a["score"] < a["score_high"]
    # 12 tasks: completion 10, speed 20; 4 of them quality 50 and 5 stars 40, or quality 12.5 and a judge's 25 · 0.25
    assert (a["points"], b["points"]) == (pytest.approx(12 * 30 + 4 * 90), pytest.approx(12 * 30 + 4 * (12.5 + 6.25)))
    assert a["cost_per_quality_point"] == pytest.approx(0.001)
    for by in ("performance", "points", "total_points", "cost_per_quality_point"):
        first = api.get(f"/v1/rankings?by={by}&window=90d").json()["rankings"][0]
        assert first["agent_id"] == "a"


QUERIES = ("", "&profile=seed", "&user_id=nobody", "&department=&service=app", "&model=x&window=1h", "&provider=openai")


def test_what_an_agent_says_of_its_own_work_as_a_peer_is_not_scored(api: TestClient, tables: Store) -> None:
    put_rows(tables, "tasks", [one := task(1, agent_id="a")])
    work_out(tables)  # what is said is taken in by itself too
    judge(tables, one["task_id"], 1.0, evaluator="a", evaluator_type="peer", source="otlp")
    judge(tables, one["task_id"], 0.5, evaluator="b", evaluator_type="peer", source="otlp")
    work_out(tables)
    (row,) = api.get("/v1/rankings").json()["rankings"]
    shown = api.get(f"/v1/tasks/{one['task_id']}").json()
    assert (row["quality"], shown["scores"]["quality"]) == (0.5, 0.5)
    assert next(part["value"] for part in shown["points_from"] if part["part"] == "peers") == 0.5
    assert shown["points"] == pytest.approx(row["points"])


def test_every_score_can_be_asked_for(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", history("a", 0, 9, 3) + history("b", 20, 4, 1))
    for by in get_args(By):
        for query in QUERIES:
            answer = api.get(f"/v1/rankings?by={by}{query}")
            assert answer.status_code == 200, (by, query, answer.text)


def test_an_unknown_profile_is_refused_with_those_that_there_are(api: TestClient) -> None:
    answer = api.get("/v1/rankings?profile=gold")
    assert answer.status_code == 400
    assert "default, quality, balanced, cost, speed, seed" in answer.json()["detail"]


def test_two_profiles_say_whose_rank_moves_and_why(api: TestClient, tables: Store) -> None:
    usual = [task(n, agent_id="old", started_at=NOW - timedelta(days=60, seconds=n)) for n in range(20)]
    dear = history("dear", 100, 30, 0, cost_usd=Decimal("0.1"), started_at=NOW - timedelta(days=40), duration_seconds=1.0)
    cheap = history("cheap", 200, 30, 0, cost_usd=Decimal("0.0001"), started_at=NOW - timedelta(days=40), duration_seconds=4.0)
    put_rows(tables, "tasks", usual + dear + cheap)
    for row in dear[:20]:
        rate(tables, row["task_id"], 5)
    for row in cheap[:20]:
        rate(tables, row["task_id"], 3)
    work_out(tables)
    answer = api.get("/v1/rankings/compare?profile=quality&profile=cost").json()
    assert answer["profiles"] == ["quality", "cost"]
    moved = {row["agent_id"]: row for row in answer["rankings"]}
    assert (moved["dear"]["rank_before"], moved["cheap"]["rank_after"]) == (1, 1)
    assert moved["cheap"]["moved"] > 0 > moved["dear"]["moved"]
    assert {moved["cheap"]["moved_by"], moved["dear"]["moved_by"]} <= {"quality", "thrift"}
    assert api.get("/v1/rankings/compare?profile=quality").status_code == 400
    assert api.get("/v1/rankings/compare").status_code in (400, 422)


def test_a_week_that_is_better_than_the_last_is_a_trend(api: TestClient, tables: Store) -> None:
    def week(agent_id: str, first: int, days: int, succeeded: int, failed: int) -> list[Row]:
        return history(agent_id, first, succeeded, failed, started_at=NOW - timedelta(days=days))

    put(
        tables,
        "tasks",
        week("better", 0, 10, 5, 35)
        + week("better", 100, 3, 39, 1)
        + week("worse", 200, 10, 40, 0)
        + week("worse", 300, 3, 10, 30)
        + week("same", 400, 10, 30, 10)
        + week("same", 500, 3, 29, 11)
        + week("new", 600, 3, 9, 0)
        + week("new", 700, 10, 4, 0),
    )
    rows = {row["agent_id"]: row for row in api.get("/v1/rankings?window=1h").json()["rankings"]}
    assert rows == {}
    rows = {row["agent_id"]: row for row in api.get("/v1/rankings").json()["rankings"]}
    assert {name: row["trend"] for name, row in rows.items()} == {
        "better": "improving",
        "worse": "degrading",
        "same": "stable",
        "new": None,
    }
    assert rows["better"]["trend_change"] > 10 > 1 > abs(rows["same"]["trend_change"])
