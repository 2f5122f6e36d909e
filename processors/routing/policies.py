"""How to choose, by name: a strategy of exploration and the weights of a profile."""

from dataclasses import dataclass
from typing import get_args

from processors.errors import Rejected
from processors.routing.settings import RoutingSettings, Strategy, Weights

STRATEGIES: dict[str, Strategy] = {name: name for name in get_args(Strategy)}

OWN = "own"
"""What weights are called that a question brings itself."""


@dataclass(frozen=True)
class Policy:
    """A strategy and weights, and what the profile is called."""

    strategy: Strategy
    profile: str
    weights: Weights


def policy(settings: RoutingSettings, strategy: str | None, profile: str | None) -> Policy:
    """The policy asked for; what is not named is as in the settings.

    Raises:
        Rejected: there is no such strategy or profile.
    """
    strategy, profile = strategy or settings.strategy, profile or settings.profile
    if strategy not in STRATEGIES:
        raise Rejected(f"there is no strategy {strategy!r}: there are {', '.join(STRATEGIES)}")
    if profile not in settings.known_profiles:
        raise Rejected(f"there is no profile {profile!r}: there are {', '.join(settings.known_profiles)}")
    return Policy(STRATEGIES[strategy], profile, settings.known_profiles[profile].weights)
