"""What stands of traces whose spans have begun to expire: it cannot be worked out again, so what comes to them is added to it.

All that is derived of a trace together has one version, which tells when the newest span came that was known. So what was
derived together with a task that began before the spans that are kept stands, and what came later is new.
"""

from datetime import datetime

import polars as pl

from processors.derive import LAG_BITS
from processors.frames import MILLIS, TIME, WORKFLOWS, conform

OF_TASKS = ("trace_id", "agent_id", "ended_at", "input_tokens", "output_tokens", "total_tokens", "cost_usd", "unpriced_calls")
"""What workflows take from tasks."""
ADDED = ("input_tokens", "output_tokens", "total_tokens", "unpriced_calls")


def newest_known() -> pl.Expr:
    """When the newest span came that a row of this `version` was derived with."""
    return pl.col("version").floordiv(2**LAG_BITS).cast(pl.Int64).cast(MILLIS)


def standing(rows: pl.DataFrame, horizon: datetime) -> pl.DataFrame:
    """Those of derived `rows` (`of, trace_id, started_at, version`) that stand, where spans are kept since `horizon`."""
    expiring = rows.filter(pl.col("of") == "tasks", pl.col("started_at") < pl.lit(horizon).cast(TIME))
    last = expiring.group_by("trace_id").agg(last=newest_known().max())
    return rows.join(last, on="trace_id").filter(newest_known() <= pl.col("last")).drop("last")


def without_standing(derived: pl.DataFrame, stand: pl.DataFrame) -> pl.DataFrame:
    """Derived nodes or tasks without those that `stand`, and of nodes without those of tasks that do."""
    ids = pl.col("trace_id") + "-" + pl.col("span_id")
    rows = derived.join(stand, on=["trace_id", "span_id"], how="anti")
    return rows.join(stand.filter(of="tasks").select(task_id=ids), on="task_id", how="anti")


def with_standing(workflows: pl.DataFrame, tasks: pl.DataFrame, before: pl.DataFrame, stand: pl.DataFrame) -> pl.DataFrame:
    """Workflows of `tasks` that are new and of tasks that stand.

    Args:
        workflows: made of what is new; columns WORKFLOWS.
        tasks: those that are new.
        before: what the workflows were: `trace_id, name, root_agent_id, services, started_at`.
        stand: the tasks that stand; columns OF_TASKS.
    """
    every = pl.concat([tasks.select(OF_TASKS), stand.select(pl.col(n).cast(tasks.schema[n]) for n in OF_TASKS)])
    sums = every.group_by("trace_id").agg(
        pl.col("agent_id").unique().sort().alias("agents"),
        pl.len().alias("tasks"),
        pl.col("ended_at").max(),
        pl.col(ADDED).sum(),
        pl.when(pl.col("cost_usd").is_not_null().any()).then(pl.col("cost_usd").sum()),
    )
    own = workflows.drop("name", "root_agent_id", "agents", "tasks", "started_at", "cost_usd", *ADDED)
    joined = own.join(before, on="trace_id", suffix="_before").join(sums, on="trace_id")
    seconds = (pl.col("ended_at") - pl.col("started_at").cast(TIME)).dt.total_nanoseconds() / 1e9
    services = pl.col("services").list.set_union("services_before").list.sort()
    return conform(joined.with_columns(duration_seconds=seconds.round(9), services=services), WORKFLOWS)
