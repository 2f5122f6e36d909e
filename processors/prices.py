"""What a token costs: the user's price table, then genai-prices.

genai-prices knows prices that begin on a date, change with the time of day, or rise above a number of input tokens. It
is asked once for each model and period and never for a span; what it answers becomes integers, so that columns of calls
can be multiplied exactly. The prices are those that came with the installed package: nothing is fetched.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache

from genai_prices.data import providers as PROVIDERS
from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices, TimeOfDateConstraint

from processors.cost_settings import PriceOverride
from processors.model_names import forms, names, places, provider_id

FEMTO = 10**15
"""Femtodollars to a dollar: fine enough for prices that are no whole number of picodollars a token (0.0833 $ per million)."""
BY_ID = {one.id: one for one in reversed(PROVIDERS)}
REMEMBERED = 10_000
"""Names of which it is kept where they are listed: a name comes with many providers, and in several forms."""
LONGEST_NAME = 256
"""Longer model names are not looked up: they are no names."""


def cut(name: str) -> str:
    """As much of a provider's or a model's name as it takes to know it, or that it is too long: memory keeps no more."""
    return name[: LONGEST_NAME + 1]


@dataclass(frozen=True, slots=True)
class Rates:
    """Femtodollars: per token, and `request` per call."""

    input: int = 0
    cached: int = 0
    write: int = 0
    output: int = 0
    reasoning: int = 0
    request: int = 0


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of one model in one period. Each step: the input tokens above which its rates hold for *all* tokens."""

    source: str
    steps: tuple[tuple[int, Rates], ...]


def quote(overrides: Sequence[PriceOverride], provider: str, models: Sequence[str], at: datetime) -> Quote | None:
    """The price that held at `at`: the user's, else genai-prices' of the first of `models` that it knows, else None.

    Args:
        overrides: the user's price table.
        provider: as said, '' if unknown.
        models: response model and request model as said, without empty ones.
        at: when the call was made, UTC.
    """
    if own := own_price(overrides, provider, models, at):
        return Quote("user", ((-1, own_rates(own)),))
    for model in models:
        if known := find_model(provider, model):
            return listed_price(known, at)
    return None


def own_price(overrides: Sequence[PriceOverride], provider: str, models: Sequence[str], at: datetime) -> PriceOverride | None:
    """The newest override that fits the call and has begun; of equally new ones the last."""
    said = {form for model in models for form in forms(model.strip().lower())}
    fitting = [
        one
        for one in overrides
        if (one.from_date is None or one.from_date <= at.date())
        and (not one.provider or provider_id(one.provider) == provider_id(provider))
        and any(fnmatchcase(form, one.model.strip().lower()) for form in said)
    ]
    return max(reversed(fitting), key=lambda one: one.from_date or date.min, default=None)


def own_rates(price: PriceOverride) -> Rates:
    """What the override says, with input's price for what it leaves out."""
    cached, write = price.cost_per_1k_cached_input, price.cost_per_1k_cache_write
    return Rates(
        input=femto(price.cost_per_1k_input, 1000),
        cached=femto(price.cost_per_1k_input if cached is None else cached, 1000),
        write=femto(price.cost_per_1k_input if write is None else write, 1000),
        output=femto(price.cost_per_1k_output, 1000),
        reasoning=femto(price.cost_per_1k_output, 1000),
    )


def find_model(provider: str, model: str) -> ModelInfo | None:
    """The model in genai-prices, which is searched directly: its own look-up keeps every name ever asked for."""
    if len(model) > LONGEST_NAME:
        return None
    known = (listed_at(where.id, name) for place, name in places(provider, model) if (where := provider_at(place, name)))
    return next((one for one in known if one and one.prices), None)


def provider_at(place: str, name: str) -> Provider | None:
    """The provider of the id `place`; where that is empty, the one that has the model `name`."""
    return provider_by_id(place) if place else provider_of(name)


@lru_cache(maxsize=REMEMBERED)
def listed_at(provider: str, name: str) -> ModelInfo | None:
    """The model of that name at the provider of exactly that id: looked for once, whoever else was asked before."""
    return BY_ID[provider].find_model(name, all_providers=PROVIDERS)


@lru_cache(maxsize=REMEMBERED)
def provider_by_id(said: str) -> Provider | None:
    """The provider of that id, else the one that recognises itself in it."""
    alike = (one for one in PROVIDERS if one.provider_match and one.provider_match.is_match(said))
    return BY_ID.get(said) or next(alike, None)


@lru_cache(maxsize=REMEMBERED)
def provider_of(model: str) -> Provider | None:
    """The provider that recognises the model as its own, else the maker by the data file."""
    claimed = (one for one in PROVIDERS if one.model_match and one.model_match.is_match(model))
    made = (provider_by_id(maker) for start, maker in names().makers.items() if model.startswith(start))
    return next(claimed, None) or next(made, None)


def listed_price(model: ModelInfo, at: datetime) -> Quote | None:
    """genai-prices' price at `at`; None if the model is sold by the hour or page, of which spans do not speak."""
    price = model.get_prices(at)
    set_prices = {key: value for key, value in vars(price).items() if value is not None}
    if set_prices and not set_prices.keys() & {"input_mtok", "output_mtok", "requests_kcount"}:
        return None
    starts = {tier.start for value in set_prices.values() if isinstance(value, TieredPrices) for tier in value.tiers}
    return Quote("genai-prices", tuple((above, rates(price, above)) for above in (-1, *sorted(starts))))


def rates(price: ModelPrice, above: int) -> Rates:
    """The rates just above `above` input tokens. A kind of token without a price of its own costs what its parent costs."""
    token_input = tiered(price.input_mtok, above) or Decimal(0)
    token_output = tiered(price.output_mtok, above) or Decimal(0)
    cached, write = tiered(price.cache_read_mtok, above), tiered(price.cache_write_mtok, above)
    reasoning = tiered(price.output_reasoning_mtok, above)
    return Rates(
        input=femto(token_input, 10**6),
        cached=femto(token_input if cached is None else cached, 10**6),
        write=femto(token_input if write is None else write, 10**6),
        output=femto(token_output, 10**6),
        reasoning=femto(token_output if reasoning is None else reasoning, 10**6),
        request=femto(tiered(price.requests_kcount, above) or Decimal(0), 1000),
    )


def tiered(price: Decimal | TieredPrices | None, above: int) -> Decimal | None:
    """The price just above `above` input tokens."""
    if not isinstance(price, TieredPrices):
        return price
    return next((tier.price for tier in reversed(price.tiers) if above >= tier.start), price.base)


def femto(price: Decimal, per: int) -> int:
    """`price` US dollars for `per` units, in femtodollars for one."""
    return round(price * FEMTO / per)


def changes_of_day() -> tuple[time, ...]:
    """The times of day (UTC) at which the price of some model changes, sorted."""
    return tuple(sorted({moment for constraint in daily() for moment in (utc(constraint.start_time), utc(constraint.end_time))}))


def daily() -> Iterator[TimeOfDateConstraint]:
    """Every constraint on the time of day in genai-prices."""
    for provider in PROVIDERS:
        for model in provider.models:
            for price in model.prices if isinstance(model.prices, list) else ():
                if isinstance(price.constraint, TimeOfDateConstraint):
                    yield price.constraint


def utc(moment: time) -> time:
    """`moment` on the clock of UTC, without its zone; a time without a zone is UTC."""
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.combine(datetime(2000, 1, 2, tzinfo=UTC), zoned).astimezone(UTC).time()
