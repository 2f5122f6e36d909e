"""Whatever fits the OpenAPI document, and what does not, is answered as the document says: never with a 500.

`FUZZ_EXAMPLES` says how many examples a route gets; `make fuzz` says many.
"""

import os
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from exporters.settings import ClickHouseSettings
from exporters.store import Store
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from tests.builders import NOW, benchmarks_as_shipped, truncate
from tests.query_api.build import node, put, task, workflow

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "6"))
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
BOUNDS = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), derandomize=EXAMPLES < 100, database=None)


def described(store: Store) -> BaseSchema:
    """The application's own description, to be asked in process."""
    app = create_app(store, store.insert, QueryApiSettings(), lambda: NOW, Condition())
    return schemathesis.openapi.from_asgi("/openapi.json", app)


def questions() -> list[tuple[str, str, GenerationMode]]:
    """Every route of the document, to be asked rightly and, where it takes anything, wrongly.

    The store is never opened: describing asks nothing.
    """
    found = [each.ok() for each in described(Store(ClickHouseSettings())).get_all_operations()]
    return [
        (one.method.upper(), one.path, mode)
        for one in found
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or one.definition.raw.get("parameters") or one.definition.raw.get("requestBody")
    ]


@pytest.fixture(scope="module")
def api(keeper: Store) -> Iterator[BaseSchema]:
    """The application over a few rows."""
    truncate(keeper)
    put(keeper, "tasks", [task(n) for n in range(3)])
    put(keeper, "nodes", [node(n) for n in range(3)])
    put(keeper, "workflows", [workflow(n) for n in range(3)])
    with benchmarks_as_shipped(keeper):
        yield described(keeper)
    truncate(keeper)


@pytest.mark.timeout(0 if EXAMPLES >= 100 else 120)
@pytest.mark.parametrize(("method", "path", "mode"), questions(), ids=lambda part: str(getattr(part, "value", part)))
def test_every_route_answers_as_it_is_described(api: BaseSchema, method: str, path: str, mode: GenerationMode) -> None:
    @BOUNDS
    @given(api[path][method].as_strategy(generation_mode=mode))
    def answered(case: Case) -> None:
        case.call_and_validate(checks=CHECKS)

    answered()
