"""The grammar of `dialects.yaml`, and of `processors.conventions.extra`, which is more of the same.

A *dialect* says for each *field* where spans carry it: a list of *sources* in order of preference. Dialects are in order
of preference too: the first source that has a value for a span wins. The file is data; what it may say is here.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from processors.shipped_files import shipped_yaml

Text = Literal[
    "operation", "agent_id", "agent_name", "node_name", "provider", "request_model", "response_model", "response_id",
    "conversation_id", "user_id", "error_type", "owner", "name_on_top", "workflow_name", "task_name", "external_id", "category",
    "agent_type", "department", "capabilities", "decision_id", "resource_agent", "input", "output",
]  # fmt: skip
Number = Literal[
    "input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens", "total_tokens",
    "complexity", "files_created", "files_modified", "temperature", "reported_cost_usd",
]  # fmt: skip
Flag = Literal[
    "said_success", "said_failure", "fails_task", "fails_above", "is_agent", "owner_opens", "owner_lasts", "is_outer",
    "totals_include", "cached_apart", "reasoning_apart", "ignored",
]  # fmt: skip
FIELDS = tuple(name for kind in (Text, Number, Flag) for name in get_args(kind))


def _known(field: Any) -> Any:
    if field not in FIELDS:
        nearest = get_close_matches(str(field), FIELDS, 1)
        raise ValueError(
            f"unknown field {field!r}: " + (f"did you mean {nearest[0]}?" if nearest else f"use one of {', '.join(FIELDS)}")
        )
    return field


FieldName = Annotated[Text | Number | Flag, BeforeValidator(_known)]

OPERATIONS = frozenset({
    "invoke_agent", "invoke_workflow", "chat", "text_completion", "generate_content", "embeddings", "retrieval", "execute_tool",
    "create_agent", "plan", "node", "guardrail", "rerank", "handoff", "evaluate",
})  # fmt: skip
"""The words for what a span does (OTel GenAI conventions, and Merit's for what they do not name yet)."""
MODEL_CALLS = ("chat", "text_completion", "generate_content", "embeddings")
"""Operations that call a model and are priced."""

MOST_TOKENS = 10**12
"""More than this no call can use: such a count is unknown, lest one span spoil every sum."""


class Strict(BaseModel):
    """Unknown keys are refused: a typing error in a mapping must not be a silent gap in the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {pattern!r}: {error}") from error
    return pattern


Pattern = Annotated[str, Field(min_length=1), BeforeValidator(_compiles)]
Strings = Annotated[tuple[str, ...], BeforeValidator(lambda v: v if isinstance(v, (list, tuple)) else (v,))]


class Condition(Strict):
    """Which spans: all that is said must hold."""

    scope: Strings = ()
    """Instrumentation scope is one of these; a trailing `*` matches any ending."""
    name: Pattern | None = None
    """The span's name matches this regular expression (searched, not anchored)."""
    has: Strings = ()
    """All of these attributes are there."""
    lacks: Strings = ()
    """None of these attributes is there."""
    equals: Mapping[str, Strings] = {}
    """Each of these attributes has one of these values."""
    root: bool | None = None
    """The span has no parent (true), has one (false)."""


class Source(Strict):
    """Where a value stands: one of `key`, `resource`, `event`, `span` or `value`; then what is done with it."""

    key: str = ""
    """A span attribute."""
    resource: str = ""
    """A resource attribute."""
    event: str = ""
    """An attribute of the span's events; of several, the last that has it. Costs most: for dialects told by their scope."""
    span: Literal["", "name", "scope"] = ""
    """The span's own name, or its scope's."""
    value: str | float | bool | None = None
    """A constant."""
    json_path: Annotated[str, Field(alias="json")] = ""
    """The attribute holds JSON: take what is at this path (`a.b`)."""
    extract: Pattern | None = None
    """Take the first group of this regular expression; nothing where it does not match."""
    translate: Mapping[str, str] = {}
    """Replace these values by those; others stay (or are dropped, if `otherwise` is empty)."""
    otherwise: str | None = None
    """What values that `translate` does not know become; left out, they stay as they are."""
    when: Condition = Condition()
    """Only for these spans."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        places = [bool(self.key), bool(self.resource), bool(self.event), bool(self.span), self.value is not None]
        if sum(places) != 1:
            raise ValueError("a source names exactly one of key, resource, event, span or value")
        return self


def _as_source(value: Any) -> Any:
    return {"key": value} if isinstance(value, str) else value


Sources = Annotated[list[Annotated[Source, BeforeValidator(_as_source)]], BeforeValidator(_as_list)]


class Dialect(Strict):
    """One way of speaking, and where it says what."""

    dialect: Annotated[str, Field(min_length=1)]
    """Its name, shown by `merit explain`."""
    when: Condition = Condition()
    """Only for these spans; each source may narrow it."""
    fields: Mapping[FieldName, Sources]
    """Field → sources in order of preference."""

    @field_validator("fields")
    @classmethod
    def _known_operations(cls, fields: Mapping[FieldName, list[Source]]) -> Mapping[FieldName, list[Source]]:
        for source in fields.get("operation", ()):
            said = {*source.translate.values(), source.otherwise, source.value} - {"", None}
            if wrong := {str(s) for s in said} - OPERATIONS:
                raise ValueError(f"unknown operation {', '.join(sorted(wrong))}: use one of {', '.join(sorted(OPERATIONS))}")
        return fields


class Vocabulary(Strict):
    """The whole file."""

    control_flow: Strings
    """Exception classes that frameworks raise to steer, not to fail."""
    interrupts: Strings
    """Of these, the ones that mean: a human is awaited."""
    dialects: list[Dialect]
    """In order of preference."""


@cache
def shipped() -> Vocabulary:
    """The dialects that come with Merit; raises pydantic's ValidationError if the file is wrong."""
    return Vocabulary.model_validate(shipped_yaml("processors.conventions", "dialects.yaml"))
