"""The API on the real store, at a fixed time."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from tests.builders import NOW, truncate


def over(store: Store) -> Iterator[TestClient]:
    app = create_app(store, store.insert, QueryApiSettings(), lambda: NOW, Condition(lambda: {"receiver": "ok"}))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def api(tables: Store) -> Iterator[TestClient]:
    """The API over empty tables; every part is well."""
    yield from over(tables)


@pytest.fixture(scope="module")
def refusing(keeper: Store) -> Iterator[TestClient]:
    """As `api`, one for all tests of a module: what is refused changes nothing, and to make one takes longer than to ask it."""
    truncate(keeper)
    yield from over(keeper)
