"""/v1/export: what is on the screen, to take away."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from processors.scoring.settings import ScoringSettings
from query_api.asking.answers import Answer, Node, Task
from query_api.asking.filters import Question
from query_api.asking.pages import MONTH, newest_parts
from query_api.asking.questions import Ask, Now
from query_api.rankings.rankings import ChosenRanking, Ranked, whole
from query_api.reports.export_formats import FORMATS, Format
from query_api.tasks.marks import SHOWN, marks_of_steps, marks_of_tasks
from query_api.tasks.nodes import ChosenNodes
from query_api.tasks.tasks import ChosenTasks
from query_api.usage.calls import of_calls
from query_api.usage.costs import ChosenCosts, SpentBy

MOST = 1_000_000
"""Rows of a file."""
MOST_GROUPS = 100_000
"""Rows of a file that are counted anew for it."""

FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {written.media_type: {} for written in FORMATS.values()}}
}


MARKS = pl.Schema({"scores": pl.Struct(dict.fromkeys(SHOWN, pl.Float64())), "user_rating": pl.Float64(), "points": pl.Float64()})
"""How good a task was, of one type in each part of a file, also where nothing was judged."""


class Exported(Question):
    """Of what kind a file is, and how long."""

    format: Format = "csv"
    """`csv`, `json` (a list of objects) or `parquet`."""
    limit: Annotated[int, Field(ge=1, le=MOST)] = MOST
    """How many rows at most, the first ones of the list. A file of just as many rows may have been cut."""


class TaskExport(ChosenTasks, Exported):
    """Parameters of /v1/export/tasks."""


class NodeExport(ChosenNodes, Exported):
    """Parameters of /v1/export/nodes."""


class CostExport(ChosenCosts, Exported):
    """Parameters of /v1/export/costs."""


class RankingExport(ChosenRanking, Exported):
    """Parameters of /v1/export/rankings."""


def routes(ask: Ask, now: Now, scoring: ScoringSettings) -> APIRouter:
    """The routes below /v1/export."""
    router = APIRouter(tags=["export"], default_response_class=StreamingResponse)
    mark = marks_of_tasks(ask, scoring)

    @router.get("/v1/export/rankings", responses=FILE, summary="A ranking as a file")
    def rankings(question: Annotated[RankingExport, Query()]) -> StreamingResponse:
        """What /v1/rankings answers, as a file."""
        frame = whole(ask, now, scoring, question)
        if question.agent_id:
            frame = frame.filter(pl.col("agent_id").is_in(question.agent_id))
        return file("rankings", question, Ranked, iter([frame.head(question.limit)]), now())

    @router.get("/v1/export/tasks", responses=FILE, summary="Tasks as a file")
    def tasks(question: Annotated[TaskExport, Query()]) -> StreamingResponse:
        """What /v1/tasks lists, as a file, the newest first. Without a window or `trace_id` of the last 30 days."""
        parts = newest_parts(ask, "tasks", question, now(), question.limit)
        return file("tasks", question, Task, (mark(part).cast(MARKS) for part in parts), now())

    @router.get("/v1/export/nodes", responses=FILE, summary="Steps as a file")
    def nodes(question: Annotated[NodeExport, Query()]) -> StreamingResponse:
        """What /v1/nodes lists, as a file, the newest first. Without a window or `trace_id` of the last 30 days."""
        parts = newest_parts(ask, "nodes", question, now(), question.limit)
        return file("nodes", question, Node, map(marks_of_steps(ask), parts), now())

    @router.get("/v1/export/costs", responses=FILE, summary="Costs as a file")
    def costs(question: Annotated[CostExport, Query()]) -> StreamingResponse:
        """What /v1/costs answers by group, as a file, the dearest first. Without a window or `trace_id` of the last 30 days."""
        most = min(question.limit, MOST_GROUPS)
        asked = of_calls(question, now(), MONTH, question.group_by) | {"limit": most, "offset": 0}
        return file("costs", question, SpentBy, iter([ask("costs", asked, most)]), now())

    return router


def columns(row: type[Answer]) -> list[str]:
    """The names of an answer's fields, its own before those that it has in common with others: who comes before how much."""
    common = [name for base in row.__bases__ if issubclass(base, Answer) for name in base.model_fields]
    return [*(name for name in row.model_fields if name not in common), *common]


def file(name: str, question: Exported, row: type[Answer], parts: Iterator[pl.DataFrame], now: datetime) -> StreamingResponse:
    """The answer that is a file of `parts`, with the columns of `row` in their order.

    The first part is asked for here, so that a store that is away is answered as such. If it goes away later the connection
    breaks: what has arrived can be told from a whole file.
    """
    shown = (part.select(name for name in columns(row) if name in part.columns) for part in parts)
    written = FORMATS[question.format]
    body = written.write(chain([next(shown)], shown))
    called = f"merit-{name}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.{question.format}"
    return StreamingResponse(
        body, media_type=written.media_type, headers={"Content-Disposition": f'attachment; filename="{called}"'}
    )
