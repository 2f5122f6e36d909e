"""Alerts over the real store."""

import json
from datetime import datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from exporters.store import Store
from merit.jobs.alerts import Alerting
from processors.alerts.frames import SILENCES
from processors.alerts.levels import MEASURED
from processors.alerts.life import as_frame
from processors.alerts.rules import KEPT, AlertSettings, Rule, to_rows
from tests.builders import NOW, Clock
from tests.merit.alerting import DAY, HOUR, alerting, alerts, events, every, steps, store_work, work

BEFORE = every(2 * HOUR, NOW - 20 * DAY, NOW - 2 * HOUR)
LATELY = every(timedelta(minutes=2), NOW - HOUR, NOW - timedelta(minutes=1))


def test_an_agent_that_goes_on_as_before_raises_nothing(tables: Store, clock: Clock) -> None:
    past, now = work("writer", 0, BEFORE), work("writer", 1000, LATELY)
    store_work(tables, past + now, steps(past + now))

    assert alerting(tables, clock).run() == 0
    assert alerts(tables) == []


def test_a_failing_tool_is_told_once_with_its_evidence(tables: Store, clock: Clock) -> None:
    past, now = work("writer", 0, BEFORE), work("writer", 1000, LATELY, fails=0.6)
    store_work(tables, past + now, steps(past) + steps(now, broken="search"))
    it = alerting(tables, clock)

    it.run()
    (one,) = alerts(tables)
    assert (one["status"], one["severity"], one["cause"], one["rule"]) == ("firing", "critical", "tool search", "success-change")
    assert json.loads(one["scope"]) == {"tool": "search", "agent_id": "writer"}
    evidence = json.loads(one["evidence"])
    assert (evidence["agents"], evidence["changes"][0]["measure"]) == (["writer"], "success")
    assert evidence["changes"][0]["after"] > 0.4 > evidence["changes"][0]["before"]
    assert evidence["traces"]
    clock.tick(15)
    it.run()
    alerting(tables, clock).run()  # a process that has just started
    assert (len(alerts(tables)), events(tables)) == (1, ["fired"])


def test_two_agents_with_one_slow_model_are_one_alert(tables: Store, clock: Clock) -> None:
    past = work("writer", 0, BEFORE) + work("coder", 2000, BEFORE)
    now = work("writer", 1000, LATELY, seconds=30.0) + work("coder", 3000, LATELY, seconds=30.0)
    store_work(tables, past + now, steps(past + now))

    alerting(tables, clock).run()

    (one,) = alerts(tables)
    assert (one["cause"], one["agent_id"], one["rule"]) == ("model gpt-4o", "", "duration-change")
    assert json.loads(one["evidence"])["agents"] == ["coder", "writer"]
    assert json.loads(one["scope"]) == {"model": "gpt-4o"}


def test_an_agent_that_feels_the_same_cause_later_joins_the_alert(tables: Store, clock: Clock) -> None:
    past = work("writer", 0, BEFORE) + work("coder", 2000, BEFORE)
    now, later = work("writer", 1000, LATELY, seconds=30.0), work("coder", 3000, LATELY, seconds=30.0)
    store_work(tables, past + now, steps(past + now))
    it = alerting(tables, clock)
    it.run()
    store_work(tables, later, steps(later))
    clock.tick(15)
    it.run()

    (one,) = alerts(tables)
    assert (json.loads(one["scope"]), one["agent_id"]) == ({"model": "gpt-4o"}, "")
    assert json.loads(one["evidence"])["agents"] == ["coder", "writer"]
    assert events(tables) == ["fired"]


def test_it_is_over_when_tasks_are_as_before_again(tables: Store, clock: Clock) -> None:
    past, now = work("writer", 0, BEFORE), work("writer", 1000, LATELY, fails=0.6)
    store_work(tables, past + now)
    it = alerting(tables, clock)
    it.run()
    later = work("writer", 4000, every(timedelta(seconds=20), NOW, NOW + timedelta(minutes=12)))
    store_work(tables, later)

    for _ in range(3):
        clock.tick(400)
        it.run()

    assert [one["status"] for one in alerts(tables)] == ["resolved"]
    assert events(tables) == ["fired", "resolved"]


