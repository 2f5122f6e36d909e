"""SQL that people have for the Collector's `otel_traces` runs and is answered rightly.

Written after what Grafana's ClickHouse plugin builds with its OpenTelemetry setting switched on, and after the queries
in the exporter's README.
"""

from datetime import timedelta

import polars as pl
import pytest

from exporters.store import Store
from exporters.traces import store_spans
from tests.builders import NOW, agent, chat, frame, said_nothing, span, span_of, tool, trace_of

FIRST_MS = int(NOW.timestamp()) * 1000
RANGE = f"Timestamp >= fromUnixTimestamp64Milli({FIRST_MS - 1000}) AND Timestamp <= fromUnixTimestamp64Milli({FIRST_MS + 60_000})"


@pytest.fixture
def traffic(tables: Store) -> Store:
    """Two traces; the second has a slow root, a failed tool with an event and a link to the first."""
    exception = {
        "Events.Timestamp": [NOW + timedelta(seconds=1)],
        "Events.Name": ["exception"],
        "Events.Attributes": [{"exception.type": "ValueError"}],
        "Links.TraceId": [trace_of(1)],
        "Links.SpanId": [span_of(1)],
        "Links.TraceState": [""],
        "Links.Attributes": [{}],
    }
    rows = [
        agent(1, 1),
        chat(1, 2, 1),
        agent(2, 1, Duration=4_000_000_000, ServiceName="shop", ResourceAttributes={"service.name": "shop", "host.name": "h1"}),
        tool(2, 2, 1, StatusCode="Error", StatusMessage="boom", ServiceName="shop", Duration=3_000_000_000, **exception),
        span(2, 3, 2, SpanName="GET", SpanKind="Client", ServiceName="shop", said={"http.request.method": "GET"}),
    ]
    store_spans(tables, said_nothing(frame(rows)))
    return tables


def ask(store: Store, sql: str) -> pl.DataFrame:
    return store.query(sql.replace("$RANGE", RANGE))


def test_trace_search(traffic: Store) -> None:
    found = ask(
        traffic,
        """SELECT "TraceId" as traceID, "ServiceName" as serviceName, "SpanName" as operationName, "Timestamp" as startTime,
        multiply("Duration", 0.000001) as duration FROM "merit"."otel_traces"
        WHERE ( $RANGE ) AND ( ParentSpanId = '' ) AND ( Duration > 0 ) ORDER BY Timestamp DESC, Duration DESC LIMIT 1000""",
    )

    assert sorted(found.select("traceID", "serviceName", "duration").rows()) == [
        (trace_of(1), "app", 1000),
        (trace_of(2), "shop", 4000),
    ]


def test_trace_view(traffic: Store) -> None:
    found = ask(
        traffic,
        f"""WITH '{trace_of(2)}' as trace_id,
        (SELECT min(Start) FROM "merit"."otel_traces_trace_id_ts" WHERE TraceId = trace_id) as trace_start,
        (SELECT max(End) + 1 FROM "merit"."otel_traces_trace_id_ts" WHERE TraceId = trace_id) as trace_end
        SELECT "TraceId" as traceID, "SpanId" as spanID, "ParentSpanId" as parentSpanID, "ServiceName" as serviceName,
        "SpanName" as operationName, multiply(toUnixTimestamp64Nano("Timestamp"), 0.000001) as startTime,
        multiply("Duration", 0.000001) as duration,
        arrayMap(key -> map('key', key, 'value', "SpanAttributes"[key]), mapKeys("SpanAttributes")) as tags,
        arrayMap(key -> map('key', key, 'value', "ResourceAttributes"[key]), mapKeys("ResourceAttributes")) as serviceTags,
        if("StatusCode" IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) as statusCode,
        arrayMap((name, timestamp, attributes) -> tuple(name, toString(toUnixTimestamp64Milli(timestamp)),
            arrayMap( key -> map('key', key, 'value', attributes[key]), mapKeys(attributes)))::Tuple(name String,
            timestamp String, fields Array(Map(String, String))), `Events.Name`, `Events.Timestamp`, `Events.Attributes`) AS logs,
        arrayMap((traceID, spanID, attributes) -> tuple(traceID, spanID,
            arrayMap(key -> map('key', key, 'value', attributes[key]), mapKeys(attributes)))::Tuple(traceID String, spanID String,
            tags Array(Map(String, String))), `Links.TraceId`, `Links.SpanId`, `Links.Attributes`) AS references,
        "SpanKind" as kind, "StatusMessage" as statusMessage, "ScopeName" as instrumentationLibraryName,
        "TraceState" as traceState
        FROM "merit"."otel_traces" WHERE traceID = trace_id AND "Timestamp" >= trace_start AND "Timestamp" <= trace_end
        LIMIT 1000""",
    ).sort("spanID")

    assert found["parentSpanID"].to_list() == ["", span_of(1), span_of(2)]
    assert found["statusCode"].to_list() == [0, 2, 0]
    assert [len(logs) for logs in found["logs"]] == [0, 1, 0]
    assert found["references"][1][0]["traceID"] == trace_of(1)
    assert found["startTime"].to_list() == pytest.approx([FIRST_MS + number for number in (1, 2, 3)], abs=0.01)


