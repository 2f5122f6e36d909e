"""Every list can be asked for a part of the work, in the same words."""

import pytest
from fastapi.testclient import TestClient

CHOOSING = {"since", "until", "window", "agent_id", "category", "model", "provider", "department", "service", "user_id"}
OF_WORK = {
    *("/v1/rankings", "/v1/agents", "/v1/tasks", "/v1/nodes", "/v1/costs", "/v1/workflows", "/v1/evaluations", "/v1/overview"),
    *("/v1/models", "/v1/providers", "/v1/departments"),
    *(f"/v1/export/{what}" for what in ("rankings", "tasks", "nodes", "costs")),
}
"""Lists of what was done."""


@pytest.fixture
def lists(api: TestClient) -> dict[str, set[str]]:
    """Each route that answers a list, and its parameters."""
    paths = api.get("/openapi.json").json()["paths"]
    return {
        path: {one["name"] for one in methods["get"].get("parameters", ())}
        for path, methods in paths.items()
        if "get" in methods and path.startswith("/v1/") and "{" not in path
    }


def test_every_list_of_work_takes_every_filter(lists: dict[str, set[str]]) -> None:
    lacking = {path: sorted(CHOOSING - parameters) for path, parameters in lists.items() if path in OF_WORK}
    assert set(lacking) == OF_WORK
    assert {path: missing for path, missing in lacking.items() if missing} == {}


def test_what_has_a_trace_can_be_asked_for_by_it(lists: dict[str, set[str]]) -> None:
    paths = {path for path, parameters in lists.items() if "trace_id" in parameters}
    of_traces = {"/v1/tasks", "/v1/nodes", "/v1/costs", "/v1/workflows", "/v1/evaluations"}
    assert of_traces | {"/v1/export/tasks", "/v1/export/nodes", "/v1/export/costs"} <= paths


def test_every_list_but_the_files_and_the_overview_has_pages(lists: dict[str, set[str]]) -> None:
    paged = {path for path in OF_WORK if not path.startswith("/v1/export/")} - {"/v1/overview"}
    assert {path for path in paged if not {"limit", "cursor"} <= lists[path]} == set()