def test_what_a_person_resolves_is_the_usual_from_then_on(tables: Store, clock: Clock) -> None:
    past, now = work("writer", 0, BEFORE), work("writer", 1000, LATELY, fails=0.6)
    store_work(tables, past + now)
    it = alerting(tables, clock)
    it.run()
    tables.command(
        "INSERT INTO alert_events SELECT concat(alert_id, '-resolved'), alert_id, 'resolved', 'resolved', severity, "
        "fired_at, 'ann', '', false FROM alerts FINAL"
    )

    for _ in range(3):
        clock.tick(3600)
        it.run()

    assert [(one["status"], one["resolved_by"]) for one in alerts(tables)] == [("resolved", "ann")]


def test_budgets_and_presets(tables: Store, clock: Clock) -> None:
    dear = work("writer", 0, LATELY, cost_usd=Decimal("0.6"))
    store_work(tables, dear)

    alerting(tables, clock, budget_usd_per_day=20, enable=["dear-task", "response-time"]).run()

    found = {one["rule"]: (one["severity"], one["title"]) for one in alerts(tables)}
    assert set(found) == {"budget-of-the-day", "dear-task", "response-time"}
    assert found["budget-of-the-day"] == ("warning", "all agents: $17.40 spent, 0.87 times the budget ($20.00)")
    assert found["response-time"][0] == "critical"


@pytest.mark.parametrize("status", ["interrupted", "running"])
def test_what_is_not_finished_counts_against_a_budget_and_in_no_mean(tables: Store, clock: Clock, status: str) -> None:
    store_work(tables, work("writer", 0, LATELY, cost_usd=Decimal("0.6"), status=status))

    alerting(tables, clock, budget_usd_per_day=20, enable=["dear-task", "response-time", "many-tokens"]).run()

    assert [one["title"] for one in alerts(tables)] == ["all agents: $17.40 spent, 0.87 times the budget ($20.00)"]


def test_an_alert_of_a_level_names_the_traces_that_show_it_and_keeps_them(tables: Store, clock: Clock) -> None:
    done = work("writer", 0, LATELY)
    for number, cost in ((3, "0.7"), (5, "0.9")):
        done[number] |= {"cost_usd": Decimal(cost), "category": "coding"}
    other = work("coder", 1000, LATELY[:1], cost_usd=Decimal("2"))
    store_work(tables, done + other)
    it = alerting(tables, clock, enable=["dear-task"], rules=[DEAR_CODING])

    it.run()
    clock.tick(301)  # the evidence is written anew
    it.run()

    shown = {(one["rule"], one["agent_id"]): json.loads(one["evidence"])["traces"] for one in alerts(tables)}
    dearest = [done[5]["trace_id"], done[3]["trace_id"]]
    assert shown["dear-coding", "writer"] == dearest
    assert (shown["dear-task", "writer"][:2], len(shown["dear-task", "writer"])) == (dearest, 5)
    assert shown["dear-task", "coder"] == [other[0]["trace_id"]]


def test_what_was_too_much_in_an_hour_is_over_when_the_hour_is_though_nobody_works(tables: Store, clock: Clock) -> None:
    store_work(tables, work("writer", 0, LATELY, cost_usd=Decimal("0.6")))
    it = alerting(tables, clock, enable=["dear-task", "response-time"])
    it.run()
    for _ in range(3):
        clock.tick(3700)
        it.run()

    # Of a mean nobody knows how it would be; of a task that is long past nobody need be reminded.
    assert {one["rule"]: one["status"] for one in alerts(tables)} == {"dear-task": "resolved", "response-time": "firing"}


def test_an_alert_of_whom_too_little_is_seen_to_tell_ends_after_a_day(tables: Store, clock: Clock) -> None:
    store_work(tables, work("writer", 0, [NOW - timedelta(minutes=1)] * 6, seconds=100.0))
    it = alerting(tables, clock, rules=[SLOW])
    told = []
    for number in range(4):
        it.run()
        told.append([one["status"] for one in alerts(tables)])
        clock.tick(12 * 3600 + 60)
        store_work(tables, work("writer", 100 + 10 * number, [clock() - timedelta(minutes=1)] * 4, seconds=1.0))

    assert told == [["firing"], ["firing"], ["firing"], ["resolved"]]


def test_the_alerts_of_a_rule_that_is_switched_off_are_over(tables: Store, clock: Clock) -> None:
    store_work(tables, work("writer", 0, [NOW - timedelta(minutes=1)] * 6, seconds=100.0))
    alerting(tables, clock, rules=[SLOW, SLOW | {"name": "also-slow"}]).run()
    clock.tick(60)
    off = SLOW | {"enabled": False}
    alerting(tables, clock, rules=[off, SLOW | {"name": "also-slow"}]).run()

    assert {one["rule"]: one["status"] for one in alerts(tables)} == {"slow": "resolved", "also-slow": "firing"}
    (over,) = tables.query("SELECT note FROM alert_events WHERE event = 'resolved'").to_dicts()
    assert over["note"] == "its rule is off, or there no more"


