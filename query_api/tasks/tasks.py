"""/v1/tasks: what was done, by whom, and how it went."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import unquote

import polars as pl
from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, Field

from processors.scoring.settings import ScoringSettings
from query_api.asking.answers import Answer, Node, Row, Task, rows
from query_api.asking.filters import ChosenAgents, Question, Statuses, Traced
from query_api.asking.pages import Listed, newest_first
from query_api.asking.problems import ProblemError
from query_api.asking.questions import Ask, Now
from query_api.evaluations.evaluations import GivenEvaluation
from query_api.tasks.marks import marks_of_steps, marks_of_tasks, points_of_tasks

Id = Annotated[str, Path(max_length=3072), AfterValidator(unquote)]
"""An id in a path, percent-encoded: routes are matched before decoding, so that `finance%2Feu` is one segment."""

TASK_OR_TRACE = re.compile(r"([0-9a-f]{32})(?:-([0-9a-f]{16}))?")
MOST_NODES = 10_000
MOST_TASKS = 1_000
MOST_EVALUATIONS = 1_000


class ChosenTasks(ChosenAgents, Traced):
    """Which tasks are meant."""

    status: Statuses = ()
    """`running`, `interrupted`, `succeeded` or `failed`; may be repeated."""


class TaskQuestion(ChosenTasks, Listed):
    """Parameters of /v1/tasks."""


class Tasks(Answer):
    """A page of tasks, the newest first."""

    tasks: list[Task]
    """The tasks."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


class PointsPart(Answer):
    """A reward or a penalty."""

    part: str = Field(examples=["quality"])
    """`completion`, `quality`, `speed`, `cost`, `user`, `peers`, `failed`, `expensive`, `slow` or `low_rating`."""
    value: float | None
    """What is rewarded; null if it is unknown."""
    weight: float
    """How many points one of it is worth; below 0 for a penalty."""
    contribution: float
    """What it adds to the points."""


class TaskWithNodes(Task):
    """A task and what it did, step by step."""

    nodes: list[Node]  # type: ignore[assignment]  # the steps themselves instead of their number
    """Its steps in the order they began, at most 10,000."""
    nodes_cut: bool
    """Whether there are more steps than are shown."""
    evaluations: list[GivenEvaluation]
    """How it and its steps were judged, the newest first; at most 1,000."""
    points_from: list[PointsPart]
    """How its points came about: they add up to `points`. Empty while it is not finished."""


class TasksWithNodes(Answer):
    """Several tasks of one id."""

    tasks: list[TaskWithNodes] = Field(min_length=2)
    """The tasks that go by this id."""
    next_cursor: None = None
    """Always null: all are shown."""


def routes(ask: Ask, now: Now, scoring: ScoringSettings) -> APIRouter:
    """The routes below /v1/tasks."""
    router = APIRouter(tags=["tasks"])
    mark = marks_of_tasks(ask, scoring)

    @router.get("/v1/tasks", response_model=Tasks, summary="Tasks, the newest first")
    def tasks(question: Annotated[TaskQuestion, Query()]) -> Any:
        """Every task that matches. Without `since`, `window` or `trace_id` the last 30 days are searched."""
        page = newest_first(ask, "tasks", question, now())
        return {"tasks": rows(mark(page.frame)), "next_cursor": page.next_cursor}

    @router.get("/v1/tasks/{task_id}", response_model=TaskWithNodes | TasksWithNodes, summary="One task, step by step")
    def task(task_id: Id, _: Annotated[Question, Query()]) -> Any:
        """The task of this id, with its nodes in place of their number.

        The id is a `task_id`, a trace id (its top-level tasks) or an `external_id`, tried in this order. Where several
        tasks go by the id the answer is `{"tasks": [...], "next_cursor": null}` with each as it would be alone.
        """
        frame = found(ask, task_id)
        if frame.is_empty():
            raise ProblemError(404, f"There is no task {task_id[:200]!r}: no task_id, trace id or external_id is like this")
        answers = with_nodes(ask, mark(frame), points_of_tasks(ask, frame, scoring))
        return answers[0] if len(answers) == 1 else {"tasks": answers}

    return router


def found(ask: Ask, given: str) -> pl.DataFrame:
    """The tasks that go by the id `given`."""
    if match := TASK_OR_TRACE.fullmatch(given.lower()):
        trace_id, span_id = match.groups(default="")
        frame = ask("task", {"trace_id": trace_id, "span_id": span_id, "limit": MOST_TASKS}, MOST_TASKS)
        if not frame.is_empty():
            return frame
    return ask("task_by_external_id", {"external_id": given, "limit": MOST_TASKS}, MOST_TASKS)


def with_nodes(ask: Ask, tasks: pl.DataFrame, points: Mapping[object, list[Row]]) -> list[Row]:
    """Each task with its points, its steps and its evaluations, at most `MOST_NODES` and `MOST_EVALUATIONS` together."""
    keys = {"trace_id": tasks["trace_id"].unique().to_list(), "task_id": tasks["task_id"].to_list()}
    nodes = ask("task_nodes", {**keys, "limit": MOST_NODES + 1}, MOST_NODES + 1)
    is_cut = nodes.height > MOST_NODES
    judged = ask("task_evaluations", {"task_id": keys["task_id"], "limit": MOST_EVALUATIONS}, MOST_EVALUATIONS)
    said = {key: rows(part) for (key,), part in judged.partition_by("task_id", as_dict=True).items()}
    shown = marks_of_steps(ask)(nodes.head(MOST_NODES))
    steps = {key: rows(part) for (key,), part in shown.partition_by("task_id", as_dict=True).items()}
    return [
        one
        | {"nodes": steps.get(one["task_id"], []), "nodes_cut": is_cut, "evaluations": said.get(one["task_id"], [])}
        | {"points_from": points[one["task_id"]]}
        for one in rows(tasks)
    ]
