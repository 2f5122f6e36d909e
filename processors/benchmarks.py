"""What is expected of a task, as a row: by the type of its agent and its complexity."""

import polars as pl

from processors.frames import MONEY, STRING, Columns

BENCHMARKS: Columns = {
    "agent_type": STRING,
    "complexity": pl.UInt8(),
    "expected_duration_seconds": pl.Float64(),
    "expected_cost_usd": MONEY,
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""`complexity` 0 stands for any; what is not known to be expected is null; `version`: milliseconds, 0 of those shipped."""
