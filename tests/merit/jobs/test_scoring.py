"""Scores and sums stay true, whatever comes late."""

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import polars as pl
import polars.testing
import pytest

from exporters.schema.migrations import shipped, statements
from exporters.scores import progress, store_progress
from exporters.store import Store
from exporters.traces import EPOCH
from merit.jobs import scoring as jobs_scoring
from merit.jobs.scoring import Scoring
from processors.scoring.settings import ScoringSettings
from tests.builders import NOW, Clock, truncate
from tests.merit.scored import judge, rate, scores_of, scoring, stamped_earlier, straight, sums
from tests.query_api.build import node, put, task

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def history(first: int = 0, **more: Any) -> list[Any]:
    """Tasks of two agents over forty days, the last ones within this hour."""
    ages = [
        40 * DAY,
        31 * DAY,
        30 * DAY,
        12 * DAY,
        2 * DAY,
        DAY,
        13 * HOUR,
        5 * HOUR,
        90 * MINUTE,
        40 * MINUTE,
        3 * MINUTE,
        MINUTE,
    ]
    return [
        task(
            first + n,
            agent_id=f"agent-{n % 2}",
            started_at=NOW - age - timedelta(seconds=n),
            duration_seconds=1.0 + n,
            cost_usd=Decimal("0.01") * n,
            status="failed" if n % 5 == 4 else "succeeded",
            user_id="u",
            **more,
        )
        for n, age in enumerate(ages * 4)
    ]


WORK = """SELECT {kind} AS kind, agent_id, at, department, service_name, sum({ended}) AS ended, min(w.first_started) AS first,
    max(w.last_started) AS last, min(duration_least) AS least, max(duration_most) AS most,
    argMax(w.agent_name, w.last_started) AS name, quantileDDIfMerge(0.005, 0.95)(durations) AS p95
FROM {table} AS w WHERE {chosen} GROUP BY kind, agent_id, at, department, service_name ORDER BY ALL"""
WORKED = (
    ("agent_work_hours", "''", "NOT by_category", "agent_hours"),
    ("agent_work_days", "''", "NOT by_category", "agent_days"),
    ("agent_work_days", "category", "by_category", "agent_days"),
    ("agent_work_fours", "''", "NOT by_category", "agent_fours"),
    ("agent_work_fours", "category", "by_category", "agent_fours"),
)


def assert_true(store: Store) -> None:
    """What the sums show is what the tasks show, over everything and over windows with edges anywhere."""
    for table, kind, chosen, source in WORKED:
        whole = store.query(WORK.format(table=source, kind=kind, ended="succeeded + failed", chosen="true"))
        assert store.query(WORK.format(table=table, kind=kind, ended="w.ended", chosen=chosen)).equals(whole)
    for since, until in (
        (NOW - 400 * DAY, NOW + DAY),
        (NOW - 31 * DAY - timedelta(seconds=7), NOW),
        (NOW - DAY, NOW - 40 * MINUTE - timedelta(seconds=10)),
        (NOW - 3 * MINUTE - timedelta(seconds=20.5), NOW + DAY),
    ):
        assert sums(store, since, until) == straight(store, since, until)


def test_sums_are_what_the_tasks_show(tables: Store) -> None:
    put(tables, "tasks", history())
    count = scoring(tables).catch_up()

    assert count >= 48
    assert sum(row["tasks"] for row in sums(tables)) == 48
    assert_true(tables)


def test_what_was_added_up_before_an_upgrade_is_there_after_it(tables: Store) -> None:
    put(tables, "tasks", history())
    scoring(tables).catch_up()
    for table in ("agent_work_hourly", "agent_work_daily"):
        tables.command("TRUNCATE TABLE {table:Identifier}", {"table": table})
    for statement in statements(shipped()[22]):
        tables.command(statement)

    assert tables.query("SELECT sum(ended) FROM agent_work_days WHERE by_category").item() > 0
    assert_true(tables)


def test_days_of_before_an_upgrade_are_added_up_by_four_of_them_after_it(tables: Store) -> None:
    put(tables, "tasks", history())
    scoring(tables).catch_up()
    for table in ("agent_four_daily", "agent_work_four_daily"):
        tables.command("TRUNCATE TABLE {table:Identifier}", {"table": table})
    known = progress(tables)
    assert known is not None
    store_progress(tables, known._replace(fours_until=EPOCH, version=known.version + 1))
    assert_true(tables)

    scoring(tables).catch_up()
    after = progress(tables)
    assert after is not None
    assert after.fours_until == known.fours_until
    told = "SELECT sum(tasks) AS tasks FROM {} WHERE at < (SELECT max(fours_until) FROM scoring_progress)"
    assert tables.query(told.format("agent_fours")).item() == tables.query(told.format("agent_days")).item() >= 16
    assert_true(tables)


