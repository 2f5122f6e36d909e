"""Every list can be asked for a part of the work, in the same words."""

import pytest
from fastapi.testclient import TestClient

CHOOSING = {"since", "until", "window", "agent_id", "category", "model", "provider", "department", "service", "user_id"}
OF_NO_TASKS = {"/v1/benchmarks", "/v1/goals", "/v1/objectives", "/v1/metrics"}
"""Lists of what is set, and of metrics, which know services and agents alone."""


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
    lacking = {path: sorted(CHOOSING - parameters) for path, parameters in lists.items() if path not in OF_NO_TASKS}
    assert {path: missing for path, missing in lacking.items() if missing} == {}


def test_what_has_a_trace_can_be_asked_for_by_it(lists: dict[str, set[str]]) -> None:
    paths = {path for path, parameters in lists.items() if "trace_id" in parameters}
    of_traces = {"/v1/tasks", "/v1/nodes", "/v1/costs", "/v1/workflows", "/v1/evaluations"}
    assert of_traces | {"/v1/export/tasks", "/v1/export/nodes", "/v1/export/costs"} <= paths


def test_every_list_but_the_files_and_the_overview_has_pages(lists: dict[str, set[str]]) -> None:
    whole = {path for path in lists if path.startswith("/v1/export/")} | OF_NO_TASKS | {"/v1/overview"}
    assert {path for path, parameters in lists.items() if path not in whole and not {"limit", "cursor"} <= parameters} == set()
