"""The OpenAPI document: what FastAPI writes, with problem documents as the errors."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from query_api.asking.problems import Problem

ERRORS = {
    "400": "A parameter cannot be taken: `errors` says which, what was found and what to change",
    "404": "There is no such thing",
    "413": "The body is too large",
    "422": "The `Idempotency-Key` was used for another request",
    "503": "The store does not answer, or a part is not ready; `Retry-After` says when to come back",
}

WHOSE = """Where Merit asks for tokens: one with the role `read` for GET, with `write` for all else. Without: 401; without the
role: 403; too fast: 429 with `Retry-After`."""


def describe(app: FastAPI) -> None:
    """Make `app` describe its errors as they are."""

    @cache
    def document() -> dict[str, Any]:
        said = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = said["components"]["schemas"]
        schemas |= schema.pop("$defs") | {"Problem": schema}
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        said["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "description": WHOSE}}
        said["security"] = [{}, {"token": []}]
        for path, methods in said["paths"].items():
            for operation in methods.values():
                good = {code: answer for code, answer in operation["responses"].items() if code.startswith("2")}
                operation["responses"] = good | errors(path, operation)
        return said

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def errors(path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    """The error responses of an operation at `path`."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    takes = {one["name"] for one in operation.get("parameters", [])}
    not_here = {
        "404": "{" not in path or "Idempotency-Key" in takes,
        "413": "requestBody" not in operation,
        "422": "Idempotency-Key" not in takes,
    }
    codes = [code for code in ERRORS if not not_here.get(code)]
    return {code: {"description": ERRORS[code], "content": content} for code in codes}
