"""What users of the demo think of its agents."""

from collections import Counter
from random import Random
from statistics import fmean

from merit.demo.ratings import RATED_SHARE, STARS, ratings
from merit.demo.traffic import POSTS


def tasks(agent: str, status: str, count: int) -> list[dict[str, str]]:
    return [
        {"task_id": f"{agent}-{status}-{n}", "agent_id": agent, "status": status, "started_at": f"{n:04}"} for n in range(count)
    ]


def test_users_have_an_opinion_of_every_agent() -> None:
    assert set(STARS) == {post.agent.__name__.replace("_", "-") for post in POSTS}


def test_some_tasks_are_rated_once_and_good_agents_get_more_stars() -> None:
    given = list(ratings(tasks("code-smith", "succeeded", 500) + tasks("code-sprinter", "succeeded", 500), Random(1)))
    stars = {agent: fmean(one["rating"] for one in given if agent in one["task_id"]) for agent in ("code-smith", "code-sprinter")}

    assert abs(len(given) - 1000 * RATED_SHARE) < 60
    assert set(Counter(one["task_id"] for one in given).values()) == {1}
    assert {one["rating"] for one in given} <= {1, 2, 3, 4, 5}
    assert stars["code-smith"] > stars["code-sprinter"] + 0.5


def test_failed_tasks_get_few_stars() -> None:
    assert fmean(one["rating"] for one in ratings(tasks("code-smith", "failed", 200), Random(1))) < 2


def test_ratings_hang_on_the_seed_and_not_on_the_order_of_tasks() -> None:
    some = tasks("code-smith", "succeeded", 50) + tasks("copywriter", "failed", 50)

    assert list(ratings(some, Random(2))) == list(ratings(some[::-1], Random(2)))
