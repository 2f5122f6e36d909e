"""/v1/reports: how a day, a week or a month went, for people and programs."""

from datetime import date
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, Query
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from pydantic import Field

from processors.alerts.frames import Severity
from processors.reports import render
from processors.reports.periods import Kind, last_complete, period
from processors.reports.settings import ReportSettings, TimeZone
from processors.scoring.settings import ScoringSettings
from query_api.asking.answers import Answer, Time
from query_api.asking.filters import Question
from query_api.asking.problems import wrong
from query_api.asking.questions import Ask, Now
from query_api.reports.changes import Measure
from query_api.reports.composing import Recommend, report

Form = Literal["json", "markdown", "html"]
MEDIA: dict[Form, str] = {"json": "application/json", "markdown": "text/markdown", "html": "text/html"}
FIRST = date(2000, 1, 1)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What a browser may do with a report: show it."""


class ReportQuestion(Question):
    """Parameters of /v1/reports/{kind}."""

    day: Annotated[date | None, Field(alias="date", examples=["2026-01-30"])] = None
    """A day of the period that is meant; unsaid, the last period that is over."""
    form: Annotated[Form | None, Field(alias="format")] = None
    """`json`, `markdown` or `html`; unsaid, as the header `Accept` prefers."""
    time_zone: TimeZone | None = None
    """Where days begin at midnight, for example `Europe/Berlin`; unsaid, as the settings say (`processors.reports.time_zone`)."""


class ReportedAgent(Answer):
    """How an agent did, against the period before."""

    agent_id: str | None = Field(examples=["finance/eu"])
    """The agent."""
    agent_name: str | None
    """What it is called."""
    rank: int | None
    """Its rank by performance, going by the work of this period alone."""
    rank_before: int | None
    """The same of the period before; null if it did nothing then."""
    moved: int | None
    """How many ranks it rose; negative if it fell."""
    is_sure: bool
    """Whether it has 10 tasks in both periods, whose 90 % intervals have nothing in common: else the move may be luck."""
    performance: float | None
    """0–100, drawn to what the others show."""
    score_low: float | None
    """Lower end of its 90 % interval."""
    score_high: float | None
    """Upper end of its 90 % interval."""
    tasks: int
    """Its tasks."""
    success_rate: float | None
    """Succeeded among the finished."""
    success_rate_before: float | None
    """The same of the period before."""
    quality: float | None
    """How good its work was judged."""
    quality_before: float | None
    """The same of the period before."""
    avg_duration_seconds: float | None
    """Mean duration of its finished tasks."""
    p95_duration_seconds: float | None
    """Nineteen in twenty took no longer."""
    total_cost_usd: float | None
    """What it spent."""
    cost_before_usd: float | None
    """The same of the period before."""
    cost_per_success_usd: float | None
    """Cost by tasks that succeeded."""
    probation: bool
    """Whether it did too little, or is too young, for its rank to mean much."""


class CostMover(Answer):
    """What changed in cost."""

    group_by: Literal["agent", "category", "model"]
    """What it is."""
    group: str | None = Field(examples=["gpt-4o-mini"])
    """Which one."""
    cost_usd: float
    """What it cost."""
    cost_before_usd: float
    """What it cost in the period before."""
    change_usd: float
    """The difference."""


class ReportedAlert(Answer):
    """An alert that fired, or went on."""

    alert_id: str
    """The alert."""
    rule: str
    """The rule that found it."""
    severity: Severity
    """How bad it is, or was at its worst."""
    status: str
    """Where it stands now."""
    agent_id: str | None
    """Whom it is about, if it is about one agent."""
    title: str
    """What is wrong, in one line."""
    cause: str | None
    """What explains most of it."""
    recommended_action: str | None
    """What to do."""
    started_at: Time
    """Since when it is so."""
    fired_at: Time | None
    """When it was told."""
    resolved_at: Time | None
    """When it was over."""
    traces: list[str]
    """Traces to look at."""


class Recommendation(Answer):
    """What to do."""

    kind: str
    """What kind of advice it is: that of an insight, or `alert`."""
    agent_id: str | None
    """Whom it is about, if it is about one agent."""
    advice: str
    """What to do, and why."""
    about: str | None
    """The id of the insight or the alert."""


class ReportStep(Answer):
    """An hour of the day, or a day of the week or month."""

    started_at: Time
    """When it began."""
    tasks: int
    """Tasks that began in it."""
    succeeded: int
    """Of them, those that succeeded."""
    failed: int
    """Of them, those that failed."""
    cost_usd: float
    """What they cost."""


class Report(Answer):
    """How a day, a week or a month went, against the one before."""

    kind: Kind
    """`daily`, `weekly` (from Monday) or `monthly`."""
    first_day: str = Field(examples=["2026-01-30"])
    """The first day."""
    last_day: str
    """The last day."""
    since: Time
    """When it begins."""
    until: Time
    """When it ends."""
    time_zone: str
    """Where its days begin at midnight."""
    complete: bool
    """Whether it is over."""
    generated_at: Time
    """When this was worked out."""
    empty: bool
    """Whether no task began."""
    headline: str
    """The report in a line."""
    notes: list[str]
    """What is not known."""
    tasks: Measure
    """Tasks that began."""
    succeeded: Measure
    """Of them, those that succeeded."""
    failed: Measure
    """Of them, those that failed."""
    success_rate: Measure
    """Succeeded among the finished."""
    avg_duration_seconds: Measure
    """Mean duration of the finished."""
    rated_tasks: Measure
    """Tasks that were judged."""
    quality: Measure
    """How good they were judged, from 0 to 1."""
    cost_usd: Measure
    """The sum of the known prices."""
    cost_per_success_usd: Measure
    """Cost by tasks that succeeded; null if too many prices are unknown."""
    total_tokens: Measure
    """Tokens read and written."""
    unpriced_calls: Measure
    """Model calls whose price is unknown."""
    active_agents: Measure
    """Agents that began a task."""
    agents: list[ReportedAgent]
    """By rank, at most 100."""
    agents_left_out: int
    """How many more there are."""
    ranks_moved: list[ReportedAgent]
    """Those whose rank is another one than in the period before."""
    cost_movers: list[CostMover]
    """What changed most in cost, by agent, category and model."""
    alerts: list[ReportedAlert]
    """By rules with levels, budgets, signs of life; the worst first."""
    anomalies: list[ReportedAlert]
    """Changes against the agent's own past; the worst first."""
    recommendations: list[Recommendation]
    """What to do."""
    series: list[ReportStep]
    """Hour by hour, or day by day."""


