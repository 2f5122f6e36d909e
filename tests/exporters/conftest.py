"""The real store at a fixed time."""

from collections.abc import Iterator

import pytest

from exporters.store import Store
from tests.builders import Clock, keeping, truncate


@pytest.fixture(scope="module")
def keeper(store: Store) -> Iterator[Store]:
    with keeping(store):
        yield store


@pytest.fixture
def tables(keeper: Store) -> Store:
    """The store with empty tables."""
    truncate(keeper)
    return keeper


@pytest.fixture
def clock() -> Clock:
    return Clock()
