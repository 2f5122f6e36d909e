"""The table of frameworks in docs/instrumenting.md cannot lie: each cell is worked out from the captures again."""

import re
from functools import cache

import pytest

from tests.examples import ROOT, blocks
from tests.golden.abilities import ABILITIES, abilities, in_a_word
from tests.golden.truth import runs

DOCUMENT = "docs/instrumenting.md"
WORDS = {"yes", "partly", "no", "–"}
ROW = re.compile(
    r"^\| \[.+?\]\(#[\w-]+\) \|.+?\| \[(?P<family>[\w.-]+)\]\(\.\./tests/golden/(?P=family)\) \|(?P<cells>.+)\|$", re.MULTILINE
)
FAMILIES = sorted({run.folder.parent.name for run in runs()})


def table(text: str) -> dict[str, dict[str, str]]:
    """The cells of each row, by the folder of its captures."""
    rows = {row["family"]: [cell.strip() for cell in row["cells"].split("|")] for row in ROW.finditer(text)}
    return {family: dict(zip(ABILITIES, cells, strict=True)) for family, cells in rows.items()}


@cache
def text() -> str:
    return (ROOT / DOCUMENT).read_text("utf-8")


def test_the_table_has_a_column_for_every_ability() -> None:
    assert f"| framework | instrumentation | captures | {' | '.join(ABILITIES)} |" in text()


def test_every_dialect_with_captures_has_a_row_and_every_row_has_captures() -> None:
    assert sorted(table(text())) == FAMILIES
    assert len(ROW.findall(text())) == len(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_row_says_what_the_captures_show(family: str) -> None:
    row = table(text()).get(family)

    assert row == abilities(family)
    assert set(row.values()) <= WORDS


@pytest.mark.parametrize(
    ("shares", "word"),
    [
        ([(3, 3), (0, 0)], "yes"),
        ([(3, 3), (0, 2)], "partly"),
        ([(1, 3)], "partly"),
        ([(6, 3)], "partly"),
        ([(0, 3), (0, 0)], "no"),
        ([(0, 0)], "–"),
    ],
)
def test_a_cell_is_yes_only_if_all_was_seen_wherever_there_was_any(shares: list[tuple[float, float]], word: str) -> None:
    assert in_a_word(shares) == word


def test_every_dialect_is_named_where_the_origin_of_its_captures_is_told() -> None:
    origin = (ROOT / "tests/golden/ORIGIN.md").read_text("utf-8")

    assert [family for family in FAMILIES if f"| {family} |" not in origin] == []


@pytest.mark.parametrize("code", blocks(DOCUMENT, "py"))
def test_the_lines_that_connect_a_framework_are_python(code: str) -> None:
    compile(code, DOCUMENT, "exec")