SHOWN: dict[int | str, dict[str, Any]] = {
    200: {"description": "The report", "content": {MEDIA["markdown"]: {}, MEDIA["html"]: {}}}
}


def routes(ask: Ask, now: Now, settings: ReportSettings, scoring: ScoringSettings, recommend: Recommend) -> APIRouter:
    """The routes below /v1/reports."""
    router = APIRouter(tags=["reports"])

    @router.get("/v1/reports/{kind}", response_model=Report, responses=SHOWN, summary="How a day, a week or a month went")
    def reports(
        kind: Kind,
        question: Annotated[ReportQuestion, Query()],
        accept: Annotated[str, Header(description="`application/json`, `text/markdown` or `text/html`")] = "",
    ) -> Any:
        """Agents, ranks that moved, cost and what moved it, alerts, anomalies and advice, against the period before.

        The page needs nothing from elsewhere: it can be kept, or sent by mail.
        """
        moment = now()
        zone = question.time_zone or settings.time_zone
        today = moment.astimezone(ZoneInfo(zone)).date()
        if question.day and not FIRST <= question.day <= today:
            raise wrong("date", question.day.isoformat(), f"must lie between {FIRST} and today, {today}")
        chosen = period(kind, question.day, ZoneInfo(zone)) if question.day else last_complete(kind, moment, ZoneInfo(zone))
        made = report(ask, chosen, zone, scoring, moment, recommend)
        return told(made, question.form or preferred(accept))

    return router


def told(made: dict[str, Any], form: Form) -> Any:
    """The report in a form."""
    headers = {"Content-Security-Policy": POLICY, "Vary": "Accept"}
    if form == "html":
        return HTMLResponse(render.html(made), headers=headers)
    if form == "markdown":
        return PlainTextResponse(render.markdown(made), media_type=f"{MEDIA[form]}; charset=utf-8", headers=headers)
    return Response(Report.model_validate(made).model_dump_json(), media_type=MEDIA[form], headers={"Vary": "Accept"})


def preferred(accept: str) -> Form:
    """The form that a header `Accept` likes best; JSON if it likes none or several alike."""
    weights: dict[Form, float] = dict.fromkeys(get_args(Form), 0.0)
    for part in accept.lower().split(","):
        media, *parameters = (each.strip() for each in part.split(";"))
        weight = next((quality(each) for each in parameters if each.startswith("q=")), 1.0)
        for form in weights:
            weights[form] = max(weights[form], weight if media == MEDIA[form] else 0.0)
    return max(weights, key=lambda form: weights[form])


def quality(parameter: str) -> float:
    """The weight of `q=0.8`; 0 if it is none."""
    try:
        return min(max(float(parameter[2:]), 0.0), 1.0)
    except ValueError:
        return 0.0
