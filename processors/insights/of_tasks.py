"""Insights out of comparing tasks: a cheaper model, another agent, another temperature, another limit of tokens."""

from collections.abc import Sequence
from math import sqrt
from typing import Any

import polars as pl

from processors.insights.alternatives import better, cheaper, pairs
from processors.insights.frames import MONTH_DAYS, Effect, Kind, Row, effect, insight
from processors.reports.words import money, one_line, percent

TRIAL = "Give it a part of this work first: who got which task was not drawn by lot."
GROUPS: dict[Kind, tuple[str, ...]] = {
    "cheaper_model": ("agent_id", "category"),
    "reassign": ("category",),
    "temperature": ("agent_id", "category", "within"),
    "token_limit": ("agent_id", "category", "within"),
}
"""What is compared only with its like: `within` is the model."""


def cheaper_models(work: pl.DataFrame, days: float) -> list[Row]:
    """A cheaper model that does an agent's work of a category as well. `work` as of `pairs`, `unit` being the model."""
    found = cheaper(pairs(work, GROUPS["cheaper_model"]), GROUPS["cheaper_model"])
    return [cheaper_model(row, days) for row in found.iter_rows(named=True)]


def cheaper_model(row: Row, days: float) -> Row:
    """One of these."""
    saving = saved(row, days)
    subject = {"agent_id": row["agent_id"], "category": row["category"], "model": row["unit"], "other_model": row["other"]}
    unit, other, agent, category = names(row["unit"], row["other"], row["agent_id"], row["category"])
    price = f"for {money(after(row, 'cost'))} a task instead of {money(row['cost'])}"
    advice = f"{other} does the {category} tasks of {agent} as well as {unit}, {price}. {TRIAL}"
    return insight("cheaper_model", subject, advice, evidence(row), [saving], row["certainty"], tasks(row))


def reassigned(work: pl.DataFrame, days: float) -> list[Row]:
    """Another agent that does the work of a category better, or as well for less. `unit` is the agent."""
    group = GROUPS["reassign"]
    compared = pairs(work, group)
    ways = [("better", better(compared, group)), ("as well, for less,", cheaper(compared, group))]
    found: dict[tuple[str, str], Row] = {}
    for how, frame in ways:
        for row in frame.iter_rows(named=True):
            found.setdefault((row["category"], row["unit"]), reassign(row, how, days))
    return list(found.values())


def reassign(row: Row, how: str, days: float) -> Row:
    """One of these."""
    subject = {"agent_id": row["unit"], "category": row["category"], "other_agent_id": row["other"]}
    unit, other, category = names(row["unit"], row["other"], row["category"])
    shares = f"{percent(after(row, 'success'))} succeed instead of {percent(row['success'])}"
    price = f"for {money(after(row, 'cost'))} instead of {money(row['cost'])} a task"
    advice = f"{other} does {category} tasks {how} than {unit}: {shares}, {price}. {TRIAL}"
    effects = gains(row) if how == "better" else [saved(row, days)]
    return insight("reassign", subject, advice, evidence(row), effects, row["certainty"], tasks(row))


def better_settings(kind: Kind, done: pl.DataFrame) -> list[Row]:
    """A temperature or limit of tokens that went with better results, of one agent, category and model. `unit` is its value."""
    group = GROUPS[kind]
    word = "temperature" if kind == "temperature" else "limit of output tokens"
    found = []
    for row in better(pairs(done, group), group).iter_rows(named=True):
        subject = {"agent_id": row["agent_id"], "category": row["category"], "model": row["within"]}
        subject |= {kind: row["unit"], f"other_{kind}": row["other"]}
        agent, category, model = names(row["agent_id"], row["category"], row["within"])
        shares = f"{percent(after(row, 'success'))} succeeded instead of {percent(row['success'])}"
        quality = f"quality {after(row, 'quality'):.2f} instead of {row['quality']:.2f}"
        work = f"the {category} tasks of {agent} on {model}"
        advice = f"With the {word} {row['other']} instead of {row['unit']} {work} went better: {shares}, {quality}. {TRIAL}"
        found.append(insight(kind, subject, advice, evidence(row), gains(row), row["certainty"], tasks(row)))
    return found


def names(*said: str) -> list[str]:
    """Names as lines of text."""
    return [one_line(each) for each in said]


def after(row: Row, measure: str) -> float:
    """What a measure would be with the other."""
    return float(row[measure] + row[f"{measure}_change"])


def saved(row: Row, days: float) -> Effect:
    """What a month of the unit's tasks would cost less."""
    monthly = row["tasks"] * MONTH_DAYS / days
    return effect("cost_usd_per_month", row["cost_change"] * monthly, sqrt(row["cost_change_variance"]) * monthly)


def gains(row: Row) -> list[Effect]:
    """By how much success and quality would be higher, what the insight rests on first."""
    both = {
        "success": effect("success_rate", row["success_change"], sqrt(row["success_change_variance"])),
        "quality": effect("quality", row["quality_change"], sqrt(row["quality_change_variance"])),
    }
    return sorted(both.values(), key=lambda one: one is not both[row["by"]])


def evidence(row: Row) -> dict[str, Any]:
    """What was compared."""
    measures = {
        name: {"now": row[name], "other": after(row, name), "change": row[f"{name}_change"], **ends(row, name)}
        for name in ("success", "quality", "cost")
    }
    named = {"success_rate": measures["success"], "quality": measures["quality"], "cost_usd": measures["cost"]}
    return {"tasks": row["tasks"], "other_tasks": row["other_tasks"], "judged_tasks": int(row["judged"]), **named}


def ends(row: Row, name: str) -> dict[str, float]:
    """The 90 % interval of a change."""
    told = effect(name, row[f"{name}_change"], sqrt(row[f"{name}_change_variance"]))
    return {"low": told.low, "high": told.high}


def tasks(row: Row) -> Sequence[str]:
    """Some of both sides."""
    return [*row["task_ids"][:3], *row["task_ids_other"][:3]]
