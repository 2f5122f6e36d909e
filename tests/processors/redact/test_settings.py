"""Settings of redaction are checked at the start, with a message that says what to change."""

import polars as pl
import pytest
from pydantic import ValidationError

from processors.redact.cards import luhn
from processors.redact.settings import RedactSettings


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ({"name": "x", "regex": "(abc"}, "is no regular expression in Rust's syntax.*unclosed group"),
        ({"name": "x", "regex": "a(?=b)"}, "look-around"),
        ({"name": "x", "regex": "a*"}, "finds the empty text"),
        ({"name": "x", "regex": "[a-z]+"}, r"the regex of the pattern 'x' finds \[redacted:.*narrow it down"),
        ({"name": "Not A Name", "regex": "a+b"}, "should match pattern"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused(pattern: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s){complaint}"):
        RedactSettings.model_validate({"patterns": [pattern]})


def test_the_number_of_a_card_must_have_the_right_check_digit() -> None:
    numbers = pl.Series(["4111111111111111", "4111111111111112", "378282246310005", "6011000990139424", "6011000990139425"])

    assert luhn(numbers).to_list() == [True, False, True, True, False]