def test_of_many_agents_one_that_is_well_again_is_told_to_be(tables: Store, clock: Clock) -> None:
    slow = timedelta(minutes=4)
    others = [one for n in range(230) for one in work(f"agent-{n}", 100 + 10 * n, [NOW - slow] * 6, seconds=1.0)]
    store_work(tables, others + work("writer", 0, [NOW - slow] * 6, seconds=100.0))
    it = alerting(tables, clock, rules=[SLOW])
    it.run()
    assert [(one["agent_id"], one["status"]) for one in alerts(tables)] == [("writer", "firing")]
    store_work(tables, work("writer", 50, [NOW - timedelta(minutes=1)] * 60, seconds=0.1))
    for _ in range(2):
        clock.tick(301)
        it.run()

    assert [(one["agent_id"], one["status"]) for one in alerts(tables)] == [("writer", "resolved")]


SUMS_OF_AN_HOUR = [
    {"name": "spike", "metric": "cost_usd", "above": {"warning": 3}, "compare": "past", "by": ["agent_id"]},
    {"name": "half", "metric": "cost_usd", "below": {"warning": 0.5}, "compare": "past", "min_observations": 5},
    {"name": "few", "metric": "tasks", "below": {"warning": 3}, "by": ["agent_id"]},
    {"name": "few-of-all", "metric": "tasks", "below": {"warning": 3}},
    {"name": "few-calls", "metric": "calls", "below": {"warning": 3}, "by": ["provider"]},
    {"name": "doubled", "metric": "cost_usd", "above": {"warning": 2.5}, "compare": "past", "window": "2d"},
]
TWELVE_MINUTES = timedelta(minutes=12)


@pytest.mark.parametrize(
    ("lately", "told"),
    [
        (every(TWELVE_MINUTES, NOW - HOUR, NOW), {}),
        (every(TWELVE_MINUTES / 50, NOW - HOUR, NOW), {"spike": "writer: $2.50 spent, 50 times the week before ($0.0500 in 1h)"}),
        (
            [],
            {
                "half": "all agents: $0.00 spent, 0 times the week before ($0.0500 in 1h)",
                "few": "writer: 0 tasks finished, below 3",
                "few-of-all": "all agents: 0 tasks finished, below 3",
                "few-calls": "openai: 0 calls, below 3",
            },
        ),
    ],
    ids=["steady", "fifty times", "nothing"],
)
def test_sums_are_held_against_as_long_a_time_and_nothing_is_too_little(
    tables: Store, clock: Clock, lately: list[datetime], told: dict[str, str]
) -> None:
    before = every(TWELVE_MINUTES, NOW - 8 * DAY, NOW - HOUR)
    done = work("writer", 0, [*before, *lately], fails=0, cost_usd=Decimal("0.01"))
    store_work(tables, done, steps(done))

    alerting(tables, clock, shipped=False, rules=SUMS_OF_AN_HOUR).run()

    assert {one["rule"]: one["title"] for one in alerts(tables)} == told


def test_a_window_of_days_is_held_against_the_week_before_it(tables: Store, clock: Clock) -> None:
    before = every(HOUR, NOW - 10 * DAY, NOW - 2 * DAY)
    store_work(tables, work("writer", 0, [*before, *every(HOUR / 3, NOW - 2 * DAY, NOW)], cost_usd=Decimal("0.01")))

    alerting(tables, clock, shipped=False, rules=SUMS_OF_AN_HOUR).run()

    assert [one["title"] for one in alerts(tables)] == ["all agents: $1.44 spent, 3 times the week before ($0.4800 in 2d)"]


def test_an_agent_that_is_new_has_no_past_to_be_missed_by(tables: Store, clock: Clock) -> None:
    old = work("writer", 0, every(TWELVE_MINUTES, NOW - 8 * DAY, NOW), fails=0, cost_usd=Decimal("0.01"))
    new = work("coder", 5000, every(TWELVE_MINUTES, NOW - 20 * HOUR, NOW - HOUR), fails=0, cost_usd=Decimal("0.01"))
    store_work(tables, old + new)

    alerting(tables, clock, shipped=False, rules=SUMS_OF_AN_HOUR).run()

    assert alerts(tables) == []


