"""What a rule may measure: a fixed list, each with where it comes from, what it may be split by and which values it can have."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import polars as pl

Source = Literal["tasks", "calls", "agents", "services", "merit", "insights", "change"]

SPLITS: Mapping[Source, tuple[str, ...]] = {
    "tasks": ("agent_id", "category", "department", "service"),
    "calls": ("provider", "model", "tool", "agent_id", "category", "department", "service"),
    "agents": ("agent_id", "service"),
    "services": ("service",),
    "merit": (),
    "insights": ("agent_id",),
    "change": ("agent_id", "category"),
}
"""What each source can be split by and chosen by."""


@dataclass(frozen=True)
class Metric:
    """Something to measure."""

    about: str
    """What it is, for people."""
    source: Source
    value: pl.Expr | None = None
    """Of summed columns (`SUMS`); None: it is measured as it is."""
    observations: str = "n"
    """The column that says how many observations it has."""
    most: float | None = None
    """The largest value that it can have; None: no bound."""
    bad: str | None = None
    """Of a rate: the column that counts what it is the rate of, for a binomial test."""
    is_inverse: bool = False
    """A rate of good: what is tested is the rest."""


def ratio(over: str, under: str) -> pl.Expr:
    """One sum by another, null without any."""
    return pl.when(pl.col(under) > 0).then(pl.col(over) / pl.col(under))


METRICS: Mapping[str, Metric] = {
    "success_rate": Metric("tasks that succeed", "tasks", 1 - ratio("failed", "n"), most=1, bad="failed", is_inverse=True),
    "error_rate": Metric("tasks that fail", "tasks", ratio("failed", "n"), most=1, bad="failed"),
    "avg_duration_seconds": Metric("mean duration in seconds", "tasks", ratio("duration_sum", "n")),
    "max_duration_seconds": Metric("the longest duration in seconds", "tasks", pl.col("duration_max")),
    "duration_to_benchmark": Metric(
        "duration by that of the benchmark", "tasks", ratio("benchmark_sum", "benchmarked"), "benchmarked"
    ),
    "avg_cost_usd": Metric("mean cost of a task in US dollars", "tasks", ratio("cost_sum", "priced"), "priced"),
    "max_cost_usd": Metric("the dearest task in US dollars", "tasks", pl.col("cost_max"), "priced"),
    "cost_usd": Metric("cost together in US dollars", "tasks", pl.col("cost_sum"), "priced"),
    "avg_tokens": Metric("mean tokens of a task", "tasks", ratio("tokens_sum", "n")),
    "max_tokens": Metric("the most tokens of a task", "tasks", pl.col("tokens_max")),
    "tasks": Metric("finished tasks", "tasks", pl.col("n")),
    "quality": Metric("mean score of evaluations", "tasks", ratio("score_sum", "scored"), "scored", most=1),
    "unpriced_rate": Metric("model calls without a known price", "calls", ratio("unpriced", "n"), most=1, bad="unpriced"),
    "call_error_rate": Metric("calls that fail", "calls", ratio("failed", "n"), most=1, bad="failed"),
    "avg_call_seconds": Metric("mean duration of a call in seconds", "calls", ratio("duration_sum", "n")),
    "calls": Metric("calls", "calls", pl.col("n")),
    "silence": Metric("seconds without a sign of life, of agents that send heartbeats or metrics", "agents"),
    "uptime": Metric("five-minute stretches with a sign of life, of agents that send them", "agents", most=1),
    "queue_length": Metric("what waits (`merit.queue.length`)", "services"),
    "stuck_queue_length": Metric("what waits where no task has been finished or begun lately", "services"),
    "open_decisions": Metric("routing decisions whose task has not come, where no task has been finished lately", "services"),
    "cpu": Metric("CPU in use", "services", most=1),
    "memory": Metric("memory in use", "services", most=1),
    "disk": Metric("disk in use", "services", most=1),
    "network_bytes_per_second": Metric("bytes over the network in a second", "services"),
    "journal_seconds": Metric("how long what was received has waited to be stored", "merit"),
    "failing_jobs": Metric("jobs of Merit that cannot run", "merit"),
    "opportunities": Metric("insights, what could be done better (GET /v1/insights)", "insights"),
    "success_change": Metric("more failures than usual", "change"),
    "duration_change": Metric("slower than usual", "change"),
    "cost_change": Metric("dearer than usual", "change"),
    "quality_change": Metric("scored lower than usual", "change"),
    "improvement": Metric("faster, cheaper or scored higher than usual", "change"),
}


def metric_called(name: str) -> Metric:
    """The metric; raises ValueError with the nearest names if there is none."""
    if name in METRICS:
        return METRICS[name]
    near = get_close_matches(name, METRICS, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(METRICS)}"
    raise ValueError(f"{name!r} is no metric; {hint}")
