"""Who is there: what the tasks of agents say of them, put together over time.

What is known of an agent outlives its tasks, so it can only partly be worked out again: `grow` adds what has been seen to
what is known, `correct` works out anew whatever the tasks that are still kept can tell. Neither depends on the order in
which tasks come, and doing either twice is doing it once.
"""

from datetime import datetime

import polars as pl

from processors.frames import STRING, TIME, Columns, conform

SIGHTINGS: Columns = {
    "agent_id": STRING,
    "agent_name": STRING,
    "agent_type": STRING,
    "department": STRING,
    "capabilities": STRING,
    "service_name": STRING,
    "models": pl.List(STRING),
    "first_seen": TIME,
    "last_seen": TIME,
}
"""Tasks that say the same of their agent, and when the first and the last of them began."""

AGENTS: Columns = {
    "agent_id": STRING,
    "agent_name": STRING,
    "agent_type": STRING,
    "department": STRING,
    "capabilities": pl.List(STRING),
    "services": pl.List(STRING),
    "models.model": pl.List(STRING),
    "models.since": pl.List(TIME),
    "models.last_seen": pl.List(TIME),
    "first_seen": TIME,
    "last_seen": TIME,
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""An agent. `models`: those that answered in its tasks, since which task, and in which last."""

EDITS: Columns = {
    "agent_id": STRING,
    "field": STRING,
    "value": pl.List(STRING),
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""What a person has set: one field of one agent. All but capabilities have one value."""

MOST = 100
"""Services, models and capabilities that are kept of an agent: those seen last."""
TOLD = ("agent_name", "agent_type", "department", "capabilities")
MODELS = ("models.model", "models.since", "models.last_seen")
UNVERSIONED = [name for name in AGENTS if name not in ("version", "is_deleted")]


def grow(known: pl.DataFrame, sightings: pl.DataFrame) -> pl.DataFrame:
    """What is known of agents and what has been seen of them, taken together.

    Args:
        known: columns AGENTS, at most one row an agent.
        sightings: columns SIGHTINGS.

    Returns:
        Columns AGENTS, by agent. Of name, type, department and capabilities the last that was said stays. Version 0.
    """
    both = pl.concat([known.select(UNVERSIONED), seen(sightings)]).sort("last_seen", *TOLD[:3], maintain_order=True)
    told = both.group_by("agent_id").agg(
        *(pl.col(name).filter(is_said(name)).last() for name in TOLD),
        lately("services").sort(),
        pl.col("first_seen").min(),
        pl.col("last_seen").max(),
    )
    whole = told.join(models_of(both), on="agent_id", how="left").with_columns(
        pl.col(*TOLD[:3]).fill_null(""), pl.col("capabilities", *MODELS).fill_null([]), version=0, is_deleted=0
    )
    return conform(whole.sort("agent_id"), AGENTS)


def correct(known: pl.DataFrame, sightings: pl.DataFrame, horizon: datetime) -> pl.DataFrame:
    """What is known of all agents, where `sightings` is all that the tasks begun since `horizon` say.

    What is known from before stays. Agents of whom nothing is left, because each of their tasks turned out to be somebody
    else's, are marked as deleted.
    """
    now = grow(before(known, horizon), sightings)
    gone = known.join(now, on="agent_id", how="anti").with_columns(is_deleted=pl.lit(1, dtype=pl.UInt8))
    return pl.concat([now, gone])


def changed(known: pl.DataFrame, now: pl.DataFrame, version: int) -> pl.DataFrame:
    """Those rows of `now` that say something else than `known`, as this version or a higher one; both are AGENTS."""
    both = now.join(known, on="agent_id", how="left", suffix="_known", maintain_order="left")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_known")) for name in AGENTS if name not in KEYS)
    newer = pl.max_horizontal(pl.lit(version, dtype=pl.UInt64), pl.col("version_known") + 1)  # a clock may go back
    return conform(both.filter(differs).with_columns(version=newer), AGENTS)


KEYS = ("agent_id", "version")


def seen(sightings: pl.DataFrame) -> pl.DataFrame:
    """Sightings as if each were an agent: the columns of AGENTS without version."""
    count = pl.col("models").list.len()
    words = pl.col("capabilities").str.strip_chars("[] ").str.split(",").list.eval(pl.element().str.strip_chars(" \"'"))
    return sightings.select(
        *(name for name in SIGHTINGS if name not in ("capabilities", "service_name", "models")),
        capabilities=words.list.filter(pl.element() != "").list.unique(maintain_order=True).list.head(MOST),
        services=pl.concat_list("service_name").list.filter(pl.element() != ""),
        **{
            "models.model": pl.col("models"),
            "models.since": pl.col("first_seen").repeat_by(count),
            "models.last_seen": pl.col("last_seen").repeat_by(count),
        },
    ).select(pl.col(name).cast(AGENTS[name]) for name in UNVERSIONED)


def before(known: pl.DataFrame, horizon: datetime) -> pl.DataFrame:
    """What of AGENTS was known before `horizon`."""
    old = known.filter(pl.col("first_seen") < horizon)
    models = long(old).filter(pl.col("models.since") < horizon).with_columns(until("models.last_seen", horizon))
    kept = old.drop(MODELS).join(listed(models), on="agent_id", how="left")
    return conform(kept.with_columns(pl.col(*MODELS).fill_null([]), until("last_seen", horizon)), AGENTS)


def until(name: str, horizon: datetime) -> pl.Expr:
    """The time, or `horizon` if that is earlier."""
    return pl.min_horizontal(name, pl.lit(horizon).cast(TIME)).alias(name)


def models_of(agents: pl.DataFrame) -> pl.DataFrame:
    """`agent_id` and the lists of its models: since when, until when, the latest at the end."""
    each = long(agents).group_by("agent_id", "models.model").agg(pl.col("models.since").min(), pl.col("models.last_seen").max())
    return listed(each)


def long(agents: pl.DataFrame) -> pl.DataFrame:
    """One row for each agent and model."""
    return agents.select("agent_id", *MODELS).filter(pl.col("models.model").list.len() > 0).explode(MODELS)


def listed(models: pl.DataFrame) -> pl.DataFrame:
    """The lists of the rows that `long` makes."""
    return models.sort("models.last_seen", "models.model").group_by("agent_id").agg(pl.col(*MODELS).tail(MOST))


def is_said(name: str) -> pl.Expr:
    """Whether there is something in the column."""
    return pl.col(name).list.len() > 0 if name == "capabilities" else pl.col(name) != ""


def lately(name: str) -> pl.Expr:
    """The different values in the lists, the last ones."""
    return pl.col(name).explode().drop_nulls().reverse().unique(maintain_order=True).head(MOST)


def as_set(rows: pl.DataFrame, edits: pl.DataFrame) -> pl.DataFrame:
    """Rows of tasks or nodes, with what people have set for their agents in place of what spans say.

    Args:
        rows: at least `agent_id`; of `agent_type` and `department` what there is.
        edits: `agent_id, agent_type, department`; null where nothing is set.
    """
    if edits.is_empty():
        return rows
    names = [name for name in ("agent_type", "department") if name in rows.columns]
    both = rows.join(edits, on="agent_id", how="left", suffix="_set", maintain_order="left")
    return both.with_columns(pl.coalesce(f"{name}_set", name).alias(name) for name in names).select(rows.columns)
