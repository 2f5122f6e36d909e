"""Who judges, how they are asked and how their answers are read."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from processors.judging.ask import schema
from processors.judging.purse import Purse
from processors.judging.rows import shares
from processors.judging.settings import Evaluator, JudgeSettings, presets
from processors.judging.verdict import read

ONE = {"preset": "critical_analyst", "model": "m", "base_url": "https://api.example.com/v1"}


def test_two_evaluators_are_shipped_that_need_a_model_and_an_address_only() -> None:
    analyst, reviewer = (Evaluator.model_validate(ONE | {"preset": name}) for name in presets())

    assert (analyst.name, list(analyst.criteria)) == ("critical_analyst", ["accuracy", "depth", "clarity"])
    assert (reviewer.name, list(reviewer.criteria)) == ("holistic_reviewer", ["relevance", "completeness", "usefulness"])


def test_what_is_said_goes_before_the_preset() -> None:
    own = Evaluator.model_validate(ONE | {"name": "anna", "criteria": {"wit": "It is funny."}})

    assert (own.name, own.criteria, own.persona) == ("anna", {"wit": "It is funny."}, presets()["critical_analyst"]["persona"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"preset": "nice_uncle"},
        {"preset": None},
        {"base_url": "api.example.com"},
        {"base_url": "ftp://api.example.com"},
        {"base_url": "https://user:key@api.example.com/v1"},
        {"criteria": {}},
        {"criteria": {"Not A Name": "x"}},
        {"evaluator_type": "user"},
        {"temperature": 1},
    ],
)
def test_what_cannot_be_an_evaluator_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Evaluator.model_validate(ONE | wrong)


def test_two_evaluators_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="two evaluators are called 'critical_analyst'"):
        JudgeSettings.model_validate({"evaluators": [ONE, ONE]})


def test_a_key_is_not_shown() -> None:
    assert "sk-1" not in repr(Evaluator.model_validate(ONE | {"api_key": "sk-1"}))


def test_the_schema_asks_for_each_criterion_and_nothing_else() -> None:
    asked = schema(Evaluator.model_validate(ONE))

    assert asked["required"] == ["criteria", "summary"]
    assert asked["properties"]["criteria"]["required"] == ["accuracy", "depth", "clarity"]
    assert asked["properties"]["criteria"]["properties"]["depth"]["properties"]["score"]["enum"] == [1, 2, 3, 4, 5]


@given(st.text())
def test_whatever_a_model_writes_is_a_verdict_or_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(text, ["accuracy"])


@given(st.decimals(0, 100, places=12), st.integers(1, 10))
def test_shares_of_a_cost_add_up(cost: Decimal, parts: int) -> None:
    found = shares(cost, parts)

    assert sum(each for each in found if each is not None) == cost
    assert len(found) == parts
    assert shares(None, parts) == [None] * parts


def test_a_purse_begins_nothing_that_could_cost_more_than_is_there() -> None:
    purse = Purse(limit=Decimal(1), spent=Decimal("0.5"))

    assert purse.take(Decimal("0.3"))
    assert not purse.take(Decimal("0.3"))
    purse.pay(Decimal("0.3"), Decimal("0.1"))
    assert purse.take(Decimal("0.3"))
    assert (purse.spent, purse.held) == (Decimal("0.6"), Decimal("0.3"))
    assert not purse.take(None)


def test_without_a_limit_everything_may_be_begun() -> None:
    purse = Purse(limit=None, spent=Decimal(0))

    assert purse.take(None)
    assert purse.take(Decimal(10**6))
