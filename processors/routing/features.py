"""What a task looks like before it is done, as numbers: the words of its description, its form, its complexity.

Words and pairs of neighbours are hashed into a fixed number of columns, so that no vocabulary has to be kept (Weinberger et
al., Feature Hashing for Large Scale Multitask Learning, 2009). A number counts by its length alone. What is not known of a
task is NaN, and learning and estimating leave it out.
"""

import re
from collections.abc import Sequence
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


def features(descriptions: Sequence[str | None], complexities: Sequence[int | None]) -> Floats:
    """A row of FEATURES columns a task; NaN where its description or its complexity is not known.

    Args:
        descriptions: what is asked; empty or null is unknown.
        complexities: 1 to 5 as the user said it, or null; as many as descriptions.
    """
    out = np.full((len(descriptions), FEATURES), np.nan)
    texts = [(text or "")[:READ].lower() for text in descriptions]
    known = np.array([bool(text) for text in texts], dtype=np.bool_)
    found = [text for text in texts if text]
    out[known, :WORDS] = words(found)
    out[known, WORDS : WORDS + FORM] = form(found)
    levels = np.array([level or 0 for level in complexities], dtype=np.int64)
    said = (levels >= 1) & (levels <= LEVELS)
    out[said, WORDS + FORM :] = np.eye(LEVELS)[levels[said] - 1]
    return out


def words(texts: Sequence[str]) -> Floats:
    """Hashed words and pairs of neighbours, each row of length 1."""
    out = np.zeros((len(texts), WORDS))
    found = [WORD.findall(text) for text in texts]
    row = np.repeat(np.arange(len(texts)), [len(each) for each in found])
    each = [word for some in found for word in some]
    number = {word: crc32(plain(word).encode()) for word in set(each)}
    one = np.array([number[word] for word in each], dtype=np.uint64)
    pair = one[:-1] * np.uint64(1_000_003) + one[1:]
    out[row, (one % WORDS).astype(np.int64)] = 1.0
    neighbours = row[:-1] == row[1:]
    out[row[:-1][neighbours], (spread(pair[neighbours]) % WORDS).astype(np.int64)] = 1.0
    length = np.sqrt(out.sum(axis=1, keepdims=True))
    out /= np.where(length > 0, length, 1.0)
    return out


def plain(word: str) -> str:
    """A word as it counts: of a number only how long it is."""
    return f"#{len(word)}" if word.isdigit() else word


def spread(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`numbers` mixed, so that their last digits depend on all of them (the finaliser of splitmix64)."""
    mixed = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(27))


def form(texts: Sequence[str]) -> Floats:
    """Length on a log scale and shares of kinds of characters, each within about [0, 1]."""
    length = np.array([len(text) for text in texts], dtype=np.float64)
    counts = [np.array([len(kind.findall(text)) for text in texts], dtype=np.float64) for kind in KINDS]
    return np.column_stack([np.log1p(length) / np.log(READ), *(count / np.maximum(length, 1) for count in counts)])


def folded(rows: Floats) -> Floats:
    """`rows` with their words folded into fewer columns: OWN_FEATURES of them."""
    shape = (*rows.shape[:-1], WORDS // FOLDED, FOLDED)
    return np.concatenate([rows[..., :WORDS].reshape(shape).sum(axis=-2), rows[..., WORDS:]], axis=-1)
