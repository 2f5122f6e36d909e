"""/v1/traces/{trace_id}."""

from fastapi.testclient import TestClient

from exporters.store import Store
from tests.query_api.build import NOW, node, put, span, span_of, task, trace_of, workflow


def test_a_trace_is_its_spans_with_parents_and_owners_its_tasks_and_its_job(api: TestClient, tables: Store) -> None:
    put(tables, "otel_traces", [span(1, 1), span(1, 2, 1, Operation="chat"), span(1, 3, 2, StatusCode="Error"), span(2, 1)])
    put(tables, "tasks", [task(1)])
    put(tables, "nodes", [node(1, 2)])
    put(tables, "workflows", [workflow(1)])
    trace = api.get(f"/v1/traces/{trace_of(1).upper()}").json()
    mine = f"{trace_of(1)}-{span_of(1)}"
    assert [(int(s["span_id"], 16), s["parent_span_id"], s["task_id"], s["agent_id"]) for s in trace["spans"]] == [
        (1, None, mine, "researcher"),
        (2, span_of(1), mine, "researcher"),
        (3, span_of(2), None, None),
    ]
    assert [(s["operation"], s["status"], s["duration_seconds"]) for s in trace["spans"]][1:] == [
        ("chat", "unset", 1),
        (None, "error", 1),
    ]
    assert trace["spans"][0]["attributes"] == {"number": "1"}
    assert trace["spans"][0]["started_at"] == "2026-01-31T11:00:00.001Z"
    assert ([t["task_id"] for t in trace["tasks"]], trace["workflow"]["name"]) == ([mine], "job")
    assert (trace["total_spans"], trace["spans_cut"], trace["tasks_cut"]) == (3, False, False)


def test_a_span_delivered_twice_is_shown_once(api: TestClient, tables: Store) -> None:
    put(tables, "otel_traces", [span(1, 1)])
    put(tables, "otel_traces", [span(1, 1, SpanName="again", IngestedAt=NOW.replace(hour=13))])
    trace = api.get(f"/v1/traces/{trace_of(1)}").json()
    assert ([s["name"] for s in trace["spans"]], trace["total_spans"]) == (["again"], 1)


def test_a_cut_is_said(api: TestClient, tables: Store) -> None:
    put(tables, "otel_traces", [span(1, n) for n in range(5)])
    trace = api.get(f"/v1/traces/{trace_of(1)}?limit=3").json()
    assert (len(trace["spans"]), trace["total_spans"], trace["spans_cut"]) == (3, 5, True)


def test_long_attributes_are_cut_and_it_is_said(api: TestClient, tables: Store) -> None:
    put(tables, "otel_traces", [span(1, 1, SpanAttributes={"long": "é" * 5000, "short": "x"})])
    (one,) = api.get(f"/v1/traces/{trace_of(1)}").json()["spans"]
    assert one["attributes"] == {"long": "é" * 4096, "short": "x"}
    assert one["attributes_cut"] is True
    (bare,) = api.get(f"/v1/traces/{trace_of(1)}?attributes=false").json()["spans"]
    assert (bare["attributes"], bare["attributes_cut"]) == ({}, False)


def test_a_trace_that_is_not_worked_out_yet_shows_its_spans(api: TestClient, tables: Store) -> None:
    put(tables, "otel_traces", [span(1, 1)])
    trace = api.get(f"/v1/traces/{trace_of(1)}").json()
    assert (len(trace["spans"]), trace["tasks"], trace["workflow"]) == (1, [], None)


def test_a_trace_whose_spans_have_expired_shows_its_tasks(api: TestClient, tables: Store) -> None:
    put(tables, "tasks", [task(1)])
    put(tables, "workflows", [workflow(1)])
    trace = api.get(f"/v1/traces/{trace_of(1)}").json()
    assert (trace["spans"], trace["total_spans"], len(trace["tasks"])) == ([], 0, 1)


def test_a_trace_says_who_called_whom_and_who_handed_over(api: TestClient, tables: Store) -> None:
    top, below = (f"{trace_of(1)}-{span_of(n)}" for n in (1, 4))
    called = task(1, span_id=span_of(4), task_id=below, parent_task_id=top, agent_id="writer")
    elsewhere = task(2, span_id=span_of(4), parent_task_id=f"{trace_of(2)}-{span_of(1)}")
    put(tables, "tasks", [task(1), called, task(2), elsewhere])
    handoff = {"operation": "handoff", "node_name": "to_writer"}
    put(tables, "nodes", [node(1, 2), node(1, 3, **handoff, success=False), node(2, 3, **handoff)])
    put(tables, "workflows", [workflow(1)])
    trace = api.get(f"/v1/traces/{trace_of(1)}").json()
    assert trace["calls"] == [{"from_agent_id": "researcher", "to_agent_id": "writer", "from_task_id": top, "to_task_id": below}]
    assert trace["handoffs"] == [
        {
            "agent_id": "researcher",
            "task_id": top,
            "span_id": span_of(3),
            "name": "to_writer",
            "started_at": "2026-01-31T11:00:01.003Z",
            "success": False,
        }
    ]
    assert trace["workflow"]["root_agent_id"] == "researcher"


def test_ten_thousand_spans_come_whole(api: TestClient, tables: Store) -> None:
    put(tables, "otel_traces", [span(1, n, n // 2 if n else None) for n in range(10_000)])
    put(tables, "nodes", [node(1, n) for n in range(2, 10_000)])
    trace = api.get(f"/v1/traces/{trace_of(1)}").json()
    assert (len(trace["spans"]), trace["spans_cut"]) == (10_000, False)
    assert sum(s["task_id"] is not None for s in trace["spans"]) == 9_998


def test_of_a_trace_with_thousands_of_tasks_all_spans_have_their_owner(api: TestClient, tables: Store) -> None:
    ids = [span_of(n) for n in range(1, 2_006)]
    top = f"{trace_of(1)}-{ids[0]}"
    put(tables, "tasks", [task(1), *(task(1, span_id=one, parent_task_id=top, agent_id="writer") for one in ids[1:])])
    put(tables, "otel_traces", [span(1, n) for n in range(1, 2_006)])
    trace = api.get(f"/v1/traces/{trace_of(1)}").json()
    assert (len(trace["tasks"]), trace["tasks_cut"], len(trace["calls"])) == (2_000, True, 2_000)
    assert all(one["task_id"].endswith(one["span_id"]) for one in trace["spans"])


def test_an_unknown_trace_is_not_found_by_name(api: TestClient) -> None:
    answer = api.get("/v1/traces/nothing%2Fhere")
    assert answer.status_code == 404
    assert "'nothing/here'" in answer.json()["detail"]
