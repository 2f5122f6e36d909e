"""Settings of `processors.scoring:`: what is weighed, and how far luck is distrusted.

A profile is a named set of weights. The shipped ones are data (`profiles.yaml`); what a profile does not say is as in
`default`, which is this file's defaults.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from processors.shipped_files import shipped_yaml

Weight = Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)]
Amount = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Criterion = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
ProfileName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]

STANDING = ("accuracy", "completeness", "relevance")
"""The criteria for which stars, and scores without a criterion, stand in."""

CONFIG = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class OverallWeights(BaseModel):
    """What counts in `quality` (the criteria alone) and `overall` (efficiency besides) of a task."""

    model_config = CONFIG

    criteria: dict[Criterion, Weight] = {"accuracy": 0.40, "completeness": 0.25, "relevance": 0.20}
    """Weight of each criterion; those that are not named weigh 0."""
    efficiency: Weight = 0.15
    """Weight of cost and duration against the usual."""

    @model_validator(mode="after")
    def _weighs_something(self) -> Self:
        if not any(self.criteria.values()):
            raise ValueError("at least one criterion needs a weight above 0: without one there is no quality")
        return self


class PerformanceWeights(BaseModel):
    """What counts in `performance` of an agent; the sum is 100 points."""

    model_config = CONFIG

    quality: Weight = 0.40
    """Weight of how good the work is judged."""
    success_rate: Weight = 0.30
    """Weight of succeeding at all."""
    speed: Weight = 0.15
    """Weight of duration against the usual."""
    thrift: Weight = 0.15
    """Weight of cost against the usual."""

    @model_validator(mode="after")
    def _weighs_something(self) -> Self:
        if not any(self.shares().values()):
            raise ValueError("at least one part of performance needs a weight above 0")
        return self

    def shares(self) -> dict[str, float]:
        """The weights by part, adding up to 1."""
        weights: dict[str, float] = self.model_dump()
        total = sum(weights.values())
        return {part: weight / total for part, weight in weights.items()} if total else weights


class PointSettings(BaseModel):
    """Rewards and penalties of a finished task."""

    model_config = CONFIG

    completion: Weight = 10
    """For succeeding."""
    completion_of_failed: bool = False
    """Whether a failed task is rewarded for completion too."""
    quality: Weight = 50
    """Times `overall`."""
    speed: Weight = 20
    """Times `speed_seconds` over the duration, at most 1."""
    speed_seconds: Amount = 10
    """A task that takes no longer has the whole reward for speed."""
    cost: Weight = 30
    """Times efficiency."""
    user: Weight = 40
    """Times the mean rating over 5."""
    peers: Weight = 25
    """Times the mean score of peer and judge evaluations."""
    failed: Weight = 30
    """Taken away for failing."""
    per_dollar: Weight = 100
    """Taken away for each dollar over `free_dollars`."""
    free_dollars: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)] = 0.50
    """What a task may cost without penalty."""
    per_delay: Weight = 1
    """Taken away for each `delay_seconds` over `patience_seconds`."""
    delay_seconds: Amount = 10
    """How long a delay is."""
    patience_seconds: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)] = 120
    """How long a task may take without penalty."""
    per_star: Weight = 15
    """Taken away for each star under `fair_stars`."""
    fair_stars: Annotated[float, Field(ge=1, le=5)] = 3
    """The mean rating below which stars are missing."""
    truncated: bool = False
    """Whether each reward and each penalty is cut to a whole number."""

    def at_stake(self) -> float:
        """How far from 0 the points of an ordinary task are at most: all rewards together, or each penalty once."""
        rewards = self.completion + self.quality + self.speed + self.cost + self.user + self.peers
        return max(rewards, self.failed + self.per_dollar + self.per_delay + self.per_star)


class Profile(BaseModel):
    """A named set of weights."""

    model_config = CONFIG

    overall: OverallWeights = OverallWeights()
    """Of a task's quality and overall score."""
    performance: PerformanceWeights = PerformanceWeights()
    """Of an agent's performance."""
    points: PointSettings = PointSettings()
    """Of rewards and penalties."""


@cache
def shipped() -> Mapping[str, Profile]:
    """The profiles of `profiles.yaml`, `default` first."""
    read: dict[str, Any] = shipped_yaml("processors.scoring", "profiles.yaml")
    return {"default": Profile()} | {name: Profile.model_validate(said) for name, said in read.items()}


class ScoringSettings(BaseModel):
    """How work is scored and agents are ranked."""

    model_config = CONFIG

    profiles: Annotated[dict[ProfileName, Profile], Field(max_length=20)] = {}
    """Your own sets of weights by name, besides the shipped ones; a shipped name takes its place."""
    min_tasks: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """An agent with fewer finished tasks is on probation."""
    min_days: Annotated[float, Field(ge=0, le=3650)] = 7
    """An agent first seen fewer days ago is on probation."""
    kappa_least: Annotated[float, Field(gt=0, le=10_000)] = 2
    """The fewest pseudo-observations by which a mean is drawn to that of the others."""
    kappa_most: Annotated[float, Field(gt=0, le=10_000)] = 50
    """The most."""
    kappa_unknown: Annotated[float, Field(gt=0, le=10_000)] = 10
    """How many where fewer than five agents are there to estimate them from."""
    recent_days: Annotated[float, Field(gt=0, le=3650)] = 30
    """Work of the last so many UTC days, and of today, is recent."""
    recent_share: Share = 0.7
    """The weight that recent work gets at least, once there is plenty of it; 0 weighs all work alike."""
    recent_half: Annotated[float, Field(gt=0, le=1_000_000)] = 10
    """Recent observations at which it gets half of that."""
    most_unpriced: Share = 0.05
    """Share of model calls without a known price beyond which a task's cost is unknown, and an agent has no cost scores."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.kappa_least <= self.kappa_unknown <= self.kappa_most:
            raise ValueError("must be in order: kappa_least <= kappa_unknown <= kappa_most")
        return self

    @property
    def named(self) -> dict[str, Profile]:
        """Every profile by name: the shipped ones, and yours over them."""
        return {**shipped(), **self.profiles}

    @property
    def fingerprint(self) -> str:
        """The same for the same scores of tasks: what is stored under another one is scored again."""
        said = {name: (one.overall.model_dump(), one.points.model_dump()) for name, one in sorted(self.named.items())}
        return blake2b(repr((FORMULA, self.most_unpriced, said)).encode(), digest_size=8).hexdigest()


FORMULA = 4
"""To be raised whenever the scores of a task are worked out differently by the same settings."""
