"""The step that prices every span that says a model and its usage.

Whether the span is the call that counts is decided later (nodes), so agent spans that carry a total are priced as well.
Each distinct model and period is looked up once (`processors.prices`); the rest is integer arithmetic on columns, in
femtodollars, so that the cost is what genai-prices' `calc_price` says and sums are exact.

A contradictory usage is charged as it stands: cached input beyond the input is charged as cached and leaves no plain
input, reasoning beyond the output leaves no plain output. A usage that no call can have (over 10^12 tokens, or over
9,000 US dollars) has no known cost.
"""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache

import polars as pl

from processors.conventions.grammar import MOST_TOKENS
from processors.cost_settings import CostSettings
from processors.frames import MONEY
from processors.prices import Quote, changes_of_day, cut, quote

KEY = ("Provider", "ResponseModel", "RequestModel", "Day", "Period")
"""What a price depends on, besides the tokens."""
COUNTS = ("InputTokens", "OutputTokens", "CachedInputTokens", "CacheWriteTokens", "ReasoningTokens")
USED = ("Timestamp", "Provider", "ResponseModel", "RequestModel", *COUNTS)
RATES = ("input", "cached", "write", "output", "reasoning", "request")
MOST_FEMTO = 9 * 10**18
"""Just under the largest Int64: 9,000 US dollars."""
PICO = 1000
"""Femtodollars to a picodollar."""
REMEMBERED = 20_000
"""Prices kept in memory: by provider, models, day and period of the day."""

QUOTES = {
    "Key": pl.UInt32(),
    "Above": pl.Int64(),
    "UpTo": pl.Int64(),
    **dict.fromkeys(RATES, pl.Int64()),
    "Source": pl.String(),
}
"""A row for each step of a price: its rates hold for calls of more than `Above` and at most `UpTo` input tokens."""


class Pricer:
    """Sets `CostUsd` and `PriceSource` (`user`, `genai-prices`, `reported`, or empty with a null cost)."""

    def __init__(self, settings: CostSettings | None = None) -> None:
        self._overrides = (settings or CostSettings()).overrides
        self._periods = (time(0), *(moment for moment in changes_of_day() if moment != time(0)))
        self._quote = lru_cache(REMEMBERED)(self._ask)
        # expressions are built once: for small batches that costs more than what they work out
        self._priceable, self._cost, self._in_step, self._money = priceable(), cost(), in_step(), money()
        self._when = (pl.col("Timestamp").dt.date().alias("Day"), self._period())

    def __call__(self, readings: pl.DataFrame) -> pl.DataFrame:
        """Price every row; all other columns pass through.

        Args:
            readings: at least `Timestamp`, `Provider`, `RequestModel`, `ResponseModel`, the five token columns (input
                includes cached and cache-write, output includes reasoning) and `ReportedCostUsd`. Strings are empty and
                numbers null where nothing is known.
        """
        calls = self._keyed(readings.select(USED).with_row_index("Row").filter(self._priceable))
        priced = calls.join(self._quotes(calls), on="Key", how="left").filter(self._in_step).select("Row", self._cost, "Source")
        known = readings.select("ReportedCostUsd").with_row_index("Row").join(priced, on="Row", how="left", maintain_order="left")
        return readings.with_columns(known.select(*self._money))

    def _keyed(self, calls: pl.DataFrame) -> pl.DataFrame:
        """`calls` with a number for each distinct provider, models and period, and columns `Day` and `Period`."""
        calls = calls.with_columns(*self._when)
        keys = calls.select(KEY).unique().with_row_index("Key")
        return calls.join(keys, on=KEY)

    def _period(self) -> pl.Expr:
        """Which part of the day, by the times at which some model's price changes: its index in `_periods`."""
        of_day = pl.col("Timestamp").dt.time()
        return pl.sum_horizontal((of_day >= start).cast(pl.UInt8) for start in self._periods[1:]).alias("Period")

    def _quotes(self, calls: pl.DataFrame) -> pl.DataFrame:
        rows = [
            row
            for key, provider, answered, asked, *when in calls.unique("Key").select("Key", *KEY).iter_rows()
            if (found := self._quote(cut(provider), cut(answered), cut(asked), *when))
            for row in steps(key, found)
        ]
        return pl.DataFrame(rows, schema=QUOTES, orient="row")

    def _ask(self, provider: str, response_model: str, request_model: str, day: date, period: int) -> Quote | None:
        at = datetime.combine(day, self._periods[period], UTC)
        models = dict.fromkeys(model for model in (response_model, request_model) if model)
        return quote(self._overrides, provider, tuple(models), at)


def steps(key: int, found: Quote) -> list[tuple[int | str, ...]]:
    """The rows of QUOTES for one price."""
    ends = (*(above for above, _ in found.steps[1:]), MOST_TOKENS)
    return [
        (key, above, end, *(getattr(rates, kind) for kind in RATES), found.source)
        for (above, rates), end in zip(found.steps, ends, strict=True)
    ]


def priceable() -> pl.Expr:
    """Rows that say a model and a usage that a call can have."""
    model = (pl.col("RequestModel") != "") | (pl.col("ResponseModel") != "")
    usage = pl.col("InputTokens").is_not_null() | pl.col("OutputTokens").is_not_null()
    sane = pl.all_horizontal(pl.col(column).fill_null(0) <= MOST_TOKENS for column in COUNTS)
    return model & usage & sane


def tokens(column: str) -> pl.Expr:
    """A column of counts as signed integers, 0 where unknown."""
    return pl.col(column).cast(pl.Int64).fill_null(0)


def in_step() -> pl.Expr:
    """The one row of a call and its price's steps that holds for its number of input tokens."""
    return (tokens("InputTokens") > pl.col("Above")) & (tokens("InputTokens") <= pl.col("UpTo"))


def cost() -> pl.Expr:
    """Picodollars; null where they would exceed `MOST_FEMTO`."""
    cached, write, reasoning = (tokens(column) for column in ("CachedInputTokens", "CacheWriteTokens", "ReasoningTokens"))
    counts = {
        "input": (tokens("InputTokens") - cached - write).clip(0),
        "cached": cached,
        "write": write,
        "output": (tokens("OutputTokens") - reasoning).clip(0),
        "reasoning": reasoning,
    }
    exact = pl.sum_horizontal(pl.col("request"), *(count * pl.col(kind) for kind, count in counts.items()))
    # an Int64 wraps round where it overflows, a Float64 does not
    about = pl.sum_horizontal(pl.col("request"), *(count.cast(pl.Float64) * pl.col(kind) for kind, count in counts.items()))
    return pl.when(about < MOST_FEMTO).then((exact + PICO // 2) // PICO).alias("Pico")


def money() -> tuple[pl.Expr, pl.Expr]:
    """`CostUsd` and `PriceSource`: the price that was found, else the reported cost, else null and ''."""
    reported = pl.col("ReportedCostUsd")
    usable = reported.is_finite() & reported.is_between(0, MOST_FEMTO / 10**15)
    priced = (pl.col("Pico").cast(pl.Decimal(18, 0)) * pl.lit(Decimal("1e-12"), pl.Decimal(18, 12))).cast(MONEY)
    found = pl.col("Pico").is_not_null()
    source = pl.when(found).then(pl.col("Source")).when(usable).then(pl.lit("reported")).otherwise(pl.lit(""))
    return (
        pl.coalesce(priced, pl.when(usable).then(reported).cast(MONEY)).alias("CostUsd"),
        source.alias("PriceSource"),
    )
