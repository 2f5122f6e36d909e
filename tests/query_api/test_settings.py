"""Settings of the API: closed by default."""

import pytest
from pydantic import ValidationError

from query_api.settings import QueryApiSettings


@pytest.mark.parametrize("endpoint", ["127.0.0.1:8080", "localhost:0", "[::1]:9", "127.8.9.1:1"])
def test_loopback_needs_no_word(endpoint: str) -> None:
    settings = QueryApiSettings(endpoint=endpoint)
    assert f"{settings.host}:{settings.port}" == endpoint.replace("[", "").replace("]", "")


@pytest.mark.parametrize("endpoint", ["0.0.0.0:8080", "[::]:8080", "merit.example:80", "10.0.0.1:8080"])
def test_any_other_address_needs_the_explicit_word(endpoint: str) -> None:
    with pytest.raises(ValidationError, match="insecure: true"):
        QueryApiSettings(endpoint=endpoint)
    assert QueryApiSettings(endpoint=endpoint, insecure=True).endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint", ["", "8080", ":8080", "localhost", "localhost:http", "localhost:70000", "http://localhost:1"]
)
def test_what_is_no_endpoint_is_refused_with_an_example(endpoint: str) -> None:
    with pytest.raises(ValidationError, match="write host:port, for example"):
        QueryApiSettings(endpoint=endpoint, insecure=True)
