"""What several test folders share."""

from collections.abc import Iterator

import pytest

from exporters.settings import ClickHouseSettings
from exporters.store import Store


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The real embedded engine on a fresh folder. One engine to a process: every test shares it, with ids of its own."""
    folder = tmp_path_factory.mktemp("store")
    with Store(ClickHouseSettings.model_validate({"dsn": f"chdb://{folder}"})) as opened:
        yield opened
