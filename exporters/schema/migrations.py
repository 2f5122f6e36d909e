"""Apply the numbered `.sql` files of this folder in order, once each, and keep the tables' retention as the settings say.

Every statement may be run twice (IF NOT EXISTS), so that a crash between two of them is mended by the next start.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Protocol

import polars as pl

from exporters.settings import Retention
from processors.errors import Rejected

RETENTION_OF = {
    "otel_traces": ("Timestamp", "spans"),
    "otel_traces_trace_id_ts": ("Start", "spans"),
    "otel_logs": ("Timestamp", "logs"),
    "otel_metrics_gauge": ("TimeUnix", "metrics"),
    "otel_metrics_sum": ("TimeUnix", "metrics"),
    "otel_metrics_histogram": ("TimeUnix", "metrics"),
    "otel_metrics_exponential_histogram": ("TimeUnix", "metrics"),
    "otel_metrics_summary": ("TimeUnix", "metrics"),
    "nodes": ("started_at", "nodes"),
    "tasks": ("started_at", "tasks"),
    "workflows": ("started_at", "tasks"),
    "evaluations": ("evaluated_at", "evaluations"),
    "judgements": ("judged_at", "evaluations"),
    "alerts": ("started_at", "alerts"),
    "alert_events": ("at", "alerts"),
    "optimizations": ("requested_at", "alerts"),
    "silences": ("ends_at", "alerts"),
    "notifications": ("at", "alerts"),
    "routing_decisions": ("decided_at", "decisions"),
    "routing_outcomes": ("received_at", "decisions"),
    "task_scores": ("at", "tasks"),
    "medians": ("day", "tasks"),
    "agent_minutely": ("at", "minutes"),
    "agent_hourly": ("at", "rollups"),
    "agent_daily": ("at", "rollups"),
    "agent_four_daily": ("last_day", "rollups"),
    "agent_work_hourly": ("at", "rollups"),
    "agent_work_daily": ("at", "rollups"),
    "agent_work_four_daily": ("last_day", "rollups"),
    "task_calls": ("at", "tasks"),
    "model_hourly": ("at", "rollups"),
    "model_daily": ("at", "rollups"),
    "model_work_hourly": ("at", "rollups"),
    "model_work_daily": ("at", "rollups"),
}
"""Per table: the column that ages and the field of `Retention` that says for how long."""

UNBOUNDED_LOGS = """SELECT name FROM system.tables
WHERE database = {system:String} AND endsWith(name, '_log') AND endsWith(engine, 'MergeTree')
AND position(engine_full, ' TTL ') = 0 ORDER BY name"""


class Database(Protocol):
    """What a migration needs of the store."""

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None: ...  # noqa: D102
    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame: ...  # noqa: D102
    def insert(self, table: str, frame: pl.DataFrame) -> None: ...  # noqa: D102


def shipped() -> dict[int, str]:
    """The number and text of every migration in this folder, in order."""
    found = {int(f.name[:4]): f.read_text("utf-8") for f in files(__package__).iterdir() if f.name.endswith(".sql")}
    return dict(sorted(found.items()))


def migrate(database: Database) -> None:
    """Apply what is missing; raises Rejected if the database was made by a newer Merit."""
    database.command("CREATE TABLE IF NOT EXISTS merit_schema (number UInt32) ENGINE = MergeTree ORDER BY number")
    applied = set(database.query("SELECT number FROM merit_schema")["number"])
    migrations = shipped()
    if newer := applied - set(migrations):
        raise Rejected(f"the database has schema {max(newer)}, this Merit knows up to {max(migrations)}: use the newer Merit")
    for number, text in migrations.items():
        if number not in applied:
            for statement in statements(text):
                database.command(statement)
            database.insert("merit_schema", pl.DataFrame({"number": [number]}, schema={"number": pl.UInt32}))


def statements(text: str) -> list[str]:
    """The statements of a migration: each ends with a semicolon at the end of a line; comments have lines of their own."""
    code = "".join(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("--"))
    return [statement for part in (code + "\n").split(";\n") if (statement := part.strip())]


def bound_system_logs(database: Database, days: int, system: str = "system") -> None:
    """Make the tables that ClickHouse keeps about itself (`query_log`, `text_log`, …) drop rows after `days`.

    Users of other tools lose whole disks to them. A table whose operator has set a bound of its own is left alone; the
    embedded engine keeps no such tables. Raises Unavailable if this user may not change them.
    """
    for table in database.query(UNBOUNDED_LOGS, {"system": system})["name"]:
        database.command(
            "ALTER TABLE {system:Identifier}.{table:Identifier} MODIFY TTL event_date + toIntervalDay({days:UInt32})",
            {"system": system, "table": table, "days": days},
        )


def set_durability(database: Database) -> None:
    """Make each table write what it has taken through to the disk: it leaves the journal then.

    A merge too, for it removes what it has merged. Source: ClickHouse, settings of MergeTree tables.
    """
    unsure = database.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' "
        "AND engine_full NOT LIKE '%min_rows_to_fsync_after_merge = 1%'"
    )
    for table in unsure["name"]:
        database.command(
            "ALTER TABLE {table:Identifier} MODIFY SETTING "
            "fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1",
            {"table": table},
        )


def set_retention(database: Database, retention: Retention) -> None:
    """Make each table drop its rows after the days in `retention`, where it does not yet."""
    found = database.query("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()")
    as_it_is = dict(found.iter_rows())
    for table, (column, field) in RETENTION_OF.items():
        days = getattr(retention, field)
        # Versions of ClickHouse write `30` or `_CAST(30, 'UInt32')`.
        if not re.search(rf" TTL toDateTime\({column}\) \+ toIntervalDay\((?:_CAST\()?{days}\b", as_it_is.get(table, "")):
            database.command(
                "ALTER TABLE {table:Identifier} MODIFY TTL toDateTime({column:Identifier}) + toIntervalDay({days:UInt32})",
                {"table": table, "column": column, "days": days},
            )
