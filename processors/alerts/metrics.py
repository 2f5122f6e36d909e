"""What a rule may measure: a fixed list, each with where it comes from, what it may be split by and which values it can have."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import polars as pl

Source = Literal["tasks", "calls", "agents", "services", "merit", "insights", "change"]
Unit = Literal["percent", "seconds", "money", "number", "times", "bytes_per_second"]
Shows = Literal["", "failed", "duration", "cost", "tokens", "quality", "unpriced"]
"""Those that failed, took longest, cost most, took most tokens, were scored lowest, have no price; empty: none in particular."""

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
    """Where it comes from."""
    unit: Unit
    """What the value is said in."""
    says: str = ""
    """How an alert says it: `{}` is the value."""
    shows: Shows = ""
    """Which tasks or calls show it best."""
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
    is_of_window: bool = False
    """A sum or a maximum: where nothing was done it is nothing, and not unknown."""
    is_sum: bool = False
    """The longer the window, the more."""


def ratio(over: str, under: str) -> pl.Expr:
    """One sum by another, null without any."""
    return pl.when(pl.col(under) > 0).then(pl.col(over) / pl.col(under))


METRICS: Mapping[str, Metric] = {
    "success_rate": Metric(
        "tasks that succeed",
        "tasks",
        "percent",
        "{} of tasks succeed",
        shows="failed",
        value=1 - ratio("failed", "n"),
        most=1,
        bad="failed",
        is_inverse=True,
    ),
    "error_rate": Metric(
        "tasks that fail",
        "tasks",
        "percent",
        "{} of tasks fail",
        shows="failed",
        value=ratio("failed", "n"),
        most=1,
        bad="failed",
    ),
    "avg_duration_seconds": Metric(
        "mean duration in seconds",
        "tasks",
        "seconds",
        "tasks take {} on average",
        shows="duration",
        value=ratio("duration_sum", "n"),
    ),
    "max_duration_seconds": Metric(
        "the longest duration in seconds",
        "tasks",
        "seconds",
        "a task took {}",
        shows="duration",
        value=pl.col("duration_max"),
        is_of_window=True,
    ),
    "duration_to_benchmark": Metric(
        "duration by that of the benchmark",
        "tasks",
        "times",
        "tasks take {} as long as the benchmark",
        shows="duration",
        value=ratio("benchmark_sum", "benchmarked"),
        observations="benchmarked",
    ),
    "avg_cost_usd": Metric(
        "mean cost of a task in US dollars",
        "tasks",
        "money",
        "tasks cost {} on average",
        shows="cost",
        value=ratio("cost_sum", "priced"),
        observations="priced",
    ),
    "max_cost_usd": Metric(
        "the dearest task in US dollars",
        "tasks",
        "money",
        "a task cost {}",
        shows="cost",
        value=pl.col("cost_max"),
        observations="priced",
        is_of_window=True,
    ),
    "cost_usd": Metric(
        "cost together in US dollars",
        "tasks",
        "money",
        "{} spent",
        shows="cost",
        value=pl.col("spent_sum"),
        observations="spent",
        is_of_window=True,
        is_sum=True,
    ),
    "avg_tokens": Metric(
        "mean tokens of a task",
        "tasks",
        "number",
        "tasks take {} tokens on average",
        shows="tokens",
        value=ratio("tokens_sum", "n"),
    ),
    "max_tokens": Metric(
        "the most tokens of a task",
        "tasks",
        "number",
        "a task took {} tokens",
        shows="tokens",
        value=pl.col("tokens_max"),
        is_of_window=True,
    ),
    "tasks": Metric("finished tasks", "tasks", "number", "{} tasks finished", value=pl.col("n"), is_of_window=True, is_sum=True),
    "quality": Metric(
        "mean score of evaluations",
        "tasks",
        "number",
        "tasks are scored {} on average",
        shows="quality",
        value=ratio("score_sum", "scored"),
        observations="scored",
        most=1,
    ),
    "unpriced_rate": Metric(
        "model calls without a known price",
        "calls",
        "percent",
        "{} of calls have no known price",
        shows="unpriced",
        value=ratio("unpriced", "n"),
        most=1,
        bad="unpriced",
    ),
    "call_error_rate": Metric(
        "calls that fail",
        "calls",
        "percent",
        "{} of calls fail",
        shows="failed",
        value=ratio("failed", "n"),
        most=1,
        bad="failed",
    ),
    "avg_call_seconds": Metric(
        "mean duration of a call in seconds",
        "calls",
        "seconds",
        "calls take {} on average",
        shows="duration",
        value=ratio("duration_sum", "n"),
    ),
    "calls": Metric("calls", "calls", "number", "{} calls", value=pl.col("n"), is_of_window=True, is_sum=True),
    "silence": Metric(
        "seconds without a sign of life, of agents that send heartbeats or metrics", "agents", "seconds", "no sign of life for {}"
    ),
    "uptime": Metric(
        "five-minute stretches with a sign of life, of agents that send them", "agents", "percent", "up {} of the time", most=1
    ),
    "queue_length": Metric("what waits (`merit.queue.length`)", "services", "number", "{} wait"),
    "stuck_queue_length": Metric(
        "what waits where no task has begun or ended for 5 minutes and as long as tasks take",
        "services",
        "number",
        "{} wait and nobody works",
    ),
    "open_decisions": Metric(
        "routing decisions whose task should have come, where nobody works",
        "services",
        "number",
        "{} decisions wait for their tasks and nobody works",
    ),
    "cpu": Metric("CPU in use", "services", "percent", "CPU {} in use", most=1),
    "memory": Metric("memory in use", "services", "percent", "memory {} in use", most=1),
    "disk": Metric("disk in use", "services", "percent", "disk {} in use", most=1),
    "network_bytes_per_second": Metric("bytes over the network in a second", "services", "bytes_per_second", "network {}"),
    "journal_seconds": Metric(
        "how long what was received has waited to be stored", "merit", "seconds", "what was received has waited {} to be stored"
    ),
    "failing_jobs": Metric("jobs of Merit that cannot run", "merit", "number", "jobs that cannot run: {}"),
    "opportunities": Metric(
        "insights, what could be done better (GET /v1/insights)",
        "insights",
        "number",
        "insights into what could be done better: {}",
    ),
    "success_change": Metric("more failures than usual", "change", "percent"),
    "duration_change": Metric("slower than usual", "change", "seconds"),
    "cost_change": Metric("dearer than usual", "change", "money"),
    "quality_change": Metric("scored lower than usual", "change", "number"),
    "improvement": Metric("faster, cheaper or scored higher than usual", "change", "number"),
}


def metric_called(name: str) -> Metric:
    """The metric; raises ValueError with the nearest names if there is none."""
    if name in METRICS:
        return METRICS[name]
    near = get_close_matches(name, METRICS, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(METRICS)}"
    raise ValueError(f"{name!r} is no metric; {hint}")
