"""Conditions and sources of the grammar as polars expressions over the columns that a batch has.

Column names: `@key` for a span attribute, `$key` for a resource attribute, `!key` for one of events; the span's own columns
as they are.
"""

from collections.abc import Collection
from functools import reduce
from operator import and_, or_

import polars as pl

from processors.conventions.grammar import Condition, Source

TRUE = pl.lit(value=True)


def attribute(key: str) -> str:
    """The column of a span attribute."""
    return "@" + key


def resource(key: str) -> str:
    """The column of a resource attribute."""
    return "$" + key


def event(key: str) -> str:
    """The column of an attribute of events."""
    return "!" + key


def column(source: Source) -> str:
    """The column where `source` finds its attribute."""
    return attribute(source.key) if source.key else event(source.event) if source.event else resource(source.resource)


def scope_matches(scope: str, patterns: Collection[str]) -> bool:
    """Whether `scope` is one of `patterns`, of which some end in `*`."""
    return any(scope.startswith(p[:-1]) if p.endswith("*") else scope == p for p in patterns)


def in_scope(patterns: Collection[str]) -> pl.Expr:
    """As `scope_matches`, of each span."""
    scope, starts = pl.col("ScopeName"), [p[:-1] for p in patterns if p.endswith("*")]
    return reduce(or_, (scope.str.starts_with(start) for start in starts), scope.is_in([p for p in patterns if p[-1:] != "*"]))


def condition(when: Condition, columns: Collection[str], scopes: Collection[str]) -> pl.Expr | None:
    """`when` as an expression; None if no span of a batch with these columns and scopes can meet it."""
    parts: list[pl.Expr] = []
    if when.scope:
        matching = [s for s in scopes if scope_matches(s, when.scope)]
        if not matching:
            return None
        if len(matching) < len(scopes):
            parts.append(in_scope(when.scope))
    needed = {attribute(k) for k in (*when.has, *when.equals)}
    if not needed <= set(columns):
        return None
    parts += [pl.col(attribute(k)).is_not_null() for k in when.has]
    parts += [pl.col(attribute(k)).is_in(list(v)) for k, v in when.equals.items()]
    parts += [pl.col(attribute(k)).is_null() for k in when.lacks if attribute(k) in columns]
    if when.name:
        parts.append(pl.col("SpanName").str.contains(when.name))
    if when.root is not None:
        parts.append((pl.col("ParentSpanId") == "") == when.root)
    return reduce(and_, parts).fill_null(value=False) if parts else TRUE


def value(source: Source, columns: Collection[str]) -> pl.Expr | None:
    """What `source` says of each span, as text; None if the batch has no such column."""
    if source.value is not None:
        text = str(source.value).lower() if isinstance(source.value, bool) else str(source.value)
        return pl.lit(text)
    if source.span:
        found = pl.col({"name": "SpanName", "scope": "ScopeName"}[source.span])
    else:
        name = column(source)
        if source.json_path:
            name = f"{name}#{source.json_path}"
        if name not in columns:
            return None
        found = pl.col(name)
    if source.extract:
        found = found.str.extract(source.extract, 1)
    if source.translate:
        old, new = list(source.translate), list(source.translate.values())
        found = (
            found.replace(old, new)
            if source.otherwise is None
            else found.replace_strict(old, new, default=source.otherwise, return_dtype=pl.String)
        )
    if source.extract or source.translate:
        found = pl.when(found != "").then(found)
    return found


def whole_number(text: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """`text` as an unsigned integer; null where it is none. Numbers come as strings and as floats, too."""
    exact = text.cast(pl.Int64, strict=False)
    rounded = text.cast(pl.Float64, strict=False).round().cast(pl.Int64, strict=False)
    return pl.coalesce(exact, rounded).cast(dtype, strict=False)


def how_many(text: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A number as it is, of a JSON list of texts how many there are."""
    listed = text.str.count_matches(r'"(?:[^"\\]|\\.)*"').cast(dtype)
    return pl.when(text.str.starts_with("[")).then(listed).otherwise(whole_number(text, dtype))


def finite(text: pl.Expr) -> pl.Expr:
    """`text` as a finite float; null where it is none."""
    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def truth(text: pl.Expr) -> pl.Expr:
    """`text` as a boolean; null where it is none."""
    return text.str.to_lowercase().replace_strict(
        ["true", "1", "yes", "success", "succeeded", "false", "0", "no", "failure", "failed"],
        [True] * 5 + [False] * 5,
        default=None,
        return_dtype=pl.Boolean,
    )
