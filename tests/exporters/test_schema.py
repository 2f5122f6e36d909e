"""The tables are what the frames declare, and what the Collector's exporter makes."""

import pytest

from exporters.store import Store
from exporters.traces import store_spans
from processors.agents import AGENTS, EDITS
from processors.alerts.frames import ALERT_EVENTS, ALERT_RULES, ALERTS, SILENCES
from processors.benchmarks import BENCHMARKS
from processors.evaluations import EVALUATIONS
from processors.frames import EXPORTER_COLUMNS, NODES, SPANS, TASKS, WORKFLOWS, Columns
from processors.goals import GOALS
from processors.judging.rows import JUDGEMENTS
from processors.notifications import NOTIFICATIONS
from processors.objectives.objectives import OBJECTIVES
from processors.optimizations.frames import OPTIMIZATIONS
from processors.routing.frames import DECISIONS, OUTCOMES
from processors.signal_frames import LOGS, METRICS
from tests.builders import NOW, frame, job, said_nothing, trace_of
from tests.query_api.build import put, task

LC, MAP = "LowCardinality(String)", "Map(LowCardinality(String), String)"
EXPORTER = {
    "Timestamp": "DateTime64(9)",
    "TraceId": "String",
    "SpanId": "String",
    "ParentSpanId": "String",
    "TraceState": "String",
    "SpanName": LC,
    "SpanKind": LC,
    "ServiceName": LC,
    "ResourceAttributes": MAP,
    "ScopeName": "String",
    "ScopeVersion": "String",
    "SpanAttributes": MAP,
    "Duration": "UInt64",
    "StatusCode": LC,
    "StatusMessage": "String",
    "Events.Timestamp": "Array(DateTime64(9))",
    "Events.Name": f"Array({LC})",
    "Events.Attributes": f"Array({MAP})",
    "Links.TraceId": "Array(String)",
    "Links.SpanId": "Array(String)",
    "Links.TraceState": "Array(String)",
    "Links.Attributes": f"Array({MAP})",
}
"""Of opentelemetry-collector-contrib, exporter/clickhouseexporter/internal/sqltemplates/traces_table.sql."""


def types(store: Store, table: str) -> dict[str, str]:
    """Column to type, in the table's order."""
    sql = "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position"
    return dict(store.query(sql, {"table": table}).iter_rows())


def of_table(store: Store, table: str, what: str) -> str:
    """One of the columns of system.tables."""
    sql = f"SELECT {what} FROM system.tables WHERE database = currentDatabase() AND name = {{table:String}}"
    found: str = store.query(sql, {"table": table}).item()
    return found


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("otel_traces", SPANS),
        ("nodes", NODES),
        ("tasks", TASKS),
        ("workflows", WORKFLOWS),
        ("evaluations", EVALUATIONS),
        ("benchmarks", BENCHMARKS),
        ("agents", AGENTS),
        ("agent_edits", EDITS),
        ("objectives", OBJECTIVES),
        ("goals", GOALS),
        ("judgements", JUDGEMENTS),
        ("alerts", ALERTS),
        ("alert_events", ALERT_EVENTS),
        ("alert_rules", ALERT_RULES),
        ("silences", SILENCES),
        ("notifications", NOTIFICATIONS),
        ("optimizations", OPTIMIZATIONS),
        ("routing_decisions", DECISIONS),
        ("routing_outcomes", OUTCOMES),
    ],
)
def test_a_table_has_the_columns_of_its_frame(store: Store, table: str, columns: Columns) -> None:
    answer = store.query("SELECT * FROM {table:Identifier} LIMIT 0", {"table": table})

    assert list(answer.schema.items()) == list(columns.items())


def test_the_exporters_columns_come_first_with_its_names_and_types(store: Store) -> None:
    found = types(store, "otel_traces")

    assert list(found.items())[: len(EXPORTER)] == list(EXPORTER.items())
    assert list(EXPORTER_COLUMNS) == list(EXPORTER)


def test_every_other_column_may_be_left_out_by_the_exporter(store: Store) -> None:
    sql = "SELECT default_expression FROM system.columns WHERE table = 'otel_traces' AND name = 'IngestedAt'"
    assert store.query(sql).item() == "now64(3)"


