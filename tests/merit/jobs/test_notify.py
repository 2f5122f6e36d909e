"""Routes are told what happens to alerts: at least once, under one key, and not in a flood."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from exporters.happenings import happened
from exporters.notifications.carriers import carrier
from exporters.notifications.settings import NotificationSettings
from exporters.settings import ClickHouseSettings
from exporters.store import Store
from merit.cli import app
from merit.jobs.notify import Notifying
from merit.jobs.outage import Outage
from merit.settings import load
from processors.alerts.frames import ALERT_EVENTS, ALERTS
from processors.errors import Rejected, Unavailable
from tests.builders import NOW, Clock, frame
from tests.exporters.notifications.receivers import Hook, hook
from tests.merit.jobs.test_live import alert, event

SECRET = "a secret of sixteen"


@pytest.fixture
def said() -> Iterator[Hook]:
    with hook() as listening:
        yield listening


def settings(said: Hook, **more: Any) -> NotificationSettings:
    route = {"name": "ops", "webhook": {"url": said.url, "secret": SECRET}} | more.pop("route", {})
    return NotificationSettings.model_validate({"routes": [route], "group_seconds": 0} | more)


def happens(store: Store, number: int, what: str = "fired", **more: Any) -> None:
    """Something happens to alert `number`."""
    about = {name: more.pop(name) for name in ("status", "agent_id", "scope", "severity", "fired_at") if name in more}
    store.insert("alerts", frame([alert(alert_id=f"a{number}", **about)], ALERTS))
    same = {name: about[name] for name in ("severity",) if name in about}
    row = event(what, **{"alert_id": f"a{number}", "event_id": f"a{number}-{what}"} | same | more)
    store.insert("alert_events", frame([row], ALERT_EVENTS))


def told(said: Hook) -> list[list[str]]:
    return [[one["event_id"] for one in message["events"]] for message in said.messages]


def test_what_happens_is_told_once_with_its_id_as_the_key(tables: Store, clock: Clock, said: Hook) -> None:
    happens(tables, 1)
    notifying = Notifying(tables, settings(said), clock)
    assert [notifying.run(), notifying.run()] == [1, 0]
    assert Notifying(tables, settings(said), clock).run() == 0

    assert told(said) == [["a1-fired"]]
    assert said.headers[0]["Idempotency-Key"] == said.messages[0]["key"] == "a1-fired"
    assert said.messages[0]["events"][0]["scope"] == {"category": "coding"}


def test_of_too_much_that_has_happened_the_newest_is_told(tables: Store) -> None:
    for number in range(4):
        happens(tables, number, at=NOW - timedelta(minutes=4 - number))

    assert [row["event_id"] for row in happened(tables, NOW - timedelta(hours=1), 2)] == ["a2-fired", "a3-fired"]


def test_what_happens_together_is_told_together(tables: Store, clock: Clock, said: Hook) -> None:
    notifying = Notifying(tables, settings(said, group_seconds=30), clock)
    happens(tables, 1)
    assert notifying.run() == 0
    clock.tick(20)
    happens(tables, 2, at=clock())
    assert notifying.run() == 0
    clock.tick(10)
    assert notifying.run() == 2
    assert told(said) == [["a1-fired", "a2-fired"]]


def test_a_route_is_told_of_what_it_asks_for_alone(tables: Store, clock: Clock, said: Hook) -> None:
    route = {"severities": ["critical"], "scope": {"category": ["coding"], "agent_id": ["researcher"]}, "events": ["fired"]}
    happens(tables, 1)
    happens(tables, 2, severity="warning")
    happens(tables, 3, scope='{"category":"writing"}')
    happens(tables, 4, agent_id="coder")
    happens(tables, 5, "resolved")
    happens(tables, 6, silenced=True)
    happens(tables, 7, "escalated")

    assert Notifying(tables, settings(said, route=route), clock).run() == 2
    assert told(said) == [["a1-fired", "a7-escalated"]]


def test_a_receiver_that_was_down_for_an_hour_gets_one_digest(tables: Store, clock: Clock) -> None:
    with hook() as once:
        down = Hook(port=once.port)
    notifying = Notifying(tables, settings(down), clock)
    for number in range(60):
        happens(tables, number, at=clock())
        assert notifying.run() == 0
        clock.tick(60)
    with hook(down):
        clock.tick(300)
        assert Notifying(tables, settings(down), clock).run() == 60

    assert [len(ids) for ids in told(down)] == [60]


def test_who_is_asked_to_wait_waits(tables: Store, clock: Clock, said: Hook) -> None:
    said.answers = [429]
    happens(tables, 1)
    notifying = Notifying(tables, settings(said), clock)
    for seconds in (0, 60, 59, 2):
        clock.tick(seconds)
        notifying.run()

    assert told(said) == [["a1-fired"], ["a1-fired"]]
    assert notifying.run() == 0


def test_what_perhaps_arrived_is_sent_again_as_it_was_under_the_same_key(tables: Store, clock: Clock, said: Hook) -> None:
    said.answers = [0]
    happens(tables, 1)
    happens(tables, 2)
    assert Notifying(tables, settings(said), clock).run() == 0
    happens(tables, 3)
    clock.tick(60)
    again = Notifying(tables, settings(said), clock)
    assert [again.run(), again.run()] == [2, 1]

    assert told(said) == [["a1-fired", "a2-fired"]] * 2 + [["a3-fired"]]
    assert said.messages[0]["key"] == said.messages[1]["key"] != said.messages[2]["key"]
    assert said.bodies[0] == said.bodies[1]


class Dying:
    """A store that dies when it is to write down that something was delivered."""

    def __init__(self, store: Store) -> None:
        self.query, self._store = store.query, store

    def insert(self, table: str, rows: Any) -> None:
        if table == "notifications" and "delivered" in rows["status"]:
            raise Unavailable("the process is killed")
        self._store.insert(table, rows)


def test_a_process_that_dies_after_sending_sends_again_under_the_same_key(tables: Store, clock: Clock, said: Hook) -> None:
    happens(tables, 1)
    happens(tables, 2)
    with pytest.raises(Unavailable):
        Notifying(Dying(tables), settings(said), clock).run()  # type: ignore[arg-type]
    happens(tables, 3)
    after = Notifying(tables, settings(said), clock)
    assert [after.run(), after.run(), after.run()] == [2, 1, 0]

    keys = [headers["Idempotency-Key"] for headers in said.headers]
    assert keys[0] == keys[1] != keys[2]
    assert told(said) == [["a1-fired", "a2-fired"]] * 2 + [["a3-fired"]]


def test_an_alert_that_fires_on_is_told_again_until_somebody_sees_to_it(tables: Store, clock: Clock, said: Hook) -> None:
    notifying = Notifying(tables, settings(said, repeat_seconds=3600), clock)
    happens(tables, 1, fired_at=NOW)
    for _ in range(5):
        notifying.run()
        clock.tick(1800)
    happens(tables, 1, "acknowledged", status="acknowledged", fired_at=NOW)
    clock.tick(3600)
    notifying.run()

    assert told(said) == [["a1-fired"], ["a1-reminder-1"], ["a1-reminder-2"]]


def test_what_cannot_be_delivered_for_long_is_given_up(tables: Store, clock: Clock, said: Hook) -> None:
    said.answers = [500, 500]
    happens(tables, 1)
    notifying = Notifying(tables, settings(said, give_up_seconds=600), clock)
    notifying.run()
    clock.tick(700)
    notifying.run()
    clock.tick(700)
    assert notifying.run() == 0
    assert len(said.bodies) == 2


def test_that_the_store_is_away_is_told_once_though_no_alert_can_be(clock: Clock, said: Hook) -> None:
    notifying = Notifying(Store(ClickHouseSettings()), settings(said), clock)  # nobody has opened it
    for seconds in (0, 59, 2, 60):
        clock.tick(seconds)
        with pytest.raises(Unavailable):
            notifying.run()

    ((told_of,),) = [message["events"] for message in said.messages]
    assert (told_of["rule"], told_of["severity"], told_of["status"]) == ("store-away", "critical", "firing")
    assert said.headers[0]["Idempotency-Key"] == told_of["event_id"] == "store-away-20260131T120000-fired"


def test_that_the_store_is_back_is_told_to_those_who_knew(said: Hook) -> None:
    wanted = settings(said)
    carriers = {route.name: carrier(route, 5) for route in wanted.routes}
    outage = Outage(wanted.routes, carriers)
    outage.is_over(NOW)
    for minutes in (0, 2):
        outage.goes_on("away", NOW + timedelta(minutes=minutes))
    outage.is_over(NOW + timedelta(minutes=3))
    outage.goes_on("away", NOW + timedelta(minutes=4))  # another one, and not for long yet
    outage.is_over(NOW + timedelta(minutes=4.5))

    assert told(said) == [["store-away-20260131T120000-fired"], ["store-away-20260131T120000-resolved"]]


def test_a_route_that_is_new_is_not_told_old_news(tables: Store, clock: Clock, said: Hook) -> None:
    happens(tables, 1, at=NOW - timedelta(days=2))

    assert Notifying(tables, settings(said), clock).run() == 0


def configured(folder: Path, said: Hook, extra: str = "") -> Path:
    path = folder / "merit.yaml"
    path.write_text(
        "exporters:\n  notifications:\n    routes:\n"
        f"      - name: ops\n        webhook:\n          url: {said.url}\n          secret: {SECRET}\n{extra}"
    )
    return path


def test_a_preview_says_who_took_it_and_who_did_not(tmp_path: Path, said: Hook) -> None:
    extra = "      - name: gone\n        url: json://u:hunter22@127.0.0.1:1\n"
    path = configured(tmp_path, said, extra)
    both = CliRunner().invoke(app, ["alerts", "test", "--config", str(path)])
    one = CliRunner().invoke(app, ["alerts", "test", "--route", "ops", "--config", str(path)])
    none = CliRunner().invoke(app, ["alerts", "test", "--route", "opps", "--config", str(path)])

    assert (both.exit_code, one.exit_code, none.exit_code) == (1, 0, 2)
    assert "ok     ops: took the preview" in both.output
    assert "wrong  gone: json:// did not take it" in both.output
    assert "hunter22" not in both.output
    assert [message["events"][0]["rule"] for message in said.messages] == ["preview", "preview"]


def test_a_wrong_route_is_refused_with_its_line_and_without_its_secret(tmp_path: Path, said: Hook) -> None:
    path = configured(tmp_path, said, "      - name: x\n        url: slck://hunter22\n        title: '{titel}'\n")
    with pytest.raises(Rejected) as refused:
        load(path, {})

    assert "line 9" in str(refused.value)
    assert "line 10" in str(refused.value)
    assert "did you mean {title}?" in str(refused.value)
    assert "hunter22" not in str(refused.value)


def test_addresses_and_secrets_may_be_in_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "merit.yaml"
    hooked = "{name: b, webhook: {url: env:HOOK, secret: env:SIGN}}"
    path.write_text(f"exporters: {{notifications: {{routes: [{{name: a, url: env:CHAT}}, {hooked}]}}}}\n")
    environ = {"CHAT": "json://h/t", "HOOK": "https://h", "SIGN": SECRET}

    chat, own = load(path, environ).exporters.notifications.routes
    assert chat.url is not None
    assert own.webhook is not None
    assert chat.url.get_secret_value() == "json://h/t"
    assert own.webhook.secret.get_secret_value() == SECRET
    with pytest.raises(Rejected, match=r"routes: secret is to be in the environment variable SIGN, which is not set"):
        load(path, environ | {"SIGN": ""})
