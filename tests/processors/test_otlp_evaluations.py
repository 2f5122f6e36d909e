"""Evaluations inside spans and log records."""

import json
from typing import Any

import polars as pl
import pytest

from processors.conventions.read import Conventions
from processors.evaluations import EVALUATIONS
from processors.otlp_evaluations import EVENT, NOTHING, Said, of_logs, of_spans
from processors.signal_frames import LOGS
from tests.builders import NOW, Row, agent, chat, frame, job, span, span_of, trace_of

CONVENTIONS = Conventions()
FIRST = f"{trace_of(1)}-{span_of(1)}"


def said(*rows: Row) -> Said:
    received = frame(rows)
    return of_spans(received, CONVENTIONS(received), NOW)


def event(**attributes: Any) -> dict[str, list[Any]]:
    """A span's event that says how good it was; `score_value=1` is its attribute `gen_ai.evaluation.score.value`."""
    short = {"name", "explanation", "score_value", "score_label", "evaluator_id", "evaluator_type"}
    full = {f"gen_ai.evaluation.{k.replace('_', '.')}" if k in short else k: str(v) for k, v in attributes.items()}
    return {"Events.Name": ["log", EVENT], "Events.Timestamp": [NOW, NOW], "Events.Attributes": [{}, full]}


def only(found: Said) -> Row:
    assert (found.rows.height, found.rejected) == (1, 0)
    return found.rows.row(0, named=True)


def test_an_event_of_a_span_judges_that_span() -> None:
    row = only(said(agent(1, 1, **event(name="IntentResolution", score_value=0.8, explanation="well"))))

    assert (row["target"], row["criterion"], row["score"], row["comment"]) == (FIRST, "intent_resolution", 0.8, "well")
    assert (row["evaluator"], row["evaluator_type"], row["source"], row["evaluated_at"]) == ("tests", "code", "otlp", NOW)
    assert (row["task_id"], row["version"]) == ("", NOW.timestamp() * 1000)


def test_every_event_of_a_span_counts() -> None:
    two = event(name="relevance", score_value=0.8)
    two = {name: [*values, values[1]] for name, values in two.items()}
    two["Events.Attributes"][2] = {"gen_ai.evaluation.name": "depth", "gen_ai.evaluation.score.value": "1"}

    assert said(agent(1, 1, **two)).rows["criterion"].to_list() == ["relevance", "depth"]


@pytest.mark.parametrize(
    ("attributes", "score"),
    [
        ({"score_value": 1}, 1.0),
        ({"score_label": "pass"}, 1.0),
        ({"score_label": "Failed"}, 0.0),
        ({"score_value": 0.25, "score_label": "pass"}, 0.25),
        ({"score_value": 4, "merit.evaluation.min": 1, "merit.evaluation.max": 5}, 0.75),
        ({"score_value": 4, "internal_properties.gen_ai.evaluation.min_value": 0, "merit.evaluation.max": 5}, 0.8),
        (
            {
                "score_value": 2.0,
                "internal_properties": json.dumps(
                    {
                        "gen_ai.evaluation.min_value": "1.0",
                        "gen_ai.evaluation.max_value": "5.0",
                        "gen_ai.evaluation.desirable_direction": "decrease",
                    }
                ),
            },
            0.75,
        ),
    ],
)
def test_a_score_is_brought_to_the_scale_from_0_to_1(attributes: dict[str, Any], score: float) -> None:
    assert only(said(agent(1, 1, **event(name="x", **attributes))))["score"] == score


@pytest.mark.parametrize(
    "attributes",
    [
        {"score_value": 4},
        {"score_value": -0.1},
        {"score_value": "nan"},
        {"score_value": "inf"},
        {"score_value": "five"},
        {"score_value": 7, "score_label": "pass"},
        {"score_value": 6, "merit.evaluation.min": 1, "merit.evaluation.max": 5},
        {"score_value": 6, "merit.evaluation.min": 1, "merit.evaluation.max": 1},
        {"score_label": "somewhat relevant"},
        {},
        {"error.type": "Timeout"},
        {"error.type": "Timeout", "score_value": 0},
    ],
)
def test_what_is_no_score_is_left_out_and_counted(attributes: dict[str, Any]) -> None:
    found = said(agent(1, 1, **event(name="x", **attributes)), agent(2, 1, **event(name="x", score_value=1)))

    assert (found.rows.height, found.rejected) == (1, 1)


