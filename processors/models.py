"""Which model is it? One name for grouping, whatever path, region or date the name that was said carries."""

import re
from functools import lru_cache

import polars as pl

from processors.model_names import forms
from processors.prices import LONGEST_NAME, cut, find_model

DATED = re.compile(r"(?:[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4})|-latest|@latest)$")
"""`-2024-08-06`, `-20250929`, `@20250929`, `-0613`, `-latest`."""


def name_models(readings: pl.DataFrame) -> pl.DataFrame:
    """Add `Model`: the model that answered, else the one that was asked, under its plain name; '' if none was said.

    Args:
        readings: columns `Provider, RequestModel, ResponseModel`.
    """
    said = pl.when(pl.col("ResponseModel") != "").then("ResponseModel").otherwise("RequestModel")
    return readings.with_columns(Model=plain_names(readings, said))


def plain_names(readings: pl.DataFrame, said: pl.Expr) -> pl.Series:
    """The plain name of the model that each row says by `said`, with its `Provider`; '' where it says none."""
    keyed = readings.select("Provider", said=said)
    pairs = keyed.unique()
    plain = pl.Series([plain_name(cut(provider), cut(model)) for provider, model in pairs.iter_rows()], dtype=pl.String)
    named = keyed.join(pairs.with_columns(plain=plain), on=["Provider", "said"], how="left", maintain_order="left")
    return named["plain"].fill_null("")


@lru_cache(maxsize=10_000)
def plain_name(provider: str, model: str) -> str:
    """`us.anthropic.claude-sonnet-4-5-20250929-v1:0` → `claude-sonnet-4-5`.

    A dated snapshot falls under its model, unless it has a price of its own: then they are two (`gpt-4o-2024-05-13`).
    """
    if not model or len(model) > LONGEST_NAME:
        return model[:LONGEST_NAME]
    dated = forms(model.strip().lower())[-1]
    undated = DATED.sub("", dated)
    return undated if undated and _same_price(provider, dated, undated) else dated


def _same_price(provider: str, dated: str, undated: str) -> bool:
    """Whether both cost the same where the call went, else at their maker; names that nobody knows have no price to differ."""
    places = [(find_model(place, dated), find_model(place, undated)) for place in (provider, "")]
    known = [(snapshot, model) for snapshot, model in places if snapshot or model]
    return not known or any(snapshot and model and snapshot.prices == model.prices for snapshot, model in known)
