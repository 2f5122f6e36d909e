"""What explains most of a change: a new model, one tool, one model, one provider."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from processors.frames import STRING, Columns

STEPS: Columns = {
    "agent_id": STRING,
    "category": STRING,
    "period": STRING,
    "kind": STRING,
    "name": STRING,
    "tasks": pl.Int64(),
    "calls": pl.Int64(),
    "failed": pl.Int64(),
    "seconds": pl.Float64(),
    "cost_usd": pl.Float64(),
}
"""Steps of an agent's tasks before and after a change, added up. `period` is `before` or `after`, `kind` is `tool`, `model` or
`provider`, or `task` for the tasks themselves; `tasks`: how many tasks have such a step."""

EXPLAINS = 0.6
"""A cause explains at least this part of the change."""
NEW_MODEL = 0.3
"""A model that comes into this much more of the tasks, while another goes, is a change of model."""
KINDS = ("tool", "model", "provider")
"""Of causes that explain as much, the first."""
OF_MEASURE = {"success": "failed", "duration": "seconds", "cost": "cost_usd", "faster": "seconds", "cheaper": "cost_usd"}


class Cause(NamedTuple):
    """What explains a change."""

    kind: str
    """`tool`, `model`, `provider`, or `model change`."""
    name: str
    explains: float
    """Which part of the change, from 0 to 1."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def cause(steps: pl.DataFrame, measure: str) -> Cause | None:
    """What explains most of a change of `measure`; None if nothing does.

    Args:
        steps: columns STEPS, of one agent and category.
        measure: the name of a measure.
    """
    rows = steps.select(STEPS.keys()).rows(
        named=True
    )  # few: plain dictionaries are faster than frames, of which each agent has some
    if changed := model_change(rows):
        return changed
    column = OF_MEASURE.get(measure)
    shares = {} if column is None else explained(rows, column)
    if not shares:
        return None
    most = max(shares.values())
    if most < EXPLAINS:
        return None
    (kind, name), share = min(
        ((one, share) for one, share in shares.items() if share >= 0.9 * most), key=lambda found: KINDS.index(found[0][0])
    )
    return Cause(kind, name, round(min(share, 1.0), 3))


def per_task(steps: Sequence[Mapping[str, Any]], column: str) -> Mapping[tuple[str, str], tuple[float, float]]:
    """By kind and name: how much of `column` there is in a task, before and after."""
    tasks = {row["period"]: row["tasks"] for row in steps if row["kind"] == "task"}
    found: dict[tuple[str, str], list[float]] = {}
    for row in steps:
        both = found.setdefault((row["kind"], row["name"]), [0.0, 0.0])
        both[row["period"] == "after"] += float(row[column] or 0) / max(tasks.get(row["period"], 0), 1)
    return {one: (before, after) for one, (before, after) in found.items()}


def explained(steps: Sequence[Mapping[str, Any]], column: str) -> dict[tuple[str, str], float]:
    """Which part of the change of the tasks each tool, model and provider explains."""
    found = per_task(steps, column)
    before, after = found.get(("task", ""), (0.0, 0.0))
    whole = after - before
    if whole == 0:
        return {}
    return {one: (later - earlier) / whole for one, (earlier, later) in found.items() if one[0] in KINDS}


def model_change(steps: Sequence[Mapping[str, Any]]) -> Cause | None:
    """Whether another model does the work now."""
    found = {name: share for (kind, name), share in per_task(steps, "tasks").items() if kind == "model"}
    rise = {name: after - before for name, (before, after) in found.items()}
    if len(rise) < 2:
        return None
    new, old = max(rise, key=lambda name: rise[name]), min(rise, key=lambda name: rise[name])
    if rise[new] < NEW_MODEL or rise[old] > -NEW_MODEL:
        return None
    return Cause("model change", f"{old} to {new}", round(min(rise[new], 1.0), 3))


def scope_of(found: Cause | None, agent_id: str) -> dict[str, str]:
    """What an alert of that cause is about: the cause, wherever it may be felt, else the agent."""
    if found is None or found.kind not in KINDS:
        return {"agent_id": agent_id}
    return {found.kind: found.name}
