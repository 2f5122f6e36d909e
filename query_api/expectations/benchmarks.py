"""/v1/benchmarks: what is expected of a task by the type of its agent, for where too little was done to know the usual."""

from decimal import Decimal
from typing import Annotated, Any, Self

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from processors.benchmarks import BENCHMARKS
from query_api.asking.answers import Answer, rows
from query_api.asking.filters import Question
from query_api.asking.questions import Ask, Keep, Now
from query_api.expectations.whole_lists import refuse_twice, replacing, there

MOST = 1_000
"""Benchmarks that may be kept."""
KEY = ("agent_type", "complexity")


class Expected(Question):
    """What is expected of tasks of one complexity by agents of one type; at least one of the two expectations."""

    agent_type: Annotated[str, Field(min_length=1, max_length=200, examples=["cognitive"])]
    """The type as tasks have it (`merit.agent.type`), letter by letter."""
    complexity: Annotated[int | None, Field(ge=1, le=5)] = None
    """1 to 5; null: any for which there is no benchmark of its own."""
    expected_duration_seconds: Annotated[float | None, Field(gt=0, le=1e9, allow_inf_nan=False)] = None
    """How long such a task should take."""
    expected_cost_usd: Annotated[Decimal | None, Field(ge=0, max_digits=18, decimal_places=12)] = None
    """What such a task should cost in US dollars."""

    @model_validator(mode="after")
    def _expects(self) -> Self:
        if self.expected_duration_seconds is None and self.expected_cost_usd is None:
            raise ValueError("expects nothing: say expected_duration_seconds, expected_cost_usd or both, or leave it out")
        return self


class AllExpected(Question):
    """All benchmarks that there are to be."""

    benchmarks: Annotated[tuple[Expected, ...], Field(max_length=MOST)]
    """They replace those that there are: what is not among them is gone."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        refuse_twice(f"{one.agent_type!r} of complexity {one.complexity or 'any'}" for one in self.benchmarks)
        return self


class Benchmark(Answer):
    """What is expected of tasks of one complexity by agents of one type."""

    agent_type: str = Field(examples=["cognitive"])
    """The type, as tasks have it."""
    complexity: int | None = Field(examples=[3])
    """1 to 5; null: any for which there is no benchmark of its own."""
    expected_duration_seconds: float | None = Field(examples=[3.0])
    """How long such a task should take; null if nothing is expected."""
    expected_cost_usd: float | None
    """What such a task should cost in US dollars; null if nothing is expected."""
    shipped: bool
    """Whether it came with Merit; false if somebody has set it."""


class Benchmarks(Answer):
    """Every benchmark, by type and complexity."""

    benchmarks: list[Benchmark]
    """The benchmarks."""
    next_cursor: None = None
    """Always null: all are shown."""


def routes(ask: Ask, keep: Keep, now: Now) -> APIRouter:
    """The routes below /v1/benchmarks."""
    router = APIRouter(tags=["benchmarks"])

    @router.get("/v1/benchmarks", response_model=Benchmarks, summary="What is expected of agents")
    def benchmarks(_: Annotated[Question, Query()]) -> Any:
        """Expected duration and cost by agent type and complexity."""
        return {"benchmarks": shown(ask("benchmarks", {"limit": MOST}, MOST))}

    @router.put("/v1/benchmarks", response_model=Benchmarks, summary="Set what is expected of agents")
    def set_benchmarks(sent: AllExpected) -> Any:
        """Replace all benchmarks by these. The answer is the list as it is now."""
        said = [one.model_dump() | {"complexity": one.complexity or 0} for one in sent.benchmarks]
        after = replacing(ask("benchmarks", {"limit": MOST}, MOST), said, BENCHMARKS, KEY, now())
        keep("benchmarks", after)
        return {"benchmarks": shown(there(after, KEY))}

    return router


def shown(frame: pl.DataFrame) -> list[dict[str, object]]:
    """Rows of BENCHMARKS as answers."""
    return rows(frame.with_columns(shipped=pl.col("version") == 0, complexity=pl.col("complexity").replace(0, None)))