def test_what_has_no_price_is_not_too_cheap(tables: Store, clock: Clock) -> None:
    old = work("writer", 0, every(TWELVE_MINUTES, NOW - 8 * DAY, NOW - HOUR), fails=0, cost_usd=Decimal("0.01"))
    store_work(tables, old + work("writer", 5000, every(TWELVE_MINUTES, NOW - HOUR, NOW), fails=0, cost_usd=None))

    alerting(tables, clock, shipped=False, rules=SUMS_OF_AN_HOUR).run()

    assert alerts(tables) == []


def test_a_rule_that_was_accepted_once_stops_nobody(tables: Store, clock: Clock) -> None:
    kept = Rule.model_validate(WEEK_OF_LARGEST, context=KEPT)
    tables.insert("alert_rules", to_rows([kept], 1, NOW))
    done = work("writer", 0, every(TWELVE_MINUTES, NOW - 8 * DAY, NOW - HOUR), fails=0)
    store_work(tables, done)

    alerting(tables, clock, shipped=False, rules=SUMS_OF_AN_HOUR).run()

    assert {"few", "half"} <= {one["rule"] for one in alerts(tables)}


WEEK_OF_LARGEST = {"name": "largest", "metric": "max_cost_usd", "below": {"warning": 0.5}, "compare": "past"}
SLOW = {"name": "slow", "metric": "avg_duration_seconds", "above": {"warning": 20}, "by": ["agent_id"], "min_observations": 5}
DEAR_CODING = {
    "name": "dear-coding",
    "metric": "max_cost_usd",
    "above": {"warning": 0.5},
    "by": ["agent_id"],
    "min_observations": 1,
    "scope": {"category": ["coding"]},
}


def test_a_rate_on_a_tiny_sample_is_no_alert(tables: Store, clock: Clock) -> None:
    few = work("writer", 0, LATELY[:20], fails=0.0)
    few[0]["status"] = few[1]["status"] = "failed"  # 90 %, but that may well be 95 % and bad luck
    store_work(tables, few)

    alerting(tables, clock, enable=["success-rate"]).run()

    assert alerts(tables) == []


def test_a_failing_provider_is_told(tables: Store, clock: Clock) -> None:
    calls = work("writer", 0, every(timedelta(seconds=15), NOW - timedelta(minutes=10), NOW))
    made = [one | {"success": i % 4 == 0} for i, one in enumerate(steps(calls)) if one["provider"]]
    store_work(tables, calls, made)

    alerting(tables, clock).run()

    (one,) = alerts(tables)
    assert (one["rule"], json.loads(one["scope"])) == ("provider-errors", {"provider": "openai"})
    failed = {call["trace_id"] for call in made if not call["success"]}
    traces = json.loads(one["evidence"])["traces"]
    assert (len(traces), set(traces) <= failed) == (5, True)


def test_an_alert_of_what_is_silenced_is_kept_and_told_to_nobody(tables: Store, clock: Clock) -> None:
    store_work(tables, work("writer", 0, LATELY, cost_usd=Decimal("0.6")))
    row = {"silence_id": "s", "scope": '{"rule":["dear-task"]}', "starts_at": NOW, "ends_at": NOW + HOUR, "by": "ann", "note": ""}
    tables.insert("silences", as_frame([row | {"version": 1, "is_deleted": 0}], SILENCES))

    alerting(tables, clock, enable=["dear-task"]).run()

    assert [one["silenced"] for one in alerts(tables)] == [True]


@pytest.mark.parametrize(("seconds", "found"), [(30.0, []), (120.0, ["journal-waits"])])
def test_merit_tells_of_its_own_trouble(tables: Store, clock: Clock, seconds: float, found: list[str]) -> None:
    it = alerting(tables, clock, {"journal_seconds": seconds, "failing_jobs": 0})
    it.run()
    clock.tick(60)
    it.run()

    assert [one["rule"] for one in alerts(tables)] == found


def test_an_agent_that_could_be_better_is_told_of_until_there_is_nothing_more(tables: Store, clock: Clock) -> None:
    found = [{"metric": "opportunities", "agent_id": name, "service": "", "value": n, "n": 1} for name, n in (("a", 2), ("b", 0))]
    measured = [pl.DataFrame(found, schema=dict(MEASURED))]
    job = Alerting(tables, AlertSettings(), clock, opportunities=lambda: measured[-1])
    job.run()
    measured.append(measured[0].with_columns(value=0.0))
    for _ in range(3):
        clock.tick(300)
        job.run()

    (row,) = alerts(tables)
    assert (row["rule"], row["severity"], row["agent_id"], row["status"]) == ("optimisation-opportunity", "info", "a", "resolved")
    assert events(tables) == ["fired", "resolved"]
