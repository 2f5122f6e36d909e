"""What is asked of the sums of model calls, which costs, models and providers are read from."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from query_api.asking.filters import Chosen
from query_api.asking.pages import choice
from query_api.asking.questions import Ask

NOT_OF_MODELS = ("agent_id", "category", "department", "service")
"""What sums by model and provider alone cannot be chosen by."""
FEW = 20
"""Of fewer calls nineteen in twenty are all."""
MOST_GROUPS = 100_000


def of_calls(question: Chosen, now: datetime, default: timedelta, group_by: str) -> dict[str, Any]:
    """The parameters of a question to `model_work`; only filters by user and trace, and users themselves, read task by task."""
    chosen = {"trace_id": []} | choice(question, now, default)
    by_task = bool(chosen["trace_id"] or chosen["user_id"] or group_by == "user")
    return chosen | {"group_by": group_by, "cuts": [chosen["since"], chosen["until"]], "by_task": by_task}


def durations(ask: Ask, parameters: Mapping[str, Any]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Ask beside this thread how long calls take; what is returned waits for it and adds it to the rows of model_calls.sql."""
    kind = "model" if any(parameters[name] for name in NOT_OF_MODELS) else "model_work"
    asked = {**parameters, "days": f"{kind}_daily", "hours": f"{kind}_hourly", "limit": MOST_GROUPS}
    coming = ask.soon("model_durations", asked, MOST_GROUPS)

    def added(calls: pl.DataFrame) -> pl.DataFrame:
        both = calls.join(coming(), on="group", how="left", maintain_order="left")
        half, most = (pl.col("usual").list.get(at).clip("least", "most") for at in (0, 1))
        return both.with_columns(
            p50_duration_seconds=half, p95_duration_seconds=pl.when(pl.col("calls") < FEW).then("most").otherwise(most)
        )

    return added
