"""/v1/reports: how a day, a week or a month went."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient

from exporters.store import Store
from processors.alerts.frames import ALERTS
from query_api.reports.reports import preferred
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from tests.builders import NOW, Row, frame, truncate
from tests.merit.jobs.test_live import alert
from tests.merit.scored import work_out
from tests.query_api.build import node, put, task

FRIDAY = datetime(2026, 1, 30, 10, tzinfo=UTC)
"""A day before NOW."""
HOSTILE = "<script>alert(1)</script>](javascript:x) @everyone | *b* \"'>\n# h\u202e"


def day(first: int, many: int, at: datetime = FRIDAY, **more: Any) -> list[Row]:
    """Tasks numbered from `first` on, a minute apart, each with its model call."""
    return [task(first + n, started_at=at + timedelta(minutes=n), **more) for n in range(many)]


def calls(tasks: list[Row]) -> list[Row]:
    same = ("trace_id", "task_id", "agent_id", "category", "started_at", "cost_usd")
    return [node(0, **{name: one[name] for name in same}, model=one["models"][0]) for one in tasks]


@pytest.fixture(scope="module")
def worked(keeper: Store) -> Iterator[TestClient]:
    """Thursday: coder and writer are alike. Friday: coder fails often, writer costs more and has a hostile name."""
    truncate(keeper)
    thursday = FRIDAY - timedelta(days=1)
    tasks = [
        *day(1, 20, thursday, agent_id="coder", agent_name="coder"),
        *day(101, 20, thursday, agent_id="writer", agent_name="writer"),
        *day(201, 20, agent_id="coder", agent_name="coder", status="failed"),
        *day(301, 20, agent_id="writer", agent_name=HOSTILE, cost_usd=Decimal("0.01")),
        *day(401, 1, NOW, agent_id="late"),
    ]
    put(keeper, "tasks", tasks)
    put(keeper, "nodes", calls(tasks))
    work_out(keeper)
    fired = {"fired_at": FRIDAY, "started_at": FRIDAY, "recommended_action": "mend it"}
    over = {"resolved_at": FRIDAY + timedelta(hours=1), "status": "resolved"}
    rows = [
        alert(alert_id="a1", evidence='{"changes":[],"traces":["0af7","1bf8","2cf9"]}', title=HOSTILE, **fired),
        alert(alert_id="a2", severity="warning", **fired, **over),
        alert(alert_id="a3", fired_at=NOW + timedelta(days=1)),
        alert(alert_id="a4", severity="info", rule="optimisation-opportunity", **fired),
    ]
    keeper.insert("alerts", frame(rows, ALERTS))
    with fresh(keeper) as client:
        yield client
    truncate(keeper)


def fresh(store: Store) -> TestClient:
    """An API that has answered nothing yet."""
    return TestClient(create_app(store, store.insert, QueryApiSettings(), lambda: NOW, Condition()))


class Page(HTMLParser):
    """What stands in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_day_is_held_against_the_day_before(worked: TestClient) -> None:
    told = worked.get("/v1/reports/daily").json()

    assert (told["first_day"], told["since"], told["until"], told["complete"]) == (
        *("2026-01-30", "2026-01-30T00:00:00Z", "2026-01-31T00:00:00Z"),
        True,
    )
    assert (told["tasks"]["value"], told["tasks"]["before"], told["success_rate"]["value"]) == (40, 40, 0.5)
    assert told["cost_usd"] == pytest.approx({"value": 0.22, "before": 0.04, "change": 0.18, "change_ratio": 4.5})
    assert told["headline"] == "40 tasks (+0 %), 50.0 % succeeded (100.0 % before), $0.2200 spent, 3 alerts."
    assert [(row["agent_id"], row["rank"], row["rank_before"], row["success_rate_before"]) for row in told["agents"]] == [
        ("writer", 1, 1, 1.0),
        ("coder", 2, 1, 1.0),
    ]
    assert [(row["agent_id"], row["moved"], row["is_sure"]) for row in told["ranks_moved"]] == [("coder", -1, True)]
    assert {(row["group_by"], row["group"]): round(row["change_usd"], 6) for row in told["cost_movers"]} == {
        ("agent", "writer"): 0.18,
        ("category", "general"): 0.18,
        ("model", "gpt-4o-mini"): 0.18,
    }
    assert ([row["alert_id"] for row in told["anomalies"]], [row["alert_id"] for row in told["alerts"]]) == (
        ["a1"],
        ["a2", "a4"],
    )
    assert told["anomalies"][0]["traces"] == ["0af7", "1bf8", "2cf9"]
    assert [row["about"] for row in told["recommendations"]] == ["a1"]
    assert [(row["started_at"], row["tasks"]) for row in told["series"] if row["tasks"]] == [("2026-01-30T10:00:00Z", 40)]
    assert len(told["series"]) == 24


