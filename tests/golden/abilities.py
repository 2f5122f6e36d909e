"""What Merit is seen to understand of a dialect: its captures, read and derived, held against what the runs did.

An ability is `yes` if every run in which there was such a thing shows all of it, `partly` if some runs or some of it, `no`
if there was such a thing and nothing is seen of it, `–` if no run had it, so that nobody knows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from processors.conventions.read import Conventions
from processors.cost import Pricer
from processors.derive import Derived, Phase, derive
from receiver.decode import decode
from receiver.limits import Limits
from tests.golden.truth import Run, runs

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ABILITIES = ("agent", "nodes", "tools", "tokens", "cached", "reasoning", "cost", "errors")
Share = tuple[float, float]
"""How much was seen, of how much there was."""


@dataclass(frozen=True)
class Seen:
    """One run: what it did and what was derived of it."""

    truth: dict[str, Any]
    derived: Derived

    @property
    def nodes(self) -> pl.DataFrame:
        return self.derived.nodes


def abilities(family: str) -> dict[str, str]:
    """Each ability of ABILITIES in a word, of the captures in `family`."""
    seen = [look(run) for run in runs() if run.folder.parent.name == family]
    return {name: in_a_word([SHARES[name](one) for one in seen]) for name in ABILITIES}


def look(run: Run) -> Seen:
    conventions, price = Conventions(), Pricer()
    spans = decode(run.payloads, Limits(retention=timedelta(days=36_500)), NOW).spans
    return Seen(run.truth, derive(price(conventions(spans)), Phase.OLD, NOW, price))


def in_a_word(shares: Iterable[Share]) -> str:
    there = [(seen, had) for seen, had in shares if had]
    if not there:
        return "–"
    if all(seen == had for seen, had in there):
        return "yes"
    return "partly" if any(seen for seen, _ in there) else "no"


def agents(one: Seen) -> Share:
    """The names of agents that the program gave its framework, among those that have tasks."""
    names = {(a.get("name_in_framework") or {"agent_name": key}).get("agent_name") for key, a in one.truth["agents"].items()}
    names -= {None, ""}
    return len(names & set(one.derived.tasks["agent_name"])), len(names)


def steps(one: Seen) -> Share:
    """Runs of graph nodes, by name."""
    ran = {name: count for name, count in (one.truth.get("graph_nodes_executed") or {}).items() if "/" not in name}
    shown = defaultdict(int, dict(one.nodes.group_by("node_name").len().iter_rows()))
    return sum(min(shown[name], count) for name, count in ran.items()), sum(ran.values())


def tools(one: Seen) -> Share:
    calls = sum(tool["calls"] for agent in one.truth["agents"].values() for tool in agent["tool_calls"].values())
    shown = len(one.nodes.filter(pl.col("operation") == "execute_tool"))
    return min(shown, calls), calls  # a call that was refused has a span, too


def count(*measures: str) -> Callable[[Seen], Share]:
    """The sum of these over all models, and over all nodes."""

    def share(one: Seen) -> Share:
        models = [model for agent in one.truth["agents"].values() for model in agent["models"].values()]
        return sum(one.nodes[m].sum() for m in measures), sum(model.get(m) or 0 for model in models for m in measures)

    return share


def cost(one: Seen) -> Share:
    """Counted calls that say usage, and of these the ones with a price."""
    usage = one.nodes.filter(pl.col("input_tokens").is_not_null())
    calls = sum(agent["llm_calls_ok"] for agent in one.truth["agents"].values())
    return usage["cost_usd"].count(), max(len(usage), 1 if calls else 0)


def errors(one: Seen) -> Share:
    """Tool calls that failed, and the failure of the whole run."""
    failed = sum(tool["failed"] for agent in one.truth["agents"].values() for tool in agent["tool_calls"].values())
    shown = len(one.nodes.filter((pl.col("operation") == "execute_tool") & ~pl.col("success")))
    fatal = not one.truth["outcome"]["task_success"]
    told = "failed" in one.derived.workflows.filter(pl.col("is_deleted") == 0)["status"]
    return min(shown, failed) + (fatal and told), failed + fatal


SHARES: dict[str, Callable[[Seen], Share]] = {
    "agent": agents,
    "nodes": steps,
    "tools": tools,
    "tokens": count("input_tokens", "output_tokens"),
    "cached": count("cached_input_tokens"),
    "reasoning": count("reasoning_tokens"),
    "cost": cost,
    "errors": errors,
}
