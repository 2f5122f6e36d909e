"""The measures that models, providers and departments have in common."""

from query_api.asking.answers import Answer, Time


class Measures(Answer):
    """What was done, how it went and what it cost."""

    agents: int
    """How many agents did it."""
    tasks: int
    """How many tasks it was done for."""
    calls: int
    """Model calls."""
    success_rate: float | None
    """What succeeded among what ended: model calls, of departments tasks. Null if nothing ended."""
    succeeded: int
    """How many succeeded."""
    failed: int
    """How many failed."""
    p50_duration_seconds: float | None
    """Half of them took no longer."""
    p95_duration_seconds: float | None
    """Nineteen in twenty took no longer."""
    input_tokens: int
    """Tokens read, cached ones included."""
    output_tokens: int
    """Tokens written, reasoning included."""
    cached_input_tokens: int
    """Part of the input that came from a cache."""
    reasoning_tokens: int
    """Part of the output that was reasoning."""
    cost_usd: float | None
    """The sum of the known prices in US dollars; null if none is known."""
    unpriced_calls: int
    """Model calls whose price is unknown: the true cost is higher by theirs."""
    first_seen: Time
    """When the first of it began."""
    last_seen: Time
    """When the last of it began."""
