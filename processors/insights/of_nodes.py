"""Insights out of steps and calls: nodes that fail or take the time, and providers of one model that differ."""

from math import sqrt
from typing import Any

import polars as pl

from processors.insights.estimates import LEAST_HOURS, chance_above, with_mean
from processors.insights.frames import DEVIATIONS, MONTH_DAYS, Row, effect, insight, level
from processors.reports.words import one_line, percent

LEAST_CALLS = 50
FAILING = 0.1
"""A step that surely fails more often than this is worth a look"""
HARMFUL = 0.1
"""if tasks in which it failed surely fail so much more often."""
SLOW_SHARE = 0.5
"""A step that surely takes more than this part of its tasks' time is where time is to be gained."""
WORTH_SECONDS = 2.0
"""Nobody cares for less a task."""
WORSE_PROVIDER = 0.02
"""A provider of the same model whose calls surely fail by this more often should get fewer."""


def failing_nodes(nodes: pl.DataFrame) -> list[Row]:
    """Steps that fail often, and whose failure the tasks do not survive.

    Args:
        nodes: a row an agent and step: `agent_id, node_name, operation, hours`; `calls_sum` (failures of `calls_n`) with the
            other sums of `with_mean`; `tasks`, `tasks_hit` (in which it failed), `failed_hit` and `failed_spared` (tasks that
            failed, with and without a failure of it); `task_ids`.
    """
    known = with_mean(nodes, "calls", is_rate=True).filter(pl.col("calls_n") >= LEAST_CALLS, pl.col("hours") >= LEAST_HOURS)
    hit, hit_variance = drawn("failed_hit", pl.col("tasks_hit"))
    spared, spared_variance = drawn("failed_spared", pl.col("tasks") - pl.col("tasks_hit"))
    told = known.with_columns(harm=hit - spared, harm_variance=hit_variance + spared_variance)
    often = chance_above(told["calls"] - FAILING, told["calls_variance"], told["hours"])
    harmful = chance_above(told["harm"] - HARMFUL, told["harm_variance"], told["tasks_hit"])
    sure = told.with_columns(pl.min_horizontal(often.alias("often"), harmful.alias("harmful")).alias("certainty"))
    return [failing_node(row) for row in sure.filter(pl.col("certainty") >= level(told.height)).iter_rows(named=True)]


def drawn(good: str, n: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Mean and variance of a rate under a flat prior (a beta distribution)."""
    rate = (pl.col(good) + 1) / (n + 2)
    return rate, rate * (1 - rate) / (n + 3)


def failing_node(row: Row) -> Row:
    """One of these."""
    share, lost = row["tasks_hit"] / row["tasks"], row["failed_hit"] / row["tasks_hit"]
    agent, node = one_line(row["agent_id"]), one_line(row["node_name"])
    advice = (
        f"{node} fails in {percent(row['calls'])} of its calls by {agent}, and of the tasks in which it does "
        f"{percent(lost)} fail. Mend it, try it again, or let the agent go another way."
    )
    variance = share**2 * row["harm_variance"] + row["harm"] ** 2 * share * (1 - share) / row["tasks"]
    effects = [effect("success_rate", share * row["harm"], sqrt(variance), 0, 1)]
    told = {"calls": int(row["calls_n"]), "tasks": row["tasks"], "tasks_hit": row["tasks_hit"]}
    told |= {"error_rate": mean(row, "calls"), "failed_with_it": lost}
    return insight("failing_node", subject(row), advice, told, effects, row["certainty"], row["task_ids"])


def slow_nodes(nodes: pl.DataFrame) -> list[Row]:
    """Steps other than model calls that take most of the time.

    Args:
        nodes: as above, with `share_n, share_sum, …`, the part of each task's time that the step took, and `seconds`, the mean.
    """
    shares = with_mean(nodes, "share").filter(pl.col("share_n") >= LEAST_CALLS, pl.col("hours") >= LEAST_HOURS)
    sure = chance_above(shares["share"] - SLOW_SHARE, shares["share_variance"], shares["hours"]).alias("certainty")
    found = shares.with_columns(sure).filter(pl.col("certainty") >= level(shares.height), pl.col("seconds") >= WORTH_SECONDS)
    return [slow_node(row) for row in found.iter_rows(named=True)]


def slow_node(row: Row) -> Row:
    """One of these."""
    agent, node = one_line(row["agent_id"]), one_line(row["node_name"])
    advice = (
        f"{node} takes {percent(row['share'])} of the time of {agent}'s tasks, {row['seconds']:.1f} s of each. To make the agent "
        f"faster, make this step faster, call it less, or do something else meanwhile."
    )
    half = row["seconds"] / 2
    effects = [effect("seconds_per_task", -half, half * sqrt(row["share_variance"]) / row["share"])]
    told = {"tasks": int(row["share_n"]), "share_of_time": mean(row, "share"), "assumed": "the step takes half as long"}
    return insight("slow_node", subject(row), advice, told, effects, row["certainty"], row["task_ids"])


def provider_weights(calls: pl.DataFrame, days: float) -> list[Row]:
    """Providers of one model, of which one surely fails more often than another.

    Args:
        calls: a row a model and provider: `model, provider, hours`; `calls_sum` (failures of `calls_n`) with the other sums.
        days: in how many days.
    """
    rates = with_mean(calls, "calls", is_rate=True).filter(pl.col("calls_n") >= LEAST_CALLS, pl.col("hours") >= LEAST_HOURS)
    both = rates.join(rates, on="model", suffix="_other").filter(pl.col("provider") != pl.col("provider_other"))
    told = both.with_columns(
        gain=pl.col("calls") - pl.col("calls_other"),
        gain_variance=pl.col("calls_variance") + pl.col("calls_variance_other"),
        least_hours=pl.min_horizontal("hours", "hours_other"),
    )
    sure = chance_above(told["gain"] - WORSE_PROVIDER, told["gain_variance"], told["least_hours"]).alias("certainty")
    found = told.with_columns(sure).filter(pl.col("certainty") >= level(told.height)).sort("gain", descending=True)
    best = found.unique(["model", "provider"], keep="first", maintain_order=True)
    return [provider_weight(row, days) for row in best.iter_rows(named=True)]


def provider_weight(row: Row, days: float) -> Row:
    """One of these."""
    model, worse, other = (one_line(row[name]) for name in ("model", "provider", "provider_other"))
    monthly = row["calls_n"] * MONTH_DAYS / days
    advice = (
        f"Of the calls to {model} {percent(row['calls'])} fail at {worse}, {percent(row['calls_other'])} at {other}: send them "
        f"to {other} rather (GET /v1/providers recommends weights)."
    )
    effects = [effect("failed_calls_per_month", -row["gain"] * monthly, sqrt(row["gain_variance"]) * monthly)]
    told = {"calls": int(row["calls_n"]), "other_calls": int(row["calls_n_other"])}
    rates = {"error_rate": mean(row, "calls"), "other_error_rate": row["calls_other"]}
    about = {"model": row["model"], "provider": row["provider"], "other_provider": row["provider_other"]}
    return insight("provider_weight", about, advice, told | rates, effects, row["certainty"])


def subject(row: Row) -> dict[str, str]:
    """What an insight about a step is about."""
    return {"agent_id": row["agent_id"], "node_name": row["node_name"], "operation": row["operation"]}


def mean(row: Row, name: str) -> dict[str, Any]:
    """A mean with its 90 % interval, as evidence."""
    wide = DEVIATIONS * sqrt(row[f"{name}_variance"])
    return {"value": row[name], "low": max(row[name] - wide, 0.0), "high": min(row[name] + wide, 1.0)}
