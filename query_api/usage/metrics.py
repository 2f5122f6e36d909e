"""/v1/metrics: the metrics that agents and services send, over time; `health` has what Merit says of itself."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from query_api.asking.answers import Answer, Time, rows
from query_api.asking.filters import Paged, Values, Windowed, bound
from query_api.asking.pages import DAY, in_order
from query_api.asking.questions import Ask, Now

Interval = Literal["minute", "hour", "day", "week", "all"]
Kind = Literal["gauge", "sum", "histogram", "exponential_histogram", "summary"]


class MetricQuestion(Windowed, Paged):
    """Parameters of /v1/metrics."""

    name: Values = ()
    """Only metrics of this name (`merit.queue.length`); may be repeated."""
    kind: Annotated[tuple[Kind, ...], Field(max_length=100)] = ()
    """Only metrics of this kind; may be repeated."""
    service: Values = ()
    """Only of this service (`service.name`); may be repeated."""
    agent_id: Values = ()
    """Only of this agent, as the data points or their resource name it; may be repeated."""
    interval: Interval = "hour"
    """How finely time is parted; `all` makes one of the whole window."""


class Metric(Answer):
    """What one metric of one service and agent said in one stretch of time.

    Of gauges and of sums that go up and down: `last`, `min`, `max`, `avg`. Of counters: `increase`. Of histograms and
    summaries: `count` measurements that add up to `increase`, `avg` each. The rest is null.
    """

    name: str | None = Field(examples=["merit.queue.length"])
    """What is measured."""
    kind: Kind
    """How it is measured."""
    unit: str | None = Field(examples=["{task}"])
    """In what it is measured, as the sender says it."""
    service_name: str | None
    """Who measured it."""
    agent_id: str | None
    """Of which agent; null if it does not say."""
    started_at: Time
    """When the stretch of time begins (with `interval=all` the window)."""
    points: int
    """Data points of it in this time."""
    last: float | None
    """The newest value."""
    min: float | None
    """The least value."""
    max: float | None
    """The greatest value."""
    avg: float | None
    """The mean of the values; of histograms and summaries that of the measurements."""
    increase: float | None
    """What was added in this time. Of a stream that began before the window, its first value is only where counting begins."""
    count: int | None
    """Measurements in this time."""


class Metrics(Answer):
    """Metrics by time, the newest first."""

    interval: Interval
    """How finely time is parted."""
    metrics: list[Metric]
    """One for each metric, service, agent and stretch of time."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


def routes(ask: Ask, now: Now) -> APIRouter:
    """The routes below /v1/metrics."""
    router = APIRouter(tags=["metrics"])

    @router.get("/v1/metrics", response_model=Metrics, summary="Metrics over time")
    def metrics(question: Annotated[MetricQuestion, Query()]) -> Any:
        """The metrics that match, by name, service and agent. Without `since` or `window` of the last day."""
        period = question.period(now(), DAY)
        chosen = {name: list(getattr(question, name)) for name in ("name", "kind", "service", "agent_id")}
        window = {"since": bound(period.since), "until": bound(period.until), "interval": question.interval}
        page = in_order(ask, "metrics", question, chosen | window)
        return {"interval": question.interval, "metrics": rows(page.frame), "next_cursor": page.next_cursor}

    return router
