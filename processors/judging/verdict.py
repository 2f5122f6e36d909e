"""An evaluator's answer, read strictly: every criterion once, no other, whole scores from 1 to 5."""

from collections.abc import Collection
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

LONGEST = 20_000
"""Characters kept of a text that an evaluator wrote."""


class Opinion(BaseModel):
    """What was said of one criterion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    reasoning: str
    score: Annotated[int, Field(ge=1, le=5)]


class Verdict(BaseModel):
    """A whole answer."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    criteria: dict[str, Opinion]
    summary: str = ""


def read(answer: str, criteria: Collection[str]) -> Verdict:
    """The verdict in `answer`; raises ValueError, saying what is wrong, if it is none of exactly these criteria."""
    text = answer.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        verdict = Verdict.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None
    if missing := [name for name in criteria if name not in verdict.criteria]:
        raise ValueError(f"no score for {', '.join(missing)}")
    if unknown := [name for name in verdict.criteria if name not in criteria]:
        raise ValueError(f"{unknown[0][:64]!r} is not among the criteria")
    return verdict
