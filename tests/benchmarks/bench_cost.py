"""How long pricing takes per span, on frames as conventions make them: four spans in ten are model calls."""

import random
from datetime import UTC, datetime, timedelta
from time import process_time

import polars as pl

from processors.cost import Pricer

MODELS = (
    ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
    ("openai", "o4-mini-2025-04-16", "o4-mini"),
    ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
    ("gcp.gemini", "gemini-2.5-pro", "gemini-2.5-pro"),
    ("deepseek", "deepseek-chat", "deepseek-chat"),
    ("aws.bedrock", "", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
)
COUNTS = ("InputTokens", "OutputTokens", "CachedInputTokens", "CacheWriteTokens", "ReasoningTokens")


def readings(rows: int) -> pl.DataFrame:
    """A frame of `rows` spans, the same every time."""
    draw = random.Random(1)
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    spans = []
    for number in range(rows):
        provider, response, request = draw.choice(MODELS) if number % 10 < 4 else ("", "", "")
        counts = (draw.randrange(200, 9_000), draw.randrange(10, 900), 128, None, None) if request else (None,) * 5
        spans.append((start + timedelta(milliseconds=number), provider, response, request, *counts, None))
    schema = {
        "Timestamp": pl.Datetime("ns", "UTC"),
        **dict.fromkeys(("Provider", "ResponseModel", "RequestModel"), pl.String()),
        **dict.fromkeys(COUNTS, pl.UInt64()),
        "ReportedCostUsd": pl.Float64(),
    }
    return pl.DataFrame(spans, schema=schema, orient="row")


def run(rows: int = 20_000, rounds: int = 20) -> dict[str, float]:
    """Microseconds of CPU per span, the first batch (which looks the models up) left out."""
    frame, price = readings(rows), Pricer()
    price(frame)
    begun = process_time()
    for _ in range(rounds):
        price(frame)
    return {"cost_us_per_span": (process_time() - begun) / rounds / rows * 1e6}


if __name__ == "__main__":
    for rows in (512, 4_096, 20_000):
        print(f"{rows:>7,} spans a frame: {run(rows)['cost_us_per_span']:.2f} µs of CPU a span")
