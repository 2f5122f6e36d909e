"""/v1/overview: the whole system at a glance, against the time before."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field

from processors.health import DEGRADED, LEAST_TASKS
from processors.scoring.settings import ScoringSettings
from processors.scoring.statistics import over
from query_api.asking.answers import Answer, Row, Time
from query_api.asking.filters import EARLIEST, LATEST, ChosenAgents, bound
from query_api.asking.problems import wrong
from query_api.asking.questions import Ask, Now
from query_api.expectations.goals import Goal, standing
from query_api.rankings.work_scores import work, work_scores
from query_api.reports.changes import Measure, changes, measure

DAY = timedelta(days=1)
NARROW = timedelta(days=7)
"""In a window that is no wider, so few traces hold messages that they are looked up first."""
PERIODS = 2
BESIDE: dict[str, Row] = {
    "messages": {"by_agent": False, "trace_id": [], "status": []},
    "overview_workflows": {},
    "overview_users": {},
    "overview_files": {},
}
"""What is asked beside the rest, for it takes long, and its parameters."""


class OverviewQuestion(ChosenAgents):
    """Parameters of /v1/overview."""


class Messages(Answer):
    """What passed between agents: calls (a task that works for another agent's) and handoffs."""

    messages: Measure
    """How many; a handoff that the other agent answers within is one message with it."""
    calls: Measure
    """How many of them were calls."""
    handoffs: Measure
    """How many of them were handoffs."""
    success_rate: Measure
    """Which share of those that ended succeeded."""
    avg_response_seconds: Measure
    """How long the called agent worked, or the handoff took, in the mean."""


class Overview(Answer):
    """The window against the one before, which is as long."""

    since: Time = Field(examples=["2026-01-30T12:00:00Z"])
    """Where the window begins; the one before ends here."""
    until: Time
    """Where the window ends."""
    tasks: Measure
    """Tasks that began."""
    running: Measure
    """Of them, those that are not finished."""
    success_rate: Measure
    """Succeeded among the finished."""
    avg_duration_seconds: Measure
    """Mean duration of the finished tasks."""
    throughput_per_hour: Measure
    """Finished tasks an hour."""
    rated_tasks: Measure
    """Tasks that were judged."""
    quality: Measure
    """Their mean quality by the profile `default`, from 0 to 1; null while none was judged."""
    points: Measure
    """The sum of the tasks' points; null if none is finished or scored yet."""
    cost_per_quality_point: Measure
    """Cost of judged tasks by the sum of their overall scores; null without any, or if too many prices are unknown."""
    cost_usd: Measure
    """The sum of the known prices in US dollars; null if none is known."""
    unpriced_calls: Measure
    """Model calls whose price is unknown: the true cost is higher by theirs."""
    total_tokens: Measure
    """Tokens read and written."""
    files_created: Measure
    """Files that tasks say they created."""
    files_modified: Measure
    """Files that tasks say they changed."""
    users: Measure
    """On behalf of how many users."""
    active_agents: Measure
    """Agents that began a task."""
    healthy_agents: Measure
    """Of them, those of whose finished tasks at most 20 % failed, or that finished fewer than 5."""
    multi_agent_workflows: Measure
    """Jobs in which several agents took part."""
    multi_agent_success_rate: Measure
    """Succeeded among the finished of them."""
    messages: Messages
    """What passed between agents."""
    queue_length: Measure
    """What waits at the end of the window, by the gauge `merit.queue.length` of all who send it; null if nobody does."""
    open_decisions: Measure
    """Routing decisions that named somebody and of which nothing has come back yet, at the end of the window; null if filters are
    given that decisions do not know: all but `agent_id` and `category`."""
    goals: list[Goal]
    """The goals that are set, for all and for the departments that are asked for, over the last 30 days."""


def routes(ask: Ask, now: Now, scoring: ScoringSettings, open_seconds: float) -> APIRouter:
    """The routes below /v1/overview."""
    router = APIRouter(tags=["overview"])

    @router.get("/v1/overview", response_model=Overview, summary="The whole system at a glance")
    def overview(question: Annotated[OverviewQuestion, Query()]) -> Any:
        """Success, cost, throughput, agents, messages and goals, each against the window before. Unsaid, the last day."""
        moment = now()
        since, until = window(question, moment)
        before = max(since - (until - since), EARLIEST)
        asked = question.choice() | {
            "before": bound(before),
            "since": bound(since),
            "until": bound(until),
            "narrow": until - before <= NARROW,
            "limit": PERIODS,
        }
        with ask.one_state():
            coming = {name: ask.soon(name, asked | more, PERIODS) for name, more in BESIDE.items()}
            return {
                "since": shown(since),
                "until": shown(until),
                **of_work(work(ask, question, (before, since, until)), (until - since) / timedelta(hours=1)),
                **of_scores(ask, question, before, since, until, scoring),
                **changes(coming["overview_users"](), ("users",), ()),
                **changes(coming["overview_files"](), ("files_created", "files_modified"), ()),
                **of_workflows(coming["overview_workflows"]()),
                "messages": of_messages(coming["messages"]()),
                **changes(ask("queue_length", asked, PERIODS), (), ("queue_length",)),
                "open_decisions": of_decisions(ask, asked | {"open_seconds": open_seconds}),
                "goals": standing(ask, moment, question.department, scoring),
            }

    return router


def window(question: OverviewQuestion, now: datetime) -> tuple[datetime, datetime]:
    """The stretch that is asked for, of which nothing lies ahead but what is asked for; the last day if none is."""
    since, until = question.period(now, DAY).since, min(question.until or now, LATEST)
    if since >= until:
        raise wrong("since", since.isoformat(), "lies ahead: nothing has begun since")
    return since, until


def shown(moment: datetime) -> str:
    """As answers show times."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def of_work(agents: pl.DataFrame, hours: float) -> dict[str, Row]:
    """What sums of tasks, the rows of agent_statistics.sql, tell of the two windows, which are `hours` long."""
    finished, counts = pl.col("succeeded") + pl.col("failed"), ("tasks", "running", "succeeded", "failed", "unpriced_calls")
    summed = pl.col(*counts, "total_tokens", "duration_sum", "total_cost_usd", "cost_n").sum()
    each = agents.group_by("agent_id", period_of_segment()).agg(summed)
    ill = (finished >= LEAST_TASKS) & (pl.col("failed") > DEGRADED * finished)
    whole = each.group_by("period").agg(summed, active_agents=pl.len(), healthy_agents=(~ill).sum())
    priced = (pl.col("cost_n") > 0) | (pl.col("total_cost_usd") > 0)
    told = whole.with_columns(
        success_rate=over("succeeded", finished),
        avg_duration_seconds=over("duration_sum", finished),
        throughput_per_hour=finished / hours,
        cost_usd=pl.when(priced).then("total_cost_usd"),
    )
    known = ("tasks", "running", "throughput_per_hour", "unpriced_calls", "total_tokens", "active_agents", "healthy_agents")
    return changes(told, known, ("success_rate", "avg_duration_seconds", "cost_usd"))


def period_of_segment() -> pl.Expr:
    """Which of the two windows a segment is."""
    return pl.when(pl.col("segment") > 1).then(pl.lit("now")).otherwise(pl.lit("before")).alias("period")


def of_scores(
    ask: Ask, question: OverviewQuestion, before: datetime, since: datetime, until: datetime, scoring: ScoringSettings
) -> dict[str, Row]:
    """How good the work of the two windows was."""
    frame = work_scores(ask, question, (before, since, until), scoring)
    return changes(frame.with_columns(period_of_segment()), ("rated_tasks",), ("quality", "points", "cost_per_quality_point"))


def of_workflows(frame: pl.DataFrame) -> dict[str, Row]:
    """How jobs of several agents went."""
    return changes(frame, ("multi_agent_workflows",), ("multi_agent_success_rate",))


def of_decisions(ask: Ask, asked: Row) -> Row:
    """What routing decided of which nothing has come back."""
    if any(asked[name] for name in ("model", "provider", "department", "service", "user_id")):
        return measure(None, None)
    return changes(ask("open_decisions", asked, PERIODS), ("open_decisions",), ())["open_decisions"]


def of_messages(frame: pl.DataFrame) -> dict[str, Row]:
    """What passed between agents."""
    return changes(frame, ("messages", "calls", "handoffs"), ("success_rate", "avg_response_seconds"))
