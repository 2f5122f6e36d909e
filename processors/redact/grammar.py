"""What `rules.yaml` may say, and how a pair `name: value` is found in texts of every kind."""

import re
from functools import cache

from pydantic import BaseModel, ConfigDict

from processors.shipped_files import shipped_yaml

MASK = r"\[redacted:[a-z0-9-]+\]"
"""What stands where something was, as a regular expression."""

ESCAPE = r"\\(?:[bfnrt]|u[0-9A-Fa-f]{4})"
"""What JSON writes for a line break and the like. Its last letter begins no word: `\\nsk-…` is a key on a line of its own."""
BOUNDARY = r"\b"
BEGIN = rf"{ESCAPE}|{BOUNDARY}"
ESCAPED = r"\\(?:\\\\)*"
"""What stands before a quote that is part of a text in JSON, however often wrapped; an even number of it ends the text."""
SEPARATOR = r"\s*(?::|=>?)\s*"
BARE = r"""[^\s"'\\,;&<>(){}\[\]]"""
"""What a value outside of quotes begins with; it may go on with a bracket."""
SCHEMES = "(?:basic|bearer|token|digest|negotiate|apikey|aws4-hmac-sha256)"


class Strict(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(Strict):
    """Texts of one shape."""

    mask: str
    hint: str
    patterns: tuple[str, ...]
    examples: tuple[str, ...]


class Pair(Strict):
    """Values known by the name before them."""

    mask: str
    names: str
    hint: str = ""
    least: int
    numbers: bool = False
    examples: tuple[str, ...]


class Rules(Strict):
    """The contents of rules.yaml."""

    credentials: tuple[Kind, ...]
    pairs: tuple[Pair, ...]
    emails: Kind
    cards: Kind
    prompts: tuple[str, ...]
    measures: tuple[str, ...]


class Search(BaseModel):
    """What to look for in texts that `hint` is found in (in lower case), and what to write instead."""

    model_config = ConfigDict(frozen=True)

    hint: str
    pattern: str
    replacement: str


@cache
def rules() -> Rules:
    """The data file, read once and checked."""
    return Rules.model_validate(shipped_yaml("processors.redact", "rules.yaml"))


ATTRIBUTE, PROMPT = "attribute", "prompt"
"""The masks of whole values: of an attribute that the settings name, and of what went into a model or came out."""


def known_masks() -> set[str]:
    """What Merit's own masks may say was there."""
    known = rules()
    kinds = [kind.mask for kind in (*known.credentials, known.emails, known.cards)]
    return {ATTRIBUTE, PROMPT, *kinds, *(pair.mask for pair in known.pairs)}


def written(mask: str) -> str:
    """What stands where a `mask` was."""
    return f"[redacted:{mask}]"


def searches(kind: Kind) -> list[Search]:
    """One search for each pattern of `kind`."""
    replacement = f"${{begin}}${{keep}}{written(kind.mask)}${{rest}}"
    return [Search(hint=kind.hint, pattern=from_begin(pattern), replacement=replacement) for pattern in kind.patterns]


def from_begin(pattern: str) -> str:
    """`pattern`, whose first boundary an escape of JSON is too."""
    return pattern.replace(BOUNDARY, f"(?P<begin>{BEGIN})", 1)


def pair_search(pair: Pair) -> Search:
    r"""Finds the values of a pair: quoted, quoted inside JSON inside a string (`\"`), bare, or a number in JSON.

    What is JSON stays JSON: name and value have quotes of one depth, a value ends before its quote (and before a double one,
    whatever its own), a number gets quotes. A quote that follows a bare name and a colon may also end a text (`"your
    password: "`): then no value follows it.
    """
    least, no_end = pair.least, r"[^\s,:}\]"
    values = [
        rf"""(?P<a>"{SEPARATOR}")(?:[^"\\]|\\.){{{least},}}""",
        rf"""(?P<b>'{SEPARATOR}')[^"'\\]{{{least},}}""",
        rf"""(?P<c>'?{SEPARATOR}"){no_end}"\\](?:[^"\\]|\\.){{{least - 1},}}""",
        rf"""(?P<d>{SEPARATOR}'){no_end}"'\\][^"'\\]{{{least - 1},}}""",
        rf"""(?P<e>\\"{SEPARATOR}\\")(?:[^"\\]|\\\\(?:\\"|\\\\|[^"\\])){{{least},}}""",
        rf"""(?P<f>\\{{3}}"{SEPARATOR}\\{{3}}")[^"\\]{{{least},}}""",
        rf"""(?P<j>\\{{7}}"{SEPARATOR}\\{{7}}")[^"\\]{{{least},}}""",
        rf"""(?P<g>{SEPARATOR}{ESCAPED}"){no_end}"'\\][^"'\\]{{{least - 1},}}""",
        rf"""(?P<h>{SEPARATOR})(?:{MASK}|(?:{SCHEMES}\s+)?{BARE}[^\s"'\\,;&<>(){{}}\]]{{{least - 1},}})""",
    ]
    quote = ""
    if pair.numbers:
        values.append(rf"""(?P<i>(?P<quote>(?:{ESCAPED})?["'])\s*:\s*)-?[0-9][0-9.eE+-]*""")
        quote = "${quote}"
    kept = "".join(f"${{{group}}}" for group in "abcdefghij")
    return Search(
        hint=rf"""(?:{pair.hint or pair.names})\\*["']?\s*[:=]""",
        pattern=rf"(?i)(?P<name>{pair.names.replace(BOUNDARY, f'(?:{BEGIN})')})(?:{'|'.join(values)})",
        replacement=f"${{name}}{kept}{quote}{written(pair.mask)}{quote}",
    )


def globs(patterns: tuple[str, ...]) -> str:
    """A regular expression that finds the names which any of `patterns` (with `*` and `?`) fits from end to end."""
    parts = (re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".") for pattern in patterns)
    return f"^(?s:{'|'.join(parts)})$"
