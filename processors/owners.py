"""Whose span is it?

The agent that a span itself names, where its dialect says so; else the nearest agent at or above it; else nobody yet:
the implicit agents of `derive` take those.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from processors.tree import NONE, Forest, Mask, Rows, at_or_above, nearest


@dataclass(frozen=True)
class Owners:
    """Which spans are agents, and whose every span is."""

    agent: Mask
    """Spans that open a task."""
    names: pl.Series
    """The agent's name on each of those; what a span says of its agent elsewhere."""
    owner: Rows
    """Row of the agent span that owns each span (its own on agents); −1 for nobody."""
    above: Rows
    """Row of the agent span strictly above each span; −1 for none."""


def find_owners(readings: pl.DataFrame, forest: Forest) -> Owners:
    """Decide which spans of `readings` open a task and who owns each of the others."""
    agent, names = _agents(readings, forest)
    names = _open_on_top(agent, names, readings, forest)
    names = _called_like_their_tool(agent, names, readings, forest)
    agent &= ~_repeats(agent, names, forest)
    above = nearest(forest.parent, agent)
    owner = at_or_above(forest.parent, agent)
    named = (readings["Owner"] != "").to_numpy() & ~agent
    if named.any():
        _follow_names(owner, above, np.flatnonzero(named), readings, names, agent)
    return Owners(agent, names, owner, above)


def hand_down(readings: pl.DataFrame, forest: Forest) -> pl.DataFrame:
    """Where steps of one run take turns for several agents, name the owner on the steps that do not, and on all below."""
    lasts = readings["OwnerLasts"]
    if not lasts.any():
        return readings
    said = readings.select(o=pl.when(lasts & (pl.col("Owner") != "")).then("Owner"), run=forest.parent)
    turns = said.select(pl.col("o").forward_fill().over("run"))["o"]
    step = at_or_above(forest.parent, (lasts | readings["IsAgent"]).to_numpy())
    rows = pl.Series(step).set(pl.Series(step == NONE), None).cast(pl.UInt32)
    given = pl.when(lasts.gather(rows).fill_null(value=False) & (pl.col("Owner") == "")).then(turns.gather(rows))
    return readings.with_columns(Owner=pl.coalesce(given, "Owner"))


def _agents(readings: pl.DataFrame, forest: Forest) -> tuple[Mask, pl.Series]:
    """Agent spans by their dialect, and those that open because their owner is not their parent's."""
    agent = readings["IsAgent"].to_numpy(writable=True)
    names, opens = readings["AgentName"], readings["OwnerOpens"]
    nameless = readings["IsAgent"] & (names == "")
    if not (opens.any() or nameless.any()):
        return agent, names
    owners = readings["Owner"]
    who = readings.select(w=pl.when(pl.col("Owner") != "").then("Owner").otherwise("AgentName"))["w"]
    above = pl.Series(forest.parent).set(pl.Series(forest.parent == NONE), None).cast(pl.UInt32)
    their_names = who.gather(above).fill_null("")
    their_spans = readings["SpanName"].gather(above).fill_null("")
    steps = readings["Operation"].is_in(["node", "invoke_agent"])
    first = (opens & (owners != "") & (owners != their_names) & steps).to_numpy()
    # What holds the owner's nodes and is called like the owner is the run, not its first node; and an agent that does not
    # say its name is called what the steps inside it call it.
    inside = first & (their_spans == owners).to_numpy()
    naming = inside | (nameless.gather(above).fill_null(value=False) & (owners != "") & ~readings["IsAgent"]).to_numpy()
    runs = forest.parent[naming]
    agent[first & ~inside] = True
    agent[runs] = True
    opened = names.scatter(runs, owners.filter(pl.Series(naming))) if len(runs) else names
    return agent, opened


def _open_on_top(agent: Mask, names: pl.Series, readings: pl.DataFrame, forest: Forest) -> pl.Series:
    """Let outermost runs below spans that are no steps (a request's, a job's) open a task, as they would at the root."""
    opens = (readings["NameOnTop"] != "").to_numpy() & ~agent
    if not opens.any():
        return names
    step = (readings["Operation"] != "").to_numpy()
    top = np.flatnonzero(opens & (nearest(forest.parent, step) == NONE))
    agent[top] = True
    return names.scatter(top, readings["NameOnTop"].gather(top)) if len(top) else names


def _called_like_their_tool(agent: Mask, names: pl.Series, readings: pl.DataFrame, forest: Forest) -> pl.Series:
    """An agent that has no name and is run as a tool is known by the tool's."""
    nameless = np.flatnonzero(agent & (forest.parent != NONE) & (names == "").to_numpy())
    tools = readings.select("Operation", "NodeName")[forest.parent[nameless]]
    as_tool = (tools["Operation"] == "execute_tool").to_numpy()
    return names.scatter(nameless[as_tool], tools["NodeName"].filter(pl.Series(as_tool))) if as_tool.any() else names


def _repeats(agent: Mask, names: pl.Series, forest: Forest) -> Mask:
    """Agent spans directly inside an agent span of the same name, or of no name: the same run, said twice."""
    inner: Mask = agent & (forest.parent != NONE)
    inner[inner] = agent[forest.parent[inner]]
    rows = np.flatnonzero(inner)
    own = names.gather(rows)
    inner[rows] = ((own == names.gather(forest.parent[rows])) | (own == "")).to_numpy()
    return inner


def _follow_names(owner: Rows, above: Rows, rows: Rows, readings: pl.DataFrame, names: pl.Series, agent: Mask) -> None:
    """Give each of `rows` to the nearest agent of the name it says: above it, else beside it, else nobody."""
    wanted = readings["Owner"].gather(rows)
    held = owner[rows]
    for _ in range(64):  # deeper nesting of agents is taken as it stands
        wrong = _differ(held, names, wanted)
        if not wrong.any():
            break
        held[wrong] = above[held[wrong]]
    held[_differ(held, names, wanted)] = NONE
    lost = np.flatnonzero(held == NONE)
    if len(lost):
        held[lost] = _beside(rows[lost], wanted.gather(lost), readings, names, agent)
    owner[rows] = held


def _differ(held: Rows, names: pl.Series, wanted: pl.Series) -> Mask:
    wrong: Mask = held != NONE
    rows = np.flatnonzero(wrong)
    wrong[rows] = (names.gather(held[rows]) != wanted.gather(rows)).to_numpy()
    return wrong


def _beside(rows: Rows, wanted: pl.Series, readings: pl.DataFrame, names: pl.Series, agent: Mask) -> Rows:
    """The agent of that name in the same trace that was running when the span began (OpenLLMetry's nested graphs)."""
    spans = readings.select("TraceId", "Timestamp", end=pl.col("Timestamp") + pl.duration(nanoseconds="Duration"))
    agents = np.flatnonzero(agent)
    running = spans[agents].with_columns(name=names.gather(agents), agent=pl.Series(agents)).sort("Timestamp")
    lost = spans[rows].select("TraceId", "Timestamp").with_columns(name=wanted, order=np.arange(len(rows))).sort("Timestamp")
    found = lost.join_asof(running, on="Timestamp", by=["TraceId", "name"], check_sortedness=False)
    inside = pl.when(pl.col("Timestamp") <= pl.col("end")).then("agent").fill_null(NONE)
    return found.with_columns(inside).sort("order")["agent"].to_numpy()
