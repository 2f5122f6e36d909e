import tracemalloc

import numpy as np
import pytest

from processors.routing.cells import Cells
from processors.routing.changes import Changes, followed
from processors.routing.evidence import LOG, SHARE
from processors.routing.features import FEATURES, features
from processors.routing.measure import Measure, rounds

UNKNOWN = np.full(FEATURES, np.nan)


def taught(observations: list[tuple[str, str, float]], rows=None, prior=SHARE) -> tuple[Cells, Measure]:
    cells = Cells()
    measure = Measure(cells, prior)
    agents, categories, values = zip(*observations, strict=True)
    numbers = cells.add(agents, categories)
    rows = np.tile(UNKNOWN, (len(values), 1)) if rows is None else rows
    measure.learn(numbers, rows, np.array(values), np.ones(len(values)))
    return cells, measure


def test_much_seen_is_believed_and_little_drawn_to_what_others_show():
    seen = [("often", "coding", 0.9)] * 200 + [("once", "coding", 0.0)] + [("other", "coding", 0.8)] * 50
    _, measure = taught(seen)

    found = measure.estimate("coding", UNKNOWN).of(np.arange(3))

    assert found.mean[0] == pytest.approx(0.9, abs=0.01)
    assert 0.1 < found.mean[1] < 0.8
    assert found.variance[1] > 10 * found.variance[0]
    assert found.observations.tolist() == [200, 1, 50]


def test_an_agent_is_expected_to_be_in_a_new_category_what_it_was_elsewhere():
    seen = [
        (agent, category, value) for agent, value in (("good", 0.9), ("bad", 0.3)) for category in "abcdef" for _ in range(40)
    ]
    _, measure = taught(seen + [("third", "new", 0.6)] * 30)

    good, bad = measure.estimate("new", UNKNOWN).mean[:2]

    assert good > bad + 0.1


def test_a_category_that_nobody_did_has_an_answer():
    _, measure = taught([("a", "x", 1.0), ("b", "x", 0.0)])

    found = measure.estimate("never heard of", UNKNOWN).of(np.arange(3))

    assert np.isfinite(found.mean).all()
    assert (found.variance > 0).all()
    assert (found.observations == 0).all()


def test_who_was_given_the_hard_tasks_is_not_taken_for_bad():
    random = np.random.default_rng(0)
    hard = random.random(600) < np.repeat([0.9, 0.1], 300)
    texts = ["prove the theorem" if each else "list the files" for each in hard]
    agents = ["brave"] * 300 + ["careful"] * 300
    values = np.where(hard, 0.2, 0.8) + np.where(np.arange(600) < 300, 0.1, 0.0)
    order = random.permutation(600)
    rows = features(texts, [None] * 600)[order]
    cells, measure = taught([(agents[i], "coding", float(values[i])) for i in order], rows)

    found = measure.estimate("coding", UNKNOWN).mean[[cells.agents["brave"], cells.agents["careful"]]]

    assert found[0] - found[1] == pytest.approx(0.1, abs=0.04)
    easy = measure.estimate("coding", features(["list the files"], [None])[0]).mean[:2]
    difficult = measure.estimate("coding", features(["prove the theorem"], [None])[0]).mean[:2]
    assert (easy > difficult + 0.4).all()


def test_an_agent_that_is_good_at_one_kind_of_task_is_told_from_one_that_is_good_at_the_other():
    random = np.random.default_rng(0)
    rust = random.random(1200) < 0.5
    first = random.random(1200) < 0.5
    values = np.where(rust == first, 0.9, 0.2)
    rows = features(["write it in rust" if each else "write it in cobol" for each in rust], [None] * 1200)
    cells, measure = taught(
        [("a" if each else "b", "coding", float(value)) for each, value in zip(first, values, strict=True)], rows
    )
    numbers = np.array([cells.agents["a"], cells.agents["b"]])

    in_rust = measure.estimate("coding", features(["write it in rust"], [None])[0]).mean[numbers]
    in_cobol = measure.estimate("coding", features(["write it in cobol"], [None])[0]).mean[numbers]

    assert in_rust[0] > in_rust[1] + 0.3
    assert in_cobol[1] > in_cobol[0] + 0.3


def test_features_that_tell_nothing_do_no_harm():
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(list("abcdefghijklmnop"), 5)) for _ in range(800)]
    values = random.random(800) * 0.2 + 0.7
    _, measure = taught([("only", "coding", float(value)) for value in values], features(texts, [None] * 800))

    for text in texts[:20]:
        assert measure.estimate("coding", features([text], [None])[0]).mean[0] == pytest.approx(0.8, abs=0.03)