@pytest.mark.parametrize(
    ("attributes", "evaluator", "kind"),
    [
        ({"evaluator_id": "judge-1"}, "judge-1", "code"),
        ({"gen_ai.evaluation.evaluator.source": '{"name": "LLMJudge", "arguments": null}'}, "LLMJudge", "code"),
        ({"gen_ai.request.model": "gpt-4o"}, "tests", "llm"),
        ({"evaluator_type": "llm_judge"}, "tests", "llm"),
        ({"microsoft.gen_ai.evaluation.actor.type": "human"}, "tests", "user"),
        ({"merit.evaluation.evaluator": "writer", "merit.evaluation.evaluator_type": "peer"}, "writer", "peer"),
    ],
)
def test_who_judged_is_read_where_it_is_said(attributes: dict[str, Any], evaluator: str, kind: str) -> None:
    row = only(said(agent(1, 1, **event(name="x", score_value=1, **attributes))))

    assert (row["evaluator"], row["evaluator_type"]) == (evaluator, kind)
    assert row["user_id"] == (evaluator if kind == "user" else "")


def evaluator_span(trace: int, number: int, parent: int | None = None, **more: Any) -> Row:
    attributes = {"openinference.span.kind": "EVALUATOR"} | more.pop("said", {})
    return span(trace, number, parent, SpanName="relevance", said=attributes, **more)


def test_an_event_of_the_evaluations_own_span_judges_the_span_above() -> None:
    row = only(said(evaluator_span(1, 2, 1, **event(name="x", score_value=1))))

    assert row["target"] == FIRST


def test_an_evaluation_of_another_trace_says_by_a_link_what_it_judges() -> None:
    links = {"Links.TraceId": [trace_of(1)], "Links.SpanId": [span_of(1)], "Links.TraceState": [""], "Links.Attributes": [{}]}
    row = only(said(evaluator_span(9, 2, 8, **event(name="x", score_value=1), **links)))

    assert row["target"] == FIRST


def test_an_evaluation_of_another_trace_may_name_the_response_instead() -> None:
    row = only(said(evaluator_span(9, 2, 8, **event(name="x", score_value=1, **{"gen_ai.response.id": "resp-7"}))))

    assert row["target"] == "gen_ai.response.id=resp-7"


def test_a_verdict_of_an_evaluators_span_is_in_its_metadata_or_its_output() -> None:
    metadata = json.dumps({"score": 0.9, "label": "relevant", "explanation": "on topic", "evaluator_name": "relevance-v2"})
    by_metadata = only(said(evaluator_span(1, 2, 1, said={"metadata": metadata})))
    by_number = only(said(evaluator_span(1, 2, 1, said={"output.value": "0.95"})))
    by_object = only(said(evaluator_span(1, 2, 1, said={"output.value": '{"score": 0.5, "explanation": "so so"}'})))

    assert (by_metadata["score"], by_metadata["evaluator"], by_metadata["comment"]) == (0.9, "relevance-v2", "on topic")
    assert (by_number["score"], by_number["criterion"], by_number["target"]) == (0.95, "relevance", FIRST)
    assert (by_object["score"], by_object["comment"]) == (0.5, "so so")


def test_an_evaluators_span_without_a_verdict_is_no_evaluation() -> None:
    assert said(evaluator_span(1, 2, 1, said={"output.value": "the answer is on topic"})) == NOTHING


