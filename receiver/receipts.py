"""What requests of the last hour were told, so that one that is sent again is told the same and not stored again.

A sender that has waited too long for its answer sends the very same bytes again. Bounded in time and in number.
"""

import hashlib
import json
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from receiver.reading import Outcome

DIGEST_BYTES = 16
MOST = 250_000
"""Some 40 MB of memory. At 512 spans a request and 80,000 spans/s that is 26 minutes, longer than senders try again."""
AGE = timedelta(hours=1)


class Receipt(NamedTuple):
    """A request, by the digest of its bytes, and what became of it."""

    digest: bytes
    outcome: Outcome


def digest(signal: str, body: bytes) -> bytes:
    """Names a request. Cryptographic, for a sender must not be able to make one that passes for another's."""
    return hashlib.sha256(body + signal.encode()).digest()[:DIGEST_BYTES]


class Receipts:
    """The receipts that are remembered, in the order in which they were given."""

    def __init__(self, most: int = MOST, age: timedelta = AGE) -> None:
        self._most, self._age = most, age
        self._outcomes: dict[bytes, Outcome] = {}
        self._groups: deque[tuple[int, datetime, list[bytes]]] = deque()

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._outcomes)

    def known(self, name: bytes) -> Outcome | None:
        """What the request of this digest was told; None if it has not been seen."""
        return self._outcomes.get(name)

    def add(self, number: int, at: datetime, receipts: Sequence[Receipt]) -> None:
        """Remember a group of receipts by its number; numbers grow."""
        if receipts:
            self._groups.append((number, at, [receipt.digest for receipt in receipts]))
            self._outcomes.update(receipts)

    def expire(self, now: datetime) -> int | None:
        """Forget what is too old or too much; the number of the last group forgotten, None if there is none."""
        last = None
        while self._groups and (len(self._outcomes) > self._most or self._groups[0][1] < now - self._age):
            last, _, names = self._groups.popleft()
            for name in names:
                self._outcomes.pop(name, None)
        return last


def written(receipts: Sequence[Receipt]) -> tuple[bytes, str]:
    """Receipts as they are kept on disk: the digests in one run, and the outcomes."""
    outcomes = [[told.accepted, told.rejected, told.reason] for _, told in receipts]
    return b"".join(name for name, _ in receipts), json.dumps(outcomes)


def read(digests: bytes, outcomes: str) -> list[Receipt]:
    """Receipts again."""
    names = (digests[i : i + DIGEST_BYTES] for i in range(0, len(digests), DIGEST_BYTES))
    return [Receipt(name, Outcome(*told)) for name, told in zip(names, json.loads(outcomes), strict=True)]
