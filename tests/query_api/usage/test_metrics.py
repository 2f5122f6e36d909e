"""/v1/metrics."""

import math
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from exporters.signals import store_points
from exporters.store import Store
from receiver.limits import Limits
from receiver.metrics import READING
from receiver.reading import read
from tests.builders import NOW
from tests.receiver.builders import attributes
from tests.receiver.signal_builders import metric, metrics_body, point

DELTA, CUMULATIVE = 1, 2
LONG_BEFORE = int((NOW - timedelta(days=9)).timestamp()) * 10**9


def at(minutes: float, kind: str = "gauge", agent: str = "", **said: Any) -> Any:
    """A point so many minutes before the last full hour, 12:00; its stream began days ago."""
    nanoseconds = int((NOW - timedelta(minutes=minutes)).timestamp()) * 10**9
    attached = attributes({"merit.agent.id": agent} if agent else {})
    return point(kind, **{"time_unix_nano": nanoseconds, "start_time_unix_nano": LONG_BEFORE, "attributes": attached} | said)


def put(store: Store, *sent: Metric, **parts: Any) -> None:
    frames, (outcome,), _ = read(READING, [metrics_body(*sent, **parts)], Limits(), NOW)
    assert outcome.reason == ""
    for kind, frame in frames.items():
        store_points(store, kind, frame)


