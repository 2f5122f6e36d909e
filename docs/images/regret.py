"""Draws docs/images/regret.svg: what routing loses against always knowing the best agent, in the simulation of the tests.

From the root of the checkout: `python -m docs.images.regret`.
"""

from pathlib import Path

import numpy as np

from tests.processors.routing.simulation import bandit, epsilon_greedy, routed, ucb1
from tests.processors.routing.test_simulations import CATEGORIES, steady

STEPS, SEEDS = 1600, 5
WIDTH, HEIGHT, LEFT, BOTTOM = 640, 360, 60, 40
COLOURS = ("#1f6f8b", "#c0562f", "#7a7a7a", "#b8b8b8")


def curves() -> dict[str, np.ndarray]:
    """Cumulative regret, the mean of several runs."""
    own = [routed(steady, CATEGORIES, STEPS, seed)[1] for seed in range(SEEDS)]
    found = {"Merit (thompson)": np.mean(own, axis=0)}
    for name, pick in (("ε-greedy, no context", epsilon_greedy), ("UCB1, no context", ucb1)):
        found[name] = np.mean([bandit(steady, CATEGORIES, STEPS, seed, pick) for seed in range(SEEDS)], axis=0)
    lost = {name: np.cumsum(each) for name, each in found.items()}
    return lost | {"√n": lost["Merit (thompson)"][99] * np.sqrt(np.arange(1, STEPS + 1) / 100)}


def drawn(lost: dict[str, np.ndarray]) -> str:
    """The plot as SVG."""
    most = 50 * np.ceil(max(each[-1] for each in lost.values()) / 50)

    def x(step: float) -> float:
        return LEFT + step / STEPS * (WIDTH - LEFT - 150)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / most * (HEIGHT - BOTTOM - 20)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for value in np.linspace(0, most, 6):
        parts.append(f'<line x1="{LEFT}" x2="{x(STEPS):.0f}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.0f}</text>')
    below = HEIGHT - BOTTOM + 18
    parts += [f'<text x="{x(step):.0f}" y="{below}" text-anchor="middle">{step}</text>' for step in range(0, STEPS + 1, 400)]
    for (name, each), colour in zip(lost.items(), COLOURS, strict=True):
        points = " ".join(f"{x(step):.1f},{y(each[step]):.1f}" for step in range(0, STEPS, 10))
        dashes = ' stroke-dasharray="4 4"' if name == "√n" else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        parts.append(f'<text x="{x(STEPS) + 6:.0f}" y="{y(each[-1]) + 4:.1f}" fill="{colour}">{name}</text>')
    parts.append(f'<text x="{x(STEPS / 2):.0f}" y="{HEIGHT - 6}" text-anchor="middle">tasks</text>')
    turn = f"rotate(-90 14 {HEIGHT / 2:.0f})"
    parts.append(f'<text x="14" y="{HEIGHT / 2:.0f}" transform="{turn}" text-anchor="middle">regret</text></svg>')
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(drawn(curves()), "utf-8")
