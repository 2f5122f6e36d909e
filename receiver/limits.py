"""How much of a request is taken."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Limits:
    """What the decoder keeps to."""

    max_attributes: int = 256
    """Attributes kept in each map of a record: its own, its resource's and scope's, each event's, link's and exemplar's."""
    max_attribute_bytes: int = 256 * 1024
    """UTF-8 bytes kept of a value."""
    kept_first: frozenset[str] = frozenset()
    """Keys of attributes that are kept before others where there are too many: those that somebody will read."""
    retention: timedelta = timedelta(days=30)
    """A record older than this is rejected: the store would drop it at once."""
