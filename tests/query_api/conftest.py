"""The API on the real store, at a fixed time."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from tests.builders import NOW


@pytest.fixture
def api(tables: Store) -> Iterator[TestClient]:
    """The API over empty tables; every part is well."""
    app = create_app(tables, tables.insert, QueryApiSettings(), lambda: NOW, Condition(lambda: {"receiver": "ok"}))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
