"""What the best agent in hindsight can be believed to come to."""

import numpy as np
import polars as pl
import pytest

from processors.routing.judge import best_of


def hindsight(rates: list[float], tasks: int, seed: int, category: str = "research") -> pl.DataFrame:
    """Agents that succeed at these rates in so many tasks."""
    succeeded = np.random.default_rng(seed).binomial(tasks, rates) / tasks
    agents = [f"agent-{number}" for number in range(len(rates))]
    return pl.DataFrame({"category": category, "agent_id": agents, "tasks": tasks, "success_rate": succeeded})


def test_of_fifty_agents_that_are_alike_none_is_much_better_than_the_mean():
    seen = [hindsight([0.7] * 50, 12, seed) for seed in range(40)]
    lacking = [best_of(found)["best"].item() - found["success_rate"].mean() for found in seen]
    luck = [found["success_rate"].max() - found["success_rate"].mean() for found in seen]

    assert np.mean(lacking) < 0.04
    assert np.mean(luck) > 0.2


@pytest.mark.parametrize("others", [1, 4, 9])
def test_one_that_is_truly_better_is_found(others):
    found = [best_of(hindsight([0.9] + [0.6] * others, 200, seed))["best"].item() for seed in range(20)]

    assert 0.84 < np.mean(found) < 0.91


def test_each_category_has_a_best_of_its_own_and_one_agent_alone_is_as_good_as_it_was():
    alone = pl.DataFrame({"category": "writing", "agent_id": "a", "tasks": 20, "success_rate": 0.35})
    few = pl.DataFrame({"category": "coding", "agent_id": "a", "tasks": 9, "success_rate": 1.0})
    same = pl.DataFrame({"category": "sums", "agent_id": ["a", "b"], "tasks": [30, 10], "success_rate": [1.0, 1.0]})

    found = best_of(pl.concat([alone, few, same]))

    assert dict(found.iter_rows()) == {"writing": 0.35, "sums": 1.0}