def test_days_begin_at_midnight_of_the_time_zone(worked: TestClient) -> None:
    told = worked.get("/v1/reports/daily?time_zone=Pacific/Auckland&date=2026-01-30").json()
    short = worked.get("/v1/reports/daily?time_zone=Europe/Berlin&date=2025-03-30").json()

    assert (told["since"], told["tasks"]["value"]) == ("2026-01-29T11:00:00Z", 40)
    assert len(short["series"]) == 23


def test_weeks_begin_on_monday_and_months_on_the_first(worked: TestClient) -> None:
    week = worked.get("/v1/reports/weekly").json()
    month = worked.get("/v1/reports/monthly?date=2026-01-05").json()

    assert (week["first_day"], week["last_day"], week["empty"]) == ("2026-01-19", "2026-01-25", True)
    assert (month["first_day"], month["last_day"], month["complete"], len(month["series"])) == (
        *("2026-01-01", "2026-01-31"),
        False,
        31,
    )
    assert month["tasks"]["value"] == 81


def test_a_page_needs_nothing_from_elsewhere_and_names_are_text(worked: TestClient) -> None:
    answer = worked.get("/v1/reports/daily?format=html")
    page = Page(answer.text)

    assert not {"script", "link", "img", "iframe", "a", "image", "use"} & set(page.tags)
    assert page.tags.count("svg") == 3
    assert not {name for name, _ in page.attributes} & {"href", "src", "style", "onload", "xlink:href"}
    assert "://" not in answer.text
    assert "<script>alert(1)</script>](javascript:x)" in page.text
    assert "look at 0af7, 1bf8" in page.text
    assert "\u202e" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'; base-uri")


def test_markdown_shows_names_as_they_are(worked: TestClient) -> None:
    told = worked.get("/v1/reports/daily?format=markdown").text

    assert r"&lt;script&gt;alert(1)&lt;/script&gt;\](javascript:x) @" in told
    assert "@everyone" not in told
    assert r"\| \*b\*" in told
    assert "\n# h" not in told


@pytest.mark.usefixtures("worked")
def test_models_are_left_out_where_calls_are_not_known(keeper: Store) -> None:
    for table in ("task_calls", "model_hourly", "model_daily"):
        keeper.command("TRUNCATE TABLE {table:Identifier}", {"table": table})
    told = fresh(keeper).get("/v1/reports/daily").json()

    assert {row["group_by"] for row in told["cost_movers"]} == {"agent", "category"}
    assert told["notes"] == ["Cost by model is not shown: it is not known of all that was done."]


def test_an_empty_period_says_so_in_a_line(api: TestClient) -> None:
    told = api.get("/v1/reports/weekly?format=markdown").text

    assert told == "# Merit: weekly report of 2026-01-19 to 2026-01-25\n\nNothing happened: no task began.\n"
    assert api.get("/v1/reports/weekly?format=html").status_code == 200


def test_the_form_is_as_asked_or_as_preferred(api: TestClient) -> None:
    answer = api.get("/v1/reports/daily?format=markdown", headers={"Accept": "text/html"})

    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert [preferred(accept) for accept in ("", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8")] == ["json", "json", "html"]
    assert [preferred(accept) for accept in ("text/html;q=0.5, text/markdown", "text/html;q=x")] == ["markdown", "json"]


@pytest.mark.parametrize("query", ["?date=2026-02-02", "?date=1999-12-31", "?date=x", "?time_zone=Mars", "?format=pdf", "?day=1"])
def test_what_cannot_be_reported_is_refused(api: TestClient, query: str) -> None:
    assert api.get(f"/v1/reports/daily{query}").status_code == 400
