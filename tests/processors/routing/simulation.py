"""Tasks whose outcomes are drawn, given out by `decide`, as /v1/route does, and by plain bandits to compare with.

Nobody is on probation, failing or busy here, and nothing fades.
"""

from collections.abc import Callable

import numpy as np

from processors.routing.choice import draw
from processors.routing.decide import Assignment, Standing, decide
from processors.routing.evidence import Evidence
from processors.routing.features import FEATURES
from processors.routing.policies import policy
from processors.routing.settings import RoutingSettings

Rates = Callable[[int, str], np.ndarray]
"""The true success rate of each agent at a step, in a category."""

SETTINGS = RoutingSettings()
NOTHING = np.full(FEATURES, np.nan)


def routed(
    rates: Rates, categories: list[str], steps: int, seed: int, strategy: str = "thompson"
) -> tuple[np.ndarray, np.ndarray]:
    """Who got each task, and by how much the best would have been better."""
    random, evidence = np.random.default_rng(seed), Evidence(SETTINGS.change_threshold)
    names = [f"agent-{number}" for number in range(len(rates(0, categories[0])))]
    numbers, none = evidence.cells.add_agents(names), np.zeros(len(names))
    how = policy(SETTINGS, strategy, "quality")
    chosen, regret = np.zeros(steps, np.int64), np.zeros(steps)
    for step in range(steps):
        category = categories[random.integers(len(categories))]
        true = rates(step, category)
        decision = decide(evidence, Assignment(category, NOTHING), numbers, Standing(none, none > 0, none > 0), how, SETTINGS)
        agent = chosen[step] = draw(decision.probability, random.random())
        regret[step] = true.max() - true[agent]
        success = np.array([float(random.random() < true[agent])])
        evidence.absorb(evidence.cells.add([names[agent]], [category]), NOTHING[None], {"success": success}, np.ones(1))
    return chosen, regret


def bandit(rates: Rates, categories: list[str], steps: int, seed: int, pick: Callable[..., int]) -> np.ndarray:
    """The regret, task by task, of a bandit that knows no categories."""
    random = np.random.default_rng(seed)
    size = len(rates(0, categories[0]))
    count, total, regret = np.zeros(size), np.zeros(size), np.zeros(steps)
    for step in range(steps):
        true = rates(step, categories[random.integers(len(categories))])
        agent = int(count.argmin()) if step < size else pick(total / count, count, step, random)
        regret[step] = true.max() - true[agent]
        count[agent] += 1
        total[agent] += random.random() < true[agent]
    return regret


def epsilon_greedy(mean: np.ndarray, _count: np.ndarray, _step: int, random: np.random.Generator) -> int:
    return int(random.integers(len(mean))) if random.random() < 0.1 else int(mean.argmax())


def ucb1(mean: np.ndarray, count: np.ndarray, step: int, _random: np.random.Generator) -> int:
    return int((mean + np.sqrt(2 * np.log(step) / count)).argmax())