def test_scoring_again_changes_nothing(tables: Store) -> None:
    put(tables, "tasks", history())
    it = scoring(tables)
    it.catch_up()
    before = sums(tables), scores_of(tables)

    assert it.catch_up() == 0
    assert scoring(tables).catch_up() == 0
    assert (sums(tables), scores_of(tables)) == before


def test_a_late_evaluation_reaches_sums_of_long_ago(tables: Store) -> None:
    rows = history()
    put(tables, "tasks", rows)
    it = scoring(tables)
    it.catch_up()
    before = sums(tables)

    rate(tables, rows[0]["task_id"], 5)
    assert it.catch_up() == 1
    assert sums(tables) != before
    assert scores_of(tables)[rows[0]["task_id"]]["user_rating"] == 5
    assert_true(tables)

    rate(tables, rows[0]["task_id"], 2, version=2)
    it.catch_up()
    assert scores_of(tables)[rows[0]["task_id"]]["user_rating"] == 2
    rate(tables, rows[0]["task_id"], 2, version=3, is_deleted=1)
    it.catch_up()
    assert sums(tables) == before


def test_more_evaluations_at_once_than_are_looked_at_together_all_count(tables: Store) -> None:
    put(tables, "tasks", history())
    it = Scoring(tables, ScoringSettings(), Clock(), at_once=3)
    it.catch_up()
    for row in history():
        rate(tables, row["task_id"], 5)
    it.catch_up()

    assert sum(row["rated"] for row in sums(tables)) == len(history())
    assert_true(tables)


def test_an_evaluation_may_come_before_its_task(tables: Store) -> None:
    (row,) = [task(1)]
    judge(tables, row["task_id"], 0.75, "accuracy")
    it = scoring(tables)
    it.catch_up()
    put(tables, "tasks", [row])
    it.catch_up()

    assert scores_of(tables)[row["task_id"]]["accuracy"] == 0.75


def test_what_is_said_of_a_step_is_not_said_of_its_task(tables: Store) -> None:
    row = task(1)
    put(tables, "tasks", [row])
    judge(tables, row["task_id"], 0.1, span_id="00000000000000ff", evaluator="of a step")
    judge(tables, row["task_id"], 0.9, span_id=row["span_id"], evaluator="of the agent's own span")
    scoring(tables).catch_up()

    assert scores_of(tables)[row["task_id"]]["accuracy"] == 0.9


@pytest.mark.parametrize(
    "more",
    [
        {"status": "failed", "department": "finance"},
        {"agent_id": "somebody else"},
        {"started_at": NOW - 3 * DAY},
        {"category": "coding", "agent_id": "agent-1"},
        {"is_deleted": 1},
    ],
)
def test_a_task_that_is_derived_again_leaves_nothing_behind(tables: Store, more: dict[str, Any]) -> None:
    rows = history()
    put(tables, "tasks", rows)
    it = scoring(tables)
    it.catch_up()

    again = [rows[number] for number in (0, 5, 46)]
    put(tables, "tasks", [row | more | {"version": 2} for row in again])
    it.catch_up()

    left = len(rows) - (len(again) if "is_deleted" in more else 0)
    assert sum(row["tasks"] for row in sums(tables)) == left
    assert_true(tables)
    tables.command("TRUNCATE TABLE scoring_progress")
    for table in ("task_scores", "agent_minutely", "agent_hourly", "agent_daily"):
        tables.command("TRUNCATE TABLE {table:Identifier}", {"table": table})
    now = sums(tables)
    scoring(tables).catch_up()
    assert now != sums(tables) == straight(tables)


def test_what_was_derived_for_the_first_time_leaves_nothing_behind_when_it_is_derived_again(tables: Store) -> None:
    rows = history(again=False)
    put(tables, "tasks", rows)
    it = scoring(tables)
    it.catch_up()
    assert_true(tables)

    put(tables, "tasks", [rows[5] | {"agent_id": "somebody else", "version": 2, "again": True}])
    it.catch_up()
    assert sum(row["tasks"] for row in sums(tables)) == len(rows)
    assert_true(tables)


def test_a_task_that_is_stamped_earlier_than_what_was_scored_is_scored(tables: Store) -> None:
    it = scoring(tables)
    put(tables, "tasks", [task(1)])
    it.catch_up()
    put(tables, "tasks", [late := task(2)])
    stamped_earlier(tables, late["task_id"], 10)

    assert it.catch_up() == 1
    assert len(scores_of(tables)) == 2


def test_a_derivation_that_is_late_does_not_replace_a_newer_one(tables: Store) -> None:
    it = scoring(tables)
    put(tables, "tasks", [task(1, version=5)])
    it.catch_up()
    put(tables, "tasks", [task(1, version=4, status="failed")])
    it.catch_up()
    it.catch_up()

    (row,) = scores_of(tables).values()
    assert row["status"] == "succeeded"


