"""What is wrong with settings, said so that it can be mended: where, what was found, what is allowed. Never a secret."""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from merit.settings.source import PREFIX, Keys, Source, dotted

CREDENTIALS = re.compile(r"://[^@/\s]*@")


def explain(error: ValidationError, source: Source, model: type[BaseModel]) -> str:
    """One line for each thing that is wrong."""
    return "\n".join(
        f"{source.place(detail['loc'])}: {complaint(detail, source, model)}" for detail in error.errors(include_url=False)
    )


def complaint(detail: ErrorDetails, source: Source, model: type[BaseModel]) -> str:
    """What is wrong with one setting."""
    keys = detail["loc"]
    if detail["type"] == "extra_forbidden":
        return unknown(keys, model, variable=source.place(keys).startswith(PREFIX))
    if detail["type"] == "missing":
        return f"{dotted(keys)} is missing"
    allowed = CREDENTIALS.sub("://…@", detail["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip("."))
    if section := section_at(model, keys):
        if detail["type"] in ("model_type", "model_attributes_type"):
            return f"{dotted(keys)} is {kind(detail['input'])}, should be a section with {', '.join(fields(section))}"
        return f"{dotted(keys)}: {allowed}"
    return f"{dotted(keys)} is {shown(detail['input'], secret=is_secret(model, keys))}: {allowed}"


def unknown(keys: Keys, model: type[BaseModel], *, variable: bool) -> str:
    """An unknown key, with the nearest one that is known."""
    *above, key = keys
    section = section_at(model, tuple(above))
    siblings = list(fields(section)) if section else []
    near = difflib.get_close_matches(str(key), siblings, n=1, cutoff=0.5)
    candidates = [(*above, near[0])] if near else [known for known in known_keys(model) if known[-1] == key]
    names = [as_variable(each) if variable else dotted(each) for each in candidates]
    said = as_variable(keys) if variable else dotted(keys)
    hint = f"did you mean {' or '.join(names)}?" if names else f"known here: {', '.join(siblings) or 'nothing'}"
    return f"{said} is no setting; {hint}"


def as_variable(keys: Keys) -> str:
    """The environment variable that sets `keys`."""
    return PREFIX + "__".join(str(key) for key in keys).upper()


def known_keys(model: type[BaseModel], at: Keys = ()) -> Iterator[Keys]:
    """Every setting, sections before what is in them; settings inside of lists are not gone into."""
    for name, field in fields(model).items():
        yield (*at, name)
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from known_keys(annotation, (*at, name))


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a section, called as in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def section_at(model: type[BaseModel], keys: Keys) -> type[BaseModel] | None:
    """The section that `keys` leads to; None if a value, or nothing, is there. An index of a list leads to its items."""
    section: type[BaseModel] | None = model
    for position, key in enumerate(keys):
        if isinstance(key, int):
            continue
        field = fields(section).get(key) if section else None
        inside = position + 1 < len(keys)
        section = next(sections(field.annotation, inside=inside), None) if field else None
    return section


def sections(annotation: Any, *, inside: bool) -> Iterator[type[BaseModel]]:
    """The section that a field holds; those in its lists too if it is looked `inside`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif inside or type(None) in get_args(annotation):
        for argument in get_args(annotation):
            yield from sections(argument, inside=inside)


def is_secret(model: type[BaseModel], keys: Keys) -> bool:
    """Whether the value there must not be shown: it, or anything that holds it, is a SecretStr."""
    for end in range(1, len(keys) + 1):
        *above, key = keys[:end]
        section = section_at(model, (*above, 0))  # the index: of a list's items, if it is one
        field = fields(section).get(key) if section and isinstance(key, str) else None
        if field and mentions_secret(field.annotation):
            return True
    return False


def mentions_secret(annotation: Any) -> bool:
    """Whether a value of this type is or holds a SecretStr."""
    return annotation is SecretStr or any(mentions_secret(argument) for argument in get_args(annotation))


def shown(value: Any, *, secret: bool) -> str:
    """A value as it may stand in a message."""
    if secret:
        return "(hidden)"
    if isinstance(value, dict | list):
        return kind(value)
    text = CREDENTIALS.sub("://…@", repr(value))
    return text if len(text) <= 60 else text[:57] + "…"


def kind(value: Any) -> str:
    """What a value is, without showing it."""
    kinds = {dict: "a section", list: "a list", str: "a text", bool: "a yes or no", type(None): "empty"}
    return next((word for of, word in kinds.items() if isinstance(value, of)), "a number")


def without_empty_sections(values: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Drop sections that say nothing, as `processors:` with every key below commented out: their defaults are meant."""
    kept: dict[str, Any] = {}
    for key, value in values.items():
        section = section_at(model, (key,))
        if section and isinstance(value, Mapping):
            kept[key] = without_empty_sections(value, section)
        elif value is not None or not section:
            kept[key] = value
    return kept
