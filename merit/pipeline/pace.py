"""Lets storing wait for deriving: what is stored while a round of deriving takes long would only make the next one longer.

Spans that wait longer than memory holds them are read back from the store, which costs many times what deriving them in time
does: without a pace, a machine at its limit would fall behind further and further.
"""

import threading
import time
from types import TracebackType
from typing import Self


class Pace:
    """Entered for as long as a round lasts.

    Args:
        patience: seconds that a round may take before anybody waits for it.
        longest: seconds that one who waits does so at most.
    """

    def __init__(self, patience: float = 2.0, longest: float = 1.0) -> None:
        self._patience, self._longest = patience, longest
        self._changed = threading.Condition()
        self._began: float | None = None

    def wait(self) -> None:
        """Return at once, or when the round that has taken long is over, but not later than `longest`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._late(), self._longest)

    def _late(self) -> bool:
        return self._began is not None and time.monotonic() - self._began > self._patience

    def __enter__(self) -> Self:
        with self._changed:
            self._began = time.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._changed:
            self._began = None
            self._changed.notify_all()
