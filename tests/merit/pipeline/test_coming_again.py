"""Traces that were done with and forgotten, of which more comes: conversations of days under one trace id."""

from datetime import timedelta

from exporters.store import Store
from tests.builders import Clock, Row, agent, chat, span
from tests.merit.deriving import pipeline, rows_of, send, statuses, work

DAY = 24 * 3600


def turn(clock: Clock, number: int) -> list[Row]:
    """A turn of the conversation that is trace 1, which begins now."""
    later = clock() + timedelta(milliseconds=1)
    return [agent(1, number, 1, f"turn{number}", Timestamp=clock()), chat(1, number + 1, number, Timestamp=later)]


def forget(tables: Store, clock: Clock, days: int = 31) -> None:
    """Let so many days pass, and the spans expire."""
    clock.tick(days * DAY)
    for table in ("otel_traces", "otel_traces_trace_id_ts"):
        tables.command(f"TRUNCATE TABLE {table}")


def test_a_turn_that_comes_to_a_conversation_long_after_joins_those_before(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, [span(1, 1, SpanName="session"), *turn(clock, 10), *turn(clock, 20)], clock)
    for _ in range(3):
        work(it, clock, 1800)  # forgotten
    one = rows_of(tables, "tasks")[0]["cost_usd"]

    send(it, turn(clock, 30), clock)
    for seconds in (3, 3, 60, 1000):
        work(it, clock, seconds)

        (workflow,) = rows_of(tables, "workflows")
        assert statuses(tables) == dict.fromkeys(("turn10", "turn20", "turn30"), "succeeded")
        assert [workflow[name] for name in ("name", "status", "tasks", "spans", "cost_usd")] == [
            "session",
            "succeeded",
            3,
            7,
            3 * one,
        ]


def test_a_turn_that_comes_when_those_before_have_expired_is_added_to_them(tables: Store, clock: Clock) -> None:
    it = pipeline(tables, clock)
    send(it, [span(1, 1, SpanName="session"), *turn(clock, 10), *turn(clock, 20)], clock)
    work(it, clock)
    before, began = rows_of(tables, "tasks"), rows_of(tables, "workflows")[0]["started_at"]
    forget(tables, clock)
    it = pipeline(tables, clock)
    it.sweep()

    send(it, [*turn(clock, 40), chat(1, 50, 10, Timestamp=clock())], clock)
    work(it, clock)
    assert statuses(tables) == dict.fromkeys(("turn10", "turn20"), "succeeded") | {"turn40": "running"}
    for seconds in (3, 60, 60, 1000):
        work(it, clock, seconds)
        it.sweep()
    send(it, [chat(1, 42, 40, Timestamp=clock())], clock)
    for seconds in (3, 60, 60, 1000):
        work(it, clock, seconds)
        it.sweep()

    assert [row for row in before if row not in rows_of(tables, "tasks")] == []
    assert {row["agent_id"]: row["llm_calls"] for row in rows_of(tables, "tasks")} == {"turn10": 1, "turn20": 1, "turn40": 2}
    (workflow,) = rows_of(tables, "workflows")
    assert [workflow[name] for name in ("name", "status", "tasks", "agents")] == [
        "session", "succeeded", 3, ["turn10", "turn20", "turn40"],
    ]  # fmt: skip
    assert (workflow["started_at"], workflow["cost_usd"]) == (began, 4 * before[0]["cost_usd"])
    assert len(rows_of(tables, "nodes")) == 4
