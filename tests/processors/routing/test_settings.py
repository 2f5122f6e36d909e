import pytest
from pydantic import ValidationError

from processors.routing.settings import RoutingSettings


def test_what_is_left_out_of_the_weights_of_a_profile_counts_nothing():
    settings = RoutingSettings.model_validate({"profiles": {"fast": {"speed": 2}, "frugal": {"quality": 3, "cost": 1}}})

    assert {name: tuple(each.weights) for name, each in settings.known_profiles.items()} == {
        "quality": (1, 0, 0),
        "balanced": (0.95, 0.05, 0),
        "cost": (0.7, 0.3, 0),
        "speed": (0.8, 0.05, 0.15),
        "fast": (0, 0, 1),
        "frugal": (0.75, 0.25, 0),
    }


@pytest.mark.parametrize("weights", [{}, {"quality": 0}])
def test_a_profile_without_a_weight_is_refused(weights):
    with pytest.raises(ValidationError, match="no weight is above 0: give at least one of quality, cost, speed"):
        RoutingSettings.model_validate({"profiles": {"empty": weights}})
