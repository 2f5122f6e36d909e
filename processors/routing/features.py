"""What a task looks like before it is done, as numbers: the words of its description, its form, its complexity.

Words and pairs of neighbours are hashed into a fixed number of columns, so that no vocabulary has to be kept (Weinberger et
al., Feature Hashing for Large Scale Multitask Learning, 2009). A number counts by its length alone. What is not known of a
task is NaN, and learning and estimating leave it out.

Text by text in plain Python: for the one text that somebody waits for, arrays of a few words take five times as long (51 and
9 µs, more where caches are cold); of thousands at once they would save half.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from math import log, log1p, sqrt
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WORDS = 256
"""Columns that words are hashed into."""
FORM = 4
"""Columns of the form: length, share of digits, share of signs, share of letters beyond ASCII."""
LEVELS = 5
"""Columns of the complexity, one a level."""
FEATURES = WORDS + FORM + LEVELS
READ = 1_000
"""Characters of a description that are looked at."""
FOLDED = 64
"""Columns that the words are folded into where each agent has weights of its own."""
OWN_FEATURES = FOLDED + FORM + LEVELS
WORD = re.compile(r"[^\W\d_]+|\d+")
KINDS = (re.compile(r"\d"), re.compile(r"[{}()\[\];=<>_#*`|\\]"), re.compile(r"[^\x00-\x7f]"))
"""Digits, signs, characters beyond ASCII."""
PAIR = 1_000_003
MASK = (1 << 64) - 1


def features(descriptions: Sequence[str | None], complexities: Sequence[int | None]) -> Floats:
    """A row of FEATURES columns a task; NaN where its description or its complexity is not known.

    Args:
        descriptions: what is asked; empty or null is unknown.
        complexities: 1 to 5 as the user said it, or null; as many as descriptions.
    """
    out = np.full((len(descriptions), FEATURES), np.nan)
    known: dict[str, Floats] = {}
    for row, description, complexity in zip(out, descriptions, complexities, strict=True):
        if description:
            text = description[:READ].lower()
            if text not in known:  # calls of one task have its description, and many tasks are alike
                known[text] = described(text)
            row[: WORDS + FORM] = known[text]
        if complexity is not None and 1 <= complexity <= LEVELS:
            row[WORDS + FORM :] = 0.0
            row[WORDS + FORM + complexity - 1] = 1.0
    return out


def described(text: str) -> Floats:
    """What a text says, in the columns of words and form; the columns of words make a vector of length 1."""
    out, columns = np.zeros(WORDS + FORM), words(text)
    out[columns] = 1.0 / sqrt(len(columns) or 1)
    out[WORDS:] = form(text)
    return out


def words(text: str) -> list[int]:
    """The columns of its words and of pairs of neighbours."""
    found = [crc32(plain(word).encode()) for word in WORD.findall(text)]
    columns = {number % WORDS for number in found}
    columns.update(spread((one * PAIR + other) & MASK) % WORDS for one, other in pairwise(found))
    return list(columns)


def plain(word: str) -> str:
    """A word as it counts: of a number only how long it is."""
    return f"#{len(word)}" if word.isdigit() else word


def spread(number: int) -> int:
    """`number`, of 64 bits, mixed, so that its last digits depend on all of them (the finaliser of splitmix64)."""
    mixed = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    return mixed ^ (mixed >> 27)


def form(text: str) -> tuple[float, ...]:
    """Length on a log scale and shares of kinds of characters, each within about [0, 1]."""
    return log1p(len(text)) / log(READ), *(len(kind.findall(text)) / len(text) for kind in KINDS)


def folded(rows: Floats) -> Floats:
    """`rows` with their words folded into fewer columns: OWN_FEATURES of them."""
    shape = (*rows.shape[:-1], WORDS // FOLDED, FOLDED)
    return np.concatenate([rows[..., :WORDS].reshape(shape).sum(axis=-2), rows[..., WORDS:]], axis=-1)
