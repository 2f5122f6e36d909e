"""What somebody's judgement of a task is, as a row.

`target` is what the sender named (a task id, an external id or a trace id); `task_id` is empty until that is known to be a
task. A judgement of one step carries its `span_id`. `criterion` is empty for a score of the whole; stars are a `rating`
from 1 to 5 besides, and a `score` of (rating − 1) / 4.
"""

import polars as pl

from processors.frames import MILLIS, MONEY, STRING, TIME, Columns

EVALUATIONS: Columns = {
    "evaluation_id": STRING,
    "target": STRING,
    "task_id": STRING,
    "trace_id": STRING,
    "span_id": STRING,
    "evaluator": STRING,
    "evaluator_type": STRING,
    "criterion": STRING,
    "score": pl.Float64(),
    "rating": pl.Float64(),
    "comment": STRING,
    "user_id": STRING,
    "model": STRING,
    "cost_usd": MONEY,
    "source": STRING,
    "evaluated_at": TIME,
    "received_at": MILLIS,
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""One criterion scored by one evaluator. `evaluator_type`: user, peer, llm or code; `source`: api, import, otlp or judge;
`model` and `cost_usd`: of the judge's own call; `version`: milliseconds of `received_at`."""
