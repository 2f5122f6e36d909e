"""What several tests of the program share."""

from collections.abc import Iterator

import pytest

from exporters.store import Store
from tests.merit import endpoint as model
from tests.merit.endpoint import Endpoint
from tests.merit.judging import forget


@pytest.fixture
def endpoint(tables: Store) -> Iterator[Endpoint]:
    """Where models judge; nothing is judged, before and after."""
    forget(tables)
    with model.serving() as serving:
        yield serving
    forget(tables)
