"""Spans and what was derived of them: into the store, and back out of it trace by trace."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

import polars as pl

from exporters.by_day import store_by_day
from exporters.store import Store
from processors.frames import NODES, RECEIVED, SPANS, TASKS, TIME, Columns, conform, empty
from processors.standing import newest_known, standing, with_standing, without_standing

IDS_AT_ONCE = 1_000
"""Ids bound into one query."""
STALE_AT_ONCE = 20_000
"""Traces that the sweep takes on together."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def question(name: str) -> str:
    """The text of exporters/sql/`name`.sql."""
    return files("exporters").joinpath("sql", f"{name}.sql").read_text("utf-8")


def store_spans(store: Store, spans: pl.DataFrame, token: str = "") -> None:
    """Insert spans, columns SPANS."""
    store_by_day(store, "otel_traces", spans, SPANS, "Timestamp", token)


def stored_spans(store: Store, trace_ids: list[str]) -> pl.DataFrame:
    """Every stored span of these traces; columns RECEIVED."""
    parts = [store.query(question("stored_spans"), {"trace_ids": ids}) for ids in _slices(trace_ids)]
    return conform(pl.concat([empty(RECEIVED), *(conform(p, RECEIVED) for p in parts)]), RECEIVED)


def span_counts(store: Store, trace_ids: list[str]) -> pl.DataFrame:
    """How many spans of each of these traces are stored: `TraceId, spans`; those without any are left out."""
    none = pl.DataFrame(schema={"TraceId": pl.String(), "spans": pl.UInt64()})
    return pl.concat([none, *(store.query(question("span_counts"), {"trace_ids": ids}) for ids in _slices(trace_ids))])


def missing_spans(store: Store, spans: pl.DataFrame) -> pl.DataFrame:
    """Those of `spans` that the store does not have."""
    known = [store.query(question("span_ids"), {"trace_ids": ids}) for ids in _slices(spans["TraceId"].unique().to_list())]
    return spans.join(pl.concat(known), on=["TraceId", "SpanId"], how="anti", maintain_order="left")


def expiring(store: Store, trace_ids: list[str], horizon: datetime) -> pl.DataFrame:
    """Which of these traces, or tasks of theirs, began before `horizon`, so that spans of them may have expired.

    `TraceId`, and `known`: such tasks were derived of the spans that came until then; null where there are none.
    """
    none = pl.DataFrame(schema={"trace_id": pl.String(), "version": pl.UInt64()})
    asked = ({"trace_ids": ids, "horizon": horizon} for ids in _slices(trace_ids))
    found = pl.concat([none, *(store.query(question("expiring_traces"), one) for one in asked)], how="vertical_relaxed")
    return found.select(TraceId="trace_id", known=pl.when(pl.col("version") > 0).then(newest_known()))


def replace_derived(
    store: Store, nodes: pl.DataFrame, tasks: pl.DataFrame, workflows: pl.DataFrame, again: list[str], horizon: datetime = EPOCH
) -> None:
    """Store what was derived, and delete what an earlier derivation of the traces `again` made and this one did not.

    Spans are kept since `horizon`: what stands of a trace that began before is neither replaced nor deleted, for nothing would
    bring it back. The workflows go last: a trace whose row is there is derived, whatever happens to this process.
    """
    old = pl.concat([_IDENTITIES, *(store.query(question("derived_rows"), {"trace_ids": ids}) for ids in _slices(again))])
    stand = standing(old, horizon)
    if len(stand):
        nodes, tasks = without_standing(nodes, stand), without_standing(tasks, stand)
        workflows = _with_standing(store, tasks, workflows, stand)
    versions = workflows.select("trace_id", "version")
    is_again = pl.col("trace_id").is_in(pl.Series(again, dtype=pl.String).implode()).alias("again")
    nodes, tasks = nodes.with_columns(is_again), tasks.with_columns(is_again)
    can_go = old.filter(pl.col("started_at") >= pl.lit(horizon).cast(TIME)).join(stand, on=_IDENTITY, how="anti")
    for table, columns, rows in (("nodes", NODES, nodes), ("tasks", TASKS, tasks)):
        gone = can_go.filter(pl.col("of") == table).join(rows, on=["trace_id", "span_id"], how="anti").drop("of", "version")
        store.insert(table, pl.concat([rows, _tombstones(gone.join(versions, on="trace_id"), columns)]))
    store.insert("workflows", workflows)


