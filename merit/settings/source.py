"""Where each setting was said: values of a YAML file and of the environment, with the line or the variable they came from."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from processors.errors import Rejected

Keys = tuple[str | int, ...]
"""The way to a setting: keys, and indexes of lists."""

PREFIX = "MERIT_"

MOST_BYTES = 4 << 20
"""Of a file; a larger one is none of settings, and reading it takes minutes."""
MOST_KEYS = 1_000_000
"""What aliases stand for counts as often as they stand: a few lines of them may be billions."""


class Loader(yaml.SafeLoader):
    """Says where a value stands that looks like a date or a number and is none."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """See SafeLoader."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, IndexError):
            problem = "looks like a date or a number and is none: mend it, or put it in quotes"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None


@dataclass(frozen=True)
class Source:
    """Raw values, and the place of each as an operator would look it up."""

    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[Keys, str] = field(default_factory=dict)

    def place(self, keys: Keys) -> str:
        """Where `keys` was said: itself, else something below it, else the nearest above."""
        if keys in self.places:
            return self.places[keys]
        below = (place for at, place in self.places.items() if at[: len(keys)] == keys)
        above = (self.places[keys[:end]] for end in range(len(keys) - 1, 0, -1) if keys[:end] in self.places)
        return next(below, None) or next(above, "settings")


def merge(lower: Source, upper: Source) -> Source:
    """Both, `upper` winning where they disagree."""
    return Source(merge_values(lower.values, upper.values), {**lower.places, **upper.places})


def merge_values(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Sections are merged, everything else replaced."""
    merged = dict(lower)
    for key, value in upper.items():
        old = merged.get(key)
        merged[key] = merge_values(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def read_yaml(path: Path) -> Source:
    """The values of a file; raises Rejected, with the line, if it is no YAML, says a key twice or is not there."""
    values, said = parsed(read_text(path), path)
    if values is None:
        return Source()
    if not isinstance(values, dict):
        raise Rejected(f"{path}: holds no sections: write `receivers:`, `exporters:` …")
    places: dict[Keys, str] = {}
    for keys, line in said:
        if keys in places:
            raise Rejected(f"{path}, line {line}: {dotted(keys)} is there twice, first in {places[keys]}")
        places[keys] = f"{path}, line {line}"
    return Source(values, places)


def read_text(path: Path) -> str:
    """The text of a file; raises Rejected if there is none, or too much of it."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise Rejected(f"{path}: is larger than {MOST_BYTES >> 20} MiB: is it a file of settings?")
        return content.decode("utf-8")
    except OSError as error:
        raise Rejected(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Rejected(f"{path}: is not UTF-8") from None


def parsed(text: str, path: Path) -> tuple[Any, list[tuple[Keys, int]]]:
    """What a file says, and in which line every key stands; raises Rejected if it is no YAML."""
    try:
        values, said = values_of(text), list(islice(lines(yaml.compose(text, Loader)), MOST_KEYS + 1))
    except yaml.MarkedYAMLError as error:
        raise Rejected(f"{path}, line {line_of(error)}: is no YAML: {without_quotes(error.problem)}") from None
    except yaml.YAMLError:
        raise Rejected(f"{path}: is no YAML: holds characters that YAML does not allow") from None
    except RecursionError:
        raise Rejected(f"{path}: is nested too deeply, or holds itself by an alias") from None
    if len(said) > MOST_KEYS:
        raise Rejected(f"{path}: says more than {MOST_KEYS:,} things: do its aliases stand for aliases?")
    return values, said


def values_of(text: str) -> Any:
    """What YAML says; raises YAMLError, and RecursionError if it is too deep."""
    return yaml.load(text, Loader)  # noqa: S506 - it is a SafeLoader


def line_of(error: yaml.MarkedYAMLError) -> int | str:
    """The line that a parser's error points at, counted from 1."""
    return error.problem_mark.line + 1 if error.problem_mark else "?"


def without_quotes(problem: str | None) -> str:
    """A parser's message without the piece of the file that it quotes, which may be a piece of a password."""
    return re.sub(r"'[^']{2,}'", "…", problem or "cannot be parsed")


def lines(node: yaml.Node | None, at: Keys = ()) -> Iterator[tuple[Keys, int]]:
    """Every key below `node` with the line it stands in, counted from 1."""
    children: list[tuple[str | int, yaml.Node, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        children = [(key.value, key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]
    elif isinstance(node, yaml.SequenceNode):
        children = [(index, item, item) for index, item in enumerate(node.value)]
    for key, mark, child in children:
        yield (*at, key), mark.start_mark.line + 1
        yield from lines(child, (*at, key))


def read_environment(environ: Mapping[str, str]) -> Source:
    """The values of all MERIT_* variables; `__` steps into a section."""
    values: dict[str, Any] = {}
    places: dict[Keys, str] = {}
    for name in sorted(environ):
        if name.startswith(PREFIX):
            keys = tuple(name.removeprefix(PREFIX).lower().split("__"))
            nested: Any = variable_value(name, environ[name])
            for key in reversed(keys):
                nested = {key: nested}
            values = merge_values(values, nested)
            places[keys] = name
    return Source(values, places)


IPV6_ENDPOINT = re.compile(r"\[[0-9A-Fa-f:.%]+\]:\d+")


def variable_value(name: str, text: str) -> Any:
    """The text itself, or the list or section that it writes down in YAML (or JSON, which is YAML)."""
    if not text.lstrip().startswith(("[", "{")) or IPV6_ENDPOINT.fullmatch(text.strip()):
        return text
    try:
        return values_of(text)
    except (yaml.YAMLError, RecursionError):
        raise Rejected(f"{name}: begins like a list or a section, but is no YAML") from None


def dotted(keys: Keys) -> str:
    """`exporters.clickhouse.dsn`, `processors.cost.overrides[0].model`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")