def test_annotations_of_a_span_are_read_in_both_their_forms() -> None:
    attributes = {
        "annotations.0.annotation.name": "correctness",
        "annotations.0.annotation.score": 0.9,
        "annotations.0.annotation.annotator_kind": "LLM",
        "annotations.0.annotation.identifier": "judge-v2",
        "annotations.0.annotation.explanation": "supported",
        "annotations.1.annotation.name": "tone",
        "annotations.1.annotation.label": "pass",
        "annotations.1.annotation.annotator_kind": "HUMAN",
        "evaluations.0.evaluation.name": "depth",
        "evaluations.0.evaluation.score": 1,
        "evaluations.0.evaluation.annotator_kind": "CODE",
        "trace.evaluations.0.evaluation.name": "whole",
        "trace.evaluations.0.evaluation.score": 0.1,
    }
    found = said(chat(1, 1, said=attributes))

    rows = {row["criterion"]: row for row in found.rows.to_dicts()}
    assert {name: (row["evaluator"], row["evaluator_type"], row["score"], row["target"]) for name, row in rows.items()} == {
        "correctness": ("judge-v2", "llm", 0.9, FIRST),
        "tone": ("human", "user", 1.0, FIRST),
        "depth": ("code", "code", 1.0, FIRST),
        "whole": ("trace", "code", 0.1, trace_of(1)),
    }
    assert rows["correctness"]["comment"] == "supported"


def test_scores_named_by_their_key_are_read() -> None:
    attributes = {"eval.Fun.score": 0.5, "eval.Fun.explanation": "ha", "langfuse.score.tone": 0.25, "eval.case.index": 3}
    found = said(chat(1, 1, said=attributes))

    assert sorted(found.rows.select("criterion", "score", "comment", "evaluator").rows()) == [
        ("fun", 0.5, "ha", "eval"),
        ("tone", 0.25, "", "langfuse"),
    ]


def test_of_several_spans_each_keeps_its_own() -> None:
    attributes = {"annotations.0.annotation.name": "a", "annotations.0.annotation.score": 1}
    found = said(chat(1, 1, said=attributes), chat(1, 2), chat(1, 3, said=attributes | {"annotations.0.annotation.score": 0}))

    assert dict(found.rows.select("target", "score").rows()) == {FIRST: 1.0, f"{trace_of(1)}-{span_of(3)}": 0.0}


def test_spans_that_judge_nothing_say_nothing() -> None:
    assert said(*job(1)) == NOTHING
    assert said() == NOTHING
    assert said(span(1, 1, said={})) == NOTHING
    assert dict(NOTHING.rows.schema) == dict(EVALUATIONS)


def test_the_same_span_again_says_the_same() -> None:
    row = agent(1, 1, **event(name="x", score_value=1))

    assert said(row).rows.equals(said(row, row).rows)


def log(**more: Any) -> Row:
    """A log record of span 1 of trace 1."""
    plain = {name: "" if dtype == pl.String else 0 if dtype.is_integer() else {} for name, dtype in LOGS.items()}
    times = {"Timestamp": NOW, "ObservedTimestamp": NOW, "IngestedAt": NOW}
    return plain | times | {"TraceId": trace_of(1), "SpanId": span_of(1), "ScopeName": "pydantic-evals"} | more


def logged(*rows: Row) -> Said:
    return of_logs(frame(rows, LOGS))


SCORED = {"gen_ai.evaluation.name": "Relevance", "gen_ai.evaluation.score.value": "0.5"}


@pytest.mark.parametrize("named", [{"EventName": EVENT}, {"LogAttributes": SCORED | {"event.name": EVENT}}])
def test_a_log_record_judges_the_span_of_its_context(named: Row) -> None:
    row = only(logged(log(**{"LogAttributes": SCORED} | named), log(), log(LogAttributes={"event.name": "other"})))

    assert (row["target"], row["criterion"], row["score"], row["evaluator"]) == (FIRST, "relevance", 0.5, "pydantic-evals")


def test_a_log_record_without_a_span_names_a_response_or_the_trace() -> None:
    by_response = log(EventName=EVENT, TraceId="", SpanId="", LogAttributes=SCORED | {"gen_ai.response.id": "resp-7"})
    by_trace = log(EventName=EVENT, SpanId="", LogAttributes=SCORED)

    assert logged(by_response, by_trace).rows["target"].to_list() == ["gen_ai.response.id=resp-7", trace_of(1)]


def test_a_log_record_that_does_not_say_what_it_judges_is_left_out_and_counted() -> None:
    found = logged(log(EventName=EVENT, TraceId="", SpanId="", LogAttributes=SCORED))

    assert (found.rows.height, found.rejected) == (0, 1)


def test_log_records_that_judge_nothing_say_nothing() -> None:
    assert logged(log()) == NOTHING
    assert logged() == NOTHING
