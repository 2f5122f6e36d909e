"""Of what is sent no more is looked at than tells that it is too much."""

from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from processors.sent import UNKNOWN, Sent

MANY = 100_000


class Order(Sent):
    """Something with members."""

    lines: Annotated[tuple[int, ...], Field(max_length=3)] = ()
    prices: Annotated[dict[str, float] | None, Field(max_length=2)] = None
    notes: tuple[int, ...] = ()


def errors(sent: Any) -> list[str]:
    with pytest.raises(ValidationError) as found:
        Order.model_validate(sent)
    return [one["type"] for one in found.value.errors()]


def test_what_may_be_taken_is_taken() -> None:
    order = Order.model_validate({"lines": [1, 2, 3], "prices": {"a": 1, "b": 2}, "notes": [1] * 9})
    assert (order.lines, order.prices, len(order.notes)) == ((1, 2, 3), {"a": 1, "b": 2}, 9)
    assert Order.model_validate_json(b'{"lines": [1, 2, 3]}').lines == (1, 2, 3)


@pytest.mark.parametrize("sent", [{"lines": [1] * 4}, {"lines": [1] * MANY}, {"prices": dict.fromkeys(map(str, range(MANY)), 1)}])
def test_too_many_are_too_many(sent: dict[str, Any]) -> None:
    assert errors(sent) == ["too_long"]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"lines": ["x"] * MANY}, 4),
        ({"prices": dict.fromkeys(map(str, range(MANY)), "x")}, 3),
        (dict.fromkeys(map(str, range(MANY)), 1), 3 + UNKNOWN),
        ([1] * MANY, 1),
    ],
)
def test_what_is_wrong_is_told_of_no_more(sent: Any, told: int) -> None:
    assert len(errors(sent)) == told
