"""Settings of the API."""

import pytest
from pydantic import ValidationError

from query_api.settings import QueryApiSettings


@pytest.mark.parametrize("endpoint", ["127.0.0.1:8080", "localhost:0", "[::1]:9", "127.8.9.1:1"])
def test_host_and_port_are_read_from_the_endpoint(endpoint: str) -> None:
    settings = QueryApiSettings(endpoint=endpoint)
    assert f"{settings.host}:{settings.port}" == endpoint.replace("[", "").replace("]", "")


@pytest.mark.parametrize(
    "endpoint", ["", "8080", ":8080", "localhost", "localhost:http", "localhost:70000", "http://localhost:1"]
)
def test_what_is_no_endpoint_is_refused_with_an_example(endpoint: str) -> None:
    with pytest.raises(ValidationError, match="write host:port, for instance"):
        QueryApiSettings(endpoint=endpoint)
