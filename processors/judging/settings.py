"""Settings of `processors.judge`: who judges, what, how much of it, and for how much money."""

from functools import cache
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator

from processors.shipped_files import shipped_yaml

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Criterion = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Meaning = Annotated[str, Field(min_length=1, max_length=500)]
Preset = Literal["critical_analyst", "holistic_reviewer"]


class Evaluator(BaseModel):
    """One who judges: a persona, what it looks at, and the model that plays it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)

    preset: Preset | None = None
    """`critical_analyst` (accuracy, depth, clarity) or `holistic_reviewer` (relevance, completeness, usefulness): what is
    left out below is taken from it."""
    name: Name
    """Under which name its evaluations stand; the preset's if it is left out. A peer's is its agent id."""
    evaluator_type: Literal["llm", "peer"] = "llm"
    """`llm`, or `peer` for an agent that judges other agents' work and never its own."""
    persona: Annotated[str, Field(min_length=1, max_length=8000)]
    """Who it is to be: the beginning of its system prompt."""
    criteria: Annotated[dict[Criterion, Meaning], Field(min_length=1, max_length=10)]
    """What it scores, and what each means."""
    model: Name
    """The model that is asked."""
    base_url: str
    """Where an OpenAI-compatible API is, for example `https://api.openai.com/v1`."""
    api_key: SecretStr = SecretStr("")
    """Its key, or `env:NAME` for the one in the environment variable NAME; empty if none is needed."""
    provider: str = ""
    """Who sells the model, as prices know it (`openai`, `azure`); empty: told by the model's name."""
    categories: tuple[str, ...] = ()
    """Only tasks of these categories; empty: all."""
    agents: tuple[str, ...] = ()
    """Only tasks of these agents, by id; empty: all."""

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, data: Any) -> Any:
        known = presets()
        if isinstance(data, dict) and isinstance(data.get("preset"), str) and data["preset"] in known:
            return {"name": data["preset"], **known[data["preset"]], **data}
        return data

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, base_url: str) -> str:
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname or url.username or url.query or url.fragment:
            raise ValueError("write http://host:port/v1 or https://host/v1; a key goes into api_key")
        return base_url


class JudgeSettings(BaseModel):
    """Who judges tasks, how many, and for how much."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)

    evaluators: Annotated[tuple[Evaluator, ...], Field(max_length=20)] = ()
    """Who judges. Nobody does while this is empty."""
    sampling_rate: Annotated[float, Field(ge=0, le=1)] = 0.1
    """The share of tasks that is judged, chosen by a hash of the task's id: always the same ones, for every evaluator."""
    budget_usd_per_day: Annotated[float | None, Field(ge=0)] = 1.0
    """US dollars that all evaluators together may spend in a UTC day; null: no limit."""
    min_age_seconds: Annotated[float, Field(ge=0, le=86_400)] = 60
    """A task is judged when it has ended for this long."""
    max_age_seconds: Annotated[float, Field(gt=0, le=30 * 86_400)] = 86_400
    """Tasks that ended longer ago are not judged any more."""
    concurrency: Annotated[int, Field(ge=1, le=64)] = 4
    """Requests to models at the same time."""
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60
    """A request that takes longer has failed."""
    round_seconds: Annotated[float, Field(gt=0, le=3600)] = 45
    """After this long a round begins no further request."""
    max_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """How often an evaluator is asked about a task, round after round, if it gives no answer."""
    max_output_tokens: Annotated[int, Field(ge=100, le=100_000)] = 1500
    """The longest answer."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [one.name for one in self.evaluators]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two evaluators are called {sorted(twice)[0]!r}: their evaluations would replace each other")
        if self.min_age_seconds >= self.max_age_seconds:
            raise ValueError("min_age_seconds must be below max_age_seconds, or no task is ever judged")
        return self


@cache
def presets() -> dict[str, dict[str, Any]]:
    """Persona and criteria by name."""
    found: dict[str, dict[str, Any]] = shipped_yaml("processors.judging", "presets.yaml")
    return found
