"""What an objective is: a kind of work, the words that tell it, and what is expected of it.

They come in three layers, the later ones over the earlier by category: those shipped (`shipped.yaml`), those of the
settings, those edited over the API (a row each of the table `objectives`).
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Annotated

import polars as pl
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from processors.frames import MILLIS, STRING, Columns
from processors.sent import Sent
from processors.shipped_files import shipped_yaml

MOST = 1_000
"""Objectives that there may be."""
LONGEST_CATEGORY = 128
GENERAL = "general"
"""The category of a task that no objective fits well enough."""


def findable(word: str) -> str:
    """`word`; raises ValueError if no text can hold it."""
    if not any(letter.isalnum() for letter in word):
        raise ValueError("a keyword needs a letter or a digit")
    if "*" in word[:-1]:
        raise ValueError("a * can only stand at the end of a keyword, as in migrat*")
    return word


Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(findable)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
Example = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]

OBJECTIVES: Columns = {
    "category": STRING,
    "description": STRING,
    "keywords": pl.List(STRING),
    "examples": pl.List(STRING),
    "criteria": pl.List(STRING),
    "recommended_agents": pl.List(STRING),
    "enabled": pl.Boolean(),
    "updated_at": MILLIS,
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""An objective as it was edited over the API; `version`: milliseconds of `updated_at`."""


def not_general(category: str) -> str:
    """`category`, stripped; raises ValueError if it cannot be that of an objective."""
    stripped = category.strip()
    if not 1 <= len(stripped) <= LONGEST_CATEGORY:
        raise ValueError(f"a category has 1 to {LONGEST_CATEGORY} characters")
    if stripped.lower() == GENERAL:
        raise ValueError("general is what is left when no objective fits: choose another category")
    return stripped


class Description(Sent):
    """What tells a kind of work, and what is expected of it."""

    description: Annotated[str, Field(max_length=2000)] = ""
    """What it is about, for people."""
    keywords: Annotated[tuple[Word, ...], Field(max_length=500)] = ()
    """Words and phrases that tell it. A `*` at the end lets a word go on: `migrat*`."""
    examples: Annotated[tuple[Example, ...], Field(max_length=200)] = ()
    """Assignments of this kind as somebody would give them; their words count too, but less."""
    criteria: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    """What a result of this kind is judged by."""
    recommended_agents: Annotated[tuple[Name, ...], Field(max_length=200)] = ()
    """Ids of agents that somebody holds to be good at it."""
    enabled: bool = True
    """Whether tasks may be given this category by their words."""


class Objective(Description):
    """A kind of work."""

    category: Annotated[str, AfterValidator(not_general)] = Field(examples=["research"])
    """Its name: what tasks carry as their category. `general` is what is left over and cannot be described."""


class ObjectiveSettings(BaseModel):
    """What kinds of work there are, and how sure a classification must be."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    shipped: bool = True
    """Whether the objectives that Merit comes with are there."""
    extra: tuple[Objective, ...] = ()
    """Your own; one of the same category replaces a shipped one. Those edited over the API go before both."""
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.4
    """How sure a classification must be, from 0 to 1; below it a task stays `general`."""


@cache
def shipped() -> tuple[Objective, ...]:
    """The objectives that Merit comes with."""
    return TypeAdapter(tuple[Objective, ...]).validate_python(shipped_yaml("processors.objectives", "shipped.yaml"))


def configured(settings: ObjectiveSettings) -> tuple[Objective, ...]:
    """The objectives of the settings over those shipped."""
    return layered(shipped() if settings.shipped else (), settings.extra)


def layered(lower: Iterable[Objective], upper: Iterable[Objective]) -> tuple[Objective, ...]:
    """Both, in the order of their categories; of one category that of `upper`."""
    by_category = {one.category: one for one in (*lower, *upper)}
    return tuple(by_category[category] for category in sorted(by_category))


def from_rows(rows: pl.DataFrame) -> tuple[Objective, ...]:
    """Objectives of the table, columns OBJECTIVES."""
    return tuple(Objective.model_validate(row) for row in rows.select(Objective.model_fields.keys()).to_dicts())


def to_rows(objectives: Sequence[Objective], version: int, *, is_deleted: bool = False) -> pl.DataFrame:
    """Rows of the table; `version` in milliseconds since 1970."""
    rows = [one.model_dump() for one in objectives]
    frame = pl.DataFrame(rows, schema={name: dtype for name, dtype in OBJECTIVES.items() if name in Objective.model_fields})
    return frame.with_columns(
        updated_at=pl.lit(version).cast(pl.Int64).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"),
        version=pl.lit(version, dtype=pl.UInt64),
        is_deleted=pl.lit(is_deleted).cast(pl.UInt8),
    ).select(OBJECTIVES.keys())
