"""Simulated work with a planted truth, as the questions to the store sum it up."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

SUMS = ("success", "quality", "cost")


@dataclass(frozen=True)
class Side:
    """How one alternative does its tasks."""

    tasks: int = 1500
    fails: float = 0.05
    quality: float = 0.8
    dollars: float = 0.02
    judged: float = 0.5


def work(sides: Mapping[str, Side], seed: int, hours: int = 24 * 14, **same: str) -> pl.DataFrame:
    """Tasks of each alternative over two weeks, summed up as `insight_tasks.sql` does.

    Costs are log-normal; in every fiftieth hour a third of what would have succeeded fails, for all alternatives alike.
    """
    random = np.random.default_rng(seed)
    bad = set(random.choice(hours, hours // 50, replace=False))
    rows = []
    for unit, side in sides.items():
        at = random.integers(0, hours, side.tasks)
        fails = random.random(side.tasks) < np.where(np.isin(at, list(bad)), side.fails + 0.33, side.fails)
        judged = random.random(side.tasks) < side.judged
        quality = np.clip(random.normal(side.quality, 0.2, side.tasks), 0, 1) * judged
        dollars = side.dollars * np.exp(random.normal(-0.125, 0.5, side.tasks))
        tasks = pl.DataFrame(
            {"hour": at, "n": 1.0, "good": 1.0 - fails, "judged": judged * 1.0, "scores": quality, "dollars": dollars}
        )
        summed = tasks.group_by("hour").sum()
        columns = {"success": ("n", "good"), "quality": ("judged", "scores"), "cost": ("n", "dollars")}
        row = {"unit": unit, "hours": summed.height, "stratum": 0, "task_ids": [f"{unit}-{i}" for i in range(3)]}
        for name, (n, x) in columns.items():
            sums = {"n": summed[n], "sum": summed[x], "nn": summed[n] ** 2, "xx": summed[x] ** 2, "nx": summed[n] * summed[x]}
            row |= {f"{name}_{what}": values.sum() for what, values in sums.items()}
        rows.append({"agent_id": "writer", "category": "writing", "within": ""} | same | row)
    return pl.DataFrame(rows)
