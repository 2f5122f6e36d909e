"""`merit route replay`: reads the tables, runs the passes on all processors, says what came of it."""

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from processors.errors import Rejected
from processors.routing.evidence import Evidence
from processors.routing.outcomes import Outcomes, outcomes
from processors.routing.policies import Policy
from processors.routing.replay import Pass, Reference, learnt, references, replay
from processors.routing.settings import RoutingSettings

SMALL = 20_000
"""Tasks times passes below which other processes take longer to start than they save."""


@dataclass(frozen=True)
class Asked:
    """What is replayed and how."""

    file: Path
    history: Path | None
    policy: Policy
    settings: RoutingSettings
    seeds: int
    keep_order: bool


@dataclass(frozen=True)
class Replayed:
    """What came of all passes."""

    asked: Asked
    table: Outcomes
    passes: list[Pass]
    references: dict[str, Reference]

    def summary(self) -> dict[str, Any]:
        """As JSON: means over the passes; regret against the best of each category in hindsight, in points of score.

        `cost_usd` is the sum of the known costs, None where none is known, `cost_known` of which part of the tasks it is.
        """
        score = np.array([each.score for each in self.passes])
        shares = np.mean([each.shares for each in self.passes], axis=0)
        best = self.references["best_per_category"].mean_score
        tasks = int((~np.isnan(self.table.score)).any(axis=1).sum())
        costs = [each.cost_usd for each in self.passes if each.cost_usd is not None]
        return {
            "mean_score": float(score.mean()),
            "mean_score_sd": float(score.std(ddof=1)) if len(score) > 1 else 0.0,
            "cost_usd": float(np.mean(costs)) if costs else None,
            "cost_known": float(np.mean([each.cost_known for each in self.passes])),
            "regret": float((best - score.mean()) * tasks),
            "seeds": len(score),
            "tasks": tasks,
            "strategy": self.asked.policy.strategy,
            "profile": self.asked.policy.profile,
            "choice_shares": dict(zip(self.table.agents, shares.tolist(), strict=True)),
            "references": {name: asdict(each) for name, each in self.references.items()},
        }

    def unknown_costs(self) -> str:
        """What to say of costs that are not known; nothing if all are."""
        done = ~np.isnan(self.table.score)
        priced = int((done & ~np.isnan(self.table.cost_usd)).sum())
        if priced == done.sum():
            return ""
        return f"cost_usd is known of {priced:,} of {done.sum():,} outcomes: sums are of the part of the tasks that is said"


def replayed(asked: Asked, progress: Callable[[int, int], None]) -> Replayed:
    """Replay; `progress` is told how many passes are done of how many.

    Raises:
        Rejected: a file cannot be read or does not hold outcomes.
    """
    use_one_thread()
    table = read(asked.file)
    history = read(asked.history) if asked.history else None
    if history is not None and history.is_success != table.is_success:
        raise Rejected(f"{asked.history} and {asked.file} must both have a score, or both only a success")
    evidence = learnt(history, asked.settings)
    passes: list[Pass] = []
    progress(0, asked.seeds)
    for each in run(asked, evidence, table):
        passes.append(each)
        progress(len(passes), asked.seeds)
    return Replayed(asked, table, passes, references(table))


def run(asked: Asked, evidence: Evidence, table: Outcomes) -> Iterator[Pass]:
    """The passes, in whatever order they end."""
    common = (evidence, table, asked.policy, asked.settings)
    if asked.seeds * len(table.score) < SMALL:
        yield from (replay(*common, seed, keep_order=asked.keep_order) for seed in range(asked.seeds))
        return
    workers = min(asked.seeds, os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=use_one_thread) as pool:
        futures = [pool.submit(replay, *common, seed, keep_order=asked.keep_order) for seed in range(asked.seeds)]
        for future in as_completed(futures):
            yield future.result()


def use_one_thread() -> None:
    """Let no matrix product start threads: the matrices are small, and threads that wait for each other take far longer."""
    threadpool_limits(limits=1)


def read(path: Path) -> Outcomes:
    """The outcomes in a file; raises Rejected with what is wrong with it."""
    readers: dict[str, Callable[[bytes], pl.DataFrame]] = {".csv": read_csv, ".parquet": pl.read_parquet}
    if path.suffix.lower() not in readers:
        raise Rejected(f"{path}: give a .csv or a .parquet file")
    try:
        table = readers[path.suffix.lower()](path.read_bytes())  # polars takes a path for a pattern
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Rejected(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    return outcomes(table, str(path))


def read_csv(content: bytes) -> pl.DataFrame:
    """A CSV file; ids that look like numbers stay text."""
    return pl.read_csv(
        content, schema_overrides={"agent": pl.String, "task_id": pl.String, "category": pl.String}, infer_schema_length=None
    )


def as_json(result: Replayed) -> str:
    """One JSON object."""
    return json.dumps(result.summary())


def show(result: Replayed, console: Console) -> None:
    """A table of what came of it, beside what fixed ways of choosing would have come to, and who got how much."""
    summary = result.summary()
    size = f"{summary['tasks']:,} tasks, {len(result.table.agents)} agents, {summary['seeds']} passes"
    table = Table(title=f"{result.asked.file.name}: {size}")
    for name in ("", "mean score", "cost $"):
        table.add_column(name, justify="left" if not name else "right")
    routed = f"{summary['mean_score']:.4f} ± {summary['mean_score_sd']:.4f}"
    table.add_row(
        f"[bold]{summary['strategy']}, {summary['profile']}[/]",
        routed,
        dollars(summary["cost_usd"], summary["cost_known"]),
        end_section=True,
    )
    for name, each in result.references.items():
        label = name.replace("_", " ") + (f" ({each.agent})" if each.agent else "")
        table.add_row(label, f"{each.mean_score:.4f}", dollars(each.cost_usd, each.cost_known))
    console.print(table)
    if told := result.unknown_costs():
        console.print(told)
    console.print(f"regret against the best of each category in hindsight: {summary['regret']:.1f} points of score")
    shares = sorted(summary["choice_shares"].items(), key=lambda item: -item[1])
    console.print("choices: " + ", ".join(f"{agent} {share:.1%}" for agent, share in shares if share >= 0.0005))


def dollars(amount: float | None, known: float) -> str:
    """An amount for a table, with the part of the tasks that it is of, unless that is all."""
    if amount is None:
        return "unknown"
    return f"{amount:.2f}" if known == 1 else f"{amount:.2f} of {known:.1%}"
