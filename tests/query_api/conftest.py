"""The API on the real store, at a fixed time."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from exporters.schema.migrations import set_retention
from exporters.settings import Retention
from exporters.store import Store
from query_api.app import create_app
from query_api.settings import QueryApiSettings
from tests.query_api.build import NOW

TABLES = ("tasks", "nodes", "workflows", "otel_traces", "otel_traces_trace_id_ts")


@pytest.fixture(scope="module")
def keeper(store: Store) -> Iterator[Store]:
    """The store, keeping rows of the fixed time of these tests however late they are run."""
    set_retention(store, Retention(spans=10_000, nodes=10_000, tasks=10_000))
    yield store
    empty(store)
    set_retention(store, Retention())


@pytest.fixture
def tables(keeper: Store) -> Store:
    """The store with empty tables."""
    empty(keeper)
    return keeper


def empty(store: Store) -> None:
    """Drop every row."""
    for table in TABLES:
        store.command("TRUNCATE TABLE {table:Identifier}", {"table": table})


@pytest.fixture
def api(tables: Store) -> Iterator[TestClient]:
    """The API over empty tables; every part is well."""
    app = create_app(tables, QueryApiSettings(), lambda: NOW, lambda: {"receiver": "ok"})
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
