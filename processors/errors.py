"""Every error that may cross a stage.

    MeritError
    ├── Rejected      the same input will always fail: change the input
    └── Unavailable   try again: the fault is on our side and may pass

Foreign exceptions are translated into these where they enter (httpx, `_exceptions.py`).
"""

from datetime import timedelta


class MeritError(Exception):
    """Base of both kinds; never raised itself."""


class Rejected(MeritError):
    """The input cannot be taken, now or later. The message says what was found and what to change."""


class Unavailable(MeritError):
    """The input is fine, the moment is not. `retry_after` says when to come back."""

    def __init__(self, message: str, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(message)
        self.retry_after = retry_after
