"""The shape of the answers that several routes give, and how rows of the store become them."""

from typing import Annotated, Literal

import polars as pl
import polars.selectors as cs
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T08:00:00.25Z"]})]
"""RFC 3339 in UTC, as exact as the span said it (up to nanoseconds)."""
Row = dict[str, object]


class Answer(BaseModel):
    """Base of every answer: columns that it does not name are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


def rows(frame: pl.DataFrame) -> list[Row]:
    """`frame` as JSON values: times as RFC 3339, money as numbers, null where a text is empty or a number is none."""
    return plain(frame).to_dicts()


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    """As `rows`, but still columns."""
    return frame.with_columns(
        cs.datetime().dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ"),
        cs.date().dt.to_string("%Y-%m-%d"),
        cs.decimal().cast(pl.Float64),
        cs.string().replace("", None),
        cs.float().fill_nan(None),
    )


class Health(Answer):
    """How something is now."""

    status: Literal["healthy", "degraded", "failing"] | None
    """`degraded`: over 20 % failed, `failing`: over 40 %; null: too few ended lately to know."""
    error_rate: float | None
    """The share that failed; null if nothing ended lately."""
    finished: int
    """How many ended lately."""
    failed: int
    """How many of them failed."""


class Tokens(Answer):
    """Tokens by kind; null where nothing is known."""

    input_tokens: int | None
    """Tokens read, cached ones included."""
    output_tokens: int | None
    """Tokens written, reasoning included."""
    cached_input_tokens: int | None
    """Part of the input that came from a cache."""
    cache_write_tokens: int | None
    """Part of the input that was written to a cache."""
    reasoning_tokens: int | None
    """Part of the output that was reasoning."""


class Scores(Answer):
    """How good a task was, 0 to 1; null where nothing is known."""

    accuracy: float | None
    """Mean of the evaluations for it; stars, and scores without a criterion, stand in."""
    completeness: float | None
    """As above."""
    relevance: float | None
    """As above."""
    quality: float | None
    """These three by their weights."""
    overall: float | None
    """Quality and efficiency by their weights."""
    efficiency: float | None
    """Cost and duration against the usual: 0.5 is the usual, 0 what failed."""
    speed: float | None
    """Duration against the usual."""
    thrift: float | None
    """Cost against the usual."""
    cost_per_quality_point: float | None
    """US dollars over `overall`."""


class Task(Tokens):
    """One agent doing one assignment."""

    task_id: str = Field(examples=["0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"])
    """Trace id and span id of the task."""
    external_id: str | None
    """`merit.task.id`, if the user gave one."""
    trace_id: str
    """The trace, in lower-case hex."""
    span_id: str
    """The agent span; of an implicit task a hash of trace and agent."""
    parent_task_id: str | None
    """The task that this one works for; null at the top."""
    agent_id: str | None = Field(examples=["finance/eu"])
    """Who did it."""
    agent_name: str | None
    """What the agent is called."""
    agent_type: str | None
    """`merit.agent.type`, if the user said it."""
    department: str | None
    """`merit.agent.department`, if the user said it."""
    service_name: str | None
    """`service.name` of the process."""
    name: str | None
    """The name of the span."""
    category: str | None = Field(examples=["research"])
    """What kind of work it is."""
    complexity: int | None = Field(examples=[2])
    """1 (a single model call) to 5."""
    status: str = Field(examples=["succeeded"])
    """`running`, `interrupted`, `succeeded` or `failed`."""
    error_type: str | None
    """What kind of error it failed with."""
    error_message: str | None
    """What the error said."""
    started_at: Time
    """When it began."""
    ended_at: Time
    """When it ended; while it runs, the newest that is known."""
    duration_seconds: float
    """How long it took."""
    nodes: int
    """How many steps it has."""
    llm_calls: int
    """How many of them are model calls."""
    tool_calls: int
    """How many of them are tool calls."""
    total_tokens: int
    """Input and output together."""
    cost_usd: float | None = Field(examples=[0.0042])
    """The sum of the known prices in US dollars; null if no call has a known one."""
    unpriced_calls: int
    """Model calls whose price is unknown."""
    files_created: int
    """Files it says it created."""
    files_modified: int
    """Files it says it changed."""
    models: list[str] = Field(examples=[["gpt-4o-mini"]])
    """The models that answered."""
    temperature: float | None
    """The temperature it asked for."""
    conversation_id: str | None
    """The conversation it belongs to."""
    user_id: str | None
    """On behalf of whom."""
    input: str | None
    """An excerpt of what it was asked."""
    output: str | None
    """An excerpt of what it answered."""
    scores: Scores | None
    """How good it was; null while nothing is known."""
    user_rating: float | None = Field(examples=[4.0])
    """Mean of the users' stars; null while there are none."""
    points: float | None = Field(examples=[78.5])
    """Rewards less penalties, under the default profile; null while it is not finished."""


class Node(Tokens):
    """One step inside a task. Tokens and cost are null on everything that is not a counted model call."""

    task_id: str
    """The task it belongs to."""
    trace_id: str
    """The trace, in lower-case hex."""
    span_id: str
    """The span."""
    parent_span_id: str | None
    """The span above it; null at the root."""
    agent_id: str | None
    """Whose step it is."""
    node_name: str | None = Field(examples=["web_search"])
    """Name of the tool, graph node, retriever or model."""
    operation: str | None = Field(examples=["execute_tool"])
    """What it does: `chat`, `execute_tool`, `retrieval`, `node`, …"""
    provider: str | None = Field(examples=["openai"])
    """Who serves the model."""
    model: str | None = Field(examples=["gpt-4o-mini"])
    """The model that answered, under one plain name: no date (unless it has a price of its own), no path, no region."""
    request_model: str | None = Field(examples=["gpt-4o-mini"])
    """The model that was asked for, as said."""
    response_model: str | None = Field(examples=["gpt-4o-mini-2024-07-18"])
    """The model that answered, as said."""
    started_at: Time
    """When it began."""
    duration_seconds: float
    """How long it took."""
    cost_usd: float | None
    """What it cost in US dollars; null where it has no price or an unknown one."""
    success: bool
    """Whether the step succeeded; the task may have recovered from one that did not."""
    error_type: str | None
    """What kind of error it failed with."""
    error_message: str | None
    """What the error said."""
    quality: float | None
    """Mean of what is said of this step; null while nobody judged it."""


class Workflow(Answer):
    """One trace that holds at least one task: a whole job, possibly of several agents."""

    trace_id: str
    """The trace, in lower-case hex."""
    name: str | None = Field(examples=["plan_trip"])
    """What the root is called."""
    status: str = Field(examples=["succeeded"])
    """`running`, `interrupted`, `succeeded` or `failed`."""
    root_agent_id: str | None = Field(examples=["planner"])
    """Whose task is at the top; of several at the top, the first."""
    agents: list[str]
    """Who took part."""
    services: list[str]
    """The processes that took part."""
    tasks: int
    """How many tasks it holds."""
    spans: int
    """How many spans it holds."""
    started_at: Time
    """When it began."""
    duration_seconds: float
    """From the first start to the last end."""
    input_tokens: int
    """Tokens read."""
    output_tokens: int
    """Tokens written."""
    total_tokens: int
    """Both together."""
    cost_usd: float | None
    """The sum of the known prices in US dollars."""
    unpriced_calls: int
    """Model calls whose price is unknown."""
