"""Values inside JSON texts, as columns: each text is parsed once, whatever number of paths is asked of it."""

from collections.abc import Sequence
from typing import Any

import polars as pl


def json_columns(texts: pl.Series, paths: Sequence[str]) -> list[pl.Series]:
    """A String column `name#path` for each path, null where the text is no JSON or has no such value.

    Args:
        texts: a String column.
        paths: `a.b`, from the top of the document.
    """
    try:
        columns = _parsed(texts, paths)
    except pl.exceptions.ComputeError:  # one text is no JSON: the slower way takes each for itself
        columns = [texts.str.json_path_match(f"$.{path}") for path in paths]
    return [column.alias(f"{texts.name}#{path}") for column, path in zip(columns, paths, strict=True)]


def _parsed(texts: pl.Series, paths: Sequence[str]) -> list[pl.Series]:
    document = texts.str.json_decode(_shape(paths))
    return [_at(document, path.split(".")) for path in paths]


def _shape(paths: Sequence[str]) -> pl.DataType:
    """The struct that holds just `paths`: what is not asked for is not built."""
    tree: dict[str, Any] = {}
    for path in paths:
        branch = tree
        for step in path.split("."):
            branch = branch.setdefault(step, {})
    return _struct(tree)


def _struct(tree: dict[str, Any]) -> pl.DataType:
    return pl.Struct({step: _struct(branch) for step, branch in tree.items()}) if tree else pl.String()


def _at(document: pl.Series, steps: Sequence[str]) -> pl.Series:
    for step in steps:
        document = document.struct.field(step)
    return document
