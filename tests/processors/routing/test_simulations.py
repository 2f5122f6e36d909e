import numpy as np
import pytest

from tests.processors.routing.simulation import bandit, epsilon_greedy, routed, ucb1

SPECIALISTS = {
    "coding": np.array([0.9, 0.6, 0.5, 0.4, 0.3]),
    "writing": np.array([0.4, 0.9, 0.5, 0.6, 0.3]),
    "research": np.array([0.3, 0.5, 0.9, 0.4, 0.6]),
}
CATEGORIES = list(SPECIALISTS)


def steady(_step: int, category: str) -> np.ndarray:
    return SPECIALISTS[category]


@pytest.fixture(scope="module")
def regrets() -> np.ndarray:
    """What three runs of 1,600 tasks lost, task by task."""
    return np.mean([routed(steady, CATEGORIES, 1600, seed)[1] for seed in range(3)], axis=0)


def test_regret_grows_no_faster_than_the_root_of_the_number_of_tasks(regrets):
    lost = np.cumsum(regrets)

    assert lost[1599] <= 2.0 * lost[399]  # √(1600 / 400) = 2


@pytest.mark.parametrize("pick", [epsilon_greedy, ucb1])
def test_regret_is_smaller_than_that_of_a_bandit_without_context(regrets, pick):
    others = np.mean([bandit(steady, CATEGORIES, 1600, seed, pick).sum() for seed in range(3)])

    assert regrets.sum() < others / 2


def test_85_percent_of_the_tasks_succeed_where_the_best_agents_would_at_90_percent(regrets):
    expected = 0.9 - regrets

    assert expected[200:].mean() >= 0.85


@pytest.mark.parametrize("seed", range(3))
def test_an_agent_that_falls_from_90_to_40_percent_gets_under_a_tenth_within_60_of_its_tasks(seed):
    fall, steps = 500, 1300
    chosen, _ = routed(lambda step, _: np.array([0.9 if step < fall else 0.4, 0.7, 0.6]), ["coding"], steps, seed)
    since = chosen[fall:] == 0

    assert (chosen[:fall] == 0).mean() > 0.5
    after_sixty = np.flatnonzero(np.cumsum(since) >= 60)
    assert not len(after_sixty) or since[after_sixty[0] :].mean() < 0.1


def test_a_repaired_agent_gets_its_work_back():
    def rates(step: int, _category: str) -> np.ndarray:
        return np.array([0.4 if 300 <= step < 600 else 0.9, 0.6, 0.5])

    chosen, _ = routed(rates, ["coding"], 1800, 1)

    assert (chosen[450:600] == 0).mean() < 0.15
    assert (chosen[-300:] == 0).mean() > 0.6
