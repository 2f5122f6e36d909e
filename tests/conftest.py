"""What several test folders share."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from exporters.settings import ClickHouseSettings
from exporters.store import Store
from tests.builders import LONG, Clock, truncate

# A busy machine is no defect: pytest's timeout bounds each test. What must pass before a change is merged is tried with the same
# examples each time, so that a failure there is of the change; everybody else's runs look for new ones.
settings.register_profile("merit", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("merit")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The real embedded engine on a fresh folder. One engine to a process: every test shares it, with ids of its own."""
    folder = tmp_path_factory.mktemp("store")
    with Store(ClickHouseSettings.model_validate({"dsn": f"chdb://{folder}", "retention": LONG})) as opened:
        yield opened


@pytest.fixture(scope="module")
def keeper(store: Store) -> Iterator[Store]:
    """The store, without rows afterwards."""
    yield store
    truncate(store)


@pytest.fixture
def tables(keeper: Store) -> Store:
    """The store with empty tables."""
    truncate(keeper)
    return keeper


@pytest.fixture
def clock() -> Clock:
    return Clock()
