"""Settings of `processors.redact`."""

from typing import Annotated, Literal, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from processors.redact.grammar import known_masks, written

Characters = Annotated[int, Field(ge=1, le=1_000_000)]
MaskName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


class AttributeRule(BaseModel):
    """What becomes of the attributes of a name."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: Annotated[str, Field(min_length=1, max_length=256)]
    """The attribute's name, or a pattern with `*` and `?`, of spans, resources, scopes, events, links, logs or metrics."""
    action: Literal["drop", "mask", "truncate", "keep"]
    """`drop` takes the attribute away, `mask` writes `[redacted:attribute]` for its value, `truncate` cuts the value;
    `keep` leaves it as it is, whatever else is said here."""
    characters: Characters = 256
    """How many characters `truncate` leaves."""


class PatternRule(BaseModel):
    """Something of the user's own that is masked wherever it stands in a text."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: MaskName
    """What the mask says was there: lower-case letters, digits and hyphens."""
    regex: Annotated[str, Field(min_length=1, max_length=10_000)]
    """A regular expression in Rust's syntax (no look-around). Case counts, unless it begins with `(?i)`."""

    @field_validator("regex")
    @classmethod
    def _sound(cls, regex: str) -> str:
        if finds(regex, ""):
            raise ValueError("finds the empty text, so it would be masked between any two letters: let it ask for something")
        return regex


class RedactSettings(BaseModel):
    """What is masked, cut or dropped before anything is written."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    credentials: bool = True
    """Mask what looks like a credential: keys of the usual providers, bearer tokens, JWT, private keys, passwords in URLs,
    and the values of names like `password`, `api_key`, `authorization`."""
    emails: bool = False
    """Mask e-mail addresses."""
    card_numbers: bool = False
    """Mask numbers of payment cards: those in the issuers' ranges whose check digit is right."""
    prompts: Literal["keep", "truncate", "mask", "drop"] = "keep"
    """What becomes of what went into models and tools and came out of them, in all attributes known to hold it."""
    prompt_characters: Characters = 1000
    """How many characters of each `prompts: truncate` leaves."""
    attributes: tuple[AttributeRule, ...] = ()
    """What becomes of attributes by their name; the first that fits counts, before `prompts` and `credentials`."""
    patterns: tuple[PatternRule, ...] = ()
    """Your own patterns, masked wherever they stand."""

    @model_validator(mode="after")
    def _no_mask_is_masked(self) -> Self:
        written_here = [written(name) for name in sorted(known_masks() | {own.name for own in self.patterns})]
        for own in self.patterns:
            if mask := next((mask for mask in written_here if finds(own.regex, mask)), None):
                raise ValueError(f"the regex of the pattern {own.name!r} finds {mask}, which Merit writes itself: narrow it down")
        return self


def finds(regex: str, text: str) -> bool:
    """Whether `regex` finds anything in `text`; ValueError, with what is wrong and where, if it is no regular expression."""
    try:
        return bool(pl.Series([text]).str.contains(regex).item())
    except pl.exceptions.ComputeError as error:
        problem = str(error).partition("\n\nThis error occurred")[0].removeprefix("regex error: ")
        raise ValueError(f"is no regular expression in Rust's syntax: {problem}") from None
