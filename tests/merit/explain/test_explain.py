"""`merit explain`: what spans were read as, why, and what was not understood; of payloads and of stored traces."""

import base64
import io
import json
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from rich.console import Console
from typer.testing import CliRunner, Result

from merit.cli import app
from merit.clock import now
from merit.explain.explanation import explain
from merit.explain.run import explained
from merit.explain.tree import Rendered
from merit.settings import Settings
from processors.conventions.read import Conventions
from processors.cost import Pricer
from processors.derive import Phase, derive
from processors.settings import ProcessorSettings
from tests.golden.truth import FOLDER, Run, runs
from tests.merit.processes import merit, serving
from tests.processors.build import span, spans

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FAMILIES = sorted({run.folder.parent.name for run in runs()})
TRACE = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")


def run(*arguments: str, **more: Any) -> Result:
    environ = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    return CliRunner().invoke(app, ["explain", *arguments], env=environ, **more)


def told(*targets: str, settings: Settings | None = None) -> Any:
    return explained(targets, settings or Settings(), now(), io.BytesIO)


def first_run(family: str) -> Run:
    return next(one for one in runs() if one.folder.parent.name == family)


def request(*made: Span) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=made)])])


def sent(number: int, name: str, parent: int = 0, **attributes: str) -> Span:
    """A span of 1 s that began just now."""
    start = int(now().timestamp()) * 10**9
    return Span(
        trace_id=TRACE,
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=name,
        start_time_unix_nano=start,
        end_time_unix_nano=start + 10**9,
        attributes=[KeyValue(key=k.replace("__", "."), value=AnyValue(string_value=v)) for k, v in attributes.items()],
    )


def as_otlp_json(message: ExportTraceServiceRequest) -> str:
    """OTLP writes ids in hex where protobuf's JSON writes base64."""
    document = MessageToDict(message)
    for one in document["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        one |= {key: base64.b64decode(one[key]).hex() for key in ("traceId", "spanId", "parentSpanId") if key in one}
    return json.dumps(document)


AGENT = sent(1, "invoke_agent writer", gen_ai__operation__name="invoke_agent", gen_ai__agent__name="writer")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_capture_of_every_dialect_is_told_span_by_span(family: str) -> None:
    one = first_run(family)

    explanation = told(str(one.folder))

    received = {(s.trace_id, s.span_id) for s in explanation.spans}
    assert len(received) == len(explanation.spans) > 0
    output = run(str(one.folder)).output
    assert all(s.span_id in output for s in explanation.spans)
    assert all(s.dialect in output for s in explanation.spans)


@pytest.mark.parametrize("one", runs(), ids=str)
def test_what_is_told_as_counted_is_what_the_tasks_add_up_to(one: Run) -> None:
    explanation = told(str(one.folder))

    for measure in ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens"):
        counted = sum(getattr(s, measure) or 0 for s in explanation.spans if s.counted)
        assert counted == sum(task[measure] for task in explanation.tasks)
    cost = sum(s.cost_usd or 0 for s in explanation.spans if s.counted)
    assert cost == pytest.approx(float(sum(task["cost_usd"] or 0 for task in explanation.tasks)))


def test_a_call_that_is_recorded_twice_is_counted_once_and_the_other_names_it() -> None:
    explanation = told(str(FOLDER / "pydantic-ai-native" / "r06-stream-claude"))

    outer = [s for s in explanation.spans if s.span_name == "chat claude-sonnet-4-5"]
    assert [s.counted for s in outer] == [False, False]
    assert all(s.remarks[0].startswith("records the same call as 'anthropic.messages.create'") for s in outer)


def test_a_total_on_a_parent_is_told_as_not_counted() -> None:
    explanation = told(str(FOLDER / "openai-v2-semconv" / "r03-latest-ok"))

    (agent,) = [s for s in explanation.spans if s.becomes == "task"]
    assert agent.input_tokens
    assert not agent.counted
    assert "a total, not counted: tokens are counted on the model calls" in agent.remarks


def test_tokens_that_are_said_apart_are_told_as_added_up() -> None:
    said = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": "10", "gen_ai.usage.cache_read.input_tokens": "90"}

    (chat,) = explain(spans(span("chat", said)), ProcessorSettings(), NOW).spans

    assert chat.input_tokens == 100
    assert "input_tokens is 10 and the cached and cache-write tokens, which this dialect says apart: 100 together" in chat.remarks


def test_what_is_shown_is_what_the_pipeline_would_store() -> None:
    received = spans(span("chat", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}, SpanId="1" * 16))

    explanation = explain(received, ProcessorSettings(), NOW)

    price = Pricer()
    derived = derive(price(Conventions()(received)), Phase.OLD, NOW, price)
    assert explanation.tasks == derived.tasks.to_dicts()
    assert explanation.spans[0].whose == "implicit task: no agent span is above it; called like the service"


