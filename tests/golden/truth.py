"""What a run is known to have done, held against what was derived from its spans."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from genai_prices import Usage, calc_price

from processors.conventions.grammar import MODEL_CALLS
from processors.derive import Derived

FOLDER = Path(__file__).parent
TOKENS = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")
COUNTS = ("llm_calls_ok", *TOKENS, "tool_calls", "tool_calls_failed")
Sums = Counter[str]


@dataclass(frozen=True)
class Run:
    """One captured run."""

    folder: Path

    def __str__(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def payloads(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self.folder.glob("*.otlp.pb"))]

    @property
    def truth(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "truth.json").read_text("utf-8"))
        return found

    @property
    def gap(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((FOLDER / "gaps.json").read_text("utf-8")).get(str(self), {})
        return found


def runs() -> list[Run]:
    """Every captured run."""
    return [Run(path.parent) for path in sorted(FOLDER.glob("*/*/truth.json"))]


def differences(run: Run, derived: Derived) -> list[str]:
    """What `derived` says otherwise than the truth of `run`, but for what its payload does not carry."""
    truth, gap = run.truth, run.gap
    skip, expect = set(gap.get("skip", ())), gap.get("expect", {})
    tasks = derived.tasks.to_dicts()
    found = [*_adds_up(derived)]
    if "tasks" in expect and len(tasks) != expect["tasks"]:
        found.append(f"{len(tasks)} tasks, expected {expect['tasks']}")
    want, have = _expected(truth), _observed(derived)
    if "totals" not in skip:
        wanted = sum(want.values(), Counter())
        wanted.update({k: v - wanted[k] for k, v in expect.items() if k in COUNTS})
        found += _compare("all agents", wanted, sum(have.values(), Counter()), set(COUNTS) - skip)
    if "agents" not in skip:
        for name, sums in want.items():
            if name and sums:
                fields = set(COUNTS) - skip - {"tool_calls_failed"} - set(expect)
                found += _compare(f"agent {name!r}", sums, have.get(name, Counter()), fields)
    found += [*_status(truth, derived, skip), *_graph_nodes(truth, derived, skip), *_cost(truth, derived, skip)]
    return found


def _compare(where: str, want: Sums, have: Sums, fields: set[str]) -> Iterator[str]:
    yield from (f"{where}: {f} {have[f]}, in truth {want[f]}" for f in sorted(fields) if want[f] != have[f])


def _expected(truth: dict[str, Any]) -> dict[str | None, Sums]:
    """Sums by the name that the program gave its framework; None where that is a node or a function only."""
    agents: dict[str | None, Sums] = defaultdict(Counter)
    for key, agent in truth["agents"].items():
        sums = agents[(agent.get("name_in_framework") or {"agent_name": key}).get("agent_name")]
        sums["llm_calls_ok"] += agent["llm_calls_ok"]
        for model in agent["models"].values():
            sums.update({field: model[field] for field in TOKENS})
        for tool in agent["tool_calls"].values():
            sums.update({"tool_calls": tool["calls"], "tool_calls_failed": tool["failed"]})
    return {name: +sums for name, sums in agents.items()}


def _observed(derived: Derived) -> dict[str | None, Sums]:
    agents: dict[str | None, Sums] = defaultdict(Counter)
    for node in derived.nodes.iter_rows(named=True):
        sums = agents[node["agent_name"]]
        sums.update({field: node[field] or 0 for field in TOKENS})
        sums["llm_calls_ok"] += node["operation"] in MODEL_CALLS and node["success"]
        sums["tool_calls"] += node["operation"] == "execute_tool"
        sums["tool_calls_failed"] += node["operation"] == "execute_tool" and not node["success"]
    return {name: +sums for name, sums in agents.items()}


def _adds_up(derived: Derived) -> Iterator[str]:
    """What must hold of any answer: money and tokens add up, links lead somewhere, no span is two nodes."""
    nodes, tasks, workflows = derived.nodes, derived.tasks, derived.workflows.filter(pl.col("is_deleted") == 0)
    for field in ("cost_usd", "input_tokens", "output_tokens"):
        sums = [frame[field].sum() or 0 for frame in (nodes, tasks, workflows)]
        if len(set(sums)) > 1:
            yield f"{field} of nodes, tasks and workflows: {sums}"
    if len(nodes.unique(["trace_id", "span_id"])) != len(nodes):
        yield "a span is two nodes"
    if strangers := set(tasks["parent_task_id"]) - set(tasks["task_id"]) - {""}:
        yield f"parents that are no tasks: {strangers}"
    if idle := set(tasks["task_id"]) - set(nodes["task_id"]):
        yield f"tasks without a node: {idle}"


def _status(truth: dict[str, Any], derived: Derived, skip: set[str]) -> Iterator[str]:
    if "status" in skip:
        return
    states = derived.workflows.filter(pl.col("is_deleted") == 0)["status"].to_list()
    if (bool(states) and "failed" not in states) != truth["outcome"]["task_success"]:
        yield f"workflows {sorted(states)}, in truth success is {truth['outcome']['task_success']}"
    at_the_top = derived.tasks.filter(pl.col("parent_task_id") == "")
    if truth["outcome"]["task_success"] and "failed" in at_the_top["status"]:
        yield "a top-level task failed although the run succeeded"


def _graph_nodes(truth: dict[str, Any], derived: Derived, skip: set[str]) -> Iterator[str]:
    seen = Counter(derived.nodes["node_name"])
    for name, count in (truth.get("graph_nodes_executed") or {}).items():
        if "graph_nodes" not in skip and "/" not in name and seen[name] < count:
            yield f"graph node {name!r} seen {seen[name]} times, in truth {count}"


def _cost(truth: dict[str, Any], derived: Derived, skip: set[str]) -> Iterator[str]:
    """Against genai-prices on the usage that the model server logged; models without a price are left out."""
    if skip & {*TOKENS, "llm_calls_ok", "totals", "cost"}:
        return
    spent = 0.0
    for agent in truth["agents"].values():
        for name, model in agent["models"].items():
            usage = Usage(
                input_tokens=model["input_tokens"],
                output_tokens=model["output_tokens"],
                cache_read_tokens=model["cached_input_tokens"] or None,
                cache_write_tokens=model.get("cache_write_tokens") or None,
            )
            try:
                spent += float(calc_price(usage, name).total_price)
            except LookupError:
                return
    said = float(derived.nodes["cost_usd"].sum() or 0)
    if abs(spent - said) > 1e-6 * max(spent, 1e-3):
        yield f"cost {said:.9f}, genai-prices on the true usage {spent:.9f}"
