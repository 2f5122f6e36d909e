"""The life of an alert."""

from datetime import datetime, timedelta
from typing import Any

import polars as pl

from processors.alerts.accepted import still_accepted, unaccepted, well_again
from processors.alerts.changes import CHANGES
from processors.alerts.frames import ALERT_EVENTS, ALERTS, FINDINGS, as_json, key_of
from processors.alerts.life import Round, acknowledged, advance, as_frame, as_people_say, event, resolved
from processors.frames import empty
from tests.builders import NOW, Row

MINUTE = timedelta(minutes=1)


def finding(state: str = "raised", agent: str = "writer", **more: Any) -> Row:
    scope = {"agent_id": agent}
    plain = {
        "key": key_of("performance", scope),
        "state": state,
        "rule": "success",
        "severity": "warning",
        "agent_id": agent,
        "scope": as_json(scope),
        "title": f"{agent} fails more often",
        "evidence": as_json({"after": 0.5}),
        "recommended_action": "look at the traces",
        "cause": "",
        "started_at": NOW - 10 * MINUTE,
        "for_seconds": 0.0,
        "clear_seconds": 300.0,
        "cooldown_seconds": 1800.0,
    }
    return plain | more


class Lived:
    """Alerts as rounds and people leave them."""

    def __init__(self) -> None:
        self.alerts = empty(ALERTS)
        self.events = empty(ALERT_EVENTS)
        self.silent = False

    def round(self, at: datetime, *findings: Row) -> list[str]:
        """One more round; what happened."""
        people = self.events.filter(pl.col("by") != "merit")
        accepted = still_accepted(alerts := as_people_say(self.alerts, people))
        found = as_frame(findings, FINDINGS)
        well = well_again(accepted, empty(CHANGES), found, at)
        news = unaccepted(found, accepted, alerts.filter(pl.col("status") != "resolved"))
        made = advance(self.alerts, people, news, lambda _: self.silent, at, well)
        return self.keep(made)

    def keep(self, made: Round) -> list[str]:
        kept = pl.concat([self.alerts, made.alerts]).sort("version").unique("alert_id", keep="last")
        self.alerts = kept.filter(pl.col("is_deleted") == 0)
        self.events = pl.concat([self.events, made.events]).unique("event_id", maintain_order=True)
        return made.events["event"].to_list()

    def says(self, what: str, at: datetime) -> None:
        """A person says it, and only the event is kept: another writer was faster with the row."""
        after = {"acknowledged": acknowledged, "resolved": resolved}[what](self.alerts.row(0, named=True), "ann", at)
        self.keep(Round(empty(ALERTS), as_frame([event(after, what, at, by="ann")], ALERT_EVENTS)))  # type: ignore[arg-type]

    @property
    def statuses(self) -> list[str]:
        return self.alerts.sort("started_at")["status"].to_list()


def test_what_must_last_is_pending_until_it_has_lasted() -> None:
    lived = Lived()

    assert lived.round(NOW, finding(for_seconds=120.0)) == []
    assert lived.statuses == ["pending"]
    assert lived.round(NOW + MINUTE, finding("held", for_seconds=120.0)) == []
    assert lived.round(NOW + 2 * MINUTE, finding(for_seconds=120.0)) == ["fired"]
    assert lived.alerts["fired_at"].item() == NOW + 2 * MINUTE


def test_what_does_not_last_leaves_nothing() -> None:
    lived = Lived()
    lived.round(NOW, finding(for_seconds=120.0))
    lived.round(NOW + MINUTE, finding("clear", for_seconds=120.0))

    assert (lived.statuses, lived.events.height) == ([], 0)


def test_it_fires_once_however_often_it_is_looked_at_and_however_late_it_is_looked_at_again() -> None:
    lived = Lived()

    assert [lived.round(NOW + n * 60 * MINUTE, finding()) for n in range(4)] == [["fired"], [], [], []]


def test_every_replica_gives_it_the_same_id() -> None:
    one, other = Lived(), Lived()
    one.round(NOW, finding())
    other.round(NOW + MINUTE, finding())

    assert one.alerts["alert_id"].item() == other.alerts["alert_id"].item()
    assert one.events["event_id"].item() == other.events["event_id"].item()


def test_it_is_resolved_when_it_has_been_clear_for_long_enough_and_not_before() -> None:
    lived = Lived()
    lived.round(NOW, finding())

    assert lived.round(NOW + 1 * MINUTE, finding("clear")) == []
    assert lived.round(NOW + 5 * MINUTE, finding("held")) == []  # not clear after all: hysteresis
    assert lived.round(NOW + 6 * MINUTE, finding("clear")) == []
    assert lived.round(NOW + 10 * MINUTE, finding("clear")) == []
    assert lived.round(NOW + 11 * MINUTE, finding("clear")) == ["resolved"]
    assert lived.alerts["resolved_by"].item() == "merit"


