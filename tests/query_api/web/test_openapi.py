"""The OpenAPI document says all there is to know."""

from typing import Any

from fastapi.testclient import TestClient


def document(api: TestClient) -> dict[str, Any]:
    said: dict[str, Any] = api.get("/openapi.json").json()
    return said


def test_every_route_and_parameter_is_described(api: TestClient) -> None:
    for path, methods in document(api)["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["description"], path
            for parameter in operation.get("parameters", ()):
                assert parameter["in"] == "path" or parameter["description"], (path, parameter["name"])


def test_every_field_of_every_answer_is_described(api: TestClient) -> None:
    for name, schema in document(api)["components"]["schemas"].items():
        for field, about in schema.get("properties", {}).items():
            assert about.get("description") or "$ref" in about, (name, field)


def test_errors_are_problem_documents_and_nothing_else(api: TestClient) -> None:
    said = document(api)
    for path, methods in said["paths"].items():
        for operation in methods.values():
            named = {"404"} if "{" in path else set()
            if any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ())):
                named = {"422", "202"}  # what is not there yet may come
            body = {"413"} if "requestBody" in operation else set()
            assert set(operation["responses"]) == {"200", "400", "503"} | named | body, path
            assert list(operation["responses"]["400"]["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in said["components"]["schemas"]
    assert "WrongParameter" in said["components"]["schemas"]


def test_every_list_has_examples_and_the_pages_are_there(api: TestClient) -> None:
    said = document(api)
    for name in ("Task", "Node", "Workflow", "Agent", "Ranked", "SpentBy", "Span"):
        assert any("examples" in about for about in said["components"]["schemas"][name]["properties"].values()), name
    assert api.get("/docs").status_code == 200
