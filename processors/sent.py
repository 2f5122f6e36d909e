"""What others send is looked at no further than to the first member that is too many."""

from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import Any

from annotated_types import MaxLen
from pydantic import BaseModel, ConfigDict, model_validator

UNKNOWN = 100
"""Members that nobody knows are told up to this number."""


class Sent(BaseModel):
    """Takes lists and objects up to their `max_length`, and looks at one member more, which tells that there are too many.

    Each wrong member is an error of its own, and to tell one takes 10 to 30 µs: a body of 1 MiB may have half a million.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _no_further(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        most = most_members(cls)
        return {name: first(value, most.get(name)) for name, value in islice(data.items(), len(cls.model_fields) + UNKNOWN)}


@cache
def most_members(model: type[BaseModel]) -> Mapping[str, int]:
    """The fields that have a `max_length`, as they are written, with it."""
    return {
        field.alias or name: bound.max_length
        for name, field in model.model_fields.items()
        for bound in field.metadata
        if isinstance(bound, MaxLen)
    }


def first(value: Any, most: int | None) -> Any:
    """`value`; of a list or an object of more than `most` members the first and one more."""
    if most is None or not isinstance(value, list | tuple | dict) or len(value) <= most:
        return value
    return dict(islice(value.items(), most + 1)) if isinstance(value, dict) else value[: most + 1]
