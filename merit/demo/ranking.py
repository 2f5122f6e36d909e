"""The ranking as a table for the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from merit.demo.api import Row

UNKNOWN = "–"


def table(success: Sequence[Row], speed: Sequence[Row]) -> Table:
    """Agents by success rate.

    Args:
        success: rows of `/v1/rankings?by=success_rate`, best first.
        speed: rows of `/v1/rankings?by=speed`, for its column.
    """
    speed_of = {row["agent_id"]: row["score"] for row in speed}
    made = Table(title=TITLE, caption=CAPTION, caption_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("rank", "badge", "agent"):
        made.add_column(heading, no_wrap=True)
    made.add_column("success rate", justify="right", no_wrap=True)
    for heading in ("cost per success", "speed", "tasks"):
        made.add_column(heading, justify="right")
    for row in success:
        made.add_row(*cells(row, speed_of.get(row["agent_id"])))
    return made


TITLE = "Whom to trust: agents by success rate"
CAPTION = (
    "success rate: with its 90 % interval, drawn to what the category's other agents reach, so that luck is not rewarded · "
    "speed: 0.5 is the usual of the category · probation: too new to be trusted with a badge"
)


def cells(row: Row, speed: float | None) -> list[str]:
    """One agent's row."""
    badge = "probation" if row.get("probation") else row.get("badge") or ""
    return [
        number(row["rank"], "{}"),
        badge,
        row["agent_name"] or row["agent_id"],
        f"{number(row['score'], '{:.1%}')} ({percent(row['score_low'])}–{percent(row['score_high'])})",
        number(row["cost_per_success_usd"], "${:.5f}"),
        number(speed, "{:.2f}"),
        number(row["tasks"], "{}"),
    ]


def number(value: Any, form: str) -> str:
    """A number as `form` writes it; unknown is a dash, never 0."""
    return UNKNOWN if value is None else form.format(value)


def percent(share: float | None) -> str:
    """A share in whole per cents, without the sign."""
    return UNKNOWN if share is None else f"{100 * share:.0f}"