def test_complexity_that_the_user_said_counts():
    levels = [1, 5] * 200
    rows = features([None] * 400, levels)
    _, measure = taught([("a", "coding", 0.9 if level == 1 else 0.3) for level in levels], rows)

    easy, hard = (measure.estimate("coding", features([None], [level])[0]).mean[0] for level in (1, 5))

    assert easy > hard + 0.4


def test_costs_are_learnt_on_a_log_scale():
    _, measure = taught([("dear", "x", np.log(1.0)), ("cheap", "x", np.log(0.01))] * 50, prior=LOG)

    dear, cheap = np.exp(measure.estimate("x", UNKNOWN).mean[:2])

    assert dear == pytest.approx(1.0, rel=0.1)
    assert cheap == pytest.approx(0.01, rel=0.1)


def test_rounds_keep_the_order_within_a_cell_and_hold_no_more_of_it_than_allowed():
    cells = np.array([3, 1, 3, 3, 1, 2])

    assert [part.tolist() for part in rounds(cells, np.ones(6, int))] == [[1, 5, 0], [4, 2], [3]]
    assert [part.tolist() for part in rounds(cells, np.where(cells == 3, 2, 1))] == [[1, 5, 0, 2], [4, 3]]


@pytest.mark.parametrize("number", [300, 6_000])
def test_learning_in_one_go_is_learning_one_by_one(number):
    random = np.random.default_rng(3)
    seen = [(f"agent {random.integers(4)}", f"category {random.integers(3)}", float(random.random())) for _ in range(number)]
    cells, at_once = taught(seen)
    one_by_one = Measure(again := Cells(), SHARE)
    for agent, category, value in seen:
        one_by_one.learn(again.add([agent], [category]), UNKNOWN[None], np.array([value]), np.ones(1))

    for category in cells.categories:
        for agent in cells.agents:
            first = at_once.estimate(category, UNKNOWN).of(np.array([cells.agents[agent]])).mean
            second = one_by_one.estimate(category, UNKNOWN).of(np.array([again.agents[agent]])).mean
            assert first == pytest.approx(second, abs=0.02)


def test_a_fall_is_noticed_when_all_tasks_come_in_one_go():
    values = np.r_[np.tile([1.0] * 9 + [0.0], 60), np.tile([1.0, 0.0, 1.0, 0.0, 0.0], 8)]
    measure = Measure(cells := Cells(), SHARE, Changes(10.0))
    measure.learn(cells.add(["fallen"] * 640, ["x"] * 640), np.tile(UNKNOWN, (640, 1)), values, np.ones(640))

    found = measure.estimate("x", UNKNOWN).of(np.zeros(1, int))

    assert found.mean[0] == pytest.approx(0.4, abs=0.1)
    assert found.observations[0] < 60


def test_what_was_seen_last_comes_first():
    before = np.array([[9.0, 8.0, 7.0, np.nan], [6.0, np.nan, np.nan, np.nan]])

    after = followed(before, np.array([1.0, 2.0, 3.0, 4.0]), last=np.array([0, 3]), sizes=np.array([1, 3]))

    assert after.tolist() == [[1.0, 9.0, 8.0, 7.0], [4.0, 3.0, 2.0, 6.0]]


def test_a_frozen_copy_says_the_same_of_everyone_however_often_it_is_asked():
    seen = [(f"agent-{n % 5}", f"category-{n % 3}", n % 7 / 7) for n in range(400)]
    rows = features([f"write report {n % 9} in {'rust' if n % 2 else 'go'}" for n in range(400)], [None] * 400)
    cells, measure = taught(seen, rows)
    frozen = measure.frozen(cells.copy())
    row = features(["write it in rust"], [3])[0]

    for category in ("category-1", "category-1", "never heard of"):
        found, plain = frozen.estimate(category, row), measure.estimate(category, row).of(np.arange(6))
        assert (found.mean == plain.mean).all()
        assert (found.variance == plain.variance).all()


@pytest.mark.parametrize("times", [1, 2])
def test_many_names_of_agents_and_categories_take_little_memory(times):
    """Somebody may put the number of a request into them: each agent's sums took 43 KB, each pair of names 32 bytes."""
    names = [str(number) for number in range(1_500) for _ in range(times)]
    tracemalloc.start()
    _, measure = taught([(name, name, 0.5) for name in names])
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert measure.learnt == len(names)
    assert most < 120 << 20
    assert kept < 80 << 20
