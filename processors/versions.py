"""Rows that replace what was stored of the same: the one with the greatest version counts."""

from datetime import datetime


def version_at(moment: datetime, *before: int) -> int:
    """Milliseconds since 1970, and later than the versions `before`: a clock may go back."""
    return max([int(moment.timestamp() * 1000), *(one + 1 for one in before)])


def to_the_millisecond(moment: datetime) -> datetime:
    """`moment` as the store keeps it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
