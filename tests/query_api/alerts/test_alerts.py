"""/v1/alerts."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from processors.alerts.frames import ALERT_EVENTS, ALERTS, as_json
from processors.alerts.life import as_frame, event
from tests.builders import NOW, Row


def alert(number: int, **more: Any) -> Row:
    """An alert that has fired, begun `number` minutes ago."""
    scope = more.pop("scope", {"agent_id": "writer"})
    plain = {
        **dict.fromkeys(("acknowledged_at", "clear_since", "resolved_at")),
        **dict.fromkeys(("acknowledged_by", "resolved_by", "cause"), ""),
        "alert_id": f"a{number}",
        "key": f"k{number}",
        "rule": "success",
        "severity": "warning",
        "status": "firing",
        "agent_id": scope.get("agent_id", ""),
        "scope": as_json(scope),
        "title": "writer fails more often",
        "evidence": as_json({"before": 0.02, "after": 0.5}),
        "recommended_action": "look at the traces",
        "started_at": NOW - timedelta(minutes=number),
        "pending_at": NOW,
        "fired_at": NOW,
        "silenced": False,
        "version": 1,
        "is_deleted": 0,
    }
    return plain | more


def put(store: Store, *alerts: Row) -> None:
    store.insert("alerts", as_frame(alerts, ALERTS))
    store.insert("alert_events", as_frame([event(one, "fired", NOW) for one in alerts], ALERT_EVENTS))


def listed(api: TestClient, query: str = "") -> list[str]:
    return [one["alert_id"] for one in api.get(f"/v1/alerts?{query}").json()["alerts"]]


def test_an_alert_says_what_is_wrong_and_what_happened_to_it(api: TestClient, tables: Store) -> None:
    put(tables, alert(1))

    answer = api.get("/v1/alerts/a1").json()
    assert (answer["scope"], answer["evidence"]["after"], answer["cause"]) == ({"agent_id": "writer"}, 0.5, None)
    assert [(one["event"], one["by"]) for one in answer["events"]] == [("fired", "merit")]
    del answer["events"]
    assert api.get("/v1/alerts").json() == {"alerts": [answer], "next_cursor": None}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["a1", "a2"]),
        ("status=pending", ["a3"]),
        ("severity=critical", ["a2"]),
        ("agent_id=writer", ["a1"]),
        ("model=gpt-4o", ["a2"]),
        ("rule=success&status=firing", ["a1", "a2"]),
        ("rule=other", []),
        ("until=2026-01-31T11:58:30Z", ["a2"]),
        ("window=1h&service=app", []),
    ],
)
def test_alerts_are_chosen(api: TestClient, tables: Store, query: str, found: list[str]) -> None:
    put(tables, alert(1), alert(2, severity="critical", scope={"model": "gpt-4o"}), alert(3, status="pending"))

    assert listed(api, query) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", []),
        ("status=resolved&status=firing", []),
        ("status=firing&status=acknowledged", ["a1", "a2"]),
        ("window=60d", ["a1", "a2"]),
    ],
)
def test_what_is_open_is_told_however_long_ago_it_began(api: TestClient, tables: Store, query: str, found: list[str]) -> None:
    put(tables, *(alert(number, started_at=NOW - timedelta(days=30 + number)) for number in (1, 2)))

    assert listed(api, query) == found


def test_pages_hold_every_alert_once(api: TestClient, tables: Store) -> None:
    put(tables, *(alert(number, started_at=NOW - timedelta(minutes=1)) for number in range(5)))

    seen, cursor = [], ""
    while cursor is not None:
        answer = api.get(f"/v1/alerts?limit=2{cursor and '&cursor=' + cursor}").json()
        seen += [one["alert_id"] for one in answer["alerts"]]
        cursor = answer["next_cursor"]
    assert seen == ["a4", "a3", "a2", "a1", "a0"]


def test_somebody_sees_to_an_alert_and_says_that_it_is_over(api: TestClient, tables: Store) -> None:
    put(tables, alert(1))

    seen = api.post("/v1/alerts/a1/acknowledge", json={"by": "ann", "note": "looking"}).json()
    assert (seen["status"], seen["acknowledged_by"]) == ("acknowledged", "ann")
    assert api.post("/v1/alerts/a1/acknowledge", json={"by": "bob"}).json() == seen
    over = api.post("/v1/alerts/a1/resolve").json()
    assert (over["status"], over["resolved_by"], over["resolved_at"]) == ("resolved", "api", "2026-01-31T12:00:00Z")
    assert sorted((one["event"], one["by"], one["note"]) for one in over["events"]) == [
        ("acknowledged", "ann", "looking"),
        ("fired", "merit", None),
        ("resolved", "api", None),
    ]
    assert api.post("/v1/alerts/a1/acknowledge").status_code == 409
    assert api.get("/v1/alerts/a1").json() == over == api.post("/v1/alerts/a1/resolve").json()


def test_an_alert_that_is_not_there_or_has_not_fired_cannot_be_seen_to(api: TestClient, tables: Store) -> None:
    put(tables, alert(1, status="pending"))

    assert api.post("/v1/alerts/none/acknowledge").status_code == 404
    assert api.get("/v1/alerts/none").status_code == 404
    assert api.post("/v1/alerts/a1/resolve").status_code == 409
    assert api.post("/v1/alerts/a1/acknowledge", json={"by": "merit"}).status_code == 400
    assert api.get("/v1/alerts?status=bad").status_code == 400
