"""The ring of events: who comes back gets what came since, or is told that it is too late."""

import asyncio
import json
import threading
import time

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from processors.events import EVENTS
from query_api.web.live import AT_ONCE, Choice, Live
from tests.builders import Clock, frame

ANY = Choice()


def events(count: int = 1, kind: str = "task.finished", **more: str) -> pl.DataFrame:
    plain = {"type": kind, "agent_id": "a", "category": "", "severity": "", "event": json.dumps({"type": kind})}
    return frame([plain | more] * count, EVENTS)


def ids(live: Live, position: int, choice: Choice = ANY) -> list[int]:
    """The ids of all that is told after a position."""
    found: list[int] = []
    while position < live.last:
        portion = live.read(position, choice, "json")
        assert portion is not None
        found += [int(each["id"]) for each in json.loads(portion.text)["events"]] if portion.text else []
        position = portion.position
    return found


def test_what_came_after_a_position_is_told_once_and_in_order(clock: Clock) -> None:
    live = Live(clock)
    start = live.last
    live.publish(events(3))
    clock.tick(1)
    live.publish(events(2))

    every = ids(live, start)
    assert len(every) == 5
    assert every == sorted(set(every))
    assert ids(live, every[1]) == every[2:]
    assert ids(live, live.last) == []


def test_ids_go_on_growing_after_a_restart(clock: Clock) -> None:
    before = Live(clock)
    before.publish(events(100))
    clock.tick(0.001)
    after = Live(clock)
    after.publish(events())

    assert after.last > before.last
    assert not after.knows(before.last)


def test_a_clock_that_goes_back_does_not_take_the_ids_with_it(clock: Clock) -> None:
    live = Live(clock)
    start = live.last
    live.publish(events())
    clock.tick(-3600)
    live.publish(events())

    every = ids(live, start)
    assert every == sorted(set(every))


@given(batches=st.lists(st.integers(1, 40), max_size=30), most=st.integers(8, 60))
def test_what_is_known_is_whole_and_no_more_than_the_bound_is_kept(batches: list[int], most: int) -> None:
    live, published = Live(Clock(), most), []
    for size in batches:
        live.publish(events(size))
        published += list(range(live.last - size + 1, live.last + 1))

    kept = ids(live, live.floor)
    assert kept == [one for one in published if one > live.floor]
    assert len(kept) == min(len(published), most)
    assert all(live.read(one, ANY, "json") is None for one in published if one < live.floor)


def test_filters_choose_any_of_their_values_and_all_of_their_names(clock: Clock) -> None:
    live = Live(clock)
    start = live.last
    live.publish(events(1, "alert.fired", severity="critical"))
    live.publish(events(1, "alert.fired", severity="warning"))
    live.publish(events(1, agent_id="b"))

    assert len(ids(live, start, Choice(type=("alert.fired", "task.finished")))) == 3
    assert len(ids(live, start, Choice(type=("alert.fired",), severity=("critical",)))) == 1
    assert len(ids(live, start, Choice(agent_id=("b", "c")))) == 1
    assert len(ids(live, start, Choice(agent_id=("c",)))) == 0


def test_a_portion_is_bounded(clock: Clock) -> None:
    live = Live(clock)
    start = live.last
    live.publish(events(AT_ONCE + 1))

    portion = live.read(start, ANY, "sse")
    assert portion is not None
    assert portion.text.count("data: ") == AT_ONCE
    assert portion.position == live.last - 1


def test_server_sent_events_have_their_id_type_and_one_line_of_data(clock: Clock) -> None:
    live = Live(clock)
    start = live.last
    live.publish(events())
    portion = live.read(start, ANY, "sse")

    assert portion is not None
    said = json.dumps({"id": str(live.last)})[:-1] + ',"type": "task.finished"}'
    assert portion.text == f"id: {live.last}\nevent: task.finished\ndata: {said.replace(': ', ':', 1)}\n\n"


def test_who_waits_is_woken_from_another_thread(clock: Clock) -> None:
    live = Live(clock)

    async def waiting() -> float:
        with live.reading():
            begin = time.monotonic()
            threading.Timer(0.05, live.publish, [events()]).start()
            assert await live.wait(live.last, 10)
            return time.monotonic() - begin

    assert asyncio.run(waiting()) < 5


def test_who_waits_in_vain_is_told(clock: Clock) -> None:
    live = Live(clock)

    async def waiting() -> bool:
        with live.reading():
            return await live.wait(live.last, 0.01)

    assert asyncio.run(waiting()) is False
    assert live.readers == 0


def test_nothing_is_told_after_the_end(clock: Clock) -> None:
    live = Live(clock)
    live.close()
    live.publish(events())

    assert live.last == live.floor
