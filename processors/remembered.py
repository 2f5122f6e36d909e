"""Which names have been seen lately, without keeping the names: their hashes, of 64 bits, in sorted arrays."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
NONE = np.zeros(0, np.uint64)


class Remembered:
    """So many names: when the newer of two arrays is full, the older one is forgotten.

    A stranger with the hash of one of a million names is taken for known once in ten trillion times.

    Args:
        least: so many of the newest names are remembered, and up to twice as many.
    """

    def __init__(self, least: int) -> None:
        self._least = least
        self._newer = self._older = NONE

    def knows(self, names: pl.Series) -> pl.Series:
        """Which of `names` are remembered."""
        hashes = names.hash().to_numpy()
        return pl.Series(among(hashes, self._newer) | among(hashes, self._older), dtype=pl.Boolean)

    def add(self, names: pl.Series) -> None:
        """Remember `names`."""
        hashes = np.sort(names.hash().to_numpy())
        hashes = hashes[~among(hashes, self._newer)]
        if len(self._newer) + len(hashes) > self._least:
            self._newer, self._older = NONE, self._newer
        self._newer = np.insert(self._newer, np.searchsorted(self._newer, hashes), hashes)


class KnownTraces:
    """Ids of traces that were done with lately, forgotten after a while: their late spans go with those that are stored.

    A stranger with the hash of a known trace is only read back needlessly.

    Args:
        keep: for how long each is remembered.
    """

    def __init__(self, keep: timedelta) -> None:
        self._keep = keep
        self._batches: list[tuple[datetime, Hashes]] = []

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
            found |= among(hashes, batch)
        return found


def among(hashes: Hashes, known: Hashes) -> NDArray[np.bool_]:
    """Which of `hashes` are in `known`, which is sorted."""
    if not len(known):
        return np.zeros(len(hashes), np.bool_)
    place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return np.asarray(known[place] == hashes)
