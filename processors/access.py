"""Who may do what: tokens, of which only hashes are known, and their roles.

A token is 256 random bits, so its SHA-256 is as good as any slow hash: there is nothing to guess. That holds for tokens that
Merit made, so no others are taken: a word that somebody chose could be guessed, from its hash or at the door.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from processors.errors import Forbidden, Unauthenticated
from processors.listening import Tls

Role = Literal["ingest", "read", "write"]
RANDOM_BYTES = 32
SHAPE = re.compile(r"merit_[A-Za-z0-9_-]{43}")
"""What Merit makes of 32 random bytes; the prefix lets scanners for leaked secrets know it."""

TELL = "send a token of Merit's as `Authorization: Bearer merit_…`"


class Token(BaseModel):
    """A token: who has it, what they may do, how fast."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\w.@ -]+$")]
    """Whose it is; for people."""
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    """`ingest` sends spans, logs and metrics; `read` asks; `write` judges, routes and edits."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The hash of the token, as `merit token new` prints it."""
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    """How many requests it may make; `auth.requests_per_second` if nothing is said."""
    mib_per_second: Annotated[float, Field(gt=0)] | None = None
    """How much OTLP it may send; `auth.mib_per_second` if nothing is said."""


class Door(Protocol):
    """Asks who somebody is."""

    def admit(self, authorization: str | None, role: Role) -> None:
        """Return if the bearer of this `Authorization` header has `role` and has not been too fast.

        Raises:
            Unauthenticated, Forbidden, TooFast: as named.
        """

    def spend(self, authorization: str | None, size: int) -> None:
        """Count `size` bytes that an admitted bearer has sent; what is too much, the next request waits for."""


class Open:
    """Lets everybody in."""

    def admit(self, authorization: str | None, role: Role) -> None:
        """Return."""

    def spend(self, authorization: str | None, size: int) -> None:
        """Count nothing."""


@dataclass(frozen=True)
class Entrance:
    """How a listener lets requests in.

    `hosts`: the names that it may be called by, None for any. Where nobody is asked for a token, a page in a browser on this
    machine could otherwise reach it under a name of its own that leads to loopback (DNS rebinding).
    """

    door: Door = field(default_factory=Open)
    hosts: frozenset[str] | None = None
    tls: Tls | None = None

    def knows(self, host: str) -> bool:
        """Whether a request with this `Host` header is meant for this listener."""
        return self.hosts is None or hostname(host) in self.hosts


def hostname(host: str) -> str:
    """The name in a `Host` header, without port and brackets, in lower case."""
    return re.sub(r":\d*$", "", host.strip()).strip("[]").lower()


def hashed(token: str) -> str:
    """What is kept of a token."""
    return sha256(token.encode()).hexdigest()


def bearer(authorization: str | None) -> str:
    """The token in an `Authorization` header; raises Unauthenticated if there is none of Merit's shape."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated(f"nobody comes in here without a token: {TELL}")
    if not SHAPE.fullmatch(token):
        raise Unauthenticated(f"that is no token of Merit's: {TELL}")
    return token


def known(tokens: Sequence[Token], token: str) -> Token:
    """Which of `tokens` it is, compared with all of them in constant time; raises Unauthenticated if it is none."""
    presented = hashed(token)
    fits = [each for each in tokens if hmac.compare_digest(each.sha256, presented)]
    if not fits:
        raise Unauthenticated("this token is not known here: it may have been taken back; ask whoever runs Merit for another")
    return fits[0]


def require(token: Token, role: Role) -> None:
    """Return if `token` has `role`; raises Forbidden, saying which it has."""
    if role not in token.roles:
        raise Forbidden(f"this needs a token with the role {role}; yours has {', '.join(token.roles)}")