def test_the_spans_are_indexed_and_sorted_as_the_exporter_does(store: Store) -> None:
    sql = """SELECT name, expr, type_full, granularity
    FROM system.data_skipping_indices WHERE table = 'otel_traces' AND database = 'merit'"""
    indexes = {name: (expr, kind, granularity) for name, expr, kind, granularity in store.query(sql).iter_rows()}

    assert indexes == {
        "idx_trace_id": ("TraceId", "bloom_filter(0.001)", 1),
        "idx_res_attr_key": ("mapKeys(ResourceAttributes)", "bloom_filter(0.01)", 1),
        "idx_res_attr_value": ("mapValues(ResourceAttributes)", "bloom_filter(0.01)", 1),
        "idx_span_attr_key": ("mapKeys(SpanAttributes)", "bloom_filter(0.01)", 1),
        "idx_span_attr_value": ("mapValues(SpanAttributes)", "bloom_filter(0.01)", 1),
        "idx_duration": ("Duration", "minmax", 1),
        "idx_ingested_at": ("IngestedAt", "minmax", 1),
    }
    assert of_table(store, "otel_traces", "partition_key") == "toDate(Timestamp)"
    assert of_table(store, "otel_traces", "primary_key") == "ServiceName, SpanName, toDateTime(Timestamp)"
    assert of_table(store, "otel_traces", "sorting_key") == "ServiceName, SpanName, toDateTime(Timestamp), TraceId, SpanId"
    assert of_table(store, "otel_traces", "engine_full").startswith("ReplacingMergeTree(IngestedAt)")


def test_the_table_of_trace_times_is_the_exporters(store: Store) -> None:
    assert types(store, "otel_traces_trace_id_ts") == {"TraceId": "String", "Start": "DateTime", "End": "DateTime"}
    assert types(store, "otel_traces_trace_id_ts_mv") == {
        "TraceId": "String",
        "Start": "DateTime64(9)",
        "End": "DateTime64(9)",
    }


OF_LOGS = {
    "Timestamp": "DateTime64(9)",
    "TimestampTime": "DateTime",
    "TraceId": "String",
    "SpanId": "String",
    "TraceFlags": "UInt8",
    "SeverityText": LC,
    "SeverityNumber": "UInt8",
    "ServiceName": LC,
    "Body": "String",
    "ResourceSchemaUrl": LC,
    "ResourceAttributes": MAP,
    "ScopeSchemaUrl": LC,
    "ScopeName": "String",
    "ScopeVersion": LC,
    "ScopeAttributes": MAP,
    "LogAttributes": MAP,
    "EventName": "String",
}
"""Of the same exporter, logs_table.sql as it was up to version 0.150 and as Grafana's plugin reads it."""
OF_POINTS = {
    "ResourceAttributes": MAP,
    "ResourceSchemaUrl": "String",
    "ScopeName": "String",
    "ScopeVersion": "String",
    "ScopeAttributes": MAP,
    "ScopeDroppedAttrCount": "UInt32",
    "ScopeSchemaUrl": "String",
    "ServiceName": LC,
    "MetricName": "String",
    "MetricDescription": "String",
    "MetricUnit": "String",
    "Attributes": MAP,
    "StartTimeUnix": "DateTime64(9)",
    "TimeUnix": "DateTime64(9)",
}
EXEMPLARS = {
    "Exemplars.FilteredAttributes": f"Array({MAP})",
    "Exemplars.TimeUnix": "Array(DateTime64(9))",
    "Exemplars.Value": "Array(Float64)",
    "Exemplars.SpanId": "Array(String)",
    "Exemplars.TraceId": "Array(String)",
}
NUMBER = {"Value": "Float64", "Flags": "UInt32", **EXEMPLARS}
COUNTED = {"Count": "UInt64", "Sum": "Float64"}
RANGE = {"Flags": "UInt32", "Min": "Float64", "Max": "Float64", "AggregationTemporality": "Int32"}
OF_KIND = {
    "gauge": NUMBER,
    "sum": {**NUMBER, "AggregationTemporality": "Int32", "IsMonotonic": "Bool"},
    "histogram": {**COUNTED, "BucketCounts": "Array(UInt64)", "ExplicitBounds": "Array(Float64)", **EXEMPLARS, **RANGE},
    "exponential_histogram": {
        **COUNTED,
        "Scale": "Int32",
        "ZeroCount": "UInt64",
        "PositiveOffset": "Int32",
        "PositiveBucketCounts": "Array(UInt64)",
        "NegativeOffset": "Int32",
        "NegativeBucketCounts": "Array(UInt64)",
        **EXEMPLARS,
        **RANGE,
    },
    "summary": {
        **COUNTED,
        "ValueAtQuantiles.Quantile": "Array(Float64)",
        "ValueAtQuantiles.Value": "Array(Float64)",
        "Flags": "UInt32",
    },
}
"""Of the same exporter, metrics_*_table.sql as they were up to version 0.159, whose times are exact."""