def test_what_is_not_understood_is_named_with_its_attributes() -> None:
    explanation = explain(
        spans(
            span("step", {"langfuse.observation.type": "span", "http.method": "GET"}, SpanId="1" * 16),
            span("chat", {"gen_ai.operation.name": "chat", "acme.tokens.in": "12"}, SpanId="2" * 16),
            span(
                "chat",
                {"gen_ai.operation.name": "chat", "gen_ai.request.model": "our-own", "gen_ai.usage.input_tokens": "5"},
                SpanId="3" * 16,
            ),
        ),
        ProcessorSettings(),
        NOW,
    )

    gaps = explanation.not_understood
    assert gaps.spans == [{"span_name": "step", "scope_name": "", "count": 1, "keys": ["langfuse.observation.type"]}]
    assert gaps.attributes == [{"key": "acme.tokens.in", "count": 1, "telling": True, "example": "12"}]
    assert {(one["model"], one["calls"]) for one in gaps.unpriced} == {("our-own", 1), ("", 1)}
    assert "unpriced: no price is known of 'our-own'" in explanation.spans[2].remarks


def test_a_name_cannot_steer_the_terminal() -> None:
    explanation = explain(spans(span("\x1b[2Jboo [bold]", {"gen_ai.operation.name": "chat"})), ProcessorSettings(), NOW)
    console = Console(record=True, width=100, file=io.StringIO())

    console.print(Rendered(explanation))

    text = console.export_text()
    assert "\x1b" not in text
    assert "�[2Jboo [bold]" in text


def test_parents_in_a_circle_are_shown_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "circle.pb").write_bytes(request(sent(1, "a", 2), sent(2, "b", 1)).SerializeToString())

    output = run(str(tmp_path / "circle.pb")).output

    assert f"{1:016x}" in output
    assert f"{2:016x}" in output


def test_json_lines_and_protobuf_are_the_same_to_it(tmp_path: Path) -> None:
    chat = sent(2, "chat", 1, gen_ai__operation__name="chat")
    (tmp_path / "whole.pb").write_bytes(request(AGENT).SerializeToString())
    (tmp_path / "lines.jsonl").write_text(f"{as_otlp_json(request(AGENT))}\n{as_otlp_json(request(chat))}\n")

    assert [s.span_id for s in told(str(tmp_path / "whole.pb")).spans] == [f"{1:016x}"]
    assert {s.span_id for s in told(str(tmp_path / "lines.jsonl")).spans} == {f"{1:016x}", f"{2:016x}"}
    assert run("-", input=request(AGENT).SerializeToString()).output.count("invoke_agent writer") >= 1
    assert run("-", input=as_otlp_json(request(AGENT))).exit_code == 0


