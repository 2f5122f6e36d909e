"""deploy/merit.example.yaml shows every setting with its default, and loads."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from merit.settings import Settings, load
from merit.settings.problems import known_keys
from merit.settings.source import Keys, dotted, read_yaml
from tests.merit.processes import ROOT

EXAMPLE = ROOT / "deploy" / "merit.example.yaml"


def test_it_loads_and_says_nothing_but_the_defaults() -> None:
    assert load(EXAMPLE, {}) == Settings()


def test_every_setting_is_in_it() -> None:
    said = read_yaml(EXAMPLE).places

    assert [dotted(keys) for keys in known_keys(Settings) if keys not in said] == []


def test_every_setting_has_a_comment() -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    source = read_yaml(EXAMPLE)
    places = {keys: int(source.places[keys].rpartition(" ")[2]) for keys in known_keys(Settings)}

    bare = [dotted(keys) for keys, line in places.items() if "#" not in lines[line - 1] and "#" not in lines[line - 2]]

    assert bare == []


def test_keys_of_lists_are_shown_as_well() -> None:
    text = EXAMPLE.read_text("utf-8")

    for keys, model in lists(Settings):
        assert [f"{dotted(keys)}[].{name}" for name in model.model_fields if f"{name}:" not in text] == []


def lists(model: type[BaseModel], at: Keys = ()) -> list[tuple[Keys, type[BaseModel]]]:
    """Every list of sections."""
    found: list[tuple[Keys, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += lists(field.annotation, (*at, name))
        items: tuple[Any, ...] = getattr(field.annotation, "__args__", ())
        found += [((*at, name), item) for item in items if isinstance(item, type) and issubclass(item, BaseModel)]
    return found


@pytest.mark.parametrize(
    "key",
    [
        *("extra: []", "overrides: []", "profiles: {}", "attributes: []", "patterns: []", "rules: []", "maintenance: []"),
        *("optimizers: []", "evaluators: []", "routes: []"),
    ],
)
def test_what_stands_in_its_comments_loads_too(tmp_path: Path, key: str) -> None:
    before, _, after = EXAMPLE.read_text("utf-8").partition(f"    {key}")
    comments = re.compile(r"(?:    #  .*\n)+\Z")
    shown = comments.search(before)
    assert shown
    file = tmp_path / "merit.yaml"
    file.write_text(before + f"    {key.split()[0]}\n" + shown[0].replace("    #  ", "    ") + after, "utf-8")

    assert load(file, {}) != Settings()
