"""/v1/costs: what was spent, on what."""

from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Query
from pydantic import Field

from query_api.asking.answers import Answer, rows
from query_api.asking.filters import ChosenAgents, Paged, Traced
from query_api.asking.pages import MONTH, in_order
from query_api.asking.questions import Ask, Now
from query_api.usage.calls import of_calls

GroupBy = Literal["agent", "model", "provider", "category", "department", "service", "user", "day"]


class ChosenCosts(ChosenAgents, Traced):
    """Which costs are meant, and what they are added up by."""

    group_by: GroupBy = "agent"
    """What to add up by."""


class CostQuestion(ChosenCosts, Paged):
    """Parameters of /v1/costs."""


class Spent(Answer):
    """What was spent."""

    cost_usd: float | None = Field(examples=[12.5])
    """The sum of the known prices in US dollars, added up exactly; null if none is known."""
    calls: int
    """Model calls."""
    input_tokens: int
    """Tokens read, cached ones included."""
    output_tokens: int
    """Tokens written, reasoning included."""
    cached_input_tokens: int
    """Part of the input that came from a cache."""
    cache_write_tokens: int
    """Part of the input that was written to a cache."""
    reasoning_tokens: int
    """Part of the output that was reasoning."""
    unpriced_calls: int
    """Model calls whose price is unknown: the true cost is higher by theirs."""


class SpentBy(Spent):
    """What was spent by one group."""

    group: str | None = Field(examples=["gpt-4o-mini"])
    """The agent, model, …, or day (`2026-01-31`); null for what names none."""


class Costs(Answer):
    """Costs by group, the dearest first (days: the newest first), and all together."""

    group_by: GroupBy
    """What was added up by."""
    costs: list[SpentBy]
    """The groups."""
    total: Spent
    """All groups together, also those on other pages."""
    next_cursor: str | None
    """`cursor` of the next page; null at the end."""


def routes(ask: Ask, now: Now) -> APIRouter:
    """The routes below /v1/costs."""
    router = APIRouter(tags=["costs"])

    @router.get("/v1/costs", response_model=Costs, summary="What was spent")
    def costs(question: Annotated[CostQuestion, Query()]) -> Any:
        """Cost and tokens of the steps that match. Without `since`, `window` or `trace_id` of the last 30 days."""
        chosen = of_calls(question, now(), MONTH, question.group_by)
        with ask.one_state():
            page = in_order(ask, "costs", question, chosen)
            whole = page.frame
            if whole.is_empty() and question.cursor is not None:  # behind the last group
                whole = ask("costs", chosen | {"group_by": "", "limit": 1, "offset": 0}, 1)
        total = whole.head(1).select(pl.col(f"total_{name}").alias(name) for name in Spent.model_fields)
        return {
            "group_by": question.group_by,
            "costs": rows(page.frame.select(*SpentBy.model_fields)),
            "total": rows(total)[0] if len(total) else NOTHING,
            "next_cursor": page.next_cursor,
        }

    return router


NOTHING = {name: None if name == "cost_usd" else 0 for name in Spent.model_fields}
