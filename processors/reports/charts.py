"""Charts as rectangles and lines, for a template to draw as SVG.

A library would do it, but those there are either draw with megabytes of code (matplotlib) or write scripts and addresses of their
own into the picture (pygal), which mail programs and our own content policy refuse.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import NamedTuple

WIDTH, HEIGHT = 720.0, 180.0
LEFT, BOTTOM, TOP = 64.0, 24.0, 8.0
GAP = 0.2
"""Part of a column's place that is left free."""
MOST_LABELS = 12
ROW = 26.0
NAMES = 190.0
"""Room for the names of horizontal bars."""


class Bar(NamedTuple):
    """A rectangle of a kind, with what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    says: str


class Mark(NamedTuple):
    """A text at a place, or where a line is drawn."""

    x: float
    y: float
    text: str


class Span(NamedTuple):
    """A horizontal line: an interval."""

    left: float
    right: float
    y: float


@dataclass(frozen=True)
class Chart:
    """What is drawn."""

    title: str
    width: float
    height: float
    bars: tuple[Bar, ...]
    scale: tuple[Mark, ...]
    """The numbers at the side, each with its line."""
    labels: tuple[Mark, ...]
    spans: tuple[Span, ...] = ()
    is_over_time: bool = True
    """Columns, one a step of time; else horizontal bars."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the colours of the bars mean; nothing where there is one only."""
        kinds = tuple(dict.fromkeys(bar.kind for bar in self.bars))
        return kinds if len(kinds) > 1 else ()


def ticks(most: float) -> list[float]:
    """Round numbers from 0 to at least `most`: three to six of them."""
    if most <= 0:
        return [0.0, 1.0]
    power = 10.0 ** floor(log10(most))
    step = next(power * part for part in (0.2, 0.5, 1.0, 2.0) if most / (power * part) <= 5)
    return [step * n for n in range(ceil(round(most / step, 9)) + 1)]


class Series(NamedTuple):
    """Values of one kind, one a step, with the unit in which they are said."""

    kind: str
    values: Sequence[float]


def columns(title: str, labels: Sequence[str], stacked: Sequence[Series], unit: str = "") -> Chart:
    """Columns side by side, each a stack: one value of every series."""
    totals = [sum(values) for values in zip(*(one.values for one in stacked), strict=True)]
    scale = ticks(max(totals, default=0.0))
    high, wide = HEIGHT - BOTTOM - TOP, (WIDTH - LEFT) / max(len(labels), 1)

    def y(value: float) -> float:
        return round(TOP + high * (1 - value / scale[-1]), 2)

    bars = []
    for n, label in enumerate(labels):
        below = 0.0
        for one in stacked:
            value = one.values[n]
            if value > 0:
                place = (round(LEFT + (n + GAP / 2) * wide, 2), y(below + value), round(wide * (1 - GAP), 2))
                says = f"{label}: {unit}{value:,.6g} {one.kind}"
                bars.append(Bar(*place, round(y(below) - y(below + value), 2), one.kind, says))
            below += value
    every = ceil(len(labels) / MOST_LABELS)
    shown = [Mark(round(LEFT + (n + 0.5) * wide, 2), HEIGHT - 8, text) for n, text in enumerate(labels) if n % every == 0]
    sides = [Mark(LEFT, y(value), f"{unit}{value:,.6g}") for value in scale]
    return Chart(title, WIDTH, HEIGHT, tuple(bars), tuple(sides), tuple(shown))


class Scored(NamedTuple):
    """A name with a score and its interval."""

    name: str
    score: float
    low: float | None
    high: float | None


def ranked(title: str, rows: Sequence[Scored], most: float) -> Chart:
    """Horizontal bars with their intervals, in the order given; scores from 0 to `most`."""
    room = WIDTH - NAMES - 60

    def x(value: float) -> float:
        return round(NAMES + room * min(max(value / most, 0), 1), 2)

    bars, labels, spans = [], [], []
    for n, row in enumerate(rows):
        y = n * ROW + 4
        says = f"{row.name}: {row.score:.1f}"
        bars.append(Bar(NAMES, y, round(x(row.score) - NAMES, 2), ROW - 8, "score", says))
        labels.append(Mark(NAMES - 8, y + ROW / 2, row.name))
        if row.low is not None and row.high is not None:
            spans.append(Span(x(row.low), x(row.high), y + ROW / 2 - 4))
    sides = [Mark(WIDTH - 50, n * ROW + 4 + ROW / 2, f"{row.score:.1f}") for n, row in enumerate(rows)]
    return Chart(title, WIDTH, len(rows) * ROW + 8, tuple(bars), tuple(sides), tuple(labels), tuple(spans), is_over_time=False)
