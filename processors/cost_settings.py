"""Settings of `processors.cost`: the user's own prices, which go before those of genai-prices."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Price = Annotated[Decimal, Field(ge=0, le=1000, allow_inf_nan=False)]
"""US dollars per 1,000 tokens. The upper limit catches prices written per million tokens, or in cents."""


class PriceOverride(BaseModel):
    """What one model costs: by contract, on one's own machines, or where genai-prices does not know it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: Annotated[str, Field(min_length=1)]
    """The model's name, or a pattern with `*` and `?`; upper and lower case are the same. It is held against the response
    model and the request model, as said and without prefixes of region and provider."""
    provider: str = ""
    """Only for calls of this provider, as spans say it (`azure.ai.openai`) or as genai-prices calls it (`azure`)."""
    cost_per_1k_input: Price
    """US dollars per 1,000 input tokens."""
    cost_per_1k_output: Price
    """US dollars per 1,000 output tokens, reasoning included."""
    cost_per_1k_cached_input: Price | None = None
    """US dollars per 1,000 input tokens read from a cache; without it they cost what other input costs."""
    cost_per_1k_cache_write: Price | None = None
    """US dollars per 1,000 input tokens written to a cache; without it they cost what other input costs."""
    from_date: date | None = None
    """The first UTC day of this price. Of the prices that fit a call the newest one that has begun is taken, of equally
    new ones the last of the list."""


class CostSettings(BaseModel):
    """How model calls are priced."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    overrides: tuple[PriceOverride, ...] = ()
    """The user's own prices. Models that none of them fits are priced by genai-prices."""