@pytest.mark.parametrize(
    ("table", "exporters", "columns"),
    [("otel_logs", OF_LOGS, LOGS)]
    + [(f"otel_metrics_{kind}", {**OF_POINTS, **more}, METRICS[kind]) for kind, more in OF_KIND.items()],
)
def test_logs_and_metrics_are_named_and_typed_as_by_the_exporter(
    store: Store, table: str, exporters: dict[str, str], columns: Columns
) -> None:
    answer = store.query("SELECT * FROM {table:Identifier} LIMIT 0", {"table": table}).drop("TimestampTime", strict=False)

    assert list(types(store, table).items())[: len(exporters)] == list(exporters.items())
    assert list(answer.schema.items()) == list(columns.items())


def test_logs_are_parted_and_sorted_as_by_the_exporter_and_then_by_what_they_say(store: Store) -> None:
    assert of_table(store, "otel_logs", "partition_key") == "toDate(TimestampTime)"
    assert of_table(store, "otel_logs", "primary_key") == "ServiceName, TimestampTime"
    assert of_table(store, "otel_logs", "sorting_key") == "ServiceName, TimestampTime, Timestamp, RecordId"
    assert of_table(store, "otel_logs", "engine_full").startswith("ReplacingMergeTree ")


@pytest.mark.parametrize("kind", METRICS)
def test_points_are_parted_and_sorted_as_by_the_exporter_and_then_by_stream_and_value(store: Store, kind: str) -> None:
    key = "ServiceName, MetricName, toStartOfHour(TimeUnix), cityHash64(Attributes), TimeUnix"
    value = "Value" if kind in ("gauge", "sum") else "Count, Sum"
    assert of_table(store, f"otel_metrics_{kind}", "partition_key") == "toDate(TimeUnix)"
    assert of_table(store, f"otel_metrics_{kind}", "primary_key") == key
    assert of_table(store, f"otel_metrics_{kind}", "sorting_key") == f"{key}, StreamId, {value}"
    assert of_table(store, f"otel_metrics_{kind}", "engine_full").startswith("ReplacingMergeTree ")


def test_the_exponential_histograms_have_the_name_of_the_exporters_documentation_too(store: Store) -> None:
    view, table = ("otel_metrics_exp_histogram", "otel_metrics_exponential_histogram")
    assert {name: kind for name, kind in types(store, table).items() if name != "StreamId"} == types(store, view)


@pytest.mark.parametrize(
    ("table", "key"), [("nodes", "trace_id, span_id"), ("tasks", "trace_id, span_id"), ("workflows", "trace_id")]
)
def test_derived_rows_are_sorted_by_their_identity_alone(store: Store, table: str, key: str) -> None:
    assert of_table(store, table, "sorting_key") == key
    assert of_table(store, table, "engine_full").startswith("ReplacingMergeTree(version, is_deleted)")


def test_the_view_fills_the_table_of_trace_times(tables: Store) -> None:
    store_spans(tables, said_nothing(frame(job(1))))

    sql = "SELECT TraceId, min(Start)::DateTime64 AS began, max(End)::DateTime64 AS ended FROM otel_traces_trace_id_ts GROUP BY 1"
    assert tables.query(sql).rows() == [(trace_of(1), NOW, NOW)]  # whole seconds


def test_what_is_expected_of_agents_is_shipped(store: Store) -> None:
    sql = "SELECT complexity, expected_duration_seconds FROM benchmarks FINAL WHERE agent_type = 'tool_maker' ORDER BY complexity"

    # 3 to 10 s in four even steps of 1.75 s, and the middle of any complexity
    assert store.query(sql).rows() == [(0, 6.5), (1, 3.0), (2, 4.75), (3, 6.5), (4, 8.25), (5, 10.0)]


def test_the_store_says_when_it_took_a_task_and_merging_does_not_change_it(tables: Store) -> None:
    put(tables, "tasks", [task(1)])
    stored = tables.query("SELECT stored_at FROM tasks").item()
    put(tables, "tasks", [task(2), task(1, version=2)])

    tables.command("OPTIMIZE TABLE tasks FINAL")

    assert tables.query("SELECT count() FROM tasks WHERE stored_at > {at:DateTime64(3)}", {"at": stored}).item() == 2
    again = tables.query("SELECT uniqExact(stored_at), min(stored_at) FROM tasks").row(0)
    assert (again[0], again[1] > stored) == (1, True)


def test_every_table_writes_through_to_the_disk(store: Store) -> None:
    engines = store.query("SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'")

    for setting in ("fsync_after_insert", "fsync_part_directory", "min_rows_to_fsync_after_merge"):
        assert engines["engine_full"].str.contains(f"{setting} = 1").all()
