"""The only place that asks the clock: everything else is handed `now`, so that a test can say what time it is."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, UTC."""
    return datetime.now(UTC)