def test_latency_of_services_over_time(traffic: Store) -> None:
    found = ask(
        traffic,
        """SELECT toStartOfInterval(Timestamp, INTERVAL 60 second)::DateTime64(3) as time, ServiceName,
        quantile(0.95)(Duration) / 1000000 AS p95, count() AS spans
        FROM otel_traces WHERE $RANGE GROUP BY time, ServiceName ORDER BY time, ServiceName""",
    )

    assert found.select("time", "ServiceName", "spans").rows() == [(NOW, "app", 2), (NOW, "shop", 3)]
    assert found["p95"].to_list() == pytest.approx([1000, 3900])  # of 1, 3 and 4 s: 3 + 0.9


def test_error_rate_of_services(traffic: Store) -> None:
    found = ask(
        traffic,
        """SELECT ServiceName, countIf(StatusCode = 'Error') / count() AS rate FROM otel_traces
        WHERE $RANGE GROUP BY ServiceName ORDER BY ServiceName""",
    )

    assert found.rows() == [("app", 0.0), ("shop", pytest.approx(1 / 3))]


def test_spans_with_an_attribute(traffic: Store) -> None:
    found = ask(
        traffic,
        """SELECT Timestamp as log_time, TraceId, SpanId, SpanAttributes['gen_ai.request.model'] AS model FROM otel_traces
        WHERE SpanAttributes['gen_ai.request.model'] != '' AND ResourceAttributes['service.name'] = 'app'
        AND has(mapKeys(SpanAttributes), 'gen_ai.usage.input_tokens') AND $RANGE LIMIT 100""",
    )

    assert found.select("SpanId", "model").rows() == [(span_of(2), "gpt-4o-mini")]


def test_names_to_choose_from(traffic: Store) -> None:
    assert ask(traffic, "SELECT DISTINCT ServiceName FROM otel_traces WHERE $RANGE ORDER BY 1")["ServiceName"].to_list() == [
        "app",
        "shop",
    ]
    keys = ask(
        traffic, "SELECT DISTINCT arrayJoin(mapKeys(ResourceAttributes)) AS key FROM otel_traces WHERE $RANGE ORDER BY key"
    )
    assert keys["key"].to_list() == ["host.name", "service.name"]


def test_spans_with_an_event(traffic: Store) -> None:
    found = ask(
        traffic,
        """SELECT TraceId, e.Name, e.Attributes['exception.type'] AS type FROM otel_traces
        ARRAY JOIN Events AS e WHERE e.Name = 'exception' AND $RANGE""",
    )

    assert found["type"].to_list() == ["ValueError"]


def test_calls_between_services(traffic: Store) -> None:
    """The service map."""
    found = ask(
        traffic,
        """SELECT parent.ServiceName AS caller, child.SpanName AS callee, count() AS calls FROM otel_traces AS child
        INNER JOIN otel_traces AS parent ON child.ParentSpanId = parent.SpanId AND child.TraceId = parent.TraceId
        WHERE child.SpanKind IN ('Client', 'Producer') GROUP BY caller, callee ORDER BY caller""",
    )

    assert found.rows() == [("app", "chat gpt-4o-mini", 1), ("shop", "GET", 1)]
