"""/v1/objectives: the kinds of work that there are, and which of them a text is about."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote

import polars as pl
from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, Field, model_validator

from processors.objectives.classify import Classifier
from processors.objectives.objectives import (
    MOST,
    Description,
    Objective,
    ObjectiveSettings,
    configured,
    from_rows,
    layered,
    not_general,
    shipped,
    to_rows,
)
from processors.versions import version_at
from query_api.asking.answers import Answer, Time, rows
from query_api.asking.filters import Question
from query_api.asking.problems import ProblemError, wrong
from query_api.asking.questions import Ask, Keep, Now
from query_api.expectations.whole_lists import off, refuse_too_many, refuse_twice
from query_api.tasks.tasks import Id

LONGEST = 100_000
"""Characters of a text that may be sent to be classified."""


CategoryInPath = Annotated[str, Path(max_length=1024), AfterValidator(unquote), AfterValidator(not_general)]


class Described(Description):
    """What one objective is to be."""

    category: str | None = None
    """The category; it may be left out, for the path says it."""


class AllObjectives(Question):
    """All objectives that there are to be."""

    objectives: Annotated[tuple[Objective, ...], Field(max_length=MOST, fail_fast=True)]
    """They replace those that there are: your own that are left out are gone, others that are left out are switched off."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        refuse_twice(one.category for one in self.objectives)
        return self


class Text(Question):
    """A text to be classified."""

    text: Annotated[str, Field(max_length=LONGEST, examples=["Fix the login bug in our Python app"])]
    """What an agent would be asked: plain, or a JSON list of messages."""


class KnownObjective(Answer):
    """A kind of work."""

    category: str = Field(examples=["coding"])
    """What tasks carry as their category."""
    description: str | None
    """What it is about."""
    keywords: list[str]
    """Words and phrases that tell it."""
    examples: list[str]
    """Assignments of this kind."""
    criteria: list[str]
    """What a result of this kind is judged by."""
    recommended_agents: list[str]
    """Ids of agents that somebody holds to be good at it."""
    enabled: bool
    """Whether tasks may be given this category by their words."""
    source: Literal["shipped", "settings", "api"]
    """Who described it last."""
    updated_at: Time | None
    """When it was edited over the API; null if it was not."""


class Objectives(Answer):
    """Every objective, by category."""

    objectives: list[KnownObjective]
    """The objectives."""
    next_cursor: None = None
    """Always null: all are shown."""


class FoundWord(Answer):
    """A word that a text has of an objective."""

    word: str
    """The word or phrase, as the objective has it."""
    weight: float
    """What it weighs for the objective: more for a phrase and at the beginning of the text, less if others have it too."""


class WeighedObjective(Answer):
    """What speaks for an objective."""

    category: str
    """The objective."""
    sure: float
    """Its words' weight, of the weight of all words found and 1 for doubt: from 0 to 1."""
    words: list[FoundWord]
    """The words that the text has of it, the heaviest first."""


class ClassifiedText(Answer):
    """Which objective a text is about, and why."""

    category: str
    """The surest objective, or `general` if it is not sure enough."""
    sure: float
    """How sure the surest objective is, from 0 to 1; 0 if no word is known."""
    threshold: float
    """What is sure enough (`processors.objectives.threshold`)."""
    candidates: list[WeighedObjective]
    """Every objective that the text has a word of, the surest first."""


