"""The ranking as a table for the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from merit.api_client import Row

UNKNOWN = "–"


def table(ranking: Sequence[Row]) -> Table:
    """Agents by performance: `ranking` is rows of `/v1/rankings`, best first."""
    made = Table(title=TITLE, caption=CAPTION, caption_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for heading in ("rank", "badge", "agent"):
        made.add_column(heading, no_wrap=True)
    made.add_column("performance", justify="right", no_wrap=True)
    for heading in ("quality", "success rate", "cost per success", "tasks"):
        made.add_column(heading, justify="right")
    for row in ranking:
        made.add_row(*cells(row))
    return made


TITLE = "Whom to trust: agents by performance\n"
CAPTION = (
    "\nperformance: quality as users rated it, success, speed and cost, 0 to 100, with its 90 % interval, drawn to what the "
    "category's other agents reach, so that luck is not rewarded · probation: too new to be trusted with a badge"
)


def cells(row: Row) -> list[str]:
    """One agent's row."""
    badge = "probation" if row.get("probation") else row.get("badge") or ""
    return [
        number(row["rank"], "{}"),
        badge,
        row["agent_name"] or row["agent_id"],
        f"{number(row['score'], '{:.0f}')} ({number(row['score_low'], '{:.0f}')}–{number(row['score_high'], '{:.0f}')})",
        number(row["quality"], "{:.2f}"),
        number(row["success_rate"], "{:.0%}"),
        number(row["cost_per_success_usd"], "${:.4f}"),
        number(row["tasks"], "{}"),
    ]


def number(value: Any, form: str) -> str:
    """A number as `form` writes it; unknown is a dash, never 0."""
    return UNKNOWN if value is None else form.format(value)
