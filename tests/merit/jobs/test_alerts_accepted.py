"""What people accept by resolving an alert, over the real store: that very fault, and nothing else."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from exporters.store import Store
from merit.jobs.alerts import Alerting
from processors.alerts.frames import ALERT_EVENTS
from processors.alerts.life import as_frame, event, resolved
from tests.builders import NOW, Clock
from tests.merit.alerting import DAY, HOUR, alerting, alerts, every, store_work, work

BEFORE = every(2 * HOUR, NOW - 20 * DAY, NOW - 2 * HOUR)
LATELY = every(timedelta(minutes=1), NOW - HOUR, NOW - timedelta(minutes=1))


def resolve(store: Store, at: datetime) -> None:
    """Ann says of everything that fires that this is how it is now."""
    rows = [event(resolved(one, "ann", at), "resolved", at, by="ann") for one in alerts(store) if one["status"] == "firing"]
    store.insert("alert_events", as_frame(rows, ALERT_EVENTS))


def accepted(store: Store, clock: Clock, fails: float = 0.4) -> Alerting:
    """An agent that fails more often for an hour, of which Ann says that this is how it is now."""
    store_work(store, work("writer", 0, BEFORE) + work("writer", 1000, LATELY, fails=fails))
    it = alerting(store, clock)
    it.run()
    resolve(store, NOW)
    return it


def go_on(store: Store, it: Alerting, clock: Clock, first: int, times: Iterable[datetime], **how: Any) -> list[str]:
    """The agent works at `times`, and is looked at; what fires then."""
    done = work("writer", first, times, **how)
    store_work(store, done)
    clock.moment = done[-1]["started_at"] + timedelta(minutes=2)
    for _ in range(2):
        clock.tick(15)
        it.run()
    return [one["title"] for one in alerts(store) if one["status"] == "firing"]


def test_what_is_accepted_of_failures_hides_no_other_fault_of_the_agent(tables: Store, clock: Clock) -> None:
    it = accepted(tables, clock)
    dear = every(timedelta(minutes=1), NOW, NOW + HOUR)

    (told,) = go_on(tables, it, clock, 2000, dear, fails=0.4, cost_usd=Decimal("0.05"))
    assert told.startswith("writer: is dearer")


def test_it_does_not_come_back_however_long_it_stays_so(tables: Store, clock: Clock) -> None:
    it = accepted(tables, clock, fails=0.6)
    told = []
    for since, until in pairwise((0, 1, 8, 27, 40)):
        told += go_on(tables, it, clock, 2000 + 100 * since, every(2 * HOUR, NOW + since * DAY, NOW + until * DAY), fails=0.6)

    assert told == []


def test_worse_than_what_is_accepted_is_told(tables: Store, clock: Clock) -> None:
    it = accepted(tables, clock)

    (told,) = go_on(tables, it, clock, 2000, every(timedelta(minutes=1), NOW, NOW + HOUR), fails=1.0)
    assert told.startswith("writer: fails more often")


def test_it_is_told_anew_when_it_was_well_in_between(tables: Store, clock: Clock) -> None:
    it = accepted(tables, clock)
    minute = timedelta(minutes=1)
    assert go_on(tables, it, clock, 2000, every(minute, NOW, NOW + 4 * HOUR)) == []

    assert len(go_on(tables, it, clock, 3000, every(minute, NOW + 5 * HOUR, NOW + 6 * HOUR), fails=0.4)) == 1


FAILING = {"name": "failing", "metric": "success_rate", "below": {"warning": 0.8, "critical": 0.2}, "by": ["agent_id"]}


def test_of_a_level_it_is_accepted_while_it_stays_so_and_no_worse(tables: Store, clock: Clock) -> None:
    it = alerting(tables, clock, shipped=False, rules=[FAILING])
    assert len(go_on(tables, it, clock, 0, LATELY, fails=0.6)) == 1
    resolve(tables, clock())

    assert go_on(tables, it, clock, 2000, every(timedelta(minutes=5), NOW, NOW + 9 * DAY), fails=0.6) == []
    clock.tick(DAY.total_seconds())
    it.run()  # nobody works: nothing is known
    again = every(timedelta(minutes=1), NOW + 10 * DAY, NOW + 10 * DAY + HOUR)
    assert go_on(tables, it, clock, 5000, again, fails=0.6) == []
    worse = every(timedelta(minutes=1), NOW + 11 * DAY, NOW + 11 * DAY + HOUR)
    assert len(go_on(tables, it, clock, 6000, worse, fails=1.0)) == 1
