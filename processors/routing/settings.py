"""Settings of `processors.routing:`."""

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from processors.sent import Sent

Strategy = Literal["thompson", "ucb", "greedy", "epsilon"]
"""How to explore."""
Kind = Literal["agent", "model", "provider"]
"""What the candidates are."""

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Weights(NamedTuple):
    """How much each part counts; they sum to 1."""

    quality: float
    cost: float
    speed: float


class RoutingProfile(Sent):
    """How much quality, cost and speed count; only their proportions matter. What is left out does not count."""

    quality: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 0.0
    """Chance of success times quality of the work."""
    cost: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 0.0
    """Cost, as a share of the dearest agent's in the category."""
    speed: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 0.0
    """Duration, as a share of the slowest agent's in the category."""

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if self.quality + self.cost + self.speed <= 0:
            raise ValueError("no weight is above 0: give at least one of quality, cost, speed, as in quality: 0.8, cost: 0.2")
        return self

    @property
    def weights(self) -> Weights:
        """The weights, summing to 1."""
        total = self.quality + self.cost + self.speed
        return Weights(self.quality / total, self.cost / total, self.speed / total)


SHIPPED = {
    "quality": RoutingProfile(quality=1),
    "balanced": RoutingProfile(quality=0.95, cost=0.05),
    "cost": RoutingProfile(quality=0.7, cost=0.3),
    "speed": RoutingProfile(quality=0.8, cost=0.05, speed=0.15),
}
"""What everybody may ask for."""


class RoutingSettings(BaseModel):
    """How the next task is given out."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    strategy: Strategy = "thompson"
    """How to explore where the question does not say: `thompson`, `ucb`, `greedy` or `epsilon`."""
    profile: str = "quality"
    """The profile where the question names none."""
    profiles: dict[str, RoutingProfile] = {}
    """Your own named weights of quality, cost and speed, beside `quality`, `balanced`, `cost` and `speed`."""
    exploration: Annotated[float, Field(gt=0, le=3)] = 0.7
    """Scale of the uncertainty that `thompson` and `ucb` explore by; less explores less."""
    floor: Annotated[float, Field(ge=0, le=0.1)] = 0.01
    """Part of all choices that is spread evenly over the eligible, so that any other policy can be judged on them; `epsilon`
    spreads ten times as much, `greedy` nothing."""
    half_life_days: Annotated[float | None, Field(gt=0)] = None
    """After so many days an observation counts half; not at all fading if it is not given."""
    change_threshold: Annotated[float, Field(ge=3)] = 10.0
    """Log-likelihood from which a sudden change of an agent is believed; less believes earlier, and wrongly more often."""
    limit_chance: Share = 0.5
    """Who meets a limit of cost or duration with less than this chance is excluded."""
    load_weight: Share = 0.1
    """Utility taken off an agent with `load_full` decisions open."""
    load_full: Annotated[int, Field(ge=1)] = 20
    """Open decisions at which the load penalty is full."""
    open_seconds: Annotated[float, Field(gt=0)] = 900.0
    """A decision without an outcome counts as open for so long."""
    failing_seconds: Annotated[float, Field(ge=0)] = 300.0
    """For so long after its last failure an agent that does nothing but fail is given no work; 0 never stops giving it work."""
    probation_tasks: Annotated[int, Field(ge=0)] = 10
    """An agent with fewer finished tasks is on probation, and so is one that has been known for less than 7 days."""
    probation_share: Share = 0.2
    """Part of the choices that all agents on probation together get at most, if there are others."""

    @model_validator(mode="after")
    def _known_profile(self) -> Self:
        if self.profile not in self.known_profiles:
            raise ValueError(f"there is no profile {self.profile!r}: there are {', '.join(self.known_profiles)}")
        return self

    @property
    def known_profiles(self) -> dict[str, RoutingProfile]:
        """The shipped profiles and the user's own, which come first."""
        return SHIPPED | self.profiles
