"""Data that Merit ships as YAML beside its code."""

from importlib.resources import files
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C reads ten times as fast; PyYAML has it wherever libyaml was at hand when it was built."""


def shipped_yaml(package: str, name: str) -> Any:
    """What the file `name` of a package says."""
    return yaml.load(files(package).joinpath(name).read_bytes(), LOADER)  # noqa: S506 - either is a safe loader
