"""What an insight consists of, and how sure it must be."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from processors.alerts.frames import as_json, digest

Kind = Literal[
    "cheaper_model",
    "reassign",
    "temperature",
    "token_limit",
    "prompt_caching",
    "failing_node",
    "slow_node",
    "provider_weight",
    "loop",
]
Row = dict[str, Any]

WRONG = 0.01
"""The chance that an answer holds a wrong insight of a kind, however many comparisons were made for it."""
DEVIATIONS = 1.6448536269514722
"""Standard deviations to either side that hold 90 % of a normal distribution."""
MONTH_DAYS = 30.0


class Effect(NamedTuple):
    """What is to be expected, with the ends of the 90 % interval."""

    measure: str
    """What changes: `cost_usd_per_month`, `success_rate`, `quality`, `failed_calls_per_month`, `seconds_per_task`."""
    value: float
    low: float
    high: float


def effect(measure: str, value: float, error: float, least: float | None = None, most: float | None = None) -> Effect:
    """An effect whose standard error is known; its interval within what is possible."""
    ends = [value - DEVIATIONS * error, value + DEVIATIONS * error]
    low, high = (min(max(end, end if least is None else least), end if most is None else most) for end in ends)
    return Effect(measure, value, low, high)


def insight(
    kind: Kind,
    subject: Mapping[str, str],
    advice: str,
    evidence: Mapping[str, Any],
    effects: Sequence[Effect],
    certainty: float,
    tasks: Sequence[str] = (),
) -> Row:
    """An insight, as JSON values.

    Args:
        kind: of what kind it is.
        subject: what it is about: `agent_id`, `category`, `model`, …; makes its id.
        advice: what to do and why, in a sentence or two.
        evidence: what it was told by: counts, means, intervals.
        effects: what is to be expected, the most important first.
        certainty: the posterior probability that what it rests on is so.
        tasks: some tasks to look at.
    """
    return {
        "insight_id": digest(kind, as_json(subject)),
        "kind": kind,
        "agent_id": subject.get("agent_id"),
        "category": subject.get("category"),
        "subject": dict(subject),
        "advice": advice,
        "evidence": dict(evidence),
        "effects": [one._asdict() for one in effects],
        "saving_usd_per_month": next((-one.value for one in effects if one.measure == "cost_usd_per_month"), None),
        "certainty": certainty,
        "task_ids": list(dict.fromkeys(tasks))[:6],
    }


def level(comparisons: int) -> float:
    """How sure a comparison must be that is one of so many (Bonferroni)."""
    return 1 - WRONG / max(comparisons, 1)
