"""However spans arrive, to however many receivers, the same is derived of them."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters.store import Store
from tests.builders import Clock, Row, job, truncate
from tests.merit.deriving import TRAFFIC, derived, pipeline, send, settle_all, work, write

EXAMPLES = settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def whole(keeper: Store) -> dict[str, list[Row]]:
    """What TRAFFIC gives when it is sent at once."""
    truncate(keeper)
    clock = Clock()
    it = pipeline(keeper, clock)
    send(it, TRAFFIC, clock)
    settle_all(it, clock)
    return derived(keeper)


@EXAMPLES
@given(
    order=st.permutations([*TRAFFIC, *job(1)[:2]]),
    cuts=st.sets(st.integers(1, len(TRAFFIC)), max_size=6),
    restarts=st.sets(st.integers(0, 6), max_size=3),
    pause=st.sampled_from([0.0, 0.5, 3.0, 70.0, 1000.0]),
)
def test_any_order_and_any_split_with_restarts_give_the_same(
    tables: Store, whole: dict[str, list[Row]], order: list[Row], cuts: set[int], restarts: set[int], pause: float
) -> None:
    truncate(tables)
    clock = Clock()
    it = pipeline(tables, clock)
    edges = [0, *sorted(cuts), len(order)]
    for number, (start, end) in enumerate(pairwise(edges)):
        send(it, order[start:end], clock)
        work(it, clock, pause)
        if number in restarts:
            it = pipeline(tables, clock)
    settle_all(it, clock)

    assert derived(tables) == whole


@settings(EXAMPLES, max_examples=3)
@given(seed=st.integers(0, 2**32), others=st.integers(0, 3))
def test_two_receivers_on_one_store_give_the_same_as_one(
    tables: Store, whole: dict[str, list[Row]], seed: int, others: int
) -> None:
    truncate(tables)
    clock, random = Clock(), Random(seed)
    both = [pipeline(tables, clock), pipeline(tables, clock)]
    for row in random.sample(TRAFFIC, len(TRAFFIC)):
        to = random.randrange(2 + (others > 0))
        write(tables, [row], clock) if to == 2 else send(both[to], [row], clock)
        clock.tick(random.choice([0, 0.1, 3, 30]))
        it = random.choice(both)
        random.choice([it.derive, it.sweep])()
    for it in 2 * both:
        settle_all(it, clock)

    assert derived(tables) == whole
