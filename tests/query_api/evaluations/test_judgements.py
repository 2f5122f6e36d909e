"""/v1/judgements."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from processors.judging.rows import JUDGEMENTS
from tests.builders import NOW, Row, frame, trace_of


def judgement(number: int, **more: Any) -> Row:
    """The judge was asked about task `number`, so many minutes ago, and would not."""
    plain = {
        "task_id": f"{trace_of(number)}-1",
        "trace_id": trace_of(number),
        "evaluator": "critical-analyst",
        "evaluator_type": "llm",
        "outcome": "refused",
        "attempts": 1,
        "model": "gpt-4o-mini",
        "calls": 1,
        "input_tokens": 800,
        "output_tokens": 0,
        "cost_usd": Decimal("0.002"),
        "comment": "I cannot judge this.",
        "judged_at": NOW - timedelta(minutes=number),
        "version": 1,
        "is_deleted": 0,
    }
    return plain | more


@pytest.fixture
def asked(tables: Store) -> None:
    """Three tasks: one refused, one that failed twice, one judged."""
    failed = judgement(2, outcome="failed", comment="timed out", cost_usd=None, model="")
    again = failed | {"attempts": 2, "version": 2}
    tables.insert("judgements", frame([judgement(1), failed, judgement(3, outcome="judged", evaluator="other")], JUDGEMENTS))
    tables.insert("judgements", frame([again], JUDGEMENTS))


@pytest.mark.usefixtures("asked")
def test_what_a_judge_refused_or_failed_at_is_told(api: TestClient) -> None:
    answer = api.get("/v1/judgements").json()

    assert answer["judgements"][0] == {
        "task_id": f"{trace_of(1)}-1",
        "trace_id": trace_of(1),
        "evaluator": "critical-analyst",
        "evaluator_type": "llm",
        "outcome": "refused",
        "attempts": 1,
        "model": "gpt-4o-mini",
        "calls": 1,
        "input_tokens": 800,
        "output_tokens": 0,
        "cost_usd": 0.002,
        "comment": "I cannot judge this.",
        "judged_at": "2026-01-31T11:59:00Z",
    }
    told = [(row["outcome"], row["attempts"], row["cost_usd"], row["model"]) for row in answer["judgements"][1:]]
    assert told == [("failed", 2, None, None), ("judged", 1, 0.002, "gpt-4o-mini")]


@pytest.mark.usefixtures("asked")
def test_judgements_are_chosen_and_paged(api: TestClient) -> None:
    def outcomes(query: str) -> list[str]:
        return [row["outcome"] for row in api.get(f"/v1/judgements?{query}").json()["judgements"]]

    assert outcomes("outcome=refused&outcome=failed") == ["refused", "failed"]
    assert (
        outcomes("evaluator=other") == outcomes(f"trace_id={trace_of(3)}") == outcomes(f"task_id={trace_of(3)}-1") == ["judged"]
    )
    assert outcomes("window=2m") == ["refused", "failed"]
    first = api.get("/v1/judgements?limit=2").json()
    rest = api.get("/v1/judgements", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["outcome"] for row in first["judgements"] + rest["judgements"]] == ["refused", "failed", "judged"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("query", ["outcome=unsure", "agent_id=a", "limit=0", "cursor=x"])
def test_what_cannot_be_asked_is_refused(api: TestClient, query: str) -> None:
    assert api.get(f"/v1/judgements?{query}").status_code == 400
