"""What routing learns from, on a real store."""

from datetime import timedelta

from exporters import routing
from tests.builders import NOW
from tests.query_api.build import START, known_agent, node, put, put_calls, task


def test_who_is_known_is_told_with_all_tasks_and_the_first_day(tables):
    old = NOW - timedelta(days=200)
    put(tables, "tasks", [task(n, agent_id="a", started_at=old) for n in (1, 2)] + [task(3, agent_id="a", status="running")])
    put(tables, "agents", [known_agent("a", first_seen=NOW - timedelta(days=300)), known_agent("idle")])
    first, second = START + timedelta(seconds=1), START + timedelta(seconds=2)
    put_calls(
        tables,
        [
            node(n, span, model="m", provider="p", started_at=at)
            for n, span, at in ((1, 2, second), (1, 3, first), (2, 2, second))
        ],
    )

    found = {(kind, name): (finished, at) for kind, name, finished, at in routing.known(tables).iter_rows()}

    assert found == {
        ("agent", "a"): (2, NOW - timedelta(days=300)),
        ("agent", "idle"): (0, START - timedelta(days=10)),
        ("model", "m"): (2, first),
        ("provider", "p"): (2, first),
    }
