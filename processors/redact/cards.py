"""Numbers of payment cards: digits in a known range whose check digit is right."""

import re

import numpy as np
import polars as pl

from processors.redact.grammar import ESCAPE, ESCAPED, Kind, from_begin, written

LONGEST = 19
MEMBER = rf"""(?P<name>(?P<quote>(?:{ESCAPED})?["'])\s*:\s*)"""
"""The name of a member of a JSON object, from its last quote: a number follows it without quotes of its own."""


def mask_cards(texts: pl.Series, kind: Kind) -> pl.Series:
    """`texts` with the card numbers in them masked; each number is checked once, and wherever it stands again it is masked.

    A number in JSON gets quotes, so that what is JSON stays JSON.
    """
    pattern = "|".join(from_begin(pattern) for pattern in kind.patterns)
    found = texts.str.extract_all(pattern).explode(empty_as_null=False, keep_nulls=False).str.replace(f"^{ESCAPE}", "").unique()
    cards = found.filter(luhn(found.str.replace_all("[ -]", "")))
    if cards.is_empty():
        return texts
    masked = texts.str.replace_many(cards.to_list(), [written(kind.mask)], leftmost=True)
    bare = rf"{MEMBER}-?(?P<mask>{re.escape(written(kind.mask))})(?:[.eE][0-9.eE+-]*)?(?P<end>\s*[,}}\]]|\s*$)"
    return masked.str.replace_all(bare, "${name}${quote}${mask}${quote}${end}")


def luhn(numbers: pl.Series) -> pl.Series:
    """Whether the check digit of each number (a text of at most 19 digits) is right. Source: ISO/IEC 7812-1, annex B."""
    padded = numbers.str.zfill(LONGEST).str.join("").item() if len(numbers) else ""
    digits = (np.frombuffer(padded.encode(), np.uint8) - ord("0")).reshape(-1, LONGEST).astype(np.int64)
    doubled = digits[:, 1::2] * 2
    doubled -= 9 * (doubled > 9)
    sums = digits[:, ::2].sum(axis=1) + doubled.sum(axis=1)
    return pl.Series(sums % 10 == 0, dtype=pl.Boolean)
