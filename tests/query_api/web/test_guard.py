"""What browsers are told, and that /docs needs nobody else."""

import re

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from tests.query_api.build import NOW

ORIGIN = "https://dash.example.org"


@pytest.mark.parametrize("path", ["/v1/tasks", "/nothing", "/docs", "/v1/tasks?limit=x"])
def test_answers_are_not_sniffed_framed_or_referred_from(api: TestClient, path: str) -> None:
    headers = api.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_the_page_of_the_api_fetches_nothing_from_elsewhere_and_runs_no_script_of_its_own(api: TestClient) -> None:
    page = api.get("/docs")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert re.findall(r"<script(?! src=)", page.text) == []
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert {api.get(path).status_code for path in loaded} == {200}
    assert all(path.startswith("/docs/") for path in loaded)
    assert "SwaggerUIBundle" in api.get("/docs/swagger-ui-bundle.js").text
    assert '"/openapi.json"' in api.get("/docs/start.js").text


def test_no_other_sites_page_may_read_answers(api: TestClient) -> None:
    assert "access-control-allow-origin" not in api.get("/v1/tasks", headers={"Origin": ORIGIN}).headers


def test_a_page_of_an_origin_that_is_named_may(tables: Store) -> None:
    settings = QueryApiSettings(cors_origins=(ORIGIN,))
    client = TestClient(create_app(tables, tables.insert, settings, lambda: NOW, Condition()))
    asking = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}

    assert client.get("/v1/tasks", headers={"Origin": ORIGIN}).headers["access-control-allow-origin"] == ORIGIN
    assert client.options("/v1/tasks", headers=asking).status_code == 200
    assert "access-control-allow-origin" not in client.get("/v1/tasks", headers={"Origin": "https://evil.example"}).headers
