"""Evaluations as rows: their ids, their criteria, and how they find their task."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.evaluations import (
    EVALUATIONS,
    HOMES,
    above,
    evaluator_voice,
    identified,
    placed,
    plain_criterion,
    plain_target,
    replaced,
    unplaced,
)
from processors.frames import conform
from tests.builders import NOW, Row, frame, span_of, trace_of

TASK = f"{trace_of(1)}-{span_of(1)}"


def said(target: str = "job-7", **more: Any) -> pl.DataFrame:
    """One identified row of the critic about `target`."""
    row = {
        **dict.fromkeys((name for name, dtype in EVALUATIONS.items() if dtype == pl.String), ""),
        "target": target,
        "evaluator": "critic",
        "evaluator_type": "llm",
        "score": 0.5,
        "rating": None,
        "cost_usd": None,
        "evaluated_at": NOW,
        "received_at": NOW,
        "version": 10,
        "is_deleted": 0,
    }
    return conform(identified(frame([row | more], EVALUATIONS), evaluator_voice()), EVALUATIONS)


def homes(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """Target, task and step."""
    plain: list[Row] = [{"target": t, "task_id": task, "trace_id": task[:32], "node": node} for t, task, node in rows]
    return frame(plain, HOMES)


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("IntentResolution", "intent_resolution"),
        (" Intent - Resolution ", "intent_resolution"),
        ("accuracy", "accuracy"),
        ("F1Score", "f1_score"),
        ("größe", "größe"),
        ("--", ""),
        ("", ""),
    ],
)
def test_a_criterion_goes_under_one_name(said: str, plain: str) -> None:
    assert pl.DataFrame({"name": [said]}).select(plain_criterion(pl.col("name"))).item() == plain


@given(st.text(max_size=20))
def test_the_plain_name_of_a_criterion_is_plain(name: str) -> None:
    once = pl.DataFrame({"name": [name]}).with_columns(plain_criterion(pl.col("name")))

    assert once.with_columns(plain_criterion(pl.col("name"))).equals(once)


def test_only_hexadecimal_ids_are_put_in_lower_case() -> None:
    given = pl.DataFrame({"target": [TASK.upper(), trace_of(171).upper(), "Job-7", ""]})

    assert given.select(plain_target(pl.col("target"))).to_series().to_list() == [TASK, trace_of(171), "Job-7", ""]


def test_ids_are_the_same_for_ever() -> None:
    # blake2b of "of\0llm\0critic" and of "job-7\0\0": stored rows are known by them, another id would count them twice
    assert said()["evaluation_id"].to_list() == ["d0c3b09978d6c365655e20596b17e81c-63c80c1e61fabe8259d099db82b2283e"]


def test_a_row_that_is_placed_and_given_back_is_as_it_was() -> None:
    for found in (homes(("job-7", TASK, "")), homes(("job-7", TASK, ""), ("job-7", f"{trace_of(2)}-{span_of(1)}", ""))):
        assert unplaced(placed(said(), found)).unique().equals(said())
    step = f"{trace_of(1)}-{span_of(5)}"
    assert unplaced(placed(said(step), homes((step, TASK, span_of(5))))).equals(said(step))


def test_what_is_placed_under_another_id_ends_under_the_old_one() -> None:
    before = pl.concat([said(), said("job-8")])
    after = replaced(before, placed(before, homes(("job-7", TASK, ""))))

    assert after.select("target", "task_id", "is_deleted", "version").rows() == [("job-7", TASK, 0, 11), ("job-7", "", 1, 11)]


def test_what_is_placed_under_its_own_id_replaces_itself() -> None:
    after = replaced(said(TASK), placed(said(TASK), homes((TASK, TASK, ""))))

    assert (after.height, after["evaluation_id"].equals(said(TASK)["evaluation_id"])) == (1, True)


def test_names_of_one_task_lead_to_one_id() -> None:
    found = homes(("job-7", TASK, ""), (TASK, TASK, ""), (trace_of(1), TASK, ""))
    rows = placed(pl.concat([said(), said(TASK), said(trace_of(1))]), found)

    assert rows["evaluation_id"].n_unique() == 1


def test_a_span_that_is_no_step_belongs_to_the_nearest_task_above_or_to_the_top() -> None:
    ids = [("1", ""), ("2", "1"), ("3", "2"), ("4", "missing")]
    spans = pl.DataFrame([{"TraceId": "t", "SpanId": one, "ParentSpanId": parent} for one, parent in ids])
    known = pl.DataFrame({"trace_id": ["t"], "span_id": ["2"], "task_id": ["t-2"]})
    tops = pl.DataFrame({"trace_id": ["t", "t"], "task_id": ["t-2", "t-9"]})
    wanted = pl.DataFrame({"trace_id": "t", "span_id": ["1", "3", "4", "unknown"]})

    found = above(spans, known, tops, wanted)

    assert sorted(found.select("target", "task_id").rows()) == [
        ("t-1", "t-2"),
        ("t-1", "t-9"),
        ("t-3", "t-2"),
        ("t-4", "t-2"),
        ("t-4", "t-9"),
    ]
