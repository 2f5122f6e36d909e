"""Attribute values as text: what Go's Collector writes, so that both write the same into one table."""

import pytest

from receiver.nested import double_text
from tests.receiver.builders import attributes, body, row, span

NUMBERS = [
    (1.0, "1"),
    (0.7, "0.7"),
    (-2.5, "-2.5"),
    (0.0, "0"),
    (-0.0, "-0"),
    (3.5e-6, "0.0000035"),
    (1e-6, "0.000001"),
    (1.25e-7, "1.25e-7"),
    (1e10, "10000000000"),
    (1e15, "1000000000000000"),
    (2.0**60, "1152921504606847000"),
    (1e20, "100000000000000000000"),
    (1e21, "1e+21"),
    (1.5e300, "1.5e+300"),
    (float("inf"), "Infinity"),
    (float("-inf"), "-Infinity"),
]


def test_numbers_are_written_as_es6_does():
    assert [double_text(number) for number, _ in NUMBERS] == [text for _, text in NUMBERS]
    assert double_text(float("nan")) == "NaN"


@pytest.mark.parametrize("among", [[], [float("nan")]], ids=["alone", "with an odd one"])
def test_a_column_of_numbers_is_written_alike(among):
    sent = {f"{n:02}": number for n, number in enumerate([*(number for number, _ in NUMBERS), *among])}
    texts = [text for _, text in row(body(span(attributes=attributes(sent))))["SpanAttributes"]]
    assert texts == [*(text for _, text in NUMBERS), *(["NaN"] if among else [])]


def test_every_kind_of_value_becomes_text():
    sent = {
        "array": ["a", 1, True, None, 0.5, [b"\x01"]],
        "bool": True,
        "bytes": b"\xff\x00",
        "empty": "",
        "int": -(2**63),
        "kvlist": {"b": {"x": "<é>"}, "a": 2.0},
        "none": None,
        "text": "héllo",
    }
    assert row(body(span(attributes=attributes(sent))))["SpanAttributes"] == [
        ("array", '["a",1,true,null,0.5,["AQ=="]]'),
        ("bool", "true"),
        ("bytes", "/wA="),
        ("empty", ""),
        ("int", "-9223372036854775808"),
        ("kvlist", '{"a":2,"b":{"x":"<é>"}}'),
        ("none", ""),
        ("text", "héllo"),
    ]
