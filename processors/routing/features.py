"""What a task looks like before it is done, as numbers: the words of its description, its form, its complexity.

Words and pairs of neighbours are hashed into a fixed number of columns, so that no vocabulary has to be kept (Weinberger et
al., Feature Hashing for Large Scale Multitask Learning, 2009). A number counts by its length alone. What is not known of a
task is NaN, and learning and estimating leave it out.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
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


def features(descriptions: Sequence[str | None], complexities: Sequence[int | None]) -> Floats:
    """A row of FEATURES columns a task; NaN where its description or its complexity is not known.

    Args:
        descriptions: what is asked; empty or null is unknown.
        complexities: 1 to 5 as the user said it, or null; as many as descriptions.
    """
    texts = pl.Series("text", descriptions, dtype=pl.String).str.slice(0, READ)
    out = np.full((len(texts), FEATURES), np.nan)
    known = (texts.str.len_chars() > 0).fill_null(value=False).to_numpy()
    if known.any():
        found = texts.filter(pl.Series(known))
        out[known, :WORDS] = words(found)
        out[known, WORDS : WORDS + FORM] = form(found)
    levels = np.array([level or 0 for level in complexities], dtype=np.int64)
    said = (levels >= 1) & (levels <= LEVELS)
    out[said, WORDS + FORM :] = np.eye(LEVELS)[levels[said] - 1]
    return out


def words(texts: pl.Series) -> Floats:
    """Hashed words and pairs of neighbours, each row of length 1."""
    found = texts.str.to_lowercase().str.extract_all(r"[\p{L}]+|\p{N}+").to_frame("word").with_row_index("row").explode("word")
    plain = pl.when(pl.col("word").str.contains(r"^\p{N}")).then("#" + pl.col("word").str.len_chars().cast(pl.String))
    one = found.drop_nulls().with_columns(word=plain.otherwise("word"))
    two = one.with_columns(word=pl.col("word") + " " + pl.col("word").shift(-1).over("row")).drop_nulls()
    all_words = pl.concat([one, two]).unique()
    out = np.zeros((len(texts), WORDS))
    column = (all_words["word"].hash(seed=0).to_numpy() % WORDS).astype(np.int64)
    out[all_words["row"].to_numpy(), column] = 1.0
    length = np.sqrt(out.sum(axis=1, keepdims=True))
    out /= np.where(length > 0, length, 1.0)
    return out


def form(texts: pl.Series) -> Floats:
    """Length on a log scale and shares of kinds of characters, each within about [0, 1]."""
    length = texts.str.len_chars().to_numpy().astype(np.float64)
    counts = [texts.str.count_matches(kind).to_numpy() for kind in (r"\d", r"[{}()\[\];=<>_#*`|\\]", r"[^\x00-\x7f]")]
    return np.column_stack([np.log1p(length) / np.log(READ), *(count / length for count in counts)])


def folded(rows: Floats) -> Floats:
    """`rows` with their words folded into fewer columns: OWN_FEATURES of them."""
    shape = (*rows.shape[:-1], WORDS // FOLDED, FOLDED)
    return np.concatenate([rows[..., :WORDS].reshape(shape).sum(axis=-2), rows[..., WORDS:]], axis=-1)
