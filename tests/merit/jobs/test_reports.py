"""Reports are sent when they are due, to whom wants them, once."""

from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from exporters.store import Store
from merit.cli import app
from merit.jobs.reports import Reporting
from merit.program import notifying_on
from merit.settings import Settings
from processors.errors import Unavailable
from query_api.settings import QueryApiSettings
from query_api.web.server import ApiServer
from tests.builders import NOW, Clock
from tests.exporters.notifications.receivers import Hook, hook, letters
from tests.merit.scored import work_out
from tests.query_api.build import put, task

SECRET = "a secret of sixteen"
YESTERDAY = NOW - timedelta(days=1)


def settings(url: str = "", hooked: str = "", **more: Any) -> Settings:
    receiver = {"url": url} if url else {"webhook": {"url": hooked, "secret": SECRET}}
    route = {"name": "team", "reports": ["daily"], "events": []} | receiver | more.pop("route", {})
    said = {"exporters": {"notifications": {"routes": [route]}}, "processors": {"reports": more}}
    return Settings.model_validate(said)


def test_a_report_is_sent_once_when_it_is_due_also_across_a_restart(tables: Store) -> None:
    put(tables, "tasks", [task(1, started_at=YESTERDAY)])
    work_out(tables)
    clock = Clock(NOW.replace(hour=8, minute=59))
    with hook() as said:
        first = Reporting(tables, settings(hooked=said.url), clock)
        assert first.run() == 0
        clock.tick(120)
        assert [first.run(), first.run()] == [1, 0]
        assert Reporting(tables, settings(hooked=said.url), clock).run() == 0
        clock.tick(86_400)
        assert Reporting(tables, settings(hooked=said.url), clock).run() == 1

    assert [message["key"] for message in said.messages] == ["daily-report-2026-01-30", "daily-report-2026-01-31"]
    assert said.messages[0]["report"]["tasks"]["value"] == 1
    assert said.headers[0]["Merit-Signature"].startswith("t=")


def test_the_time_of_day_is_that_of_the_time_zone(tables: Store) -> None:
    clock = Clock(NOW.replace(hour=4))  # in Auckland it is five in the afternoon
    with hook() as said:
        assert Reporting(tables, settings(hooked=said.url, time_zone="Pacific/Auckland"), clock).run() == 1
        assert Reporting(tables, settings(hooked=said.url, time_zone="America/New_York"), clock).run() == 1

    assert [message["report"]["first_day"] for message in said.messages] == ["2026-01-30", "2026-01-29"]


def test_a_mail_has_the_page_and_its_pictures(tables: Store) -> None:
    put(tables, "tasks", [task(1, started_at=YESTERDAY, agent_name="<b>bold</b>")])
    work_out(tables)
    with letters() as post:
        assert Reporting(tables, settings(url=post.url), Clock()).run() == 1

    (mail,) = post.received
    parts = {part.get_content_type(): part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()}
    page = bytes(parts["text/html"]).decode()
    assert mail["Subject"] == "Merit: daily report of 2026-01-30"
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<svg" in page


def test_a_chat_gets_markdown(tables: Store) -> None:
    with hook() as said:
        url = f"json://127.0.0.1:{said.port}/merit"
        assert Reporting(tables, settings(url=url), Clock()).run() == 1

    assert "Nothing happened: no task began." in said.messages[0]["message"]


def test_what_a_receiver_does_not_take_is_sent_again_later(tables: Store) -> None:
    clock = Clock()
    with hook(Hook(answers=[500, 0])) as said:
        sending = Reporting(tables, settings(hooked=said.url), clock)
        runs = []
        for _ in range(4):
            runs.append(sending.run())
            clock.tick(300)

    assert runs == [0, 0, 1, 0]
    assert {headers["Idempotency-Key"] for headers in said.headers} == {"daily-report-2026-01-30"}


class Dying:
    """A store that dies when it is to write down that something was delivered."""

    def __init__(self, store: Store) -> None:
        self.query, self._store = store.query, store

    def insert(self, table: str, rows: Any) -> None:
        if "delivered" in rows["status"]:
            raise Unavailable("the process is killed")
        self._store.insert(table, rows)


def test_a_process_that_dies_after_sending_sends_again_under_the_same_key(tables: Store, clock: Clock) -> None:
    with hook() as said:
        with pytest.raises(Unavailable):
            Reporting(Dying(tables), settings(hooked=said.url), clock).run()  # type: ignore[arg-type]
        assert Reporting(tables, settings(hooked=said.url), clock).run() == 1

    assert [message["key"] for message in said.messages] == ["daily-report-2026-01-30"] * 2


def test_what_is_long_past_is_not_sent_any_more(tables: Store) -> None:
    with hook() as said:
        wanted = settings(hooked=said.url, route={"reports": ["monthly", "weekly"]})
        assert Reporting(tables, wanted, Clock()).run() == 0  # a Saturday at the end of a month


def test_a_report_that_nobody_wants_is_not_sent(tables: Store) -> None:
    def names(route: dict[str, Any]) -> list[str]:
        return [job.name for job in notifying_on(tables, settings(hooked="http://127.0.0.1:1/", route=route), Clock())]

    assert names({"reports": [], "events": ["fired"]}) == ["notify"]
    assert names({"reports": ["weekly"]}) == ["notify", "reports"]


def test_it_is_printed_by_a_command(tables: Store) -> None:
    from query_api.web.app import create_app
    from query_api.web.health import Condition

    put(tables, "tasks", [task(1, started_at=YESTERDAY)])
    work_out(tables)
    listening = QueryApiSettings(endpoint="127.0.0.1:0")
    api = ApiServer(create_app(tables, tables.insert, listening, lambda: NOW, Condition()), listening, None)
    api.start()
    try:
        good = CliRunner().invoke(app, ["report", "--api", api.url])
        page = CliRunner().invoke(app, ["report", "weekly", "--date", "2026-01-30", "--format", "html", "--api", api.url])
        wrong = CliRunner().invoke(app, ["report", "--date", "2027-01-30", "--api", api.url])
    finally:
        api.stop()

    assert (good.exit_code, page.exit_code, wrong.exit_code) == (0, 0, 2)
    assert good.output.startswith("# Merit: daily report of 2026-01-30\n\n1 tasks")
    assert page.output.startswith("<!doctype html>")
    assert "today, 2026-01-31" in wrong.output
