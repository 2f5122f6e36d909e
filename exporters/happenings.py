"""What has happened to alerts: out of the store."""

from datetime import datetime
from typing import Any

from exporters.store import Store
from exporters.traces import question

MOST = 10_000
"""Events read together, the newest."""


def happened(store: Store, since: datetime, most: int = MOST) -> list[dict[str, Any]]:
    """What has happened to alerts since: rows of `alert_events`, with what `alerts` says of each, in order."""
    return store.query(question("happened"), {"since": since, "limit": most}).to_dicts()
