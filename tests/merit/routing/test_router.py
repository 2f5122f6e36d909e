"""What routing knows, on a real store."""

import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from merit.routing.router import MOST_ON_TOP, PARTS, Router
from processors.frames import conform
from processors.routing.frames import DECISIONS, OUTCOMES
from processors.routing.off_policy import redecided
from processors.routing.policies import policy
from processors.routing.settings import RoutingSettings
from query_api.asking.filters import bound
from query_api.asking.questions import asker
from query_api.asking.searching import LAST_NS
from query_api.routing.routing import Routed, Routing
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from tests.builders import NOW, Clock
from tests.query_api.build import evaluation, known_agent, node, put, task

SETTINGS = RoutingSettings(failing_seconds=3600)
LONG_AGO = NOW - timedelta(days=20)


@pytest.fixture
def router(tables: Store, clock: Clock) -> Router:
    return Router(tables, SETTINGS, clock)


@pytest.fixture
def api(tables: Store, router: Router, clock: Clock) -> Iterator[TestClient]:
    routing = Routing(SETTINGS, router.knowledge, router.open_decisions, lambda _: "research", luck=lambda: 0.5)
    app = create_app(tables, tables.insert, QueryApiSettings(), clock, Condition(dict), routing=routing)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def tasks(agent: str, succeeded: int, failed: int, first: int, category: str = "research", **more):
    """Tasks of an agent, the failed ones spread evenly."""
    total = succeeded + failed
    statuses = ["failed" if (n + 1) * failed // total > n * failed // total else "succeeded" for n in range(total)]
    return [
        task(first + number, agent_id=agent, category=category, status=status, **more) for number, status in enumerate(statuses)
    ]


def ask(api: TestClient, **question) -> dict:
    answer = api.post("/v1/route", json=question)
    assert answer.status_code == 200, answer.text
    Routed.model_validate(answer.json())
    return answer.json()


def of(answer: dict) -> dict[str, dict]:
    return {one["agent_id"]: one for one in answer["ranked"]}


def test_whoever_has_done_well_is_chosen_and_the_answer_says_why(api, tables, router):
    put(tables, "tasks", tasks("good", 40, 2, 1) + tasks("bad", 10, 30, 100))
    router.refresh()

    answer = ask(api, category="research", strategy="greedy")

    assert answer["agent_id"] == "good"
    assert answer["probability"] == 1
    assert answer["explanation"].startswith("good: the best score of 2 for research under quality")
    good, bad = of(answer)["good"], of(answer)["bad"]
    assert good["success"] > 0.85 > 0.5 > bad["success"]
    assert good["quality"] is None
    assert good["cost_usd"] == pytest.approx(0.001, rel=0.3)
    assert good["duration_seconds"] == pytest.approx(2, rel=0.3)
    assert "42 tasks of research seen" in good["reasons"]


def test_what_ends_is_known_at_the_next_look_and_counted_once(tables, router):
    put(tables, "tasks", tasks("a", 5, 0, 1))
    assert router.refresh() == 5
    put(tables, "tasks", tasks("a", 5, 0, 1, version=2) + tasks("b", 3, 0, 50))

    assert router.refresh() == 3
    assert router.refresh() == 0
    assert router.knowledge("agent").names == ("a", "b")


def test_learning_takes_at_most_a_fifth_of_the_time(tables, router):
    put(tables, "tasks", tasks("a", 5, 0, 100))
    assert router.run() == 5
    put(tables, "tasks", tasks("a", 5, 0, 1))
    began = time.monotonic()
    assert router.run() == 5
    rest = (PARTS - 1) * (time.monotonic() - began)
    put(tables, "tasks", tasks("a", 5, 0, 50))
    assert router.run() == 0
    time.sleep(rest)
    assert router.run() == 5


def test_where_nothing_is_new_one_question_is_asked(tables, clock):
    asked = []

    class Counting:
        def query(self, sql: str, *args, **settings):
            asked.append(sql)
            return tables.query(sql, *args, **settings)

    put(tables, "tasks", tasks("a", 5, 0, 1))
    router = Router(Counting(), SETTINGS, clock)
    for _ in range(3):
        router.refresh()
    asked.clear()

    assert router.refresh() == 0
    assert len(asked) == 1


def test_every_replica_comes_to_the_same(tables, router, clock):
    put(tables, "tasks", tasks("a", 30, 3, 1) + tasks("b", 10, 10, 100))
    router.refresh()
    put(tables, "tasks", tasks("b", 20, 2, 200))
    router.refresh()
    (late := Router(tables, SETTINGS, clock)).refresh()

    for agent in range(2):
        found = [each.knowledge("agent").evidence.success for each in (router, late)]
        assert found[0].count[agent] == found[1].count[agent]


def test_judgements_count_as_quality_also_when_they_come_late(api, tables, router):
    put(tables, "tasks", tasks("a", 20, 0, 1) + tasks("b", 20, 0, 100))
    router.refresh()
    good = [evaluation(number, "reader", score=0.95) for number in range(1, 16)]
    rows = good + [evaluation(number, "reader", score=0.2) for number in range(100, 115)]
    put(tables, "evaluations", rows)

    assert router.refresh() == 30
    answer = of(ask(api, category="research"))
    assert answer["a"]["quality"] > 0.8 > 0.4 > answer["b"]["quality"]


def test_an_open_decision_weighs_on_its_agent_until_its_task_ends(api, tables, router, clock):
    put(tables, "tasks", tasks("a", 30, 0, 1))
    router.refresh()
    decision = ask(api, category="research")["decision_id"]

    assert of(ask(api, category="research"))["a"]["load_penalty"] == pytest.approx(0.005)
    put(tables, "tasks", [task(900, agent_id="a", category="research", decision_id=decision)])
    router.refresh()
    assert router.open_decisions.counts("agent", clock()) == {"a": 1}
    clock.tick(1000)
    assert router.open_decisions.counts("agent", clock()) == {}


def test_a_task_in_the_trace_that_was_named_closes_the_decision_too(api, tables, router, clock):
    put(tables, "tasks", tasks("a", 30, 0, 1))
    router.refresh()
    ended = task(901, agent_id="a", category="research")
    ask(api, category="research", trace_id=ended["trace_id"])

    put(tables, "tasks", [ended])
    router.refresh()

    assert router.open_decisions.counts("agent", clock()) == {}


def test_each_task_in_a_trace_closes_the_oldest_decision_that_is_open_there(api, tables, router, clock):
    put(tables, "tasks", tasks("a", 30, 0, 1))
    router.refresh()
    first, named, second = (task(901, span_id=f"{n:016x}", agent_id="a", category="research", started_at=NOW) for n in range(3))
    made = [ask(api, category="research", trace_id=first["trace_id"])["decision_id"] for _ in range(3)]

    put(tables, "tasks", [first, named | {"decision_id": made[1]}])
    router.refresh()
    assert router.open_decisions.counts("agent", clock()) == {"a": 1}
    put(tables, "tasks", [first | {"version": 2}])
    router.refresh()
    assert router.open_decisions.counts("agent", clock()) == {"a": 1}
    put(tables, "tasks", [second])
    router.refresh()
    assert router.open_decisions.counts("agent", clock()) == {}


def test_decisions_of_another_process_count_as_open(api, tables, router, clock):
    put(tables, "tasks", tasks("a", 30, 0, 1))
    router.refresh()
    ask(api, category="research")
    (other := Router(tables, SETTINGS, clock)).refresh()

    assert other.open_decisions.counts("agent", clock()) == {"a": 1}


def test_a_reported_outcome_is_learnt_from_and_closes_the_decision(api, tables, router, clock):
    put(tables, "tasks", tasks("a", 10, 0, 1) + tasks("b", 10, 0, 100))
    router.refresh()
    before = of(ask(api, category="research", candidates=["a"]))["a"]["success"]
    for _ in range(6):
        decision = ask(api, category="research", candidates=["a"])["decision_id"]
        answer = api.post(f"/v1/route/decisions/{decision}/outcome", json={"success": False, "cost_usd": 0.5})
        assert answer.json() == {"decision_id": decision, "status": "kept"}

    assert router.refresh() == 6
    assert of(ask(api, category="research"))["a"]["success"] < before - 0.15
    assert router.open_decisions.counts("agent", clock()).get("a", 0) <= 2


def test_an_agent_that_only_fails_gets_no_work_for_a_while(api, tables, router, clock):
    late = NOW - timedelta(minutes=10)
    put(tables, "tasks", tasks("a", 40, 0, 1) + tasks("b", 40, 0, 100))
    put(tables, "tasks", [task(300 + n, agent_id="a", category="research", status="failed", started_at=late) for n in range(8)])
    router.refresh()

    answer = ask(api, category="research")
    assert answer["agent_id"] == "b"
    assert answer["excluded"] == {"failing": 1}
    clock.tick(3600)
    assert ask(api, category="research")["excluded"] == {}


def test_who_is_new_gets_a_fifth_of_the_choices_and_the_favourite_is_told_why(api, tables, router):
    old = tasks("old", 30, 10, 1, started_at=LONG_AGO) + tasks("older", 10, 30, 50, started_at=LONG_AGO)
    put(tables, "tasks", old + tasks("new", 30, 0, 200))
    router.refresh()

    answer = ask(api, category="research", strategy="greedy")

    found = of(answer)
    assert [found[name]["probability"] for name in ("old", "new", "older")] == pytest.approx([0.8, 0.2, 0.0])
    assert "on probation" in found["new"]["reasons"]
    assert "on probation" not in found["old"]["reasons"]
    assert answer["explanation"] == (
        "old: the best score for research under quality of those not on probation; new scores higher, but is on probation, "
        "and all who are share at most 20% of the choices; greedy gave it a chance of 80.0%."
    )


def test_who_has_long_done_more_than_is_learnt_from_is_not_on_probation(api, tables, router):
    """Only the last 1,000 tasks are learnt from: all of them of today."""
    put(
        tables,
        "tasks",
        tasks("busy", 20, 0, 1, started_at=LONG_AGO)
        + tasks("busy", 1000, 0, 1000)
        + tasks("rare", 20, 0, 50, started_at=LONG_AGO),
    )
    put(tables, "tasks", tasks("new", 9, 0, 100))
    router.refresh()

    def probation() -> dict[str, bool]:
        found = of(ask(api, category="research"))
        return {name: "on probation" in one["reasons"] for name, one in found.items()}

    assert "1000 tasks of research seen" in of(ask(api, category="research"))["busy"]["reasons"]
    assert probation() == {"busy": False, "rare": False, "new": True}
    put(tables, "tasks", tasks("busy", 30, 0, 3000) + tasks("new", 30, 0, 200) + tasks("newer", 1, 0, 300))
    router.refresh()
    assert probation() == {"busy": False, "rare": False, "new": True, "newer": True}


def test_who_is_in_the_registry_for_longer_than_its_tasks_are_kept_is_not_new(api, tables, router):
    put(tables, "tasks", tasks("kept", 20, 0, 1) + tasks("new", 20, 0, 50))
    put(tables, "agents", [known_agent("kept")])
    router.refresh()

    found = of(ask(api, category="research"))

    assert "on probation" not in found["kept"]["reasons"]
    assert "on probation" in found["new"]["reasons"]


def test_who_has_neither_done_nor_declared_a_category_is_not_eligible(api, tables, router):
    put(tables, "tasks", tasks("a", 10, 0, 1) + tasks("b", 10, 0, 100, category="writing"))
    put(tables, "agents", [known_agent("new", capabilities=["research"])])
    router.refresh()

    answer = of(ask(api, category="research"))

    assert {agent: one["eligible"] for agent, one in answer.items()} == {"a": True, "b": False, "new": True}
    assert answer["b"]["reasons"][0] == "has neither done research nor declared it"
    assert "never seen: judged by what is usual" in answer["new"]["reasons"]
    assert of(ask(api, category="research", candidates=["b"]))["b"]["eligible"]


def test_models_and_providers_are_judged_by_their_calls(api, tables, router):
    put(tables, "tasks", tasks("a", 40, 0, 1))
    fine = [node(number, 2, category="research", model="fine", provider="up") for number in range(1, 21)]
    poor = [
        node(number, 2, category="research", model="poor", provider="down", success=number % 2 == 1) for number in range(21, 41)
    ]
    put(tables, "nodes", fine + poor)
    router.refresh()

    assert ask(api, kind="model", category="research", strategy="greedy")["agent_id"] == "fine"
    answer = ask(api, kind="provider", category="research", strategy="greedy")
    assert (answer["agent_id"], answer["profile"]) == ("up", "balanced")


def test_of_two_equal_providers_the_cheaper_is_taken(api, tables, router):
    put(tables, "tasks", tasks("a", 40, 0, 1))
    prices = {"dear": 0.1, "cheap": 0.01}
    names = [(number, "dear" if number % 2 else "cheap") for number in range(1, 41)]
    calls = [node(number, 2, category="research", provider=name, cost_usd=prices[name]) for number, name in names]
    put(tables, "nodes", calls)
    router.refresh()

    assert ask(api, kind="provider", category="research", strategy="greedy")["agent_id"] == "cheap"


def test_work_that_is_older_counts_less_with_a_half_life(tables, clock):
    old = NOW - timedelta(days=60)
    put(tables, "tasks", [task(n, agent_id="a", category="x", status="failed", started_at=old) for n in range(1, 41)])
    put(tables, "tasks", [task(n, agent_id="a", category="x") for n in range(50, 60)])
    put(tables, "tasks", [task(n, agent_id="b", category="x") for n in range(70, 80)])

    def believed(settings: RoutingSettings) -> float:
        (router := Router(tables, settings, clock)).refresh()
        known = router.knowledge("agent")
        return known.evidence.success.estimate("x", np.full(265, np.nan), known.fading).mean[0]

    assert believed(RoutingSettings(half_life_days=7, change_threshold=1000)) > 0.7
    assert believed(RoutingSettings(change_threshold=1000)) < 0.4


def test_what_has_faded_away_does_not_end_learning(tables, clock):
    old = NOW - timedelta(days=80)
    put(tables, "tasks", [task(n, agent_id="a", category="x", status="failed", started_at=old) for n in range(1, 41)])
    put(tables, "tasks", [task(n, agent_id="b", category="x") for n in range(70, 80)])

    (router := Router(tables, RoutingSettings(half_life_days=0.05), clock)).refresh()

    known = router.knowledge("agent")
    found = known.evidence.success.estimate("x", np.full(265, np.nan), known.fading)
    assert np.isfinite(found.mean).all()
    assert found.mean[known.evidence.cells.agents["b"]] > 0.7


@pytest.mark.parametrize(
    ("question", "excluded", "words"),
    [
        ({"max_cost_usd": 0.00001}, {"max_cost_usd": 1}, "max_cost_usd 1e-05 excludes 1"),
        ({"max_duration_seconds": 0.001}, {"max_duration_seconds": 1}, "max_duration_seconds 0.001 excludes 1"),
        ({"max_cost_usd": 0}, {"max_cost_usd": 1}, "Nobody of 1 can have it"),
        ({"candidates": []}, {}, "candidates is empty"),
    ],
)
def test_where_nobody_may_be_chosen_the_answer_says_what_excludes_whom(api, tables, router, question, excluded, words):
    put(tables, "tasks", tasks("a", 30, 0, 1))
    router.refresh()

    answer = ask(api, category="research", **question)

    assert answer["agent_id"] is None
    assert answer["probability"] is None
    assert answer["excluded"] == excluded
    assert words in answer["explanation"]


def test_all_that_excludes_a_candidate_is_told(api, tables, router):
    put(tables, "tasks", tasks("a", 30, 0, 1) + tasks("b", 30, 0, 100) + tasks("writer", 30, 0, 200, category="writing"))
    router.refresh()

    answer = ask(api, category="research", max_cost_usd=0.0001, max_duration_seconds=0.01)

    assert answer["excluded"] == {"capability": 1, "max_cost_usd": 3, "max_duration_seconds": 3}
    assert answer["explanation"] == (
        "Nobody of 3 can have it: 1 has neither done research nor declared it; max_cost_usd 0.0001 excludes 3; "
        "max_duration_seconds 0.01 excludes 3."
    )
    reasons = of(answer)["writer"]["reasons"]
    assert reasons[0] == "has neither done research nor declared it"
    assert [reason.split(" about")[0] for reason in reasons[1:3]] == ["would cost", "would take"]
    stored = tables.query("SELECT barred_by FROM routing_decisions").item().to_list()
    assert stored == ["max_cost_usd", "max_cost_usd", "capability"]


def test_who_costs_nothing_stays_within_a_limit_of_nothing(api, tables, router):
    put(tables, "tasks", tasks("free", 30, 0, 1, cost_usd=Decimal(0)) + tasks("dear", 30, 0, 100))
    router.refresh()

    answer = ask(api, category="research", max_cost_usd=0)

    assert (answer["agent_id"], answer["excluded"]) == ("free", {"max_cost_usd": 1})


@pytest.mark.parametrize(
    ("profile", "detail"),
    [
        ('{"quality": NaN}', "profile.quality: value should be a finite number"),
        ('{"haste": 1}', "profile.haste: there is no such field; /docs lists those that there are"),
        ("{}", "profile: no weight is above 0: give at least one of quality, cost, speed, as in quality: 0.8, cost: 0.2"),
        ("5", "profile: value should be a valid string"),
    ],
)
def test_what_is_wrong_with_weights_is_told_in_words_of_the_question(api, profile, detail):
    answer = api.post("/v1/route", content=f'{{"profile": {profile}}}', headers={"content-type": "application/json"})

    assert answer.json()["detail"] == detail
    assert answer.json()["errors"][0]["parameter"] == detail.partition(":")[0]


def test_a_weight_that_is_left_out_counts_nothing_and_the_answer_says_which_count(api, tables, router):
    put(tables, "tasks", tasks("good", 40, 0, 1, cost_usd=Decimal(1)) + tasks("cheap", 8, 32, 100, cost_usd=Decimal("0.001")))
    router.refresh()

    answers = [
        ask(api, category="research", strategy="greedy", profile=weights)
        for weights in ({"cost": 1}, {"quality": 0, "cost": 1}, {"quality": 8, "cost": 2})
    ]

    assert [of(each)["good"]["score"] for each in answers[:2]] == pytest.approx([-1, -1])
    assert [each["explanation"].partition(";")[0] for each in answers] == [
        "cheap: the best score of 2 for research under cost 1.00",
        "cheap: the best score of 2 for research under cost 1.00",
        "good: the best score of 2 for research under quality 0.80, cost 0.20",
    ]


def test_who_is_tried_is_told_under_which_weights(tables, router, clock):
    put(tables, "tasks", tasks("good", 40, 0, 1) + tasks("bad", 8, 32, 100))
    router.refresh()
    routing = Routing(SETTINGS, router.knowledge, router.open_decisions, luck=lambda: 0.999)
    app = create_app(tables, tables.insert, QueryApiSettings(), clock, Condition(dict), routing=routing)
    with TestClient(app) as api:
        answer = ask(api, category="research", candidates=["good", "bad"], strategy="epsilon", profile={"quality": 1, "speed": 3})

    assert answer["explanation"].startswith(
        "bad: tried although good scores higher for research under quality 0.25, speed 0.75, to learn more of it;"
    )


def test_with_nothing_known_there_is_an_answer(api):
    answer = ask(api, category="research")

    assert (answer["agent_id"], answer["ranked"]) == (None, [])
    assert answer["explanation"] == "Nobody can have it: no agent is known yet."
    assert ask(api, candidates=["x", "y"])["agent_id"] in ("x", "y")


def test_an_unknown_category_is_open_to_everybody(api, tables, router):
    put(tables, "tasks", tasks("a", 30, 0, 1) + tasks("b", 12, 18, 100))
    router.refresh()

    answer = ask(api, category="never heard of", strategy="greedy")

    assert answer["agent_id"] == "a"
    assert answer["excluded"] == {}


@pytest.mark.parametrize(
    ("category", "hint"),
    [("never heard of", "."), ("Research", "; did you mean research?"), ("reserch", "; did you mean research?"), ("mial", ".")],
)
@pytest.mark.parametrize("candidates", [None, ["a", "new"]])
def test_a_category_that_nobody_has_done_or_declared_is_told(api, tables, router, category, hint, candidates):
    put(tables, "agents", [known_agent("b", capabilities=["mailing"])])
    put(tables, "tasks", tasks("a", 30, 0, 1))
    router.refresh()

    said = ask(api, category=category, candidates=candidates)["explanation"]

    assert f" Nobody has done or declared {category}: judged by what they do elsewhere{hint}" in said
    assert "Nobody has done" not in ask(api, category="research", candidates=candidates)["explanation"]
    assert "Nobody has done" not in ask(api, category="mailing", candidates=candidates)["explanation"]


def test_an_agent_that_is_gone_can_still_be_named(api, tables, router):
    put(tables, "tasks", tasks("a", 30, 0, 1))
    router.refresh()

    answer = of(ask(api, category="research", candidates=["a", "vanished", "a"]))

    assert set(answer) == {"a", "vanished"}
    assert answer["vanished"]["eligible"]


def beats(store: Store, agent: str, seconds_ago: range) -> None:
    """Heartbeats of an agent."""
    at = [round((NOW - timedelta(seconds=ago)).timestamp()) * 10**9 for ago in seconds_ago]
    store.command(
        "INSERT INTO otel_metrics_gauge (MetricName, TimeUnix, Attributes) "
        "SELECT 'beat', fromUnixTimestamp64Nano(arrayJoin({at:Array(Int64)})), map('merit.agent.id', {agent:String})",
        {"at": at, "agent": agent},
    )


def test_who_sends_heartbeats_and_has_gone_silent_gets_nothing_until_it_is_heard_again(api, tables, router, clock):
    put(tables, "tasks", tasks("gone", 40, 0, 1) + tasks("there", 20, 20, 100) + tasks("spans only", 20, 20, 200))
    beats(tables, "gone", range(120, 1200, 10))
    beats(tables, "there", range(0, 1200, 10))
    router.refresh()
    router.listen()

    answer = ask(api, category="research", limit=3)

    assert answer["excluded"] == {"silent": 1}
    assert answer["explanation"].endswith("Not eligible: 1 has gone silent.")
    assert of(answer)["gone"]["reasons"][0] == "silent: has sent no sign of life since 2026-01-31 11:58 UTC"
    assert of(ask(api, category="research", candidates=["gone", "x"]))["gone"]["eligible"] is False
    beats(tables, "gone", range(-31, -20, 10))
    clock.tick(20)
    router.listen()
    assert ask(api, category="research")["excluded"] == {"silent": 1}  # it was asked a moment ago
    clock.tick(11)
    router.listen()
    assert ask(api, category="research")["excluded"] == {}


def test_who_could_not_be_heard_while_merit_was_away_is_not_silent_yet(tables, clock):
    put(tables, "tasks", tasks("gone", 40, 0, 1))
    beats(tables, "gone", range(120, 1200, 10))
    router = Router(tables, SETTINGS, clock, listening_since=clock())
    router.refresh()
    router.listen()
    assert not router.knowledge("agent").silent
    clock.tick(121)
    router.listen()
    assert list(router.knowledge("agent").silent) == ["gone"]


def test_who_has_been_silent_for_days_stays_so_until_its_work_shows_that_it_lives(api, tables, router, clock):
    put(tables, "tasks", tasks("gone", 40, 0, 1))
    beats(tables, "gone", range(120, 1200, 10))
    router.refresh()
    router.listen()
    clock.tick(3 * 86_400)
    router.refresh()
    router.listen()

    assert ask(api, category="research")["excluded"] == {"silent": 1}
    put(tables, "tasks", tasks("gone", 1, 0, 900, started_at=NOW + timedelta(days=2)))
    router.refresh()
    assert ask(api, category="research")["agent_id"] == "gone"


def test_who_was_not_seen_for_days_is_named_with_how_long_and_barred_by_nothing(api, tables, router):
    put(tables, "tasks", tasks("away", 40, 0, 1, started_at=NOW - timedelta(days=13, hours=1)) + tasks("here", 40, 0, 100))
    put(tables, "tasks", tasks("late", 40, 0, 200, started_at=NOW - timedelta(hours=30)))
    router.refresh()
    router.listen()

    found = of(ask(api, category="research"))

    assert "last seen 13 days ago" in found["away"]["reasons"]
    assert "last seen a day ago" in found["late"]["reasons"]
    assert not any("last seen" in reason for reason in found["here"]["reasons"])
    assert all(one["eligible"] for one in found.values())


def test_of_very_many_candidates_all_are_judged_and_shown_that_are_asked_for(api):
    names = [f"agent-{number}" for number in range(3_000)]

    answer = ask(api, category="research", candidates=names, limit=10_000)

    assert set(of(answer)) == set(names)
    assert sum(one["probability"] for one in answer["ranked"]) == pytest.approx(1)
    assert "a chance under 0.1%" in answer["explanation"]


def test_the_category_follows_from_the_description_if_it_is_not_said(api):
    assert ask(api, description="find out", candidates=["a"])["category"] == "research"
    assert ask(api, candidates=["a"])["category"] == "general"


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ('{"profile": {"quality": NaN}}', "profile"),
        ('{"profile": {"quality": 0}}', "profile"),
        ('{"profile": {"quality": -1, "cost": 2}}', "profile"),
        ('{"profile": "fast"}', "profile"),
        ('{"max_cost_usd": NaN}', "max_cost_usd"),
        ('{"max_cost_usd": -1}', "max_cost_usd"),
        ('{"strategy": "luck"}', "strategy"),
        ('{"complexity": 9}', "complexity"),
        ('{"kind": "planet"}', "kind"),
        ('{"categroy": "x"}', "categroy"),
        ('{"candidates": [""]}', "candidates"),
    ],
)
def test_what_cannot_be_asked_is_a_problem_that_names_the_parameter(api, body, parameter):
    answer = api.post("/v1/route", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400, answer.text
    assert parameter in answer.json()["errors"][0]["parameter"]


def test_every_decision_is_stored_with_everybodys_chances(api, tables, router):
    put(tables, "tasks", tasks("a", 30, 0, 1) + tasks("b", 3, 0, 100))
    router.refresh()
    answer = ask(api, category="research", description="find out", profile={"quality": 4, "cost": 1}, max_cost_usd=1)

    (row,) = tables.query("SELECT * FROM routing_decisions").to_dicts()
    assert row["decision_id"] == answer["decision_id"]
    assert row["candidates"] == ["a", "b"]
    assert sum(row["probabilities"]) == pytest.approx(1)
    assert row["probability"] == answer["probability"]
    assert (row["quality_weight"], row["cost_weight"], row["profile"]) == (0.8, 0.2, "own")
    assert pl.Series(row["probabilities"])[row["candidates"].index(row["agent_id"])] == pytest.approx(row["probability"])


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("strategy", ["thompson", "ucb", "epsilon", "greedy"])
def test_what_if_of_the_policy_that_decided_is_what_it_decided(api, tables, router, strategy, new):
    old = tasks("a", 20, 10, 1, started_at=LONG_AGO) + tasks("b", 15, 15, 50, started_at=LONG_AGO)
    put(tables, "tasks", old + tasks("new", 20, 0, 100, started_at=NOW if new else LONG_AGO))
    router.refresh()
    ask(api, category="research", strategy=strategy, profile="cost", max_duration_seconds=60)

    (made,) = judged_again(tables)
    again, _ = redecided(made, policy(SETTINGS, strategy, "cost"), SETTINGS)

    assert made["on_probation"] == [False, False, new]
    assert again == pytest.approx(made["probabilities"], abs=1e-5)
    assert sum(again) == pytest.approx(1)


def judged_again(tables: Store) -> list[dict]:
    """Decisions as `merit route whatif` reads them."""
    nothing = {"agent_id": [], "category": [], "kind": [], "trace_id": "", "after_id": "", "after_ns": LAST_NS, "limit": 10}
    window = {"since": bound(NOW - timedelta(days=1)), "until": bound(NOW + timedelta(days=1)), "with_candidates": True}
    return asker(tables, 10)("routed", nothing | window, 10).to_dicts()


def test_an_outcome_of_a_decision_that_there_is_not_is_a_404(api):
    answer = api.post("/v1/route/decisions/nothing/outcome", json={"success": True})

    assert answer.status_code == 404
    assert "take decision_id from the answer of /v1/route" in answer.json()["detail"]


def test_an_outcome_that_says_nothing_is_refused(api):
    assert api.post("/v1/route/decisions/x/outcome", json={}).status_code == 400
    assert api.post("/v1/route/decisions/x/outcome", json={"quality": 2}).status_code == 400


def counted(router: Router, agent: str, measure: str = "success") -> float:
    """How many observations of an agent's work in research are known."""
    known = router.knowledge("agent")
    everyone = np.arange(len(known.names))
    cell = known.evidence.cells.row("research", everyone)[known.names.index(agent)]
    counts = getattr(known.evidence, measure).count
    return float(counts[cell]) if 0 <= cell < len(counts) else 0.0


def report(api: TestClient, decision: str, **outcome) -> None:
    assert api.post(f"/v1/route/decisions/{decision}/outcome", json=outcome).status_code == 200


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("first", ["report", "task", "neither"])
def test_a_task_that_was_reported_too_is_learnt_from_once_whatever_comes_first(api, tables, router, clock, traced, first):
    put(tables, "tasks", tasks("a", 10, 0, 1))
    router.refresh()
    ended = task(901, agent_id="a", category="research", started_at=NOW)
    decision = ask(api, category="research", trace_id=ended["trace_id"] if traced else "")["decision_id"]
    steps = [
        lambda: report(api, decision, success=True, quality=0.5, cost_usd=7, duration_seconds=9),
        lambda: put(tables, "tasks", [ended | {"decision_id": "" if traced else decision}]),
    ]
    for step in steps[::-1] if first == "task" else steps:
        step()
        if first != "neither":
            router.refresh()
            assert counted(router, "a") == 11
    router.refresh()
    (restarted := Router(tables, SETTINGS, clock)).refresh()

    for each in (router, restarted):
        assert [counted(each, "a", name) for name in ("success", "cost", "duration", "quality")] == [11, 11, 11, 1]
        assert each.knowledge("agent").evidence.cost.estimate("research", np.full(265, np.nan)).mean[0] < -6


def test_a_second_report_replaces_the_first_at_the_next_look(api, tables, router, clock):
    put(tables, "tasks", tasks("a", 3, 0, 1))
    router.refresh()
    decision = ask(api, category="research", candidates=["a"])["decision_id"]
    report(api, decision, success=True)
    router.refresh()
    believed = of(ask(api, category="research"))["a"]["success"]

    clock.tick(1)
    report(api, decision, success=False)
    router.refresh()
    (restarted := Router(tables, SETTINGS, clock)).refresh()

    assert of(ask(api, category="research"))["a"]["success"] < believed - 0.1
    assert counted(router, "a") == counted(restarted, "a") == 4


def crowd(api: TestClient, tables: Store) -> None:
    """So many reports of others that those before them are learnt for good."""
    made = ask(api, category="writing", candidates=["b"])["decision_id"]
    decision = tables.query("SELECT * FROM routing_decisions WHERE decision_id = {made:String}", {"made": made})
    ids = pl.DataFrame({"decision_id": [f"other-{number}" for number in range(MOST_ON_TOP)]})
    tables.insert("routing_decisions", conform(ids.join(decision.drop("decision_id"), how="cross"), DECISIONS))
    said = {"success": 1.0, "received_at": NOW, "version": 1, "is_deleted": 0}
    nothing = {name: pl.lit(None) for name in OUTCOMES if name not in {"decision_id", *said}}
    tables.insert("routing_outcomes", conform(ids.with_columns(**nothing, **{k: pl.lit(v) for k, v in said.items()}), OUTCOMES))


@pytest.mark.parametrize("traced", [False, True])
def test_what_was_learnt_for_good_and_is_replaced_is_learnt_anew_though_not_every_second(api, tables, router, clock, traced):
    put(tables, "tasks", tasks("a", 3, 0, 1))
    router.refresh()
    ended = task(901, agent_id="a", category="research", started_at=NOW)
    decision = ask(api, category="research", candidates=["a"], trace_id=ended["trace_id"] if traced else "")["decision_id"]
    report(api, decision, success=False)
    router.refresh()
    crowd(api, tables)
    router.refresh()
    put(tables, "tasks", [ended | {"decision_id": "" if traced else decision}])
    router.refresh()

    assert counted(router, "a") == 5
    clock.tick(30)
    router.refresh()
    assert counted(router, "a") == 5
    clock.tick(31)
    router.refresh()
    assert counted(router, "a") == 4
    learnt = router.knowledge("agent")
    clock.tick(61)
    assert router.refresh() == 0
    assert router.knowledge("agent") is learnt


def test_a_second_report_of_what_was_learnt_for_good_counts_within_a_minute(api, tables, router, clock):
    put(tables, "tasks", tasks("a", 3, 0, 1))
    router.refresh()
    decision = ask(api, category="research", candidates=["a"])["decision_id"]
    report(api, decision, success=True)
    router.refresh()
    crowd(api, tables)
    router.refresh()
    believed = of(ask(api, category="research"))["a"]["success"]

    clock.tick(61)
    report(api, decision, success=False)
    router.refresh()
    router.refresh()

    assert of(ask(api, category="research"))["a"]["success"] < believed - 0.1
    assert counted(router, "a") == 4


def test_what_is_reported_of_a_task_outweighs_its_judgement_whatever_comes_first(api, tables, router, clock):
    put(tables, "tasks", tasks("a", 3, 0, 1))
    router.refresh()
    decision = ask(api, category="research", candidates=["a"])["decision_id"]
    put(tables, "tasks", [task(901, agent_id="a", category="research", decision_id=decision)])
    put(tables, "evaluations", [evaluation(901, "reader", score=0.1)])
    router.refresh()
    assert counted(router, "a", "quality") == 1
    clock.tick(61)
    report(api, decision, quality=0.9)
    router.refresh()
    router.refresh()
    (restarted := Router(tables, SETTINGS, clock)).refresh()

    for each in (router, restarted):
        assert counted(each, "a", "quality") == 1
        known = each.knowledge("agent").evidence.quality
        assert known.estimate("research", np.full(265, np.nan)).mean[0] > 0.5


def test_a_judgement_that_came_with_its_task_is_learnt_from_once(tables, router):
    put(tables, "tasks", tasks("a", 3, 0, 1))
    put(tables, "evaluations", [evaluation(1, "reader", score=0.9)])
    router.refresh()
    put(tables, "tasks", tasks("a", 1, 0, 50))
    router.refresh()

    assert counted(router, "a", "quality") == 1


def test_of_what_failed_no_quality_is_learnt(api, tables, router):
    put(tables, "tasks", tasks("a", 3, 0, 1))
    router.refresh()
    reported, failed = (ask(api, category="research", candidates=["a"])["decision_id"] for _ in range(2))
    report(api, reported, success=False, quality=0.9)
    put(tables, "tasks", [task(901, agent_id="a", category="research", decision_id=failed, status="failed")])
    report(api, failed, quality=0.9)
    router.refresh()

    assert (counted(router, "a"), counted(router, "a", "quality")) == (5, 0)
