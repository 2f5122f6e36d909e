"""From received spans to derived rows on the real store, at times that the tests say."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters.store import Store
from merit.pipeline import Pipeline
from processors.errors import Rejected, Unavailable
from processors.frames import EXPORTER_COLUMNS, MILLIS
from processors.settings import ProcessorSettings
from tests.builders import (
    LONG_DAYS,
    NOW,
    Clock,
    Row,
    agent,
    chat,
    frame,
    job,
    span,
    span_of,
    tool,
    trace_of,
    truncate,
)

DONE = {"supervisor": "succeeded", "researcher": "succeeded"}
EXAMPLES = settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])


def pipeline(store: Any, clock: Clock, retention_days: int = 30, derives: bool = True, **changes: Any) -> Pipeline:
    return Pipeline(store, ProcessorSettings.model_validate(changes), retention_days, clock, derives=derives)


def send(to: Pipeline, rows: Iterable[Row], clock: Clock) -> None:
    """Hand over `rows` as received now."""
    to.consume(frame([row | {"IngestedAt": clock()} for row in rows]))


def write(store: Store, rows: Iterable[Row], clock: Clock) -> None:
    """Store `rows` as the Collector does, with its own columns only, at a time that the test says."""
    stamped = [row | {"IngestedAt": clock()} for row in rows]
    store.insert("otel_traces", frame(stamped, {**EXPORTER_COLUMNS, "IngestedAt": MILLIS}))


def work(it: Pipeline, clock: Clock, seconds: float = 3) -> int:
    """Let time pass and derive."""
    clock.tick(seconds)
    return it.derive()


def rows_of(store: Store, table: str) -> list[Row]:
    """What is there, without when it was worked out."""
    found = store.query(f"SELECT * FROM {table} FINAL ORDER BY ALL")
    return found.drop("version", "ingested_at", strict=False).rows(named=True)


def derived(store: Store) -> dict[str, list[Row]]:
    return {table: rows_of(store, table) for table in ("nodes", "tasks", "workflows")}


def statuses(store: Store) -> dict[str, str]:
    """Agent to status."""
    return {row["agent_id"]: row["status"] for row in rows_of(store, "tasks")}


def spans_read(store: Store) -> list[int]:
    """How many spans each workflow was derived of."""
    return [row["spans"] for row in rows_of(store, "workflows")]


class Half:
    """The real store, of which a part can be away."""

    def __init__(self, store: Store) -> None:
        self.store, self.away = store, ""

    def insert(self, table: str, *args: Any, **more: Any) -> None:
        if table == self.away:
            raise Unavailable(f"{table} is away")
        self.store.insert(table, *args, **more)

    def query(self, *args: Any, **more: Any) -> pl.DataFrame:
        if self.away == "query":
            raise Unavailable("no answers")
        return self.store.query(*args, **more)


def test_a_trace_is_derived_when_its_root_has_come_and_it_was_quiet(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, job(1), clock)

    assert [it.derive(), work(it, clock), work(it, clock)] == [0, 1, 0]
    assert statuses(tables) == DONE


def test_what_was_derived_of_a_trace_is_what_happened(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, job(1), clock)
    work(it, clock)

    tasks = {row["agent_id"]: row for row in rows_of(tables, "tasks")}
    nodes = {row["span_id"]: row for row in rows_of(tables, "nodes")}
    assert (tasks["supervisor"]["llm_calls"], tasks["supervisor"]["tool_calls"]) == (2, 0)
    assert (tasks["researcher"]["llm_calls"], tasks["researcher"]["tool_calls"]) == (1, 1)
    assert tasks["researcher"]["parent_task_id"] == tasks["supervisor"]["task_id"] == f"{trace_of(1)}-{span_of(1)}"
    assert sorted(nodes) == [span_of(n) for n in (2, 4, 5, 7)]
    assert [str(nodes[span_of(n)]["cost_usd"]) for n in (2, 4)] == [
        "0.000021000000",
        "0.000350000000",
    ]  # per million: .15/.60, 2.5/10
    assert not nodes[span_of(5)]["success"]


@pytest.fixture(scope="module")
def whole(keeper: Store) -> dict[str, list[Row]]:
    """What TRAFFIC gives when it is sent at once."""
    truncate(keeper)
    clock = Clock()
    it = pipeline(keeper, clock)
    send(it, TRAFFIC, clock)
    settle_all(it, clock)
    return derived(keeper)


def settle_all(it: Pipeline, clock: Clock) -> None:
    """Until nothing more is awaited."""
    work(it, clock)
    clock.tick(1000)
    it.sweep()
    it.derive()


ORPHANS = [chat(3, 4, 2), tool(3, 5, 2), chat(3, 6, 9)]
TRAFFIC = [*job(1), *job(2), *ORPHANS]


@EXAMPLES
@given(
    order=st.permutations([*TRAFFIC, *job(1)[:2]]),
    cuts=st.sets(st.integers(1, len(TRAFFIC)), max_size=6),
    restarts=st.sets(st.integers(0, 6), max_size=3),
    pause=st.sampled_from([0.0, 0.5, 3.0, 70.0, 1000.0]),
)
def test_any_order_and_any_split_with_restarts_give_the_same(
    tables: Store, whole: dict[str, list[Row]], order: list[Row], cuts: set[int], restarts: set[int], pause: float
) -> None:
    truncate(tables)
    clock = Clock()
    it = pipeline(tables, clock)
    edges = [0, *sorted(cuts), len(order)]
    for number, (start, end) in enumerate(pairwise(edges)):
        send(it, order[start:end], clock)
        work(it, clock, pause)
        if number in restarts:
            it = pipeline(tables, clock)
    settle_all(it, clock)

    assert derived(tables) == whole


@settings(EXAMPLES, max_examples=3)
@given(seed=st.integers(0, 2**32), others=st.integers(0, 3))
def test_two_receivers_on_one_store_give_the_same_as_one(
    tables: Store, whole: dict[str, list[Row]], seed: int, others: int
) -> None:
    truncate(tables)
    clock, random = Clock(), Random(seed)
    both = [pipeline(tables, clock), pipeline(tables, clock)]
    for row in random.sample(TRAFFIC, len(TRAFFIC)):
        to = random.randrange(2 + (others > 0))
        write(tables, [row], clock) if to == 2 else send(both[to], [row], clock)
        clock.tick(random.choice([0, 0.1, 3, 30]))
        it = random.choice(both)
        random.choice([it.derive, it.sweep])()
    for it in 2 * both:
        settle_all(it, clock)

    assert derived(tables) == whole


def test_sent_twice_is_sent_once(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, job(1), clock)
    work(it, clock)
    once = derived(tables)

    send(it, job(1), clock)
    work(it, clock, 10)

    assert derived(tables) == once


def test_tasks_are_running_before_the_root_has_come(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, job(1)[1:], clock)
    work(it, clock)
    assert statuses(tables) == {"researcher": "running"}
    assert [row["status"] for row in rows_of(tables, "workflows")] == ["running"]

    send(it, job(1)[:1], clock)
    work(it, clock)

    assert statuses(tables) == DONE
    assert [row["status"] for row in rows_of(tables, "workflows")] == ["succeeded"]


def test_a_late_span_joins_its_task(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, job(1), clock)
    work(it, clock)

    send(it, [chat(1, 8, 1)], clock)
    work(it, clock)

    assert statuses(tables) == DONE  # not running again
    assert {row["agent_id"]: row["llm_calls"] for row in rows_of(tables, "tasks")} == {"supervisor": 3, "researcher": 1}


def test_a_span_that_comes_when_its_trace_is_long_forgotten_joins_its_task(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, job(1), clock)
    work(it, clock)
    for number in (2, 3):  # other traces, so that the first is forgotten
        clock.tick(3600)
        send(it, job(number), clock)
        work(it, clock)

    send(it, [chat(1, 8, 1)], clock)
    work(it, clock)

    assert spans_read(tables) == [8, 7, 7]
    assert {row["status"] for row in rows_of(tables, "tasks")} == {"succeeded"}


def test_a_trace_that_goes_on_is_derived_at_growing_intervals(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, job(1), clock)
    work(it, clock)

    derivations = 0
    for number in range(8, 48):
        send(it, [chat(1, number, 1)], clock)
        derivations += work(it, clock, 2)

    assert 3 <= derivations <= 6
    work(it, clock, 900)
    assert spans_read(tables) == [47]


def test_a_span_received_before_a_derivation_and_stored_after_it_is_derived(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, job(1)[1:], clock)
    clock.tick(3)
    slow = frame([job(1)[0] | {"IngestedAt": clock()}])
    work(it, clock, 0.2)
    assert statuses(tables) == {"researcher": "running"}

    it.consume(slow)
    work(it, clock, 10)

    assert statuses(tables) == DONE


def test_what_others_write_is_derived_by_the_sweep(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    assert it.sweep() == 0
    write(tables, job(1), clock)
    clock.tick(3)

    assert [it.sweep(), it.sweep()] == [1, 0]
    assert statuses(tables) == DONE


def test_rows_with_the_exporters_columns_alone_get_the_time_they_came_and_are_derived(tables: Store, clock: Clock) -> None:
    tables.insert("otel_traces", frame(job(1), EXPORTER_COLUMNS))
    came = tables.query("SELECT max(IngestedAt) AS t FROM otel_traces").item()
    clock.moment = came + timedelta(seconds=5)

    assert pipeline(tables, clock, LONG_DAYS).sweep() == 1
    assert statuses(tables) == DONE


def test_a_root_that_somebody_else_writes_ends_the_running_trace_at_the_next_sweep(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    write(tables, job(1)[1:], clock)
    clock.tick(3)
    it.sweep()
    assert statuses(tables) == {"researcher": "running"}

    write(tables, job(1)[:1], clock)
    clock.tick(60)
    it.sweep()

    assert statuses(tables) == DONE


def test_a_receiver_that_has_a_part_does_not_overwrite_the_whole(tables: Store, clock: Clock) -> None:
    one, two = pipeline(tables, clock), pipeline(tables, clock)
    send(one, job(1)[:3], clock)
    send(two, job(1)[3:], clock)
    for _ in range(12):  # two minutes
        clock.tick(10)
        one.derive()
        two.derive()
        if clock().second == 0:
            one.sweep()
            two.sweep()

    assert (spans_read(tables), statuses(tables)) == ([7], DONE)


def test_a_trace_whose_root_never_comes_is_derived_when_it_is_abandoned(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, job(1)[1:], clock)
    work(it, clock)
    assert statuses(tables) == {"researcher": "running"}

    work(it, clock, 60)

    assert statuses(tables) == {"researcher": "succeeded"}


def test_orphans_get_an_implicit_task_only_when_their_trace_is_old(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, ORPHANS, clock)
    for seconds in (3, 60, 800):
        work(it, clock, seconds)
        assert rows_of(tables, "tasks") == []

    work(it, clock, 100)

    assert statuses(tables) == {"app": "succeeded"}
    assert [row["llm_calls"] for row in rows_of(tables, "tasks")] == [2]


@pytest.mark.parametrize("seconds_away", [0, 100_000])
def test_orphans_are_awaited_across_a_restart(tables: Store, clock: Clock, seconds_away: float) -> None:
    it = pipeline(tables, clock)
    send(it, ORPHANS, clock)
    work(it, clock, 61)
    assert rows_of(tables, "tasks") == []

    clock.tick(seconds_away)
    again = pipeline(tables, clock)
    again.derive()
    work(again, clock, 900)

    assert statuses(tables) == {"app": "succeeded"}


def test_an_agent_that_turns_out_to_be_another_leaves_no_old_row(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, [agent(1, 1, None, "root"), chat(1, 2, 3), chat(1, 4, 1)], clock)
    clock.tick(901)
    it.derive()
    assert statuses(tables) == {"root": "succeeded", "app": "succeeded"}

    send(it, [agent(1, 3, 1, "late")], clock)
    work(it, clock)

    assert statuses(tables) == {"root": "succeeded", "late": "succeeded"}
    assert sorted(row["agent_id"] for row in rows_of(tables, "nodes")) == ["late", "root"]


def test_old_rows_stay_away_after_merges(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, [agent(1, 1), chat(1, 2, 1)], clock)
    work(it, clock)
    old = tables.query("SELECT * FROM nodes")
    send(it, [chat(1, 2, 1, said={"gen_ai.operation.name": "execute_tool"}), agent(1, 3, 2, "tool"), chat(1, 4, 3)], clock)
    send(it, [span(1, 2, 1)], clock)
    work(it, clock, 10)
    now = rows_of(tables, "nodes")

    tables.command("OPTIMIZE TABLE nodes FINAL")
    tables.insert("nodes", old)

    assert rows_of(tables, "nodes") == now


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


@pytest.mark.parametrize("away", ["nodes", "tasks", "workflows"])
def test_what_could_not_be_stored_is_derived_next_time(tables: Store, clock: Clock, away: str) -> None:
    half = Half(tables)
    send(it := pipeline(half, clock), [*job(1), *job(2)[1:]], clock)  # due in two phases
    half.away = away
    for _ in range(2):
        with pytest.raises(Unavailable):
            work(it, clock)

    half.away = ""
    send(it, job(2)[:1], clock)
    work(it, clock)

    assert spans_read(tables) == [7, 7]
    assert {row["status"] for row in rows_of(tables, "tasks")} == {"succeeded"}


def test_a_sweep_that_found_no_store_is_made_up_for(tables: Store, clock: Clock) -> None:
    half = Half(tables)
    it = pipeline(half, clock)
    it.sweep()
    write(tables, job(1), clock)
    clock.tick(3)
    half.away = "query"
    with pytest.raises(Unavailable):
        it.sweep()
    clock.tick(3600)
    half.away = ""

    assert it.sweep() == 1


def test_spans_that_could_not_be_stored_are_not_derived(tables: Store, clock: Clock) -> None:
    half = Half(tables)
    it = pipeline(half, clock)
    half.away = "otel_traces"
    with pytest.raises(Unavailable):
        send(it, job(1), clock)

    assert it.drain() == 0


def test_a_trace_that_cannot_be_derived_harms_no_other(tables: Store, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    it = pipeline(tables, clock)
    dear = {"gen_ai.usage.cost": 8_999}
    millions = [agent(2, 1), *(chat(2, number, 1, "no-such-model", said=dear) for number in range(2, 150))]
    send(it, [*job(1), *millions, *job(3)], clock)

    with caplog.at_level(logging.WARNING):
        work(it, clock)
    work(it, clock)

    assert {trace_of(1), trace_of(3)} <= {row["trace_id"] for row in rows_of(tables, "workflows")}
    assert all(trace_of(2) in message for message in caplog.messages)


def test_draining_derives_what_is_open_without_waiting(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    assert it.drain() == 0
    send(it, [*job(1), *job(2)[1:]], clock)

    assert it.drain() == 2
    assert [row["status"] for row in rows_of(tables, "workflows")] == ["succeeded", "running"]
    assert it.drain() == 0


def test_a_full_memory_leaves_spans_to_the_store(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock, assemble={"max_spans": 1_000})
    rows = [row for number in range(1, 401) for row in job(number)]  # 2,800 spans
    for part in range(7):  # every trace comes in pieces
        send(it, rows[part::7], clock)
        it.derive()
    work(it, clock)

    assert spans_read(tables) == [7] * 400
    assert {row["status"] for row in rows_of(tables, "tasks")} == {"succeeded"}


def test_where_no_job_derives_nothing_is_held(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock, derives=False)
    send(it, job(1), clock)
    assert it.drain() == 0

    clock.tick(3)
    assert pipeline(tables, clock).sweep() == 1