def asked(api: TestClient, query: str = "") -> list[dict[str, Any]]:
    answer = api.get(f"/v1/metrics{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["metrics"]
    return found


def test_a_gauge_is_told_hour_by_hour_the_newest_first(api: TestClient, tables: Store) -> None:
    put(tables, metric(at(10, agent="editor", as_int=4), at(20, agent="editor", as_int=8), at(70, agent="editor", as_int=1)))

    newest, before = asked(api)
    assert newest == {
        "name": "merit.queue.length",
        "kind": "gauge",
        "unit": "{task}",
        "service_name": "shop",
        "agent_id": "editor",
        "started_at": "2026-01-31T11:00:00Z",
        "points": 2,
        "last": 4.0,
        "min": 4.0,
        "max": 8.0,
        "avg": 6.0,
        "increase": None,
        "count": None,
    }
    assert (before["started_at"], before["last"]) == ("2026-01-31T10:00:00Z", 1.0)


@pytest.mark.parametrize(
    ("interval", "starts"),
    [
        ("minute", ["2026-01-31T11:50:00Z", "2026-01-31T11:40:00Z", "2026-01-31T10:50:00Z"]),
        ("day", ["2026-01-31T00:00:00Z"]),
        ("week", ["2026-01-26T00:00:00Z"]),
        ("all", ["2026-01-30T12:00:00Z"]),
    ],
)
def test_time_is_parted_as_asked(api: TestClient, tables: Store, interval: str, starts: list[str]) -> None:
    put(tables, metric(at(10), at(20), at(70)))

    assert [row["started_at"] for row in asked(api, f"?interval={interval}")] == starts


def test_of_a_counter_is_told_what_it_added_from_one_stretch_of_time_to_the_next(api: TestClient, tables: Store) -> None:
    counted = [at(70, "sum", as_int=100), at(20, "sum", as_int=130), at(10, "sum", as_int=135)]
    put(tables, metric(*counted, kind="sum", is_monotonic=True, aggregation_temporality=CUMULATIVE))

    assert [(row["increase"], row["last"]) for row in asked(api)] == [(35.0, None), (0.0, None)]
    assert [row["increase"] for row in asked(api, "?interval=all")] == [35.0]


def test_a_counter_that_began_anew_counts_from_nothing(api: TestClient, tables: Store) -> None:
    restart = int((NOW - timedelta(minutes=30)).timestamp()) * 10**9
    counted = [at(70, "sum", as_int=100), at(10, "sum", as_int=7, start_time_unix_nano=restart)]
    put(tables, metric(*counted, kind="sum", is_monotonic=True, aggregation_temporality=CUMULATIVE))

    assert [row["increase"] for row in asked(api)] == [7.0, 0.0]


def test_deltas_add_up(api: TestClient, tables: Store) -> None:
    counted = [at(minutes, "sum", as_int=5, start_time_unix_nano=0) for minutes in (10, 20, 30)]
    put(tables, metric(*counted, kind="sum", is_monotonic=True, aggregation_temporality=DELTA))

    assert [row["increase"] for row in asked(api)] == [15.0]


def test_a_sum_that_goes_up_and_down_is_a_level(api: TestClient, tables: Store) -> None:
    put(tables, metric(at(20, "sum", as_int=9), at(10, "sum", as_int=3), kind="sum", aggregation_temporality=CUMULATIVE))

    assert [(row["last"], row["max"], row["increase"]) for row in asked(api)] == [(3.0, 9.0, None)]


@pytest.mark.parametrize("kind", ["histogram", "exponential_histogram", "summary"])
def test_of_measurements_their_number_sum_and_mean_are_told(api: TestClient, tables: Store, kind: str) -> None:
    said = {} if kind == "summary" else {"aggregation_temporality": CUMULATIVE}
    put(tables, metric(at(70, kind, count=10, sum=100.0), at(10, kind, count=14, sum=120.0), kind=kind, **said))

    newest, _ = asked(api)
    assert (newest["count"], newest["increase"], newest["avg"], newest["last"]) == (4, 20.0, 5.0, None)


def test_instances_of_a_service_are_taken_together(api: TestClient, tables: Store) -> None:
    for instance, number in (("one", 3), ("two", 5)):
        resource = {"service.name": "shop", "service.instance.id": instance}
        made = [at(70, "sum", as_int=10), at(10, "sum", as_int=10 + number)]
        put(tables, metric(*made, kind="sum", is_monotonic=True, aggregation_temporality=CUMULATIVE), resource=resource)

    assert [row["increase"] for row in asked(api)] == [8.0, 0.0]


def test_points_may_be_chosen_by_name_kind_service_and_agent(api: TestClient, tables: Store) -> None:
    put(tables, metric(at(10, agent="editor"), name="a"), metric(at(10, "sum"), kind="sum", name="b"))
    put(tables, metric(at(10), name="a"), resource={"service.name": "web", "gen_ai.agent.name": "writer"})

    def chosen(query: str) -> list[tuple[str, str, str | None]]:
        return [(row["name"], row["service_name"], row["agent_id"]) for row in asked(api, query)]

    assert chosen("?name=a") == [("a", "shop", "editor"), ("a", "web", "writer")]
    assert chosen("?kind=sum") == [("b", "shop", None)]
    assert chosen("?service=web&service=none") == [("a", "web", "writer")]
    assert chosen("?agent_id=editor") == [("a", "shop", "editor")]
    assert chosen("?agent_id=writer&name=b") == []
    assert chosen("?agent_id=") == [("b", "shop", None)]
    assert chosen("?agent_id=editor&agent_id=") == [("a", "shop", "editor"), ("b", "shop", None)]


def test_an_agent_is_found_by_any_of_its_names(api: TestClient, tables: Store) -> None:
    put(tables, metric(at(10, attributes=attributes({"gen_ai.agent.id": "asst_1", "gen_ai.agent.name": "editor"}))))

    assert [row["agent_id"] for row in asked(api, "?agent_id=editor")] == ["asst_1"]
    assert [row["agent_id"] for row in asked(api, "?agent_id=asst_1")] == ["asst_1"]


def test_a_point_that_was_sent_twice_counts_once(api: TestClient, tables: Store) -> None:
    counted = metric(at(10, "sum", as_int=5), kind="sum", is_monotonic=True, aggregation_temporality=DELTA)
    put(tables, counted)
    put(tables, counted, metric(at(10)))

    assert [(row["points"], row["increase"]) for row in asked(api, "?kind=sum")] == [(1, 5.0)]


def test_what_is_no_number_is_not_reckoned_with_and_the_end_of_a_stream_is_no_point(api: TestClient, tables: Store) -> None:
    made = [at(10, as_double=math.nan), at(20, as_double=math.inf), at(30, as_double=2.0), at(5, as_int=None, flags=1)]
    put(tables, metric(*made))

    assert [(row["points"], row["last"], row["max"], row["avg"]) for row in asked(api)] == [(3, 2.0, 2.0, 2.0)]


def test_pages_follow_each_other(api: TestClient, tables: Store) -> None:
    put(tables, *(metric(at(10), name=f"m{number}") for number in range(5)))

    first = api.get("/v1/metrics?limit=3").json()
    second = api.get(f"/v1/metrics?limit=3&cursor={first['next_cursor']}").json()
    assert [row["name"] for row in first["metrics"] + second["metrics"]] == ["m0", "m1", "m2", "m3", "m4"]
    assert second["next_cursor"] is None


def test_without_a_window_the_last_day_is_told(api: TestClient, tables: Store) -> None:
    put(tables, metric(at(60 * 30)))

    assert asked(api) == []
    assert len(asked(api, "?window=2d")) == 1


@pytest.mark.parametrize("query", ["?interval=year", "?kind=meter", "?names=a", "?window=soon"])
def test_what_there_is_none_of_is_refused(api: TestClient, query: str) -> None:
    assert api.get(f"/v1/metrics{query}").status_code == 400
