"""Users of the demo's agents, who rate some of their work with stars, as people do: some of it, and not all alike."""

import json
from collections.abc import Iterable, Iterator
from random import Random

from merit.api_client import Api, Row

USERS = ("ann", "ben", "chloe", "dev")
RATED_SHARE = 0.4
SPREAD = 0.7
FAILED_STARS = 1.5
STARS = {
    "deep-researcher": 4.7,
    "code-smith": 4.5,
    "managing-editor": 4.2,
    "copywriter": 4.0,
    "research-scout": 3.4,
    "data-analyst": 3.9,
    "code-sprinter": 3.2,
    "trainee-analyst": 4.1,
}
"""How many stars an agent's successes get on average."""
AT_ONCE = 2_000


def rate(api: Api, tasks: Iterable[Row], random: Random) -> int:
    """Send what users say of `tasks`, rows of `/v1/tasks`; how many they rate."""
    given = list(ratings(tasks, random))
    for start in range(0, len(given), AT_ONCE):
        lines = "\n".join(json.dumps(one) for one in given[start : start + AT_ONCE])
        api.post("/v1/evaluations", lines.encode(), "application/x-ndjson")
    return len(given)


def ratings(tasks: Iterable[Row], random: Random) -> Iterator[Row]:
    """Some of the tasks, the oldest first, with the stars that a user gives them."""
    for task in sorted(tasks, key=lambda row: (row["started_at"], row["agent_id"])):
        if random.random() < RATED_SHARE:
            usual = STARS[task["agent_id"]] if task["status"] == "succeeded" else FAILED_STARS
            stars = min(5, max(1, round(random.gauss(usual, SPREAD))))
            user = random.choice(USERS)
            yield {"task_id": task["task_id"], "evaluator": user, "evaluator_type": "user", "rating": stars}
