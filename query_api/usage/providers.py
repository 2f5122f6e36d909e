"""/v1/providers: how each provider fares, how it is now, and how much to send it."""

from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field

from processors.health import CALLS_WITHIN, LEAST_CALLS, health, weight
from query_api.asking.answers import Answer, Health, rows
from query_api.asking.filters import ChosenAgents, Paged, bound
from query_api.asking.pages import MONTH, cut, offset_of
from query_api.asking.questions import Ask, Now
from query_api.rankings.work_scores import Judged
from query_api.usage.calls import durations, of_calls
from query_api.usage.measures import Measures

MOST_PROVIDERS = 1_000


class ProviderQuestion(ChosenAgents, Paged):
    """Parameters of /v1/providers."""


class Provider(Measures, Judged):
    """A provider, counted over the calls of its models."""

    provider: str | None = Field(examples=["openai"])
    """Who serves the models; null for calls that name none."""
    models: list[str]
    """The models that were called."""
    health: Health
    """How its calls of the last 15 minutes ended; `status` is null with fewer than 20 of them."""
    recommended_weight: float = Field(examples=[0.6])
    """The share of calls to send there, of all providers that match: in proportion to its chance of success, half of that while
    it is degraded, nothing while it is failing and another is not. All shares add up to 1.
    It is for load balancers; who should get one call, by category, cost and speed, /v1/route with `kind: provider` says."""


class Providers(Answer):
    """A page of providers, the most called first."""

    providers: list[Provider]
    """The providers."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


def routes(ask: Ask, now: Now) -> APIRouter:
    """The routes below /v1/providers."""
    router = APIRouter(tags=["providers"])

    @router.get("/v1/providers", response_model=Providers, summary="Providers, the most called first")
    def providers(question: Annotated[ProviderQuestion, Query()]) -> Any:
        """Calls, success, duration, tokens, cost, health and recommended weight by provider.

        Without a window over the last 30 days; health is always that of now.
        """
        moment, offset = now(), offset_of("providers", question)
        parameters = of_calls(question, moment, MONTH, "provider") | {"lately": bound(moment - CALLS_WITHIN)}
        with ask.one_state():
            timed = durations(ask, parameters)
            every = timed(ask("model_calls", parameters | {"limit": MOST_PROVIDERS, "offset": 0}, MOST_PROVIDERS))
        told = every.with_columns(pl.col("group").alias("provider"), health("calls_lately", "failed_lately", LEAST_CALLS))
        weighed = told.with_columns(weight("health", "succeeded", "calls"))
        page = cut("providers", question, weighed.slice(offset, question.limit + 1), offset)
        return {"providers": rows(page.frame), "next_cursor": page.next_cursor}

    return router
