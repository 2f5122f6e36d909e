"""What must not be stored is stored nowhere: not in the journal, not in the tables, not in an answer."""

from pathlib import Path

import httpx
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.running import eventually, serving

KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz012345"


def test_no_file_and_no_answer_holds_a_key_that_was_sent(tmp_path: Path) -> None:
    with serving(tmp_path) as merit:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(merit.grpc, insecure=True)))
        said = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer", "gen_ai.input.messages": f"use {KEY}"}
        provider.get_tracer("t").start_span(f"call {KEY}", attributes=said).end()
        provider.shutdown()
        task = eventually(lambda: merit.get("/v1/tasks?status=succeeded")["tasks"] or None)[0]
        told = {"rating": 5, "comment": f"it used {KEY}"}
        httpx.post(f"{merit.api}/v1/tasks/{task['task_id']}/feedback", json=told).raise_for_status()
        answers = [merit.get(f"/v1/tasks/{task['task_id']}"), merit.get(f"/v1/traces/{task['trace_id']}")]

    assert task["input"] == "use [redacted:api-key]"
    assert "it used [redacted:api-key]" in str(answers)
    assert KEY not in str(answers)
    assert [file for file in tmp_path.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()] == []