def routes(ask: Ask, keep: Keep, now: Now, settings: ObjectiveSettings) -> APIRouter:
    """The routes below /v1/objectives."""
    router = APIRouter(tags=["objectives"])
    base = configured(settings)

    @router.get("/v1/objectives", response_model=Objectives, summary="The kinds of work that there are")
    def objectives(_: Annotated[Question, Query()]) -> Any:
        """Objectives by category: those shipped, those of the settings over them, those edited here over both."""
        return shown(base, edited(ask))

    @router.put("/v1/objectives", response_model=Objectives, summary="Set all kinds of work")
    def set_objectives(sent: AllObjectives) -> Any:
        """Replace all objectives by these. The answer is the list as it is now; it holds for tasks derived from now on."""
        before = edited(ask)
        kept, gone = replacing(before, sent.objectives, base, version_at(now(), *before["version"]))
        refuse_too_many(kept["category"], MOST, "objectives")
        keep("objectives", pl.concat([kept, gone]))
        return shown(base, kept)

    @router.put("/v1/objectives/{category}", response_model=Objectives, summary="Set one kind of work")
    def set_objective(category: CategoryInPath, sent: Described) -> Any:
        """Describe one category anew. The answer is the list as it is now; it holds for tasks derived from now on."""
        if sent.category not in (None, category):
            raise wrong("category", sent.category, f"the path says {category!r}: say the same, or leave it out")
        before = edited(ask)
        one = Objective(**sent.model_dump(exclude={"category"}), category=category)
        refuse_too_many({one.category for one in base} | {*before["category"], one.category}, MOST, "objectives")
        row = to_rows([one], version_at(now(), *before["version"]))
        keep("objectives", row)
        return shown(base, pl.concat([before.filter(pl.col("category") != one.category), row]))

    @router.delete("/v1/objectives/{category}", response_model=Objectives, summary="Forget what was set of a kind of work")
    def forget_objective(category: Id, _: Annotated[Question, Query()]) -> Any:
        """Forget what was said of a category here: your own is gone, one that is shipped or of the settings is as it was."""
        before = edited(ask)
        mine = before.filter(pl.col("category") == category)
        if mine.is_empty():
            raise ProblemError(404, f"Nothing was set of the objective {category[:200]!r}: to switch it off, put enabled: false")
        keep("objectives", to_rows(from_rows(mine), version_at(now(), *before["version"]), is_deleted=True))
        return shown(base, before.filter(pl.col("category") != category))

    @router.post("/v1/objectives/classify", response_model=ClassifiedText, summary="Which kind of work a text is about, and why")
    def classify(sent: Text) -> Any:
        """Classify a text as the input of a task would be, and say which words told it. Nothing is kept."""
        weigher = built(layered(base, from_rows(edited(ask))), settings.threshold)
        return explained(weigher, sent.text) | {"threshold": settings.threshold}

    return router


built = lru_cache(maxsize=2)(Classifier)
"""Making a classifier takes longer than using it."""


def edited(ask: Ask) -> pl.DataFrame:
    """What was set over the API, columns OBJECTIVES."""
    return ask("objectives", {"limit": MOST}, MOST)


def replacing(
    before: pl.DataFrame, objectives: Sequence[Objective], base: tuple[Objective, ...], version: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows by which `objectives` are all that there are, columns OBJECTIVES: what holds then, and what of `before` is gone.

    What `base` has besides can only be switched off.
    """
    named = {one.category for one in objectives}
    gone = before.filter(~pl.col("category").is_in([*named, *(one.category for one in base)]))
    return to_rows([*objectives, *off(base, named, "category")], version), to_rows(from_rows(gone), version, is_deleted=True)


def explained(weigher: Classifier, text: str) -> dict[str, Any]:
    """Which objective `text` is about, and which words of it told so, as an answer."""
    found = weigher.explain(text)
    return {
        "category": weigher.category(text),
        "sure": found[0].sure if found else 0,
        "candidates": [
            {"category": c.category, "sure": c.sure, "words": [{"word": w, "weight": n} for w, n in c.words]} for c in found
        ],
    }


def shown(base: tuple[Objective, ...], kept: pl.DataFrame) -> dict[str, Any]:
    """Objectives as an answer; `kept` are rows of OBJECTIVES that hold over `base`."""
    mine = {str(row["category"]): row for row in rows(kept.drop("version", "is_deleted"))}
    as_shipped = set(shipped())
    below = {
        one.category: one.model_dump() | {"source": "shipped" if one in as_shipped else "settings", "updated_at": None}
        for one in base
    }
    both = below | {category: row | {"source": "api"} for category, row in mine.items()}
    return {"objectives": [both[category] for category in sorted(both)]}
