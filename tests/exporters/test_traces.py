"""Spans and what was derived of them: in, out, replaced, found stale."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters import traces
from exporters.store import Store
from processors.conventions.read import Conventions
from processors.derive import Derived, Phase, derive
from processors.frames import RECEIVED
from tests.builders import NOW, Row, agent, chat, frame, job, said_nothing, span, span_of, trace_of, truncate

conventions = Conventions()
LATER = NOW + timedelta(hours=1)
LONG_AGO = NOW - timedelta(days=300)


def store_rows(store: Store, rows: list[Row], token: str = "") -> None:
    traces.store_spans(store, said_nothing(frame(rows)), token)


def work_out(rows: list[Row], seconds: float = 5) -> Derived:
    return derive(conventions(frame(rows)), Phase.WHOLE, NOW + timedelta(seconds=seconds))


def replace(store: Store, rows: list[Row], seconds: float = 5) -> None:
    """Derive `rows` of trace 1 and replace what was derived of it before."""
    made = work_out(rows, seconds)
    traces.replace_derived(store, made.nodes, made.tasks, made.workflows, [trace_of(1)])


def ids(store: Store, table: str) -> list[str]:
    return store.query("SELECT span_id FROM {table:Identifier} FINAL ORDER BY span_id", {"table": table})["span_id"].to_list()


def stale(store: Store, **more: Any) -> pl.DataFrame:
    window = {"since": LONG_AGO, "until": LATER, "horizon": LONG_AGO} | more
    return pl.concat([pl.DataFrame(), *traces.stale_traces(store, **window)], how="diagonal")


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
maps = st.dictionaries(texts, texts, max_size=3).map(lambda made: dict(sorted(made.items())))
times = st.datetimes(NOW.replace(tzinfo=None) - timedelta(days=20), NOW.replace(tzinfo=None)).map(
    lambda moment: moment.replace(tzinfo=NOW.tzinfo)
)


@st.composite
def any_span(draw: st.DrawFn) -> Row:
    """A span with events and links, and whatever text."""
    events, links = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    return span(
        draw(st.integers(1, 4)),
        draw(st.integers(1, 10**6)),
        draw(st.none() | st.integers(1, 9)),
        **{
            "Timestamp": draw(times),
            "SpanName": draw(texts),
            "ResourceAttributes": draw(maps),
            "SpanAttributes": draw(maps),
            "Duration": draw(st.integers(0, 2**64 - 1)),
            "DroppedAttributes": draw(st.integers(0, 2**32 - 1)),
            "Events.Timestamp": [draw(times) for _ in range(events)],
            "Events.Name": [draw(texts) for _ in range(events)],
            "Events.Attributes": [draw(maps) for _ in range(events)],
            "Links.TraceId": [draw(texts) for _ in range(links)],
            "Links.SpanId": [draw(texts) for _ in range(links)],
            "Links.TraceState": [draw(texts) for _ in range(links)],
            "Links.Attributes": [draw(maps) for _ in range(links)],
        },
    )


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(any_span(), max_size=6, unique_by=lambda row: row["SpanId"]))
def test_stored_spans_come_back_exactly(tables: Store, rows: list[Row]) -> None:
    truncate(tables)
    store_rows(tables, rows)

    found = traces.stored_spans(tables, [trace_of(number) for number in range(1, 5)])

    assert dict(found.schema) == dict(RECEIVED)
    assert found.sort("SpanId").equals(frame(rows).sort("SpanId"))


def test_only_the_traces_that_were_asked_for_come_back(tables: Store) -> None:
    store_rows(tables, [*job(1), *job(2)])

    assert traces.stored_spans(tables, [trace_of(2), trace_of(3)])["TraceId"].unique().to_list() == [trace_of(2)]
    assert len(traces.stored_spans(tables, [])) == 0


def test_more_traces_than_one_query_takes_come_back(tables: Store) -> None:
    count = traces.IDS_AT_ONCE + 5
    store_rows(tables, [span(number, 1) for number in range(count)])

    assert len(traces.stored_spans(tables, [trace_of(number) for number in range(count)])) == count


def test_spans_over_more_days_than_a_block_may_touch_are_stored(tables: Store) -> None:
    rows = [span(1, day, Timestamp=NOW - timedelta(days=day)) for day in range(150)]

    store_rows(tables, rows)

    assert traces.stored_spans(tables, [trace_of(1)])["Timestamp"].dt.date().n_unique() == 150


def test_a_batch_stored_again_under_its_token_is_stored_once_for_readers_without_final_too(tables: Store) -> None:
    days = [span(1, day, Timestamp=NOW - timedelta(days=day)) for day in range(3)]

    for later in (NOW, LATER):
        store_rows(tables, [row | {"IngestedAt": later} for row in (*job(2), *days)], "batch 1")

    assert tables.query("SELECT count() FROM otel_traces").item() == 10
    assert tables.query("SELECT count() FROM otel_traces_trace_id_ts").item() == 4


def test_spans_that_are_not_stored_are_told_from_those_that_are(tables: Store) -> None:
    store_rows(tables, job(1))
    sent = frame([*job(1), span(1, 99), *job(2)[:2]])

    assert traces.missing_spans(tables, sent)["SpanId"].to_list() == sent["SpanId"].to_list()[7:]


def test_the_same_spans_in_another_batch_replace_themselves(tables: Store) -> None:
    for token in ("batch 1", "batch 2", ""):
        store_rows(tables, job(3), token)

    assert tables.query("SELECT count() FROM otel_traces FINAL").item() == 7


def test_a_span_delivered_again_that_says_something_else_replaces_itself_in_the_end(tables: Store) -> None:
    store_rows(tables, job(1))
    store_rows(tables, [row | {"IngestedAt": LATER, "SpanAttributes": {"said": "later"}} for row in job(1)])

    found = tables.query("SELECT count(), max(IngestedAt), any(SpanAttributes['said']) FROM otel_traces FINAL")
    assert found.row(0) == (7, LATER, "later")


def test_deriving_again_leaves_no_old_row(tables: Store) -> None:
    replace(tables, [agent(1, 1), chat(1, 2, 1), chat(1, 3, 1), agent(1, 4, 1, "helper"), chat(1, 5, 4)])
    assert [ids(tables, "nodes"), ids(tables, "tasks")] == [[span_of(n) for n in (2, 3, 5)], [span_of(1), span_of(4)]]

    replace(tables, [agent(1, 1), chat(1, 2, 1), chat(1, 5, 4)], seconds=6)

    assert [ids(tables, "nodes"), ids(tables, "tasks")] == [[span_of(2)], [span_of(1)]]


@pytest.mark.parametrize("merge", ["nodes", "tasks"])
def test_a_deleted_row_does_not_come_back_after_merges(tables: Store, merge: str) -> None:
    first = work_out([agent(1, 1), chat(1, 2, 1), agent(1, 4, 1, "helper"), chat(1, 5, 4)])
    replace(tables, [agent(1, 1), chat(1, 2, 1), agent(1, 4, 1, "helper"), chat(1, 5, 4)])
    replace(tables, [agent(1, 1), chat(1, 2, 1)], seconds=6)

    tables.command("OPTIMIZE TABLE {table:Identifier} FINAL", {"table": merge})
    tables.insert(merge, first.nodes if merge == "nodes" else first.tasks)  # a part that was not merged

    assert [ids(tables, "nodes"), ids(tables, "tasks")] == [[span_of(2)], [span_of(1)]]


def test_what_was_derived_before_spans_expired_stands_and_what_comes_is_added(tables: Store) -> None:
    replace(tables, [agent(1, 1), chat(1, 2, 1), agent(1, 8_000, 1, "helper"), chat(1, 8_001, 8_000)])
    stood = tables.query("SELECT * FROM tasks FINAL ORDER BY span_id")
    horizon, came = NOW + timedelta(seconds=5), NOW + timedelta(seconds=9)

    more = [agent(1, 9_000), chat(1, 9_001, 9_000), agent(1, 8_000, None, "other"), chat(1, 9_002, 8_000)]
    for rows in (more[:1], more):
        made = work_out([row | {"IngestedAt": came} for row in rows], 10)
        traces.replace_derived(tables, made.nodes, made.tasks, made.workflows, [trace_of(1)], horizon)

    assert [ids(tables, "nodes"), ids(tables, "tasks")] == [
        [span_of(n) for n in (2, 8_001, 9_001)],
        [span_of(n) for n in (1, 8_000, 9_000)],
    ]
    assert tables.query("SELECT * FROM tasks FINAL ORDER BY span_id")[:2].equals(stood)
    workflow = tables.query("SELECT name, tasks, agents, total_tokens, started_at, duration_seconds FROM workflows FINAL")
    started = NOW + timedelta(milliseconds=1)
    assert workflow.row(0) == ("invoke_agent writer", 3, ["helper", "writer"], 330, started, 9.999)


def test_a_trace_without_tasks_is_remembered_but_not_shown(tables: Store) -> None:
    store_rows(tables, [span(1, 1)])
    replace(tables, [span(1, 1)])

    assert tables.query("SELECT count() FROM workflows FINAL").item() == 0
    assert stale(tables).is_empty()
    assert traces.derived_traces(tables, [trace_of(1), trace_of(2)]).to_list() == [trace_of(1)]


def test_what_began_before_the_horizon_is_expiring(tables: Store) -> None:
    replace(tables, job(1))

    assert traces.expiring(tables, [trace_of(1), trace_of(2)], NOW).is_empty()
    assert traces.expiring(tables, [trace_of(1), trace_of(2)], NOW + timedelta(seconds=1)).rows() == [(trace_of(1), NOW)]


def test_of_an_expiring_trace_without_expiring_tasks_nothing_is_known_to_stand(tables: Store) -> None:
    replace(tables, [span(1, 1), agent(1, 5_000, 1)])

    assert traces.expiring(tables, [trace_of(1)], NOW + timedelta(seconds=1)).rows() == [(trace_of(1), None)]


def test_a_task_tells_that_its_trace_is_expiring_when_its_workflow_says_otherwise(tables: Store) -> None:
    replace(tables, job(1))
    made = work_out([agent(1, 9_000)], 6)
    tables.insert("workflows", made.workflows)
    tables.command("OPTIMIZE TABLE workflows FINAL")

    assert traces.expiring(tables, [trace_of(1), trace_of(2)], NOW + timedelta(seconds=1)).rows() == [(trace_of(1), NOW)]


def test_stored_and_not_derived_is_stale(tables: Store) -> None:
    store_rows(tables, [*job(1), *job(2)[1:]])

    found = stale(tables).sort("TraceId")

    assert found.select("TraceId", "has_root", "spans", "grown").rows() == [
        (trace_of(1), True, 7, True),
        (trace_of(2), False, 6, True),
    ]
    assert found["first_seen"].to_list() == found["last_seen"].to_list() == [NOW, NOW]


def test_derived_is_not_stale_until_more_comes(tables: Store) -> None:
    store_rows(tables, job(1))
    replace(tables, job(1))
    assert stale(tables).is_empty()

    store_rows(tables, [chat(1, 8, 1)])

    assert stale(tables)["TraceId"].to_list() == [trace_of(1)]


def test_a_span_that_came_anew_makes_its_trace_stale(tables: Store) -> None:
    store_rows(tables, job(1))
    replace(tables, job(1))

    store_rows(tables, [job(1)[0] | {"IngestedAt": NOW + timedelta(seconds=1), "StatusCode": "Error"}])

    assert stale(tables)["TraceId"].to_list() == [trace_of(1)]


def test_left_running_is_stale_but_has_not_grown(tables: Store) -> None:
    rows = job(1)[1:]
    store_rows(tables, rows)
    made = derive(conventions(frame(rows)), Phase.RUNNING, NOW)
    traces.replace_derived(tables, made.nodes, made.tasks, made.workflows, [])

    assert stale(tables)["grown"].to_list() == [False]


@pytest.mark.parametrize(
    "window",
    [{"since": NOW + timedelta(milliseconds=1)}, {"until": NOW}, {"horizon": NOW + timedelta(minutes=1)}],
    ids=["came before", "came after", "may have expired"],
)
def test_outside_the_window_nothing_is_stale(tables: Store, window: dict[str, Any]) -> None:
    store_rows(tables, job(1))

    assert stale(tables, **window).is_empty()


def test_stale_traces_come_in_pages_until_there_are_no_more(tables: Store) -> None:
    store_rows(tables, [span(number, 1, IngestedAt=NOW + timedelta(milliseconds=number // 4)) for number in range(10)])

    pages = list(traces.stale_traces(tables, LONG_AGO, LATER, LONG_AGO, at_once=3))

    assert [len(page) for page in pages] == [3, 3, 3, 1]
    assert pl.concat(pages)["TraceId"].to_list() == [trace_of(number) for number in range(10)]


def test_a_trace_that_misses_a_parent_is_orphaned(tables: Store) -> None:
    store_rows(tables, [*job(1), *job(2)[1:], chat(3, 5, 4), agent(3, 1)])

    found = traces.orphaned_traces(tables, NOW).sort("TraceId")

    assert found.select("TraceId", "has_root", "spans").rows() == [(trace_of(2), False, 6), (trace_of(3), True, 2)]
    assert traces.orphaned_traces(tables, LATER).is_empty()


def test_traces_between_are_told_with_all_their_spans(tables: Store) -> None:
    store_rows(tables, [agent(1, 1), chat(1, 5_000, 1, IngestedAt=NOW + timedelta(seconds=9)), agent(2, 9_000)])

    found = traces.traces_between(tables, NOW + timedelta(seconds=2), NOW + timedelta(seconds=8))

    assert found.rows() == [(trace_of(1), True, NOW + timedelta(seconds=9))]


def test_the_last_derivation_is_told(tables: Store) -> None:
    assert traces.last_derivation(tables) is None

    replace(tables, job(1))

    assert traces.last_derivation(tables) == NOW


def test_traces_that_came_lately_are_told(tables: Store) -> None:
    store_rows(tables, [*job(1), span(2, 1, IngestedAt=NOW - timedelta(seconds=1))])

    assert traces.ingested_traces(tables, NOW).to_list() == [trace_of(1)]
