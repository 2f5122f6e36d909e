"""From received spans to derived rows on the real store, at times that the tests say."""

import logging
from datetime import timedelta

import pytest

from exporters.store import Store
from merit.pipeline.pipeline import by_trace
from processors.errors import Unavailable
from tests.builders import NOW, Clock, agent, chat, frame, job, span, span_of, trace_of
from tests.merit.deriving import DONE, ORPHANS, Half, derived, pipeline, rows_of, send, spans_read, statuses, work


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


def test_steps_know_whether_their_trace_had_been_derived_before(tables: Store, clock: Clock) -> None:
    def again() -> list[tuple[str, bool]]:
        either = "SELECT trace_id, again FROM nodes FINAL UNION ALL SELECT trace_id, again FROM tasks FINAL"
        return tables.query(f"SELECT DISTINCT trace_id, again FROM ({either}) ORDER BY ALL").rows()

    first, second = sorted((trace_of(1), trace_of(2)))
    it = pipeline(tables, clock)
    send(it, job(1), clock)
    send(it, job(2), clock)
    work(it, clock)
    assert again() == [(first, False), (second, False)]

    send(it, [chat(1, 8, 1)], clock)
    work(it, clock)
    assert again() == [(trace_of(n), n == 1) for n in (1, 2)]

    restarted = pipeline(tables, clock)
    send(restarted, [chat(2, 8, 1)], clock)
    work(restarted, clock)
    assert again() == [(first, True), (second, True)]


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


def test_spans_that_could_not_be_stored_are_not_derived(tables: Store, clock: Clock) -> None:
    half = Half(tables)
    it = pipeline(half, clock)
    half.away = "otel_traces"
    with pytest.raises(Unavailable):
        send(it, job(1), clock)

    assert it.drain() == 0


def test_spans_wait_for_a_table_that_questions_need_too(tables: Store, clock: Clock) -> None:
    """The open traces are read from `workflows` when the first spans come: its absence is no fault of these."""
    it = pipeline(tables, clock)
    tables.command("RENAME TABLE workflows TO hidden")
    try:
        with pytest.raises(Unavailable):
            send(it, job(1), clock)
    finally:
        tables.command("RENAME TABLE hidden TO workflows")

    send(it, job(1), clock)
    work(it, clock)

    assert [row["status"] for row in rows_of(tables, "workflows")] == ["succeeded"]


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


def test_a_trace_that_is_too_large_is_stored_and_worked_out_no_further(
    tables: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    it = pipeline(tables, clock, assemble={"max_trace_spans": 1_000})
    root, *_ = large = [agent(1, 1), *(chat(1, number, parent=1) for number in range(2, 1_202))]
    send(it, [*large[:900], *job(2)], clock)
    assert work(it, clock) == 2
    before = rows_of(tables, "nodes")
    send(it, [*large[900:], *job(3)], clock)
    clock.tick(60)
    it.derive()
    it.sweep()

    assert len(rows_of(tables, "nodes")) - len(before) == len([row for row in before if row["trace_id"] == trace_of(2)])
    assert f"trace {root['TraceId']} has 1201 spans, over 1000" in caplog.text
    again = pipeline(tables, clock, assemble={"max_trace_spans": 1_000})  # after a restart
    clock.tick(60)
    again.sweep()
    again.rederive(NOW - timedelta(days=1), NOW + timedelta(days=1))
    assert len(rows_of(tables, "nodes")) - len(before) == len([row for row in before if row["trace_id"] == trace_of(2)])


def test_large_portions_are_parted_between_traces() -> None:
    readings = frame([row for number in range(1, 41) for row in job(number)]).sample(fraction=1, shuffle=True, seed=1)
    portions = list(by_trace(readings, 50))

    assert sum(map(len, portions)) == len(readings) == 280
    assert sum(portion["TraceId"].n_unique() for portion in portions) == 40
    assert max(map(len, portions)) <= 50 + 7


def test_a_full_memory_leaves_spans_to_the_store(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock, assemble={"max_mib": 1})
    rows = [row for number in range(1, 401) for row in job(number)]  # 2,800 spans, of 0.8 KB and more
    for part in range(7):  # every trace comes in pieces
        send(it, rows[part::7], clock)
        it.derive()
    work(it, clock)

    assert spans_read(tables) == [7] * 400
    assert {row["status"] for row in rows_of(tables, "tasks")} == {"succeeded"}
