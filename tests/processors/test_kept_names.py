"""What senders call things is kept no longer than the batch, however long it is: short names do for what is remembered."""

import tracemalloc

import polars as pl

from processors.conventions.read import Conventions
from processors.cost import Pricer
from processors.models import name_models
from tests.processors.build import span, spans

LONG = 1_000_000


def test_names_of_a_million_characters_do_not_stay_in_memory() -> None:
    conventions, price = Conventions(), Pricer()

    def read(number: int) -> pl.DataFrame:
        name = f"🦉{number}" + "x" * LONG
        said = {"gen_ai.provider.name": name, "gen_ai.request.model": name, "gen_ai.usage.input_tokens": "5"}
        batch = spans(span(attributes=said, ScopeName=name), span(ScopeName=f"mlflow.{name}", SpanId="00f067aa0ba902b8"))
        return name_models(price(conventions(batch)))

    read(0)
    tracemalloc.start()
    try:
        for number in range(1, 11):
            assert read(number)["RequestModel"].str.len_chars().max() > LONG
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < LONG
