"""`merit route whatif`: judges another profile or strategy on the decisions that are stored."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from exporters.store import Store
from merit.settings import Settings
from processors.errors import Rejected
from processors.routing.off_policy import Value, WhatIf, what_if
from processors.routing.policies import Policy
from query_api.asking.filters import bound
from query_api.asking.questions import asker
from query_api.asking.searching import LAST_NS
from query_api.routing.decisions import MOST

SECONDS = 120.0


@dataclass(frozen=True)
class Judged:
    """A policy and what it would have come to."""

    policy: Policy
    since: datetime
    until: datetime
    found: WhatIf


def judged(
    store: Store, settings: Settings, policy: Policy, since: datetime, until: datetime, progress: Callable[[int, int], None]
) -> Judged:
    """Judge `policy` on the decisions of a stretch of time.

    Raises:
        Rejected: there is no decision whose outcome is known.
    """
    nothing: list[str] = []
    asked = {"since": bound(since), "until": bound(until), "after_ns": LAST_NS, "after_id": "", "trace_id": "", "limit": MOST}
    chosen = {"agent_id": nothing, "category": nothing, "kind": ["agent"], "with_candidates": True}
    routed = asker(store, SECONDS)("routed", asked | chosen, MOST)
    found = what_if(routed, policy, settings.processors.routing, progress)
    if found is None:
        raise Rejected(
            f"of {len(routed):,} decisions since {since:%Y-%m-%d %H:%M} no outcome is known: put merit.decision.id on the spans "
            "of the tasks, or report outcomes; --days goes further back"
        )
    return Judged(policy, since, until, found)


def as_json(result: Judged) -> str:
    """One JSON object."""
    told: dict[str, Any] = {
        name: value._asdict() if isinstance(value, Value) else value for name, value in result.found._asdict().items()
    }
    return json.dumps({"strategy": result.policy.strategy, "profile": result.policy.profile} | told)


def show(result: Judged, console: Console) -> None:
    """A table of the estimates."""
    found, policy = result.found, result.policy
    table = Table(title=f"{policy.strategy}, {policy.profile}: on {found.decisions:,} decisions with a known outcome")
    for name in ("", "reward", "90 % interval"):
        table.add_column(name, justify="left" if not name else "right")
    for name in ("observed", "inverse_propensity", "self_normalised", "doubly_robust"):
        value: Value = getattr(found, name)
        table.add_row(name.replace("_", " "), f"{value.value:.4f}", f"{value.low:.4f} – {value.high:.4f}")
    console.print(table)
    console.print(f"worth {found.effective:,.0f} decisions of its own; it would have chosen the same with {found.agreement:.0%}")
    if found.cost_usd is not None and found.observed_cost_usd is not None:
        console.print(f"cost a task: ${found.cost_usd:.6f} instead of ${found.observed_cost_usd:.6f}")
