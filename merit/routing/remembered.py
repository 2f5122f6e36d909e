"""Which names have been seen lately, without keeping the names."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
NONE = np.zeros(0, np.uint64)


class Remembered:
    """Remembers hashes of names in two sorted arrays: when the newer one is full, the older one is forgotten.

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


def among(hashes: Hashes, known: Hashes) -> NDArray[np.bool_]:
    """Which of `hashes` are in `known`, which is sorted."""
    if not len(known):
        return np.zeros(len(hashes), np.bool_)
    place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return np.asarray(known[place] == hashes)
