"""Deriving again what the store still has."""

from datetime import timedelta

import pytest

from exporters.store import Store
from processors.errors import Rejected
from tests.builders import NOW, Clock, agent, chat, job
from tests.merit.deriving import TRAFFIC, derived, pipeline, rows_of, send, settle_all, statuses, work
from tests.merit.scored import scoring


def test_rederiving_prices_calls_anew(tables: Store, clock: Clock) -> None:
    send(it := pipeline(tables, clock), job(1), clock)
    work(it, clock)
    prices = {"overrides": [{"model": "gpt-4o-mini", "cost_per_1k_input": 1, "cost_per_1k_output": 10}]}
    clock.tick(7200)

    done: list[tuple[int, int]] = []
    count = pipeline(tables, clock, cost=prices).rederive(NOW - timedelta(hours=1), clock(), lambda *at: done.append(at))

    assert (count, done) == (1, [(0, 1), (1, 1)])
    assert {row["agent_id"]: str(row["cost_usd"]) for row in rows_of(tables, "tasks")} == {
        "supervisor": "0.400000000000",  # 2 calls of 100 and 10 tokens: 2 (0.1 + 0.1)
        "researcher": "0.000350000000",
    }


def test_sums_follow_when_prices_are_worked_out_anew(tables: Store, clock: Clock) -> None:
    send(it := pipeline(tables, clock), job(1), clock)
    work(it, clock)
    adding_up = scoring(tables, clock)
    clock.tick(3 * 3600)  # the hour is over
    adding_up.catch_up()
    costs = "SELECT toString(model) AS model, toString(sum(cost_usd)) AS cost FROM model_hours GROUP BY model ORDER BY model"
    before = dict(tables.query(costs).rows())

    prices = {"overrides": [{"model": "gpt-4o-mini", "cost_per_1k_input": 1, "cost_per_1k_output": 10}]}
    pipeline(tables, clock, cost=prices).rederive(NOW - timedelta(hours=1), clock())
    adding_up.catch_up()
    assert dict(tables.query(costs).rows()) == before | {"gpt-4o-mini": "0.4"}
    assert tables.query("SELECT toString(sum(total_cost_usd)) FROM agent_hours").item() == "0.40035"


def test_rederiving_twice_is_rederiving_once(tables: Store, clock: Clock) -> None:
    send(it := pipeline(tables, clock), TRAFFIC, clock)
    settle_all(it, clock)
    once = derived(tables)

    for _ in range(2):
        it.rederive(NOW - timedelta(hours=1), clock())

    assert derived(tables) == once


def test_rederiving_a_part_of_a_trace_knows_that_its_root_has_come(tables: Store, clock: Clock) -> None:
    send(it := pipeline(tables, clock), [agent(1, 1, None, "slow"), chat(1, 2000, 1)], clock)
    work(it, clock)

    it.rederive(NOW + timedelta(seconds=1), NOW + timedelta(seconds=3))

    assert statuses(tables) == {"slow": "succeeded"}


@pytest.mark.parametrize(("since", "until", "said"), [(-31, 0, "spans are kept for 30 days"), (0, 0, "must be before until")])
def test_rederiving_refuses_what_cannot_be_worked_out(tables: Store, clock: Clock, since: int, until: int, said: str) -> None:
    with pytest.raises(Rejected, match=said):
        pipeline(tables, clock).rederive(NOW + timedelta(days=since), NOW + timedelta(days=until))


def test_a_trace_that_has_begun_to_expire_is_never_derived_again(tables: Store, clock: Clock) -> None:
    send(it := pipeline(tables, clock), job(1), clock)
    work(it, clock)
    before = derived(tables)
    clock.tick(timedelta(days=30, seconds=1).total_seconds())
    tables.command("ALTER TABLE otel_traces DELETE WHERE SpanName LIKE 'chat%' SETTINGS mutations_sync = 1")

    it.rederive(NOW + timedelta(seconds=5), clock())
    send(it, [chat(1, 10_000, 1)], clock)  # begun within retention
    it.rederive(NOW + timedelta(seconds=5), clock())
    for again in (it, pipeline(tables, clock)):
        work(again, clock, 1)
        again.sweep()
        work(again, clock, 1000)

    assert derived(tables) == before
