"""/v1/models: how the calls of each model fare."""

from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field

from processors.health import CALLS_WITHIN, LEAST_CALLS, health
from query_api.asking.answers import Answer, Health, rows
from query_api.asking.filters import ChosenAgents, Paged, bound
from query_api.asking.pages import MONTH, in_order
from query_api.asking.questions import Ask, Now
from query_api.rankings.work_scores import Judged
from query_api.usage.calls import durations, of_calls
from query_api.usage.measures import Measures


class ModelQuestion(ChosenAgents, Paged):
    """Parameters of /v1/models."""


class Model(Measures, Judged):
    """A model, counted over its calls."""

    model: str | None = Field(examples=["gpt-4o-mini"])
    """The model that answered, under one plain name; null for calls that name none."""
    providers: list[str]
    """Who served it."""
    health: Health
    """How its calls of the last 15 minutes ended; `status` is null with fewer than 20 of them."""


class Models(Answer):
    """A page of models, the most called first."""

    models: list[Model]
    """The models."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


def routes(ask: Ask, now: Now) -> APIRouter:
    """The routes below /v1/models."""
    router = APIRouter(tags=["models"])

    @router.get("/v1/models", response_model=Models, summary="Models, the most called first")
    def models(question: Annotated[ModelQuestion, Query()]) -> Any:
        """Calls, success, duration, tokens and cost by model. Without a window over the last 30 days."""
        moment = now()
        parameters = of_calls(question, moment, MONTH, "model") | {"lately": bound(moment - CALLS_WITHIN)}
        with ask.one_state():
            timed = durations(ask, parameters)
            page = in_order(ask, "model_calls", question, parameters, of="models")
            frame = timed(page.frame)
        frame = frame.with_columns(pl.col("group").alias("model"), health("calls_lately", "failed_lately", LEAST_CALLS))
        return {"models": rows(frame), "next_cursor": page.next_cursor}

    return router
