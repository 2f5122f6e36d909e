"""What looks as if it were said for Merit and that no dialect reads: the first place to look for a dialect's gaps."""

import re
from collections import Counter

import polars as pl

from processors.conventions.read import Conventions

PREFIXES = (
    "gen_ai.", "llm.", "ai.", "openinference.", "traceloop.", "langfuse.", "langsmith.", "mlflow.", "crewai.", "pydantic_ai.",
    "langgraph.", "embedding.", "reranker.", "retrieval.", "graph.node.", "tool.", "agent.", "smolagents.", "agno.", "haystack.",
    "dspy.", "llamaindex.", "openlit.", "mastra.", "strands.", "gcp.vertex.agent.", "spring.ai.",
)  # fmt: skip
"""How attributes begin that instrumentations of GenAI make."""
TELLING = re.compile(r"token|usage|cost|model|agent", re.IGNORECASE)
"""What a name holds that Merit should probably read."""
INNOCENT = re.compile(r"^(http\.)?user_agent|^(code|thread|process|host|db|telemetry)\.")
"""Names that only look as if."""
INDEX = re.compile(r"(?<=\.)\d+(?=\.|$)")


def unread(conventions: Conventions, spans: pl.DataFrame) -> pl.DataFrame:
    """Attributes that look like GenAI and that no dialect reads: `key, spans, telling, example`, the telling ones first.

    Numbers inside a key become `*`, so that messages are one line and not thousands.

    Args:
        conventions: the reader.
        spans: a column `SpanAttributes`.
    """
    entries = spans["SpanAttributes"].map.entries().explode(empty_as_null=False, keep_nulls=False)
    seen: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for entry in entries:
        key = entry["key"]
        if key not in conventions.keys and is_genai(key):
            name = INDEX.sub("*", key)
            seen[name] += 1
            examples.setdefault(name, entry["value"])
    rows = [(name, count, is_telling(name), examples[name]) for name, count in seen.items()]
    schema = {"key": pl.String(), "count": pl.UInt32(), "telling": pl.Boolean(), "example": pl.String()}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("telling", "key", descending=[True, False])


def is_genai(key: str) -> bool:
    """Whether an instrumentation of GenAI seems to have made this attribute."""
    return key.startswith(PREFIXES) or is_telling(key)


def is_telling(key: str) -> bool:
    """Whether the name is one of those that Merit lives on: tokens, usage, cost, models, agents."""
    return bool(TELLING.search(key)) and not INNOCENT.search(key)
