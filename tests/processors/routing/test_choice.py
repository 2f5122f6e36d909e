import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_ndtr
from scipy.stats import norm

from processors.routing.choice import against, best_of_normals, draw, probabilities

numbers = st.floats(-1, 1)
sizes = st.integers(1, 60)


@given(st.sampled_from(["thompson", "ucb", "greedy", "epsilon"]), st.data())
def test_probabilities_sum_to_one_whatever_the_strategy(strategy, data):
    size = data.draw(sizes)
    mean = data.draw(arrays(float, size, elements=numbers))
    deviation = data.draw(arrays(float, size, elements=st.floats(0, 1)))

    found = probabilities(strategy, mean, deviation, 0.7, 0.01)

    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()


def test_the_integral_is_what_sampling_would_find():
    mean, deviation = np.array([0.5, 0.45, 0.3]), np.array([0.05, 0.1, 0.2])
    samples = np.random.default_rng(1).normal(mean, deviation, (200_000, 3)).argmax(axis=1)

    assert best_of_normals(mean, deviation) == pytest.approx(np.bincount(samples) / 200_000, abs=0.01)


@pytest.mark.parametrize(("least", "most"), [(0.05, 0.2), (0.06, 0.06), (0.3, 0.4)])
def test_of_many_the_integral_leaves_out_only_what_does_not_count(least, most):
    random = np.random.default_rng(1)
    mean, deviation = random.normal(0.5, 0.1, 500), random.uniform(least, most, 500)
    points = np.linspace(-2, 3, 4_000)
    below = log_ndtr((points - mean[:, None]) / deviation[:, None])
    mass = (norm.pdf(points, mean[:, None], deviation[:, None]) * np.exp(below.sum(axis=0) - below)).sum(axis=1)

    assert best_of_normals(mean, deviation) == pytest.approx(mass / mass.sum(), abs=1e-4)


def test_the_chance_to_be_below_is_that_of_a_normal_variable():
    away = np.linspace(-6, 6, 1201, dtype=np.float32)

    assert against(away)[1] == pytest.approx(log_ndtr(away.astype(float)), rel=1e-3, abs=1e-6)


def test_equals_are_as_likely_and_the_floor_reaches_everybody():
    found = probabilities("thompson", np.array([0.9, 0.9, 0.1]), np.full(3, 0.001), 0.7, 0.03)

    assert found == pytest.approx([0.495, 0.495, 0.01], abs=1e-6)


def test_greedy_takes_the_best_and_epsilon_mostly():
    mean, deviation = np.array([0.2, 0.8]), np.full(2, 0.1)

    assert probabilities("greedy", mean, deviation, 0.7, 0.01).tolist() == [0, 1]
    assert probabilities("epsilon", mean, deviation, 0.7, 0.01) == pytest.approx([0.05, 0.95])


def test_ucb_favours_who_is_less_known():
    assert probabilities("ucb", np.array([0.6, 0.55]), np.array([0.01, 0.2]), 0.7, 0.0).tolist() == [0, 1]


def test_draws_follow_the_probabilities():
    chances = np.array([0.2, 0.0, 0.8])

    assert [draw(chances, number) for number in (0.0, 0.19, 0.21, 0.999999)] == [0, 0, 2, 2]
