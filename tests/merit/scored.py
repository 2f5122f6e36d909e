"""Tasks and evaluations in the store, and what scoring makes of them."""

from datetime import datetime, timedelta
from typing import Any

from exporters.store import Store
from merit.registry import Registry
from merit.scoring import Scoring
from processors.evaluations import EVALUATIONS
from processors.scoring.settings import ScoringSettings
from tests.builders import NOW, Clock, Row, frame

LOST = ("version", "task_version", "task_stored_at", "usual_version")
"""Columns that say when something was worked out, not what."""


def scoring(store: Store, clock: Clock | None = None, **settings: Any) -> Scoring:
    return Scoring(store, ScoringSettings.model_validate(settings), clock or Clock())


def work_out(store: Store, clock: Clock | None = None) -> None:
    """Have everything that is stored scored, and every agent registered."""
    scoring(store, clock).catch_up()
    Registry(store, 10_000, clock or Clock()).refresh()


def judge(store: Store, task_id: str, score: float, criterion: str = "", **more: Any) -> None:
    """Store what an LLM judge says of a task; the same judge's second word replaces its first."""
    plain = dict.fromkeys(EVALUATIONS, "") | {
        "evaluation_id": f"{task_id} {criterion} {more.get('evaluator', '')}",
        "task_id": task_id,
        "target": task_id,
        "trace_id": task_id[:32],
        "criterion": criterion,
        "evaluator_type": "llm",
        "score": score,
        "rating": None,
        "cost_usd": None,
        "evaluated_at": NOW,
        "received_at": NOW,
        "version": 1,
        "is_deleted": 0,
    }
    store.insert("evaluations", frame([plain | more], EVALUATIONS))


def rate(store: Store, task_id: str, stars: float, **more: Any) -> None:
    """Store a user's stars."""
    judge(store, task_id, (stars - 1) / 4, evaluator="anna", evaluator_type="user", rating=float(stars), **more)


def scores_of(store: Store) -> dict[str, Row]:
    """Task id to its row of scores."""
    found = store.query("SELECT * FROM task_scores FINAL ORDER BY task_id").drop(LOST)
    return {row["task_id"]: row for row in found.rows(named=True)}


def sums(
    store: Store, since: datetime = NOW - timedelta(days=400), until: datetime = NOW + timedelta(days=1), **more: Any
) -> list[Row]:
    """What the sums show of a window, by agent and category."""
    asked = {name: [] for name in ("user_id", "model", "provider", "category", "department", "service")} | more
    bounds = [f"{moment:%Y-%m-%d %H:%M:%S.%f}" for moment in (since, until)]
    return store.query(SUMS, {**asked, "since": bounds[0], "until": bounds[1], "cuts": bounds}).rows(named=True)


SUMS = """
SELECT agent_id, category, department, service_name, complexity, sum(tasks) AS tasks, sum(succeeded) AS succeeded,
    sum(w.total_cost_usd) AS cost, round(sum(w.speed_sum), 6) AS speed, sum(w.speed_n) AS speed_n,
    round(sum(points_sum[indexOf(profiles, 'default')]), 6) AS points, sum(rated_tasks) AS rated,
    round(sum(w.duration_sum), 6) AS seconds, min(w.first_started) AS first, max(w.last_started) AS last,
    round(quantileDDIfMerge(0.005, 0.95)(durations), 6) AS p95
FROM agent_work(
    since = {since:DateTime64(9)}, until = {until:DateTime64(9)}, cuts = {cuts:Array(DateTime64(9))},
    user_id = {user_id:Array(String)}, model = {model:Array(String)}, provider = {provider:Array(String)},
    category = {category:Array(String)}, department = {department:Array(String)}, service = {service:Array(String)}) AS w
GROUP BY agent_id, category, department, service_name, complexity ORDER BY ALL
"""


def straight(store: Store, since: datetime = NOW - timedelta(days=400), until: datetime = NOW + timedelta(days=1)) -> list[Row]:
    """The same, without any sum: read task by task."""
    return sums(store, since, until, user_id=["", "u", "v"])