def test_hours_that_pass_are_added_up_without_a_gap(tables: Store) -> None:
    clock = Clock(NOW - 20 * HOUR)
    it = scoring(tables, clock)
    put(tables, "tasks", [row for row in history() if row["started_at"] < clock()])
    it.catch_up()
    for _ in range(12):
        before = clock()
        clock.tick(3 * 3600 + 100)
        put(tables, "tasks", [row for row in history() if before <= row["started_at"] < clock()])
        it.catch_up()
        assert_true(tables)
    assert sum(row["tasks"] for row in sums(tables)) == 48


def test_after_a_long_pause_old_minutes_are_not_needed(tables: Store) -> None:
    clock = Clock(NOW)
    put(tables, "tasks", history())
    scoring(tables, clock).catch_up()
    tables.command("TRUNCATE TABLE agent_minutely")  # as if they had expired
    clock.tick(5 * 86_400)
    scoring(tables, clock).catch_up()

    assert sum(row["tasks"] for row in sums(tables)) == 48
    assert_true(tables)


def test_what_was_begun_is_done_again_after_a_death(tables: Store) -> None:
    put(tables, "tasks", history())
    it = scoring(tables)
    it.catch_up()
    put(tables, "tasks", [row | {"version": 2, "status": "failed"} for row in history()[:9]])
    it.catch_up()
    expected = sums(tables)
    tables.command("DELETE FROM scoring_progress WHERE version = (SELECT max(version) FROM scoring_progress)")
    tables.command("TRUNCATE TABLE agent_minutely")
    tables.command("DELETE FROM agent_hourly WHERE version = (SELECT max(version) FROM agent_hourly)")

    scoring(tables).catch_up()
    tables.command("TRUNCATE TABLE scoring_progress")
    scoring(tables).catch_up()
    assert sums(tables) == expected == straight(tables)


def test_other_weights_score_everything_again(tables: Store) -> None:
    put(tables, "tasks", history())
    scoring(tables).catch_up()
    before = sums(tables)

    assert scoring(tables, profiles={"default": {"points": {"completion": 1000}}}).catch_up() == 48
    assert {row["tasks"] for row in sums(tables)} == {row["tasks"] for row in before}
    assert sum(row["points"] for row in sums(tables)) > 10_000
    assert_true(tables)


def partly_priced() -> list[Any]:
    """Ten tasks of a known cost, and eleven of which one call of ten has a price."""
    known = [task(n, started_at=NOW - 100 * DAY + n * 10 * DAY, cost_usd=Decimal("0.2")) for n in range(5)]
    known += [task(10 + n, started_at=NOW - 12 * DAY, cost_usd=Decimal("0.2")) for n in range(10)]
    unknown = {"cost_usd": Decimal("0.000001"), "llm_calls": 10, "unpriced_calls": 9}
    return [*known, *(task(100 + n, started_at=NOW - 11 * DAY, **unknown) for n in range(40)), task(200)]


def test_a_task_whose_calls_mostly_have_no_price_is_not_cheap_and_makes_nothing_usual(tables: Store) -> None:
    put(tables, "tasks", partly_priced())
    scoring(tables).catch_up()

    known, unknown, last = (scores_of(tables)[task(number)["task_id"]] for number in (10, 100, 200))
    assert (known["cost_known"], unknown["cost_known"]) == (True, False)
    assert (unknown["thrift"], unknown["efficiency"]) == (None, 0.5)
    assert last["usual_cost_usd"] == 0.2, "not the cost of those of which it is unknown"
    told = "SELECT sum(cost_n) AS n, sum(cost_sum) AS cost, sum(total_cost_usd) AS whole FROM agent_days"
    (sum_of,) = tables.query(told).rows(named=True)
    assert (sum_of["n"], sum_of["cost"]) == (15, pytest.approx(3.0))
    assert float(sum_of["whole"]) == pytest.approx(3.00004), "what is known to have been spent is still told"


def test_what_was_scored_before_it_was_known_whether_costs_are_known_is_scored_again_by_itself(
    tables: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tables, "tasks", partly_priced())
    scoring(tables).catch_up()
    expected = scores_of(tables), sums(tables), tables.query("SELECT * EXCEPT version FROM medians FINAL ORDER BY ALL")
    truncate(tables)
    put(tables, "tasks", partly_priced())
    scoring(tables, most_unpriced=1).catch_up()  # as it was: whatever is known of a cost is the cost
    tables.command("ALTER TABLE task_scores DROP COLUMN cost_known")
    for statement in statements(shipped()[27]):
        tables.command(statement)
    assert scores_of(tables)[task(100)["task_id"]]["cost_known"]
    monkeypatch.setattr(jobs_scoring, "MEDIANS_AT_ONCE", 30 * DAY)

    assert scoring(tables).catch_up() >= 56
    assert scores_of(tables) == expected[0]
    assert sums(tables) == expected[1] == straight(tables)
    medians = "SELECT * EXCEPT version FROM medians FINAL ORDER BY ALL"
    pl.testing.assert_frame_equal(tables.query(medians), expected[2])
    assert scoring(tables).catch_up() == 0


