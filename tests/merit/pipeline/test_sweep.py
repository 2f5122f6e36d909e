"""What the sweep and a restart find in the store, and derive."""

from datetime import timedelta

import pytest

from exporters.store import Store
from processors.errors import Unavailable
from processors.frames import EXPORTER_COLUMNS
from tests.builders import LONG_DAYS, Clock, frame, job
from tests.merit.deriving import DONE, ORPHANS, Half, pipeline, rows_of, send, spans_read, statuses, work, write


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


def test_where_no_job_derives_nothing_is_held(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock, derives=False)
    send(it, job(1), clock)
    assert it.drain() == 0

    clock.tick(3)
    assert pipeline(tables, clock).sweep() == 1
