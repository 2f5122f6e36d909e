"""What is asked of the sums of model calls, which costs, models and providers are read from."""

from datetime import datetime, timedelta
from typing import Any

from query_api.filters import Chosen
from query_api.pages import choice


def of_calls(question: Chosen, now: datetime, default: timedelta, group_by: str) -> dict[str, Any]:
    """The parameters of a question to `model_work`; only filters by user and trace, and users themselves, read task by task."""
    chosen = {"trace_id": []} | choice(question, now, default)
    by_task = bool(chosen["trace_id"] or chosen["user_id"] or group_by == "user")
    return chosen | {"group_by": group_by, "cuts": [chosen["since"], chosen["until"]], "by_task": by_task}
