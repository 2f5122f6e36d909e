"""What the tests of the judge share."""

from decimal import Decimal
from typing import Any

from exporters.store import Store
from merit.jobs.judge import Judge
from processors.cost import Pricer
from processors.cost_settings import CostSettings
from processors.judging.settings import JudgeSettings
from tests.builders import Clock, Row
from tests.merit.endpoint import KEY, Endpoint
from tests.query_api.build import task

COST = Decimal("0.00021")
"""Of one call to gpt-4o-mini: 1,000 × 0.15 $ and 100 × 0.60 $ per million."""


def forget(store: Store) -> None:
    for table in ("judgements", "evaluations"):
        store.command("TRUNCATE TABLE {table:Identifier}", {"table": table})


def work(number: int, **more: Any) -> Row:
    return task(number, **{"input": f"Question {number}", "output": f"Answer {number}"} | more)


def settings_of(endpoint: Endpoint, one: dict[str, Any] | None = None, **settings: Any) -> JudgeSettings:
    analyst = {"preset": "critical_analyst", "model": "gpt-4o-mini", "base_url": endpoint.base_url, "api_key": KEY} | (one or {})
    return JudgeSettings.model_validate({"evaluators": [analyst], "sampling_rate": 1} | settings)


def judge(store: Store, endpoint: Endpoint, clock: Clock, one: dict[str, Any] | None = None, **settings: Any) -> Judge:
    free = {"model": "local-model", "cost_per_1k_input": 0, "cost_per_1k_output": 0}
    price = Pricer(CostSettings.model_validate({"overrides": [free]}))
    return Judge(store, store.insert, settings_of(endpoint, one, **settings), price, clock)


def judgements(store: Store) -> list[Row]:
    return store.query("SELECT * FROM judgements FINAL ORDER BY task_id, evaluator").rows(named=True)


def evaluations(store: Store) -> list[Row]:
    return store.query("SELECT * FROM evaluations FINAL ORDER BY task_id, evaluator, criterion").rows(named=True)


def outcomes(store: Store) -> list[str]:
    return [one["outcome"] for one in judgements(store)]
