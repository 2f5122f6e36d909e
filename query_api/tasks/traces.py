"""/v1/traces: one trace, whole."""

from typing import Annotated, Any
from urllib.parse import unquote

import polars as pl
from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, Field

from processors.scoring.settings import ScoringSettings
from query_api.asking.answers import Answer, Row, Task, Time, Workflow, rows
from query_api.asking.filters import Question
from query_api.asking.problems import ProblemError
from query_api.asking.questions import Ask
from query_api.tasks.marks import marks_of_tasks

MOST_SPANS = 20_000
MOST_TASKS = 2_000
MOST_HANDOFFS = 2_000
MOST_STEPS = 1_000_000

TraceId = Annotated[str, Path(max_length=200), AfterValidator(unquote), AfterValidator(str.lower)]


class TraceQuestion(Question):
    """Parameters of /v1/traces/{trace_id}."""

    limit: Annotated[int, Field(ge=1, le=MOST_SPANS)] = 10_000
    """How many spans at most; the first ones are shown."""
    attributes: bool = True
    """Whether to show the attributes of the spans."""


class Span(Answer):
    """A span as it was received, and whose work it is."""

    span_id: str
    """The span, in lower-case hex."""
    parent_span_id: str | None
    """The span above it; null at the root. It may be missing: a parent that never came."""
    name: str | None
    """What it is called."""
    kind: str | None = Field(examples=["Internal"])
    """`Internal`, `Server`, `Client`, `Producer`, `Consumer` or `Unspecified`."""
    service_name: str | None
    """`service.name` of its process."""
    operation: str | None = Field(examples=["chat"])
    """What it does; null if it is no GenAI span."""
    started_at: Time
    """When it began."""
    duration_seconds: float
    """How long it took."""
    status: str | None = Field(examples=["unset"])
    """`unset`, `ok` or `error`."""
    status_message: str | None
    """What the status says."""
    task_id: str | None
    """The task it is a step of, or that it is itself; null if it is neither."""
    agent_id: str | None
    """Who did it; null if it is no step of a task."""
    attributes: dict[str, str]
    """Its attributes, each cut to 4,096 characters; empty if they were not asked for."""
    attributes_cut: bool
    """Whether an attribute is longer than is shown."""


class Call(Answer):
    """One task that works for another: who called whom."""

    from_agent_id: str | None
    """Who called."""
    to_agent_id: str | None
    """Who was called."""
    from_task_id: str
    """The task that called."""
    to_task_id: str
    """The task that was called."""


class Handoff(Answer):
    """A step by which an agent hands its work over to another."""

    agent_id: str | None
    """Who handed over."""
    task_id: str
    """The task it belongs to."""
    span_id: str
    """The span."""
    name: str | None = Field(examples=["transfer_to_billing"])
    """What the handoff is called."""
    started_at: Time
    """When it began."""
    success: bool
    """Whether it succeeded."""


class Trace(Answer):
    """A trace: its spans with their parents, its tasks and the workflow they make."""

    trace_id: str
    """The trace, in lower-case hex."""
    total_spans: int
    """How many spans are stored."""
    spans_cut: bool
    """Whether there are more spans than are shown."""
    spans: list[Span]
    """The spans in the order they began; `parent_span_id` makes them a tree."""
    tasks_cut: bool
    """Whether there are more tasks than are shown."""
    tasks: list[Task]
    """The tasks in the order they began; `parent_task_id` makes them a tree."""
    calls: list[Call]
    """Which task called which, in the order the called ones began, at most 2,000; tasks at the top are called by none."""
    handoffs: list[Handoff]
    """Where an agent handed its work over, in the order it did, at most 2,000."""
    workflow: Workflow | None
    """The workflow; null while the trace is not worked out, or if it holds no task."""


def routes(ask: Ask, scoring: ScoringSettings) -> APIRouter:
    """The routes below /v1/traces."""
    router = APIRouter(tags=["traces"])
    mark = marks_of_tasks(ask, scoring)

    @router.get("/v1/traces/{trace_id}", response_model=Trace, summary="One trace, whole")
    def trace(trace_id: TraceId, question: Annotated[TraceQuestion, Query()]) -> Any:
        """The spans of a trace with who owns each, its tasks and its workflow. Spans are kept for fewer days than tasks."""
        key = {"trace_id": trace_id}
        most = question.limit + 1
        coming = ask.soon("trace_spans", {**key, "limit": most, "attributes": question.attributes}, most)
        coming_steps = ask.soon("trace_steps", {**key, "limit": MOST_STEPS}, MOST_STEPS)
        coming_workflow = ask.soon("workflow", {**key, "limit": 1}, 1)
        tasks = ask("trace_tasks", {**key, "limit": MOST_TASKS + 1}, MOST_TASKS + 1)
        marked = rows(mark(tasks.head(MOST_TASKS)))
        spans, workflows = coming(), rows(coming_workflow())
        if spans.is_empty() and not workflows:
            raise ProblemError(404, f"There is no trace {trace_id[:200]!r}: no span of it is stored, and no task")
        is_cut = spans.height > question.limit
        links = ask("trace_links", {**key, "limit": MOST_STEPS}, MOST_STEPS) if tasks.height > MOST_TASKS else tasks.select(LINKS)
        steps = coming_steps()
        return {
            "trace_id": trace_id,
            "total_spans": int(ask("trace_size", key, 1).item()) if is_cut else spans.height,
            "spans_cut": is_cut,
            "spans": owned(spans.head(question.limit), links, steps),
            "tasks_cut": tasks.height > MOST_TASKS,
            "tasks": marked,
            "calls": rows(calls(links).head(MOST_TASKS)),
            "handoffs": rows(steps.filter("is_handoff").head(MOST_HANDOFFS)),
            "workflow": workflows[0] if workflows else None,
        }

    return router


LINKS = ("span_id", "task_id", "parent_task_id", pl.col("agent_id").cast(pl.String))
"""What says of tasks who they work for: as in trace_links.sql."""


def owned(spans: pl.DataFrame, links: pl.DataFrame, steps: pl.DataFrame) -> list[Row]:
    """The spans, each with its owner: a step belongs to its task, a span that is a task itself to that one."""
    owner = ("span_id", "task_id", "agent_id")
    owners = pl.concat([links.select(owner), steps.join(links, on="span_id", how="anti").select(owner)])
    attributes = spans["attributes"].to_list()
    told = rows(spans.drop("attributes").join(owners, on="span_id", how="left", maintain_order="left"))
    return [row | {"attributes": dict(pairs)} for row, pairs in zip(told, attributes, strict=True)]


def calls(links: pl.DataFrame) -> pl.DataFrame:
    """Which task works for which other of the trace."""
    callers = links.select(from_task_id="task_id", from_agent_id="agent_id")
    called = links.rename({"task_id": "to_task_id", "agent_id": "to_agent_id", "parent_task_id": "from_task_id"})
    return called.join(callers, on="from_task_id", maintain_order="left")
