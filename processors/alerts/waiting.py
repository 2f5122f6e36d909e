"""What waits though nobody works: queues, and routing decisions whose task has not come.

Spans come when they end, so whoever works at something long is not seen until then. Silence means something only when it has
lasted for longer than the tasks of the service or the agent take: than nineteen in twenty of them.
"""

from datetime import datetime, timedelta

import polars as pl

from processors.frames import STRING, TIME, Columns

WORKED: Columns = {"kind": STRING, "name": STRING, "last": TIME}
"""When a service or an agent (`kind`) last began or ended a task."""
USUAL: Columns = {"kind": STRING, "name": STRING, "seconds": pl.Float64()}
"""How long its tasks take."""
QUEUES: Columns = {"service": STRING, "since": TIME}
"""Since when something waits."""
DECISIONS: Columns = {"agent_id": STRING, "decided_at": TIME}
"""Decisions of which no task or outcome says that it is theirs."""

IDLE = timedelta(minutes=5)
"""Who begins nothing for longer does not work."""
UNKNOWN = timedelta(minutes=15)
"""How long the task of an agent of which none is known is waited for."""


def is_quiet(worked: pl.DataFrame, now: datetime) -> bool:
    """Whether no task of anybody has begun or ended lately."""
    return worked.filter(pl.col("last") >= now - IDLE).is_empty()


def quiet_services(queues: pl.DataFrame, worked: pl.DataFrame, now: datetime) -> list[str]:
    """Services where something waits and no task has begun or ended lately; `queues`: columns MEASURED."""
    busy = worked.filter(pl.col("kind") == "service", pl.col("last") >= now - IDLE)["name"]
    return queues.filter(pl.col("value") > 0, ~pl.col("service").is_in(busy.implode()))["service"].to_list()


def stuck_queues(
    queues: pl.DataFrame, waits: pl.DataFrame, worked: pl.DataFrame, usual: pl.DataFrame, now: datetime
) -> pl.DataFrame:
    """What waits in each queue at which nobody works; 0 where somebody does. Columns MEASURED.

    Args:
        queues: columns MEASURED.
        waits: columns QUEUES.
        worked: columns WORKED.
        usual: columns USUAL.
        now: what time it is.
    """
    known = queues.join(of("service", worked, "service"), on="service", how="left", maintain_order="left")
    known = known.join(of("service", usual, "service"), on="service", how="left", maintain_order="left")
    known = known.join(waits, on="service", how="left", maintain_order="left")
    takes = lasting(0)
    quiet = (pl.col("last") + takes < now - IDLE).fill_null(value=True)
    waited = (pl.col("since") + takes <= now).fill_null(value=True)
    value = pl.when(quiet & waited).then("value").otherwise(0.0)
    return known.with_columns(metric=pl.lit("stuck_queue_length"), value=value).select(queues.columns)


def decided_since(worked: pl.DataFrame, usual: pl.DataFrame, now: datetime, longest: timedelta) -> datetime:
    """Of when the oldest decision is that may still wait: work that ended when its task should have come settles it."""
    last: datetime | None = worked["last"].max()  # type: ignore[assignment]
    most: float = usual["seconds"].max() or 0.0  # type: ignore[assignment]
    return now - longest if last is None else max(now - longest, last - max(UNKNOWN, timedelta(seconds=most)))


def waiting_decisions(decisions: pl.DataFrame, worked: pl.DataFrame, usual: pl.DataFrame, now: datetime) -> int:
    """How many decisions wait for their task where nobody works.

    One waits when its task should have been there by now. Not all who ask say which task was whose: once the agent itself has
    worked since, or anybody when the task should have been there, it is settled.

    Args:
        decisions: columns DECISIONS.
        worked: columns WORKED.
        usual: columns USUAL.
        now: what time it is.
    """
    anybody = pl.lit(worked["last"].max(), dtype=TIME)
    known = decisions.join(of("agent", worked, "agent_id"), on="agent_id", how="left")
    known = known.join(of("agent", usual, "agent_id"), on="agent_id", how="left")
    takes = lasting(UNKNOWN.total_seconds())
    due = pl.col("decided_at") + takes
    itself = (pl.col("last") <= pl.col("decided_at")).fill_null(value=True)
    others = ((anybody <= due) & (anybody + takes < now - IDLE)).fill_null(value=True)
    return known.filter(due <= now, itself, others).height


def lasting(unknown: float) -> pl.Expr:
    """How long tasks take, in `seconds`, or `unknown`."""
    return pl.duration(microseconds=(pl.col("seconds").fill_null(unknown) * 1e6).cast(pl.Int64))


def of(kind: str, frame: pl.DataFrame, called: str) -> pl.DataFrame:
    """The rows of services or of agents, by their name."""
    return frame.filter(pl.col("kind") == kind).drop("kind").rename({"name": called})
