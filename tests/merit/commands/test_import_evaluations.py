"""`merit import evaluations`, and the examples of docs/evaluations.md, against a running Merit."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from typer.testing import CliRunner

from exporters.store import Store
from merit.api_client import Api
from merit.cli import app
from merit.commands import import_evaluations
from processors.errors import Rejected
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from query_api.web.server import ApiServer
from tests.builders import NOW, span_of, trace_of
from tests.examples import blocks
from tests.running import Running, eventually, serving

AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer", "merit.task.id": "job-7"}


@pytest.fixture
def url(tables: Store) -> Iterator[str]:
    free = QueryApiSettings(endpoint="127.0.0.1:0")
    server = ApiServer(create_app(tables, tables.insert, free, lambda: NOW, Condition()), free)
    server.start()
    yield server.url
    server.stop()


def stored(tables: Store) -> list[dict[str, Any]]:
    return tables.query("SELECT * FROM evaluations FINAL ORDER BY target, criterion, score").to_dicts()


ROWS = pl.DataFrame(
    {
        "task_id": ["a", "a", "b"],
        "evaluator": ["critic"] * 3,
        "evaluator_type": ["llm"] * 3,
        "criterion": ["accuracy", None, None],
        "score": [0.25, 0.5, 1.0],
        "comment": ["why", "", None],
        "evaluated_at": [datetime(2026, 1, 30, 8, tzinfo=UTC)] * 3,
    }
)


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl", "ndjson"])
def test_a_file_is_brought_in_whatever_it_is(tables: Store, url: str, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"scores.{ending}"
    {"csv": ROWS.write_csv, "parquet": ROWS.write_parquet}.get(ending, ROWS.write_ndjson)(path)  # type: ignore[operator]
    for _ in range(2):
        result = CliRunner().invoke(app, ["import", "evaluations", str(path), "--api", url])
        assert result.output == "kept 3 evaluations, 3 of them wait for their task\n"

    found = [(row["target"], row["criterion"], row["score"], row["comment"], row["source"]) for row in stored(tables)]
    assert found == [("a", "", 0.5, "", "import"), ("a", "accuracy", 0.25, "why", "import"), ("b", "", 1.0, "", "import")]
    assert {row["evaluated_at"] for row in stored(tables)} == {datetime(2026, 1, 30, 8, tzinfo=UTC)}


def test_criteria_may_be_an_object_or_its_text(tables: Store, url: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    row = {"task_id": "a", "evaluator": "critic", "evaluator_type": "llm", "criteria": {"accuracy": 0.5, "depth": 1}}
    path.write_text(json.dumps(row) + "\n" + json.dumps(row | {"task_id": "b", "criteria": {"accuracy": 0.25, "depth": None}}))
    list(import_evaluations.run(path, Api(url)))
    pl.DataFrame([row | {"task_id": "c", "criteria": '{"accuracy": 0}'}]).write_csv(tmp_path / "scores.csv")
    list(import_evaluations.run(tmp_path / "scores.csv", Api(url)))

    found = [(row["target"], row["criterion"], row["score"]) for row in stored(tables)]
    assert found == [("a", "accuracy", 0.5), ("a", "depth", 1), ("b", "accuracy", 0.25), ("c", "accuracy", 0)]


def test_scores_of_langfuse_are_understood(tables: Store, url: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    score = {"id": "1", "traceId": trace_of(1), "name": "Helpfulness", "value": 1, "source": "ANNOTATION", "comment": "good"}
    other = {"traceId": trace_of(2), "observationId": span_of(3), "name": "tone", "value": 0.5, "source": "EVAL"}
    path.write_text("\n".join(json.dumps(one | {"timestamp": "2026-01-30T08:00:00.000Z"}) for one in (score, other)))
    list(import_evaluations.run(path, Api(url)))

    found = [(r["target"], r["criterion"], r["score"], r["evaluator_type"], r["evaluator"]) for r in stored(tables)]
    assert found == [
        (trace_of(1), "helpfulness", 1, "user", "annotation"),
        (f"{trace_of(2)}-{span_of(3)}", "tone", 0.5, "llm", "eval"),
    ]


def test_a_row_that_cannot_be_taken_is_named(tables: Store, url: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    ROWS.with_columns(score=pl.Series([1, 1, 7])).write_csv(path)
    with pytest.raises(Rejected, match=r"0 rows are kept, none of the next 3; .* 400 2\.score: value should be less"):
        list(import_evaluations.run(path, Api(url)))

    assert stored(tables) == []


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for some in import_evaluations.portions(import_evaluations.read(path)) for line in some]


def test_ids_in_csv_stay_as_they_stand_and_one_word_among_scores_is_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "scores [1].csv"
    path.write_text("task_id,evaluator,score,span_id\n007,12,1,0000000000000001\n8,true,good,1e10000000000000\n", "utf-8-sig")
    assert lines_of(path) == [
        {"task_id": "007", "evaluator": "12", "score": 1.0, "span_id": "0000000000000001"},
        {"task_id": "8", "evaluator": "true", "score": "good", "span_id": "1e10000000000000"},
    ]


def test_a_column_of_json_lines_may_come_late(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text('{"task_id": "a"}\n' * 2_000 + '{"task_id": "b", "comment": "late"}\n', "utf-8-sig")
    *_, last = lines_of(path)
    assert last == {"task_id": "b", "comment": "late"}


def test_parquet_may_hold_decimals_bytes_and_times_without_a_zone(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    row = {"task_id": [b"a"], "score": [Decimal("0.5")], "evaluated_at": [datetime(2026, 1, 30, 8)]}  # noqa: DTZ001
    pl.DataFrame(row).write_parquet(path)
    assert lines_of(path) == [{"task_id": "a", "score": 0.5, "evaluated_at": "2026-01-30T08:00:00.000000+00:00"}]
    pl.DataFrame({"task_id": [b"\xff"]}).write_parquet(path)
    with pytest.raises(Rejected, match="cannot be read"):
        import_evaluations.read(path)


@pytest.mark.parametrize("criteria", ["{bad", "[" * 100_000, "5", [1.0], [["a"]], 5])
def test_criteria_that_are_none_are_left_to_the_api_to_refuse(criteria: Any) -> None:
    assert import_evaluations.as_sent({"task_id": "a", "criteria": criteria})["criteria"] == criteria


def test_scores_of_langfuse_without_texts_are_refused(tmp_path: Path) -> None:
    pl.DataFrame({"traceId": [[1]], "name": ["n"], "value": [1.0]}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(Rejected, match="cannot be read"):
        import_evaluations.read(tmp_path / "x.parquet")


def test_no_request_is_larger_than_the_api_takes() -> None:
    rows = pl.DataFrame({"task_id": ["a"] * 500, "comment": ["x" * 60_000] * 500})
    portions = list(import_evaluations.portions(rows))
    assert sum(len(some) for some in portions) == 500
    assert max(sum(len(line) + 1 for line in some) for some in portions) <= 8 << 20


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [("x.xlsx", "", "the ending"), ("x.parquet", "?", "cannot be read"), ("x.csv", None, "be read")],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, content: str | None, told: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    result = CliRunner().invoke(app, ["import", "evaluations", str(tmp_path / name), "--api", "http://127.0.0.1:1"])

    assert result.exit_code == 2
    assert told in result.output


def test_the_examples_of_the_documents_are_taken(tmp_path: Path) -> None:
    python, *events = blocks("docs/evaluations.md", "python")
    judgement = re.search(r"-d '(\{\s+\"evaluator\".*?\})'", "\n".join(blocks("docs/evaluations.md", "sh")), re.DOTALL)
    assert judgement
    with serving(tmp_path) as merit:
        trace_id = work(merit, events)
        rate = python.replace("http://127.0.0.1:8080", merit.api) + f"\nrate({trace_id!r}, 4, 'ann')\n"
        exec(compile(rate, "docs/evaluations.md", "exec"), {})
        body = json.loads(judgement[1])
        assert httpx.post(f"{merit.api}/v1/tasks/job-7/evaluations", json=body).status_code in (200, 202)
        found = eventually(lambda: said_of(merit, "job-7"))

    assert {(one["evaluator"], one["criterion"]): (one["score"], one["source"]) for one in found} == {
        ("ann", None): (0.75, "api"),
        ("critical-analyst", None): (0.7, "api"),
        ("critical-analyst", "accuracy"): (0.9, "api"),
        ("critical-analyst", "depth"): (0.4, "api"),
        ("docs", "relevance"): (0.8, "otlp"),
        ("docs", "completeness"): (0.6, "otlp"),
    }


def work(merit: Running, events: list[str]) -> str:
    """Let an agent work and be judged in its span as the documents say; the id of its trace."""
    provider = TracerProvider(resource=Resource.create({"service.name": "newsroom"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=merit.grpc, insecure=True)))
    logs = LoggerProvider(resource=provider.resource)
    logs.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(endpoint=merit.grpc, insecure=True)))
    set_logger_provider(logs)
    with provider.get_tracer("docs").start_as_current_span("invoke_agent writer", attributes=AGENT) as span:
        for event in events:
            exec(compile(event, "docs/evaluations.md", "exec"), {"span": span})
    logs.shutdown()
    provider.shutdown()
    return format(span.get_span_context().trace_id, "032x")


def said_of(merit: Running, task_id: str) -> list[dict[str, Any]] | None:
    """The evaluations of a task, when all six have found it."""
    answer = httpx.get(f"{merit.api}/v1/tasks/{task_id}", timeout=10)
    found = answer.json()["evaluations"] if answer.status_code == 200 else []
    return found if len(found) == 6 else None
