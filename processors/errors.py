"""Every error that Merit raises; its two kinds are what crosses a stage.

    MeritError
    ├── Rejected          the same input will always fail: change the input
    │   ├── Malformed     no OTLP, or invalid UTF-8 in it
    │   ├── TooBig        more bytes than the settings allow
    │   ├── Unauthenticated   nobody knows who sent it
    │   └── Forbidden     who sent it may not
    └── Unavailable       try again: the fault is on our side and may pass
        ├── NotTaken      somebody else has certainly not taken what was sent to them
        └── NoRoom        requests come faster than they are stored, or are too many at once
            └── TooFast   of one sender, more than it may send

Foreign exceptions are translated into these where they enter (httpx, `_exceptions.py`).
"""

from datetime import timedelta


class MeritError(Exception):
    """Base of both kinds; never raised itself."""


class Rejected(MeritError):
    """The input cannot be taken, now or later. The message says what was found and what to change."""


class Malformed(Rejected):
    """The bytes are no OTLP, or hold invalid UTF-8."""


class TooBig(Rejected):
    """The request is larger than `receivers.otlp.max_request_mib` allows."""


class Unavailable(MeritError):
    """The input is fine, the moment is not. `retry_after` says when to come back."""

    def __init__(self, message: str, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotTaken(Unavailable):
    """A receiver has certainly not taken what was sent; where nobody knows, it is Unavailable. The message names no address."""


class NoRoom(Unavailable):
    """What waits to be stored has reached its bound."""


class TooFast(NoRoom):
    """A token's rate is used up."""


class Unauthenticated(Rejected):
    """No token, or none that is known. The message says what to send."""


class Forbidden(Rejected):
    """The token does not have the role that is needed. The message says which."""
