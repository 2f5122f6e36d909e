"""What judging costs: by the same prices as every other model call."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import polars as pl

from processors.cost import COUNTS
from processors.frames import TIME
from processors.judging.settings import Evaluator

Price = Callable[[pl.DataFrame], pl.DataFrame]
BYTES_PER_TOKEN = 2
"""Few, so that a prompt has hardly ever more tokens than is assumed."""
CALLS = 2
"""The answer, and one more where that cannot be read."""


def cost(price: Price, evaluator: Evaluator, model: str, tokens: Mapping[str, int], now: datetime) -> Decimal | None:
    """US dollars of one call; null if no price is known. `tokens` by the names of COUNTS."""
    call = {
        "Timestamp": now,
        "Provider": evaluator.provider,
        "RequestModel": evaluator.model,
        "ResponseModel": model,
        "ReportedCostUsd": None,
        **{name: tokens.get(name, 0) for name in COUNTS},
    }
    schema = {"Timestamp": TIME, "ReportedCostUsd": pl.Float64(), **dict.fromkeys(COUNTS, pl.UInt64())}
    priced: Decimal | None = price(pl.DataFrame([call], schema_overrides=schema))["CostUsd"].item()
    return priced


def worst_cost(
    price: Price, evaluator: Evaluator, messages: Sequence[Mapping[str, str]], most_output: int, now: datetime
) -> Decimal | None:
    """The most that a judgement can cost, all its calls together; null if no price is known."""
    length = sum(len(message["content"].encode()) for message in messages) // BYTES_PER_TOKEN
    tokens = {"InputTokens": CALLS * length + most_output, "OutputTokens": CALLS * most_output}
    return cost(price, evaluator, evaluator.model, tokens, now)
