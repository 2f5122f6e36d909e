"""Insights out of what is sent twice: prompts that begin alike and are not cached, and calls that go round in circles."""

from math import sqrt
from typing import Any

import numpy as np
import polars as pl
from scipy.special import betaincc

from processors.insights.frames import MONTH_DAYS, Effect, Row, effect, insight, level
from processors.reports.words import money, one_line, percent

LEAST_CALLS = 50
LEAST_PREFIX = 1024
"""Tokens: shorter prompts are not cached by anybody."""
GROWS = 0.8
"""In an agent's loop the prompt of each call begins with that of the call before, so that it grows nearly always."""
CACHED = 0.2
"""Where more of the input than this comes from a cache, one is in use."""
REUSED = 0.5
"""Of what could come from a cache at least this part will."""
LOOPS = 0.02
"""Loops in a share of the tasks that is surely above this are a habit."""
LEAST_LOOPS = 5


def prompt_caching(calls: pl.DataFrame, days: float) -> list[Row]:
    """Agents that send the same long beginning of a prompt again and again, and have it read anew each time.

    Args:
        calls: a row an agent and model: `agent_id, model, provider, calls, tasks, task_ids, input_tokens, cached_input_tokens`;
            `follow_ups`, calls after another of the same task and model, in tasks with at least four; `grown`, those whose prompt
            is longer, at most twice as long; `repeated_tokens`, how long the prompts before these were; `saved_usd_per_token`,
            what a token costs less when it comes from a cache, null where that is not known.
        days: in how many days.
    """
    known = calls.filter(pl.col("follow_ups") >= LEAST_CALLS, pl.col("saved_usd_per_token") > 0, pl.col("input_tokens") > 0)
    told = known.with_columns(
        certainty=surely_above(GROWS, known["grown"], known["follow_ups"]),
        cached_share=pl.col("cached_input_tokens") / pl.col("input_tokens"),
        prefix=pl.col("repeated_tokens") / pl.col("grown"),
    )
    sure = pl.col("certainty") >= level(told.height)
    found = told.filter(sure, pl.col("cached_share") < CACHED, pl.col("prefix") >= LEAST_PREFIX)
    return [cache_prompts(row, days) for row in found.iter_rows(named=True)]


def surely_above(share: float, some: pl.Series, of: pl.Series) -> pl.Series:
    """The probability that a share of which this was seen lies above `share`, under a flat prior."""
    seen, all_of = some.to_numpy().astype(float), of.to_numpy().astype(float)
    return pl.Series(np.asarray(betaincc(seen + 1, all_of - seen + 1, share), dtype=float), dtype=pl.Float64)


def cache_prompts(row: Row, days: float) -> Row:
    """One of these."""
    agent, model = one_line(row["agent_id"]), one_line(row["model"])
    again = row["repeated_tokens"] / row["input_tokens"]
    anew = max(row["repeated_tokens"] - row["cached_input_tokens"], 0)
    most = anew * row["saved_usd_per_token"] * MONTH_DAYS / days
    saving = Effect("cost_usd_per_month", -(1 + REUSED) / 2 * most, -most, -REUSED * most)
    advice = (
        f"{percent(again)} of the input of {agent} to {model} is what the call before has sent already, some "
        f"{row['prefix']:,.0f} tokens each time, and {percent(row['cached_share'])} of it comes from a cache. Switch prompt "
        f"caching on, and keep what does not change at the beginning: that saves about {money(-saving.value)} a month."
    )
    told: dict[str, Any] = {name: int(row[name]) for name in ("calls", "tasks", "follow_ups", "grown", "repeated_tokens")}
    told |= {"repeated_share": again, "cached_share": row["cached_share"]}
    told["assumed"] = f"a cache has {REUSED:.0%} to 100% of it"
    subject = {"agent_id": row["agent_id"], "model": row["model"], "provider": row["provider"]}
    return insight("prompt_caching", subject, advice, told, [saving], row["certainty"], row["task_ids"])


def loops(calls: pl.DataFrame, days: float) -> list[Row]:
    """Agents that make the same call with the same answer again and again within a task.

    Args:
        calls: a row an agent, category and step: `agent_id, category, node_name, operation`; `tasks`, all of the agent and
            category; `looping`, those in which it was called at least three times with the same input and the same output;
            `repeats`, calls beyond the first; `wasted_usd` and `wasted_squares`, what they cost in each task, and its squares;
            `wasted_tokens`; `task_ids`.
        days: in how many days.
    """
    known = calls.filter(pl.col("tasks") >= LEAST_CALLS, pl.col("looping") >= LEAST_LOOPS)
    told = known.with_columns(certainty=surely_above(LOOPS, known["looping"], known["tasks"]))
    return [loop(row, days) for row in told.filter(pl.col("certainty") >= level(told.height)).iter_rows(named=True)]


def loop(row: Row, days: float) -> Row:
    """One of these."""
    agent, node, category = (one_line(row[name]) for name in ("agent_id", "node_name", "category"))
    monthly = MONTH_DAYS / days
    saving = effect("cost_usd_per_month", -row["wasted_usd"] * monthly, sqrt(row["wasted_squares"]) * monthly, most=0)
    times = row["repeats"] / row["looping"] + 1
    advice = (
        f"In {percent(row['looping'] / row['tasks'])} of its {category} tasks {agent} calls {node} {times:.0f} times with the "
        f"same input and gets the same answer. Stop it after the second time, or tell the model what it has tried: it wastes "
        f"{money(-saving.value)} and {row['wasted_tokens'] * monthly:,.0f} tokens a month."
    )
    told = {name: int(row[name]) for name in ("tasks", "looping", "repeats", "wasted_tokens")}
    subject = {name: row[name] for name in ("agent_id", "category", "node_name", "operation")}
    return insight("loop", subject, advice, told, [saving], row["certainty"], row["task_ids"])
