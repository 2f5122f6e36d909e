"""Does the ranking find out who is good? Agents whose truth is known, few tasks, and the rank correlation with the truth.

`python -m tests.benchmarks.ranking_quality` draws docs/images/ranking_quality.svg. Two questions: one category, where agents have
unequal numbers of tasks; three categories of unequal difficulty, of which each agent prefers one.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from scipy.stats import spearmanr

from processors.scoring.ranking import scores_of
from processors.scoring.settings import Profile, ScoringSettings
from tests.processors.scoring.histories import crowd

AGENTS, REPEATS = 60, 30
TASKS = (2, 4, 8, 16, 32, 64)
"""Tasks of the typical agent; the busiest has thirty times those of the idlest."""
EASE = (2.0, 0.0, -1.5)
"""How much easier each category is than the average, in logits."""


class Found(NamedTuple):
    """Rank correlations with the truth."""

    plain: float
    """Of the plain average."""
    ours: float
    """Of the ranking."""


def one_category(random: np.random.Generator, tasks: int) -> Found:
    """Agents between 0.45 and 0.95, alike in their work."""
    truth = random.uniform(0.45, 0.95, AGENTS)
    return found(random, truth, [random.binomial(n := counts(random, tasks), truth)], [n])


def three_categories(random: np.random.Generator, tasks: int) -> Found:
    """Agents of different skill, each of which has seven tenths of its tasks in a category of its own."""
    skill = random.normal(0, 0.8, AGENTS)
    mine = random.integers(0, 3, AGENTS)
    share = [np.where(mine == category, 0.7, 0.15) for category in range(3)]
    n = [random.binomial(counts(random, tasks), share[category]) for category in range(3)]
    wins = [random.binomial(n[c], 1 / (1 + np.exp(-(skill + EASE[c])))) for c in range(3)]
    return found(random, skill, wins, n)


def counts(random: np.random.Generator, tasks: int) -> Any:
    """How many tasks each agent has: unequal, `tasks` in the middle."""
    return np.maximum(np.round(tasks * np.exp(random.uniform(-1.7, 1.7, AGENTS))), 1).astype(int)


def found(random: np.random.Generator, truth: Any, wins: Sequence[Any], n: Sequence[Any]) -> Found:
    """Both correlations, where ties are broken at random."""
    parts = [
        crowd(AGENTS, tasks=n[c], succeeded=wins[c], failed=n[c] - wins[c]).with_columns(category=pl.lit(f"category {c}"))
        for c in range(len(n))
    ]
    scores = scores_of(pl.concat(parts), "success_rate", Profile(), ScoringSettings(), favour_recent=False)
    known = pl.DataFrame({"agent_id": [f"{a:05}" for a in range(AGENTS)]}).join(scores, on="agent_id", how="left")
    ours = known["score"].fill_null(scores["score"].mean()).to_numpy()
    plain = sum(wins) / np.maximum(sum(n), 1)
    noise = random.uniform(0, 1e-9, AGENTS)
    return Found(float(spearmanr(plain + noise, truth)[0]), float(spearmanr(ours + noise, truth)[0]))


def measure(repeats: int = REPEATS, tasks: Sequence[int] = TASKS) -> dict[str, list[Found]]:
    """Mean correlations by question and number of tasks."""
    results = {}
    for name, question in QUESTIONS.items():
        random = np.random.default_rng(5)
        runs = [[question(random, n) for _ in range(repeats)] for n in tasks]
        results[name] = [Found(*np.mean(one, axis=0).tolist()) for one in runs]
    return results


QUESTIONS = {"One category, unequal numbers of tasks": one_category, "Three categories of unequal difficulty": three_categories}
WIDTH, HEIGHT, LEFT, TOP = 320, 200, 50, 40


def svg(results: dict[str, list[Found]]) -> str:
    """The plot: one panel a question."""
    panels = "".join(panel(name, found, n * (WIDTH + 90)) for n, (name, found) in enumerate(results.items()))
    whole = f'viewBox="0 0 {2 * (WIDTH + 90)} {HEIGHT + 100}" font-family="sans-serif" font-size="12"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {whole}>\n<rect width="100%" height="100%" fill="white"/>\n{panels}</svg>\n'


def panel(name: str, found: Sequence[Found], shift: int) -> str:
    """One question: tasks of the typical agent to the right, correlation upwards."""
    lines = [f'<g transform="translate({shift + LEFT},{TOP})">', f'<text x="0" y="-14" font-weight="bold">{name}</text>']
    for tenth in range(0, 11, 2):
        y = HEIGHT - HEIGHT * tenth / 10
        lines.append(f'<path d="M0 {y:.0f}H{WIDTH}" stroke="#ddd"/><text x="-28" y="{y + 4:.0f}">{tenth / 10:.1f}</text>')
    for n, tasks in enumerate(TASKS):
        lines.append(f'<text x="{at(n):.0f}" y="{HEIGHT + 18}" text-anchor="middle">{tasks}</text>')
    lines.append(f'<text x="{WIDTH / 2}" y="{HEIGHT + 38}" text-anchor="middle">tasks of the typical agent</text>')
    for label, colour, values in (
        ("plain average", "#c55", [one.plain for one in found]),
        ("ranking", "#26a", [one.ours for one in found]),
    ):
        points = " ".join(f"{at(n):.1f},{HEIGHT * (1 - value):.1f}" for n, value in enumerate(values))
        place = HEIGHT - 34 if label == "ranking" else HEIGHT - 16
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines.append(f'<text x="{WIDTH - 90}" y="{place}" fill="{colour}">{label}</text>')
    return "\n".join(lines) + "\n</g>\n"


def at(n: int) -> float:
    """Where the n-th number of tasks stands."""
    return WIDTH * n / (len(TASKS) - 1)


if __name__ == "__main__":
    results = measure()
    (Path(__file__).parents[2] / "docs" / "images" / "ranking_quality.svg").write_text(svg(results), "utf-8")
    for name, many in results.items():
        print(name)
        for tasks, one in zip(TASKS, many, strict=True):
            print(f"  {tasks:3} tasks: plain average {one.plain:.3f}, ranking {one.ours:.3f}")