def test_the_usual_is_the_median_of_the_thirty_days_before_and_follows_late_tasks(tables: Store) -> None:
    it = scoring(tables)
    put(tables, "tasks", [task(n, started_at=NOW - 2 * DAY, duration_seconds=4.0) for n in range(10)] + [task(100)])
    it.catch_up()
    last = scores_of(tables)[task(100)["task_id"]]
    assert (last["usual_duration_seconds"], last["usual_cost_usd"], last["speed"]) == (4.0, 0.001, pytest.approx(2 / 3))

    put(tables, "tasks", [task(200 + n, started_at=NOW - 30 * DAY, duration_seconds=1.0) for n in range(20)])
    it.catch_up()
    assert scores_of(tables)[task(100)["task_id"]]["usual_duration_seconds"] == 1.0
    assert_true(tables)


def test_nine_tasks_make_no_usual_and_what_becomes_fewer_loses_it(tables: Store) -> None:
    it = scoring(tables)
    put(tables, "tasks", [task(n, started_at=NOW - 2 * DAY) for n in range(10)] + [task(100)])
    it.catch_up()
    put(tables, "tasks", [task(0, started_at=NOW - 2 * DAY, version=2, is_deleted=1)])
    it.catch_up()

    last = scores_of(tables)[task(100)["task_id"]]
    assert (last["usual_duration_seconds"], last["speed"]) == (None, None)


def test_a_benchmark_stands_in_for_the_usual(tables: Store) -> None:
    put(tables, "tasks", [task(1, agent_type="cognitive", duration_seconds=3.0)])
    scoring(tables).catch_up()

    (row,) = scores_of(tables).values()
    assert (row["usual_duration_seconds"], row["speed"]) == (3.0, 0.5)


class Work:
    """A clock by which everything takes a second."""

    def __init__(self) -> None:
        self.moment, self.step = 0.0, 1.0

    def __call__(self) -> float:
        self.moment += self.step
        return self.moment


def test_a_rating_shows_within_two_seconds_though_scoring_rests(tables: Store) -> None:
    clock = Work()
    it = Scoring(tables, ScoringSettings(), Clock(), clock)
    put(tables, "tasks", [task(1)])
    assert it.run() == 1
    assert clock.moment >= 4  # so it rests for 16 s
    clock.step = 0.0

    rate(tables, task(1)["task_id"], 5)
    put(tables, "tasks", [task(2)])
    assert it.run() == 0, "what was said waits as long as scoring has worked, and two seconds at the most"
    clock.moment += 2
    assert it.run() == 1
    assert [row["rated"] for row in sums(tables)] == [1], "the rating is in the sums"
    assert task(2)["task_id"] not in scores_of(tables), "the rest still waits"


def test_scoring_rests_for_four_times_as_long_as_it_works(tables: Store) -> None:
    it = scoring(tables)
    put(tables, "tasks", [task(1)])
    assert it.run() == 1
    put(tables, "tasks", [task(2)])
    assert it.run() == 0
    assert it.catch_up() == 1


def test_tasks_that_keep_coming_keep_no_calls_waiting(tables: Store, clock: Clock) -> None:
    ticks, pause = count(0, 20), [0]  # so many seconds that each run has time for one step only
    it = Scoring(tables, ScoringSettings(), clock, seconds=lambda: next(ticks) + pause[0])
    put(tables, "nodes", [node(1)])

    for number in (1, 2):
        put(tables, "tasks", [task(number)])
        it.run()
        pause[0] += 10_000

    assert tables.query("SELECT count() AS n FROM task_calls")["n"].item() == 1


def test_catching_up_shows_what_it_has_added_up_part_by_part(tables: Store, clock: Clock) -> None:
    ticks = count(0, 20)
    it = Scoring(tables, ScoringSettings(), clock, seconds=lambda: next(ticks), at_once=2)
    put(tables, "tasks", [task(n, started_at=NOW - 2 * DAY) for n in range(6)])
    put(tables, "nodes", [node(n, started_at=NOW - 2 * DAY) for n in range(6)])

    assert it.catch_up() >= 6

    assert len(scores_of(tables)) == 6
    assert tables.query("SELECT count() AS n FROM task_calls")["n"].item() == 6
    assert tables.query("SELECT uniqExact(version) AS n FROM scoring_progress")["n"].item() > 3
