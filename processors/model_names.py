"""Where to look for a model whose name carries a region, a provider, a path or a version.

The same model is `claude-sonnet-4-5`, `us.anthropic.claude-sonnet-4-5-20250929-v1:0` (Bedrock),
`vertex_ai/claude-sonnet-4-5@20250929` (LiteLLM) or `anthropic/claude-sonnet-4-5:nitro` (OpenRouter), and not every place
charges the same. So the name is tried as said first, at the provider that was said, and made plainer step by step.
"""

import re
from collections.abc import Iterator
from functools import cache

from pydantic import BaseModel, ConfigDict

from processors.shipped_files import shipped_yaml

VERSION = re.compile(r"-v\d+(:\d+)?$")
"""Bedrock's: `-v1:0`, `-v2`."""


class Names(BaseModel):
    """The contents of model_names.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    providers: dict[str, str]
    makers: dict[str, str]
    paths: frozenset[str]
    local: frozenset[str]
    regions: frozenset[str]
    vendors: frozenset[str]
    routes: tuple[str, ...]


@cache
def names() -> Names:
    """The data file, read once and checked."""
    return Names.model_validate(shipped_yaml("processors", "model_names.yaml"))


def provider_id(said: str) -> str:
    """The provider as genai-prices calls it, as far as the data file knows; else as said, in lower case."""
    plain = said.strip().lower()
    return names().providers.get(plain, plain)


def places(provider: str, model: str) -> Iterator[tuple[str, str]]:
    """Where to look for `model`, the likeliest place first: provider id ('' for whoever knows it) and name.

    Args:
        provider: as said, may be empty.
        model: as said.
    """
    said, name = provider_id(provider), model.strip().lower()
    if name.endswith(":free"):  # an offer of its own: the plain name would have a price
        yield from ((place, name) for place in dict.fromkeys((said, "openrouter")) if place)
        return
    first, _, rest = name.partition("/")
    prefix = provider_id(first) if rest and is_provider(first) else ""
    if names().local & {said, first}:
        return
    if said:
        yield from ((said, form) for form in forms(name))
    if prefix and prefix != said:
        yield from ((prefix, form) for form in forms(rest))
    if is_bedrock(name) and "aws" not in (said, prefix):
        yield from (("aws", form) for form in forms(name))
    yield from (("", form) for form in forms(name))


def forms(model: str) -> tuple[str, ...]:
    """The name itself, then without route, path, region, vendor and version: each once, in this order."""
    found = [model]
    for plainer in (without_route, without_path, without_region, without_vendor, without_version):
        found.append(plainer(found[-1]))
    return tuple(dict.fromkeys(found))


def is_provider(part: str) -> bool:
    """Whether a leading part of a model's path names a provider."""
    return part in names().providers or part in names().providers.values() or part in PLAIN_PROVIDERS


PLAIN_PROVIDERS = frozenset({"cerebras", "cohere", "deepseek", "groq", "novita", "openai", "openrouter", "perplexity"})
"""Providers that everybody calls by the name that genai-prices uses."""


def is_bedrock(model: str) -> bool:
    """Whether the name is spelt as Amazon Bedrock spells it: `anthropic.claude-…` or `us.anthropic.claude-…`."""
    bare = without_region(without_path(model))
    return without_vendor(bare) != bare


def without_route(model: str) -> str:
    """`openai/gpt-4o:nitro` → `openai/gpt-4o`."""
    return next((model.removesuffix(route) for route in names().routes if model.endswith(route)), model)


def without_path(model: str) -> str:
    """`projects/p/locations/l/models/gemini-2.5-pro` → `gemini-2.5-pro`; a path that names an unknown vendor stays."""
    first = model.partition("/")[0]
    known = first in names().paths or is_provider(first) or first.startswith("arn:aws:bedrock:")
    return model.rpartition("/")[2] if known else model


def without_region(model: str) -> str:
    """`us.anthropic.claude-…` → `anthropic.claude-…`."""
    region, dot, rest = model.partition(".")
    return rest if dot and region in names().regions else model


def without_vendor(model: str) -> str:
    """`anthropic.claude-…` → `claude-…`."""
    vendor, dot, rest = model.partition(".")
    return rest if dot and vendor in names().vendors else model


def without_version(model: str) -> str:
    """`claude-sonnet-4-5-20250929-v1:0` → `claude-sonnet-4-5-20250929`."""
    return VERSION.sub("", model)
