"""How the tests rate tasks over HTTP."""

from typing import Any

from fastapi.testclient import TestClient

from exporters.store import Store
from tests.query_api.build import span_of, trace_of

TASK = f"{trace_of(1)}-{span_of(1)}"
CRITIC = {"evaluator": "critic", "evaluator_type": "llm"}
STARS = {"rating": 4, "user_id": "ann"}


def stored(tables: Store) -> list[dict[str, Any]]:
    """Every evaluation that counts, the newest last."""
    return tables.query("SELECT * FROM evaluations FINAL ORDER BY evaluated_at, target, criterion").to_dicts()


def rate(api: TestClient, target: str, said: Any, key: str | None = None) -> Any:
    return api.post(f"/v1/tasks/{target}/feedback", json=said, headers={"Idempotency-Key": key} if key else {})


def judge(api: TestClient, target: str, said: Any) -> Any:
    return api.post(f"/v1/tasks/{target}/evaluations", json=CRITIC | said)
