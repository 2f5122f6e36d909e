"""What to say of a decision, so that a person understands it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches

import numpy as np

from processors.objectives.objectives import LONGEST_CATEGORY as LONGEST
from processors.routing.answer import BARS, Answered
from processors.routing.decide import Booleans
from processors.routing.features import Floats
from processors.routing.policies import OWN, Policy
from processors.routing.standings import DAY_SECONDS

WORDS = {
    "capability": "has neither done {category} nor declared it",
    "failing": "fails now: task after task",
    "silent": "silent: has sent no sign of life since {silent_since:%Y-%m-%d %H:%M} UTC",
    "max_cost_usd": "would cost about ${cost:.4g}; a chance of {within_cost:.0%} to stay within ${max_cost:.4g}",
    "max_duration_seconds": "would take about {duration:.3g} s; "
    "a chance of {within_duration:.0%} to stay within {max_duration:.4g} s",
}
LEAST_SHOWN = 0.001
NEAR = 0.85
"""How much alike two categories are written that may be mistaken for each other, as difflib has it."""
SUMMARY = {
    "capability": "{count} {has} neither done {category} nor declared it",
    "failing": "{count} {fails} at the moment",
    "silent": "{count} {has} gone silent",
    "max_cost_usd": "max_cost_usd {max_cost:g} excludes {count}",
    "max_duration_seconds": "max_duration_seconds {max_duration:g} excludes {count}",
}


def excluded(answered: Answered) -> dict[str, int]:
    """How many candidates each bar kept from being chosen; who was kept by several is counted by each."""
    return {bar: count for bar, count in zip(BARS[1:], answered.bars.sum(axis=1).tolist(), strict=True) if count}


def explanation(answered: Answered) -> str:
    """Why this one, in a sentence or two."""
    asked, category = answered.question, answered.question.assignment.category
    if not len(answered.names):
        named = "candidates is empty: name at least one, or leave it out"
        return (
            f"Nobody can have it: no {asked.kind} is known yet." if asked.candidates is None else f"Nobody can have it: {named}."
        )
    facts = {
        "category": category,
        "max_cost": asked.assignment.max_cost_usd or 0,
        "max_duration": asked.assignment.max_duration_seconds or 0,
    }
    bars = "; ".join(SUMMARY[bar].format(count=count, **numbered(count), **facts) for bar, count in excluded(answered).items())
    unheard = unheard_of(category, answered.instead)
    if answered.chosen is None:
        return f"Nobody of {len(answered.names)} can have it: {bars}.{unheard}"
    chosen = answered.chosen
    chance = answered.decision.probability[chosen]
    text = f"{answered.names[chosen]}: {how(answered, chosen)}; {asked.policy.strategy} gave it a chance {of(chance)}.{unheard}"
    return f"{text} Not eligible: {bars}." if bars else text


def numbered(count: int) -> dict[str, str]:
    """Verbs as so many do it."""
    return {"has": "has", "fails": "fails"} if count == 1 else {"has": "have", "fails": "fail"}


def how(answered: Answered, chosen: int) -> str:
    """What made it the one: its score, that those with better ones are held back, or that it is worth a try."""
    asked, score, eligible = answered.question, answered.decision.score, answered.decision.eligible
    top = best_of(score, eligible)
    under = f"for {asked.assignment.category} under {profile(asked.policy)}"
    if score[chosen] >= score[top]:
        return f"the best score of {int(eligible.sum())} {under}"
    established = eligible & ~answered.standing.probation
    rival = best_of(score, established) if established[chosen] and held_back(answered) else top
    if score[chosen] < score[rival]:
        return f"tried although {answered.names[rival]} scores higher {under}, to learn more of it"
    return (
        f"the best score {under} of those not on probation; {answered.names[top]} scores higher, "
        f"but is on probation, and all who are share at most {answered.probation_share:.0%} of the choices"
    )


def best_of(score: Floats, some: Booleans) -> int:
    """Whose score is the highest."""
    return int(np.argmax(np.where(some, score, -np.inf)))


def held_back(answered: Answered) -> bool:
    """Whether those on probation have all that they may have together."""
    given = answered.decision.probability[answered.standing.probation].sum()
    return bool(given >= answered.probation_share - 1e-9)


def unheard_of(category: str, known: Sequence[str]) -> str:
    """What to say where nobody has done or declared `category`, but others, the `known`; nothing if there are none of these."""
    if not known:
        return ""
    near = nearest(category, known)
    meant = f"; did you mean {near}?" if near else "."
    return f" Nobody has done or declared {category}: judged by what they do elsewhere{meant}"


def nearest(category: str, known: Sequence[str]) -> str | None:
    """Which of the known categories is written almost like `category`, or like it but for capitals; None if none is."""
    folded = {each.casefold(): each for each in known}
    found = get_close_matches(category[:LONGEST].casefold(), folded, n=1, cutoff=NEAR)
    return folded[found[0]] if found else None


def profile(policy: Policy) -> str:
    """What the profile is called; of weights that the question brought, what they are."""
    if policy.profile != OWN:
        return policy.profile
    return ", ".join(f"{part} {weight:.2f}" for part, weight in policy.weights._asdict().items() if weight)


def of(chance: float) -> str:
    """A chance that something had which has come."""
    return f"of {chance:.1%}" if chance >= LEAST_SHOWN else f"under {LEAST_SHOWN:.1%}"


def reasons(answered: Answered, position: int) -> list[str]:
    """What speaks for and against a candidate."""
    asked, expected, penalty = answered.question.assignment, answered.decision.expected, answered.standing.penalty.item(position)
    here, everywhere, away = (counts.item(position) for counts in answered.records)  # a float, for numpy's are slow to write
    eligible = answered.decision.eligible.item(position)
    out = [] if eligible else [barred(answered, bar, position) for bar in bars_of(answered, position)]
    if here >= 1:
        out.append(f"{here:.0f} tasks of {asked.category} seen")
    elif everywhere >= 1:
        out.append(f"nothing of {asked.category} seen, {everywhere:.0f} tasks of other kinds")
    else:
        out.append("never seen: judged by what is usual")
    if everywhere >= 1 and away > DAY_SECONDS:
        out.append("last seen a day ago" if away < 2 * DAY_SECONDS else f"last seen {away // DAY_SECONDS:.0f} days ago")
    if answered.standing.probation[position]:
        out.append("on probation")
    if penalty > 0:
        out.append(f"has work open: {penalty:.3f} taken off")
    for limit, seen, within, name in (
        (asked.max_cost_usd, expected.cost_usd, expected.within_cost, "max_cost_usd"),
        (asked.max_duration_seconds, expected.duration_seconds, expected.within_duration, "max_duration_seconds"),
    ):
        if limit is not None and eligible:
            chance = f"meets {name} with a chance of {within.item(position):.0%}"
            out.append(f"{name} excludes nobody: nothing of the kind was ever seen" if seen is None else chance)
    return out


def bars_of(answered: Answered, position: int) -> list[str]:
    """All that kept a candidate from being chosen."""
    return [bar for bar, applies in zip(BARS[1:], answered.bars[:, position].tolist(), strict=True) if applies]


def barred(answered: Answered, bar: str, position: int) -> str:
    """Why a candidate cannot be chosen."""
    asked, expected = answered.question.assignment, answered.decision.expected
    return WORDS[bar].format(
        category=asked.category,
        cost=0 if expected.cost_usd is None else expected.cost_usd[position],
        duration=0 if expected.duration_seconds is None else expected.duration_seconds[position],
        within_cost=expected.within_cost[position],
        within_duration=expected.within_duration[position],
        silent_since=datetime.fromtimestamp(answered.candidates.silent_since[position], UTC),
        max_cost=asked.max_cost_usd or 0,
        max_duration=asked.max_duration_seconds or 0,
    )
