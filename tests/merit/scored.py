"""Tasks and evaluations in the store, and what scoring makes of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from exporters.scores import Progress, progress
from exporters.store import Store
from merit.jobs.registry import Registry
from merit.jobs.scoring import Scoring
from processors.evaluations import EVALUATIONS
from processors.frames import TASKS
from processors.scoring.settings import ScoringSettings
from query_api.asking.filters import bound
from query_api.asking.pieces import LEVELS, Level, Reach, pieces
from query_api.asking.pieces import TASKS as BY_TASK
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


def stamped_earlier(store: Store, task_id: str, seconds: int) -> None:
    """As if its insert had begun so much earlier, or the clock had been set back."""
    columns, asked = ", ".join(TASKS), {"id": task_id, "seconds": seconds}
    store.command(
        f"INSERT INTO tasks ({columns}, stored_at) SELECT {columns}, stored_at - toIntervalSecond({{seconds:UInt32}}) FROM tasks "
        "WHERE task_id = {id:String} SETTINGS insert_allow_materialized_columns = 1",
        asked,
    )
    newest = "SELECT max(stored_at) FROM tasks WHERE task_id = {id:String}"
    store.command(f"DELETE FROM tasks WHERE task_id = {{id:String}} AND stored_at = ({newest})", asked)


def scores_of(store: Store) -> dict[str, Row]:
    """Task id to its row of scores."""
    found = store.query("SELECT * FROM task_scores FINAL ORDER BY task_id").drop(LOST)
    return {row["task_id"]: row for row in found.rows(named=True)}


def sums(
    store: Store,
    since: datetime = NOW - timedelta(days=400),
    until: datetime = NOW + timedelta(days=1),
    levels: Sequence[Level] = LEVELS,
) -> list[Row]:
    """What the sums show of a window, by agent and category, read in the pieces that the API reads."""
    known = progress(store) or Progress()
    found = pieces((since, until), Reach(known.hourly_until, known.daily_until, known.fours_until), levels)
    asked = {f"{level.name}_{side}": [] for level in LEVELS for side in ("begins", "ends")}
    for piece in found:
        asked[f"{piece.level.name}_begins"].append(bound(piece.begin))
        asked[f"{piece.level.name}_ends"].append(bound(piece.end))
    return store.query(SUMS, asked).rows(named=True)


def piece_of(level: Level) -> str:
    """What one level tells."""
    begins, ends = (f"{{{level.name}_{side}:Array(DateTime64(9))}}" for side in ("begins", "ends"))
    return f"SELECT {COLUMNS} FROM {level.table} WHERE arrayExists((b, e) -> moment >= b AND moment < e, {begins}, {ends})"


COLUMNS = """agent_id, category, department, service_name, complexity, tasks, succeeded, total_cost_usd, speed_sum, speed_n,
    points_sum[indexOf(profiles, 'default')] AS worth, rated_tasks, duration_sum, first_started, last_started, durations"""
SUMS = f"""
SELECT agent_id, category, department, service_name, complexity, sum(w.tasks) AS tasks, sum(w.succeeded) AS succeeded,
    sum(w.total_cost_usd) AS cost, round(sum(w.speed_sum), 6) AS speed, sum(w.speed_n) AS speed_n,
    round(sum(w.worth), 6) AS points, sum(rated_tasks) AS rated,
    round(sum(w.duration_sum), 6) AS seconds, min(w.first_started) AS first, max(w.last_started) AS last,
    round(quantileDDIfMerge(0.005, 0.95)(durations), 6) AS p95
FROM ({" UNION ALL ".join(map(piece_of, LEVELS))}) AS w
GROUP BY agent_id, category, department, service_name, complexity ORDER BY ALL SETTINGS final = 1
"""


def straight(store: Store, since: datetime = NOW - timedelta(days=400), until: datetime = NOW + timedelta(days=1)) -> list[Row]:
    """The same, without any sum: read task by task."""
    return sums(store, since, until, (BY_TASK,))
