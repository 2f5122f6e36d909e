"""Logs and metrics are stored as they came, and once, however often they are sent."""

from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from exporters.signals import store_logs, store_points
from exporters.store import Store
from processors.frames import conform
from processors.signal_frames import EXPORTER_LOGS, LOGS, METRICS
from tests.builders import truncate
from tests.receiver.builders import START_NS, attributes, value
from tests.receiver.signal_builders import logs_body, metric, metrics_body, point, read_logs, read_metrics, record
from tests.receiver.test_signal_properties import logs, metrics

SETTINGS = settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
KINDS = list(METRICS)


@pytest.fixture
def stored(tables: Store) -> Iterator[Store]:
    """The store without logs and metrics, whose tables rest: no merge but those that a test asks for."""
    yield tables
    truncate(tables)


def rows_of(store: Store, table: str, *, final: bool = False) -> pl.DataFrame:
    sql = f"SELECT * FROM {{table:Identifier}} {'FINAL' if final else ''}"
    return store.query(sql, {"table": table})


def merge(store: Store, table: str) -> None:
    store.command("OPTIMIZE TABLE {table:Identifier} FINAL", {"table": table})


def store_metrics(store: Store, *bodies: bytes, token: str = "") -> None:
    for kind, frame in read_metrics(*bodies).frames.items():
        store_points(store, kind, frame, token)


def same(found: pl.DataFrame, sent: pl.DataFrame) -> bool:
    """Whether both hold the same rows, in whatever order."""
    texts = [frame.select(pl.struct(pl.all()).map_elements(repr, pl.String)).to_series().sort() for frame in (found, sent)]
    return texts[0].to_list() == texts[1].to_list()


@SETTINGS
@given(logs())
def test_every_record_comes_back_as_it_was(tables: Store, made: bytes) -> None:
    truncate(tables)
    sent = read_logs(made).frames["logs"]
    store_logs(tables, sent)

    found = rows_of(tables, "otel_logs")
    assert (found["TimestampTime"] == found["Timestamp"].dt.epoch("s")).all()
    assert same(conform(found, LOGS), sent)


@SETTINGS
@given(metrics())
def test_every_point_comes_back_as_it_was(tables: Store, made: bytes) -> None:
    truncate(tables)
    store_metrics(tables, made)

    for kind, sent in read_metrics(made).frames.items():
        found = rows_of(tables, f"otel_metrics_{kind}")
        assert same(conform(found, METRICS[kind]), sent)


def test_a_batch_that_is_sent_again_is_stored_once_for_every_reader(stored: Store) -> None:
    frame = read_logs(logs_body(record("a"), record("b"))).frames["logs"]
    for _ in range(2):
        store_logs(stored, frame, "batch 1")
        store_metrics(stored, metrics_body(metric(point()), metric(point("sum"), kind="sum")), token="batch 1")

    assert rows_of(stored, "otel_logs").height == 2
    assert rows_of(stored, "otel_metrics_gauge").height == rows_of(stored, "otel_metrics_sum").height == 1


def test_a_record_that_is_sent_again_in_other_company_replaces_itself(stored: Store) -> None:
    first, second = logs_body(record("a"), record("b")), logs_body(record("c"))
    store_logs(stored, read_logs(first).frames["logs"])
    store_logs(stored, read_logs(second, first).frames["logs"])

    assert sorted(rows_of(stored, "otel_logs", final=True)["Body"]) == ["a", "b", "c"]
    merge(stored, "otel_logs")
    assert sorted(rows_of(stored, "otel_logs")["Body"]) == ["a", "b", "c"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_point_that_is_sent_again_in_other_company_replaces_itself(stored: Store, kind: str) -> None:
    first, second = (metrics_body(metric(point(kind, time_unix_nano=START_NS + n), kind=kind)) for n in (0, 1))
    store_metrics(stored, first)
    store_metrics(stored, second, first)

    assert rows_of(stored, f"otel_metrics_{kind}", final=True).height == 2
    merge(stored, f"otel_metrics_{kind}")
    assert rows_of(stored, f"otel_metrics_{kind}").height == 2


def test_records_that_say_the_same_stay_several(stored: Store) -> None:
    store_logs(stored, read_logs(logs_body(record("again"), record("again"), record("again"))).frames["logs"])
    merge(stored, "otel_logs")

    assert rows_of(stored, "otel_logs")["Body"].to_list() == ["again"] * 3


def test_records_that_differ_in_anything_stay_several(stored: Store) -> None:
    others = [
        {"body": value("other")},
        {"attributes": attributes({"a": 1})},
        {"severity_number": 17},
        {"span_id": b""},
        {"observed_time_unix_nano": START_NS + 6},
        {"event_name": "one"},
    ]
    for other in [{}, *others]:
        store_logs(stored, read_logs(logs_body(record(**other))).frames["logs"])
    merge(stored, "otel_logs")

    assert rows_of(stored, "otel_logs").height == len(others) + 1


def test_points_of_other_streams_times_or_values_stay_several(stored: Store) -> None:
    made = [
        metrics_body(metric(point())),
        metrics_body(metric(point(as_int=8))),
        metrics_body(metric(point(time_unix_nano=START_NS + 1))),
        metrics_body(metric(point(start_time_unix_nano=0))),
        metrics_body(metric(point(attributes=attributes({"agent": "a"})))),
        metrics_body(metric(point()), resource={"service.name": "shop", "service.instance.id": "two"}),
        metrics_body(metric(point(), name="other")),
    ]
    store_metrics(stored, *made)
    merge(stored, "otel_metrics_gauge")

    assert rows_of(stored, "otel_metrics_gauge").height == len(made)


def test_a_batch_over_more_days_than_a_block_may_touch_is_stored(stored: Store) -> None:
    days = [record(time_unix_nano=START_NS - day * 86_400 * 10**9) for day in range(150)]
    frames, outcomes, _ = read_logs(logs_body(*days), retention=pl.select(pl.duration(days=200)).item())
    store_logs(stored, frames["logs"])

    assert outcomes[0].accepted == rows_of(stored, "otel_logs").height == 150


def test_what_the_collectors_exporter_writes_is_never_taken_for_a_repetition(stored: Store) -> None:
    twins = read_logs(logs_body(record("again"), record("again"))).frames["logs"]
    stored.insert("otel_logs", conform(twins, EXPORTER_LOGS))
    merge(stored, "otel_logs")

    assert rows_of(stored, "otel_logs")["Body"].to_list() == ["again"] * 2