def test_knowing_nothing_is_not_being_well() -> None:
    lived = Lived()
    lived.round(NOW, finding())

    assert lived.round(NOW + MINUTE) == []
    assert lived.round(NOW + timedelta(hours=20)) == []
    assert lived.statuses == ["firing"]
    assert lived.round(NOW + timedelta(hours=25)) == ["resolved"]
    assert lived.events["note"][-1] == "for 24 h too little has been seen of it to tell"


def test_it_rests_for_the_cooldown_and_is_then_another_alert() -> None:
    lived = Lived()
    lived.round(NOW, finding())
    lived.round(NOW + MINUTE, finding("clear"))
    lived.round(NOW + 7 * MINUTE, finding("clear"))

    assert lived.round(NOW + 30 * MINUTE, finding()) == []
    assert lived.round(NOW + 38 * MINUTE, finding()) == ["fired"]
    assert lived.statuses == ["resolved", "firing"]


def test_what_is_over_is_not_silenced_afterwards() -> None:
    lived = Lived()
    lived.round(NOW, finding())
    lived.round(NOW + MINUTE, finding("clear"))
    lived.round(NOW + 7 * MINUTE, finding("clear"))
    lived.silent = True

    assert lived.round(NOW + 8 * MINUTE, finding("clear")) == []
    assert lived.alerts["silenced"].to_list() == [False]


def test_getting_worse_is_told_and_getting_better_is_not() -> None:
    lived = Lived()
    lived.round(NOW, finding())

    assert lived.round(NOW + MINUTE, finding(severity="critical")) == ["escalated"]
    assert lived.round(NOW + 2 * MINUTE, finding()) == []
    assert lived.alerts["severity"].item() == "critical"


def test_a_persons_word_counts_though_another_row_was_written_over_it() -> None:
    lived = Lived()
    lived.round(NOW, finding())
    lived.says("acknowledged", NOW + MINUTE)

    assert lived.statuses == ["firing"]
    assert lived.round(NOW + 2 * MINUTE, finding()) == []
    row = lived.alerts.row(0, named=True)
    assert (row["status"], row["acknowledged_by"], row["acknowledged_at"]) == ("acknowledged", "ann", NOW + MINUTE)


def test_what_a_person_has_resolved_stays_so_until_it_was_well_in_between() -> None:
    lived = Lived()
    lived.round(NOW, finding())
    lived.says("resolved", NOW + MINUTE)

    assert lived.round(NOW + 2 * MINUTE, finding()) == []
    assert lived.round(NOW + timedelta(days=2), finding()) == []
    assert lived.round(NOW + timedelta(days=9)) == []  # nothing is known
    assert lived.round(NOW + timedelta(days=10), finding()) == []
    lived.round(NOW + timedelta(days=10, minutes=1), finding("clear"))
    assert lived.round(NOW + timedelta(days=10, minutes=2), finding()) == ["fired"]
    assert lived.statuses == ["resolved", "firing"]


def test_what_a_person_has_resolved_is_told_when_it_gets_worse_and_hides_no_other_fault_of_the_same_key() -> None:
    worse, other = finding(severity="critical"), finding(rule="duration")
    for told in (worse, other):
        lived = Lived()
        lived.round(NOW, finding())
        lived.says("resolved", NOW + MINUTE)

        assert lived.round(NOW + 32 * MINUTE, told) == ["fired"]
        assert lived.statuses == ["resolved", "firing"]


def test_it_does_not_rest_of_another_fault() -> None:
    lived = Lived()
    lived.round(NOW, finding())
    lived.round(NOW + MINUTE, finding("clear"))
    lived.round(NOW + 7 * MINUTE, finding("clear"))

    assert lived.round(NOW + 8 * MINUTE, finding()) == []
    assert lived.round(NOW + 9 * MINUTE, finding(rule="duration")) == ["fired"]


def test_of_a_silenced_alert_nobody_is_told_until_the_silence_ends() -> None:
    lived = Lived()
    lived.silent = True
    lived.round(NOW, finding())
    assert lived.events["silenced"].to_list() == [True]
    lived.silent = False

    assert lived.round(NOW + MINUTE, finding()) == ["unsilenced"]
    assert lived.events["silenced"].to_list() == [True, False]


def test_a_round_that_is_repeated_changes_nothing() -> None:
    lived = Lived()
    before = lived.alerts
    made = advance(before, empty(ALERT_EVENTS), as_frame([finding()], FINDINGS), lambda _: False, NOW)
    again = advance(before, empty(ALERT_EVENTS), as_frame([finding()], FINDINGS), lambda _: False, NOW)

    assert made.alerts.equals(again.alerts)
    lived.keep(made)
    lived.keep(again)
    assert (lived.alerts.height, lived.events.height) == (1, 1)