def test_json_output_is_one_object_with_the_same_content() -> None:
    folder = str(first_run("langgraph-openinference").folder)

    document = json.loads(run(folder, "--json").output)

    explanation = told(folder)
    assert [s["span_id"] for s in document["spans"]] == [s.span_id for s in explanation.spans]
    assert document["spans"][0]["why"][0].keys() == {"field", "value", "source", "said", "dialect"}
    assert document["not_understood"].keys() == {"spans", "attributes", "unpriced"}
    assert document["tasks"][0]["agent_name"] == explanation.tasks[0]["agent_name"]
    assert isinstance(document["tasks"][0]["cost_usd"], float)


def test_one_span_can_be_looked_at_alone() -> None:
    one = first_run("pydantic-ai-native")
    wanted = told(str(one.folder)).spans[-1].span_id

    assert [s["span_id"] for s in json.loads(run(str(one.folder), "--json", "--span", wanted[:8]).output)["spans"]] == [wanted]
    assert "there is no span 'abc-no'" in run(str(one.folder), "--span", "abc-no").output


def test_a_users_own_dialect_takes_part(tmp_path: Path) -> None:
    (tmp_path / "merit.yaml").write_text(
        "processors: {conventions: {extra: [{dialect: house, fields: {operation: {value: chat, when: {has: acme.llm}}}}]}}\n"
    )
    (tmp_path / "one.pb").write_bytes(request(sent(1, "call", acme__llm="x")).SerializeToString())

    output = run(str(tmp_path / "one.pb"), "--config", str(tmp_path / "merit.yaml")).output

    assert "operation" in output
    assert "constant, where there is acme.llm  [house]" in output


@pytest.mark.parametrize(
    ("name", "body", "complaint"),
    [
        ("torn.pb", b"\x0a\xff\xff", "torn.pb is no OTLP request"),
        ("torn.json", b'{"resourceSpans": [', "torn.json: the JSON body is no OTLP traces request"),
        ("other.json", b'{"totals": 3}', "there are no spans in"),
        ("empty.pb", b"", "empty.pb is empty"),
    ],
)
def test_a_file_that_is_no_payload_is_refused_by_name(tmp_path: Path, name: str, body: bytes, complaint: str) -> None:
    (tmp_path / name).write_bytes(body)

    result = run(str(tmp_path / name))

    assert result.exit_code == 2
    assert complaint in result.output


def test_spans_that_are_not_taken_are_told() -> None:
    far = request(AGENT, sent(3, "later"))
    far.resource_spans[0].scope_spans[0].spans[1].span_id = b"short"

    output = run("-", input=far.SerializeToString()).output

    assert "not taken: standard input: 1 spans not taken" in output


def test_what_is_neither_file_nor_trace_is_refused(tmp_path: Path) -> None:
    assert "is no file, no folder and no trace id (32 hexadecimal digits)" in run("0af765").output
    assert "holds no payload" in run(str(tmp_path)).output


def test_a_stored_trace_is_explained_once_the_folder_is_free(tmp_path: Path) -> None:
    assert "there is no store in" in merit(tmp_path, "explain", TRACE.hex()).stderr
    with serving(tmp_path) as server:
        url = server.find(r"OTLP/HTTP on ([^\s,]+)")
        httpx.post(
            url, content=request(AGENT).SerializeToString(), headers={"content-type": "application/x-protobuf"}
        ).raise_for_status()
        held = merit(tmp_path, "explain", TRACE.hex())
        server.end(signal.SIGTERM)

    stored, unknown = merit(tmp_path, "explain", TRACE.hex(), "--json"), merit(tmp_path, "explain", "f" * 32)

    assert held.returncode == 1
    assert f"is in use by process {server.process.pid}" in held.stderr
    assert "or explain the payload instead" in held.stderr
    assert stored.returncode == 0, stored.stderr
    document = json.loads(stored.stdout)
    assert [(s["span_name"], s["operation"]) for s in document["spans"]] == [("invoke_agent writer", "invoke_agent")]
    assert unknown.returncode == 2
    assert f"no span of trace {'f' * 32} is stored" in unknown.stderr
