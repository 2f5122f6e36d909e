"""One call, several spans.

Instrumentations overlap: a framework, a client library and a proxy may each record the same call. Two spans of one tool do
if one lies directly inside the other and they are of different scopes. Two spans of a model do if
they are model calls of different scopes (or of an outer and an inner form) and carry the same response id, or lie one
inside the other with no step between, or lie side by side with the same usage, one interval inside the other, and do not
name two models. Programs ask several models the same at once, and another one where the first fails.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from processors.conventions.grammar import MODEL_CALLS
from processors.models import plain_names
from processors.tree import NONE, Forest, Mask, Rows, leaps, nearest

SLACK_NS = 50_000_000
"""How far one of two intervals side by side may stick out of the other."""
TAKEN = (
    "Provider", "RequestModel", "ResponseModel", "ResponseId", "InputTokens", "OutputTokens", "CachedInputTokens",
    "CacheWriteTokens", "ReasoningTokens", "Temperature", "ReportedCostUsd", "Owner", "Input", "Output",
)  # fmt: skip
"""What a call takes from the spans that record it as well, where it lacks it."""
PARTS = ("CachedInputTokens", "CacheWriteTokens", "ReasoningTokens")


@dataclass(frozen=True)
class Duplicate:
    """Spans that repeat a call, and the rows of the calls that they repeat."""

    row: Rows
    call: Rows


def says_usage() -> pl.Expr:
    """Whether a span says how many tokens went in or came out."""
    return pl.any_horizontal(pl.col("InputTokens", "OutputTokens").is_not_null())


def count_calls_once(readings: pl.DataFrame, forest: Forest) -> tuple[pl.DataFrame, Mask]:
    """Find the spans that repeat another's call.

    Returns:
        The readings, each call enriched by what its repeats know, and a mask of the repeats.
    """
    readings, calls = match_repeats(readings, forest)
    return readings, calls != NONE


def match_repeats(readings: pl.DataFrame, forest: Forest) -> tuple[pl.DataFrame, Rows]:
    """As `count_calls_once`, with the row of the call that each span repeats; −1 where it repeats none."""
    calls = np.full(len(readings), NONE)
    call = readings["Operation"].is_in(MODEL_CALLS).to_numpy()
    forms = readings.select(form=pl.struct("ScopeName", "IsOuter").rank("dense"))["form"].to_numpy()
    tools = _tools_inside(readings, forest, forms)
    calls[tools.row] = tools.call
    if len(np.unique(forms[call])) < 2:  # one form cannot repeat itself
        return readings, calls
    for find in (_inside, _same_response, _beside):
        found = find(readings, forest, call & (calls == NONE), forms)
        calls[found.row] = found.call
        readings = _enrich(readings, found)
    return readings, calls


def _inside(readings: pl.DataFrame, forest: Forest, call: Mask, forms: Rows) -> Duplicate:
    """Outer spans of calls: the nearest step above an inner call is a call of another form. The innermost counts."""
    step = (readings["Operation"] != "").to_numpy()
    inner = np.flatnonzero(call)
    outer = nearest(forest.parent, step)[inner]
    found = (outer != NONE) & call[outer] & (forms[outer] != forms[inner])
    return Duplicate(outer[found], inner[found])


def _tools_inside(readings: pl.DataFrame, forest: Forest, forms: Rows) -> Duplicate:
    """Outer spans of tool calls: the nearest step above a tool call is one of the same tool and another form."""
    tool = (readings["Operation"] == "execute_tool").to_numpy()
    inner = np.flatnonzero(tool)
    if len(np.unique(forms[inner])) < 2:
        return Duplicate(inner[:0], inner[:0])
    outer = nearest(forest.parent, (readings["Operation"] != "").to_numpy())[inner]
    found = (outer != NONE) & tool[outer] & (forms[outer] != forms[inner])
    outer, inner = outer[found], inner[found]
    same = (readings["NodeName"].gather(outer) == readings["NodeName"].gather(inner)).to_numpy()
    return Duplicate(outer[same], inner[same])


def _same_response(readings: pl.DataFrame, _forest: Forest, call: Mask, forms: Rows) -> Duplicate:
    """Calls of one trace with the same response id; the richest counts."""
    found = _candidates(readings, call, forms).filter(pl.col("ResponseId") != "")
    return _pair(found, ["TraceId", "ResponseId"])


def _beside(readings: pl.DataFrame, forest: Forest, call: Mask, forms: Rows) -> Duplicate:
    """Calls under one parent with the same usage: the nth of one form is the nth of the other, if their intervals agree.

    Those that say no usage must have asked the same model, and both failed or both not.
    """
    asked, answered = (plain_names(readings, pl.col(name)) for name in ("RequestModel", "ResponseModel"))
    unused = ~says_usage()
    alike = readings.select(
        pl.when(unused).then(pl.when(asked != "").then(asked).otherwise(answered)).alias("model"),
        pl.when(unused).then("IsFailure").alias("failed"),
    )
    found = _candidates(readings, call, forms).with_columns(alike.filter(pl.Series(call)), parent=forest.parent[call])
    found = found.filter(pl.col("parent") != NONE)
    same = ["parent", "InputTokens", "OutputTokens", "model", "failed"]
    pairs = _pair(found.sort("start").with_columns(nth=pl.int_range(pl.len()).over(*same, "form")), [*same, "nth"])
    start, end = _interval(readings)
    a, b = pairs.row, pairs.call
    holds = (start[a] - SLACK_NS <= start[b]) & (end[b] <= end[a] + SLACK_NS)
    held = (start[b] - SLACK_NS <= start[a]) & (end[a] <= end[b] + SLACK_NS)
    differs = (answered[a] != answered[b]) & (answered[a] != "") & (answered[b] != "")
    two = (differs & (answered[a] != asked[b]) & (asked[a] != answered[b])).to_numpy()
    one = (holds | held) & ~two
    return Duplicate(a[one], b[one])


def _candidates(readings: pl.DataFrame, call: Mask, forms: Rows) -> pl.DataFrame:
    known = pl.sum_horizontal(pl.col("InputTokens", "OutputTokens").is_not_null(), pl.col(PARTS) > 0)
    named = pl.sum_horizontal(pl.col("ResponseId", "ResponseModel", "Input") != "")
    spans = readings.select(
        "TraceId",
        "ResponseId",
        "InputTokens",
        "OutputTokens",
        start="Timestamp",
        richness=known * 4 + named,
        form=pl.Series(forms),
    )
    return spans.with_row_index("row").filter(pl.Series(call))


def _pair(candidates: pl.DataFrame, same: list[str]) -> Duplicate:
    """In each group of equal `same`, the richest span is the call; those of other forms repeat it."""
    best = candidates.sort(["richness", "start"], descending=[True, False]).unique(same, keep="first", maintain_order=True)
    pairs = candidates.join(best.select(*same, call="row", its_form="form"), on=same, nulls_equal=True)
    pairs = pairs.filter((pl.col("row") != pl.col("call")) & (pl.col("form") != pl.col("its_form")))
    return Duplicate(pairs["row"].cast(pl.Int64).to_numpy(), pairs["call"].cast(pl.Int64).to_numpy())


def _interval(readings: pl.DataFrame) -> tuple[Rows, Rows]:
    start = readings["Timestamp"].to_physical().to_numpy()
    return start, start + readings["Duration"].cast(pl.Int64).to_numpy()


def _enrich(readings: pl.DataFrame, found: Duplicate) -> pl.DataFrame:
    """Let each call take what it lacks from its repeat.

    A repeat of several calls (a framework's own retries) knows only their sum: it gives to the last of them, and only if
    none of them says any usage. So each call has one giver at the most, and in a chain of repeats what the outermost knows
    reaches the innermost in a few rounds.
    """
    if not len(found.row):
        return readings
    takes = [_take(name, readings.schema[name]) for name in TAKEN]
    for call, giver in leaps(_givers(readings, found)):
        given = readings.select(TAKEN)[giver].with_columns(row=pl.Series(call).cast(pl.UInt32))
        joined = readings.with_row_index("row").join(given, on="row", how="left", suffix="_given", maintain_order="left")
        readings = joined.with_columns(takes).select(readings.columns)
    return readings


def _givers(readings: pl.DataFrame, found: Duplicate) -> Rows:
    """The row of the repeat that gives to each row; −1 where none does."""
    used = readings.select(u=says_usage())["u"]
    giver = (
        pl.DataFrame({"giver": found.row, "call": found.call}).sort("call").with_columns(used=used.gather(np.sort(found.call)))
    )
    shared = giver.group_by("giver").agg(pl.col("call").max(), several=pl.len() > 1, used=pl.col("used").any())
    gifts = shared.filter(~(pl.col("several") & pl.col("used"))).sort("giver").unique("call", keep="last", maintain_order=True)
    givers = np.full(len(readings), NONE)
    givers[gifts["call"].to_numpy()] = gifts["giver"].to_numpy()
    return givers


def _take(name: str, dtype: pl.DataType) -> pl.Expr:
    own, given = pl.col(name), pl.col(f"{name}_given")
    if name in PARTS:  # instrumentations say 0 for what they do not know
        return pl.max_horizontal(own, given).alias(name)
    if dtype == pl.String:
        return pl.when(own != "").then(own).otherwise(given.fill_null("")).alias(name)
    return pl.coalesce(own, given)