def _with_standing(store: Store, tasks: pl.DataFrame, workflows: pl.DataFrame, stand: pl.DataFrame) -> pl.DataFrame:
    """Workflows, those of which something stands with that, or not at all where nothing has come to it."""
    stands = pl.col("trace_id").is_in(stand["trace_id"].unique().implode())
    ids = tasks.filter(stands)["trace_id"].unique().to_list()
    if not ids:
        return workflows.filter(~stands)
    before = pl.concat(store.query(question("standing_workflows"), {"trace_ids": some}) for some in _slices(ids))
    every = pl.concat(store.query(question("standing_tasks"), {"trace_ids": some}) for some in _slices(ids))
    mine = every.join(stand.filter(of="tasks"), on=["trace_id", "span_id"], how="semi")
    return pl.concat([workflows.filter(~stands), with_standing(workflows.filter(stands), tasks.filter(stands), before, mine)])


_IDENTITY = ["of", "trace_id", "span_id"]
_IDENTITIES = pl.DataFrame(
    schema={"of": pl.String(), "trace_id": pl.String(), "span_id": pl.String(), "started_at": TIME, "version": pl.UInt64()}
)


def _tombstones(gone: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Rows that delete: identity, version and beginning, and nothing else.

    They begin as what they delete, for they must not expire before it: it would come back.
    """
    blank = {n: _BLANK.get(t.base_type(), pl.lit(None)).cast(t).alias(n) for n, t in columns.items() if n not in gone.columns}
    nullable = {"cost_usd", "temperature", *(n for n in columns if n.endswith("_tokens") and columns is NODES)}
    blank |= {n: pl.lit(None, dtype=columns[n]).alias(n) for n in nullable & blank.keys()}
    blank |= {"is_deleted": pl.lit(1, dtype=pl.UInt8).alias("is_deleted"), "again": pl.lit(value=True).alias("again")}
    return conform(gone.with_columns(*blank.values()), columns)


_BLANK: dict[type[pl.DataType], pl.Expr] = {
    pl.String: pl.lit(""),
    pl.Datetime: pl.lit(0),
    pl.Boolean: pl.lit(value=False),
    pl.List: pl.lit([], dtype=pl.List(pl.String)),
    pl.Float64: pl.lit(0.0),
    pl.UInt8: pl.lit(0),
    pl.UInt32: pl.lit(0),
    pl.UInt64: pl.lit(0),
}


def derived_traces(store: Store, trace_ids: list[str]) -> pl.Series:
    """Which of these traces have been derived before."""
    found = [store.query(question("derived_traces"), {"trace_ids": ids})["trace_id"] for ids in _slices(trace_ids)]
    return pl.concat([pl.Series("trace_id", [], dtype=pl.String), *found])


def ingested_traces(store: Store, since: datetime) -> pl.Series:
    """Ids of traces of which a span came since."""
    return store.query(question("ingested_traces"), {"since": since})["TraceId"]


def orphaned_traces(store: Store, since: datetime) -> pl.DataFrame:
    """Traces of which a span came since and a parent is missing: as `OpenTraces.adopt` takes them."""
    return store.query(question("orphaned_traces"), {"since": since})


def stale_traces(
    store: Store, since: datetime, until: datetime, horizon: datetime, largest: int = 2**63, at_once: int = STALE_AT_ONCE
) -> Iterator[pl.DataFrame]:
    """Traces of at most `largest` spans, some of which came in this time, and that are not derived, `at_once` at a time.

    As `OpenTraces.adopt` takes them.
    """
    limits = {"since": since, "until": until, "horizon": horizon, "largest": largest, "most": at_once}
    after = {"after_seen": EPOCH, "after_id": ""}
    while len(found := store.query(question("stale_traces"), limits | after)):
        yield found
        if len(found) < at_once:
            return
        after = {"after_seen": found["first_seen"][-1], "after_id": found["TraceId"][-1]}


def traces_between(store: Store, since: datetime, until: datetime) -> pl.DataFrame:
    """Traces with a span that began in this time: `TraceId, has_root, last_seen`."""
    return store.query(question("traces_between"), {"since": since, "until": until})


def last_derivation(store: Store) -> datetime | None:
    """When the newest span came that has been derived; None if nothing has been."""
    found = store.query(question("last_derivation"))
    return found["ingested_at"].item() if len(found) else None


def _slices(trace_ids: list[str]) -> list[list[str]]:
    return [trace_ids[i : i + IDS_AT_ONCE] for i in range(0, len(trace_ids), IDS_AT_ONCE)]
