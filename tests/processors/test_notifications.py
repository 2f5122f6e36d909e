"""Who is told when: what is on its way stays as it is, what certainly did not arrive joins what happened since."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from processors.notifications import batch, delivered, failed, fits, reminders, sent, taken_up
from tests.builders import NOW

DAY = timedelta(days=1)


def rows(*numbers: int, at: datetime = NOW, due: datetime = NOW) -> list[dict[str, Any]]:
    events = [{"event_id": f"e{n}", "alert_id": f"a{n}", "event": "fired", "at": at} for n in numbers]
    return taken_up("ops", events, set(), due)


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [row["event_id"] for row in found]


def test_what_is_known_is_not_taken_up_again() -> None:
    events = [{"event_id": f"e{n}", "alert_id": "a", "event": "fired", "at": NOW} for n in (1, 2)]

    assert ids(taken_up("ops", events, {("ops", "e1"), ("other", "e2")}, NOW)) == ["e2"]


def test_what_happens_later_goes_with_what_is_due() -> None:
    early, late = rows(1), rows(2, due=NOW + timedelta(seconds=10))

    assert batch(late, NOW) == []
    assert ids(batch(late + early, NOW)) == ["e1", "e2"]


def test_what_perhaps_arrived_goes_again_alone_under_its_key() -> None:
    on_its_way = failed(sent(rows(1, 2)), "broke", timedelta(0), perhaps=True, give_up=DAY, now=NOW)
    later = NOW + timedelta(seconds=10)

    assert batch(on_its_way + rows(3), NOW) == []
    again = sent(batch(on_its_way + rows(3), later))
    assert ids(again) == ["e1", "e2"]
    assert {row["key"] for row in again} == {row["key"] for row in on_its_way}


def test_what_certainly_did_not_arrive_waits_and_joins_what_is_new() -> None:
    refused = failed(sent(rows(1)), "no", timedelta(0), perhaps=False, give_up=DAY, now=NOW)

    assert batch(refused + rows(2), NOW) == []
    assert ids(batch(refused + rows(2), NOW + timedelta(seconds=10))) == ["e1", "e2"]


@given(tries=st.integers(0, 60), told=st.integers(0, 3600))
def test_pauses_grow_and_are_bounded_unless_more_is_asked_for(tries: int, told: int) -> None:
    row = rows(1)[0] | {"tries": tries}
    (after,) = failed([row], "no", timedelta(seconds=told), perhaps=False, give_up=DAY, now=NOW)

    assert timedelta(seconds=max(10, told)) <= after["next_at"] - NOW <= timedelta(seconds=max(300, told))
    assert after["tries"] == tries + 1


def test_what_is_delivered_or_given_up_is_not_sent() -> None:
    old = failed(rows(1, at=NOW - DAY), "no", timedelta(0), perhaps=True, give_up=DAY, now=NOW)

    assert [row["status"] for row in old] == ["given_up"]
    assert batch(old + delivered(rows(2), NOW), NOW + DAY) == []


def test_only_the_last_reminder_counts() -> None:
    alert = {"alert_id": "a", "fired_at": NOW - timedelta(hours=9)}

    assert [one["event_id"] for one in reminders([alert], timedelta(hours=4), NOW)] == ["a-reminder-2"]
    assert reminders([alert], timedelta(hours=10), NOW) == []


def test_nobody_is_told_of_what_is_silenced() -> None:
    happened = {"scope": {"category": "coding"}, "agent_id": "", "severity": "critical", "event": "escalated", "silenced": False}

    assert fits(happened, ["critical"], ["fired"], {"category": ["coding"]})
    assert not fits(happened | {"silenced": True}, ["critical"], ["fired"], {})
    assert not fits(happened, ["critical"], ["fired"], {"agent_id": ["coder"]})
