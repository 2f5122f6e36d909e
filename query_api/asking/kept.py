"""Answers kept for as long as they are true: under a key that says of which state of the store they are."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock

import polars as pl

MOST_BYTES = 128 << 20
"""What is kept at the most; what was not asked for longest goes first."""
ENTRY_BYTES = 1 << 14
"""What an answer takes besides its values, and a question besides its words: about so much is an answer without rows."""


class Kept:
    """Frames by key. Whoever asks for what is being worked out waits for it.

    Args:
        most_bytes: how much is kept.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._lock = Lock()
        self._known: OrderedDict[Hashable, Future[pl.DataFrame]] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}

    def __call__(self, key: Hashable, make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """What `make` returns, now or when it was asked for under the same key; what it raises is not kept."""
        with self._lock:
            known = self._known.get(key)
            mine = known or Future()
            self._known[key] = mine
            self._known.move_to_end(key)
        if known is None:
            try:
                mine.set_result(make())
            except BaseException as error:
                with self._lock:
                    self._known.pop(key, None)
                mine.set_exception(error)
                raise
            self._weigh(key, int(mine.result().estimated_size()) + len(repr(key)) + ENTRY_BYTES)
        return mine.result()

    def _weigh(self, key: Hashable, size: int) -> None:
        """Let go of the oldest until there is room."""
        with self._lock:
            self._sizes[key] = size
            while sum(self._sizes.values()) > self._most:
                oldest = next(each for each in self._known if each in self._sizes)
                del self._known[oldest], self._sizes[oldest]
