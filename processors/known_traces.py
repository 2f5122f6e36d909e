"""Which traces were done with lately: their late spans must be joined by those that are stored."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray


class KnownTraces:
    """Ids of traces that were done with lately, as hashes in sorted arrays, forgotten after a while.

    A stranger with the hash of a known trace is only read back needlessly.
    """

    def __init__(self, keep: timedelta) -> None:
        self._keep = keep
        self._batches: list[tuple[datetime, NDArray[np.uint64]]] = []

    def add(self, trace_ids: pl.Series, now: datetime) -> None:
        """Remember these."""
        self._batches = [b for b in self._batches if now - b[0] < self._keep]
        if not len(trace_ids):
            return
        hashes = np.sort(trace_ids.hash().to_numpy())
        if self._batches and now - self._batches[-1][0] < self._keep / 20:
            then, last = self._batches.pop()
            self._batches.append((then, np.sort(np.concatenate([last, hashes]))))
        else:
            self._batches.append((now, hashes))

    def has(self, trace_ids: pl.Series) -> NDArray[np.bool_]:
        """Which of these are remembered."""
        hashes = trace_ids.hash().to_numpy()
        found = np.zeros(len(hashes), dtype=np.bool_)
        for _, batch in self._batches:
            at = np.searchsorted(batch, hashes).clip(0, len(batch) - 1)
            found |= batch[at] == hashes
        return found
