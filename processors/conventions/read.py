"""The conventions step: spans in, readings out.

What each dialect says is in `dialects.yaml`; this module only carries it out, for a whole batch at a time. A dialect
costs nothing in a batch that has none of its attributes or scopes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple, get_args

import polars as pl

from processors.conventions import expressions as ex
from processors.conventions.attributes import columns_of
from processors.conventions.grammar import (
    MODEL_CALLS,
    MOST_TOKENS,
    Condition,
    Dialect,
    FieldName,
    Flag,
    Source,
    Text,
    Vocabulary,
    shipped,
)
from processors.conventions.json_columns import json_columns
from processors.frames import READINGS, STRING

PLANS = 256
"""Combinations of columns and scopes whose expressions are kept: senders repeat themselves."""
EXCERPT = 4096
"""Characters kept of a task's input and output."""
COUNTS = {
    "input_tokens": pl.UInt64(),
    "output_tokens": pl.UInt64(),
    "cached_input_tokens": pl.UInt64(),
    "cache_write_tokens": pl.UInt64(),
    "reasoning_tokens": pl.UInt64(),
    "total_tokens": pl.UInt64(),
    "complexity": pl.UInt8(),
    "files_created": pl.UInt32(),
    "files_modified": pl.UInt32(),
}


class Spoken(NamedTuple):
    """One source, as far as it concerns a batch."""

    field: FieldName
    dialect: str
    source: Source
    value: pl.Expr
    """What it says of each span, as text; null where it says nothing."""


class Conventions:
    """Reads spans of any dialect in Merit's words.

    Args:
        extra: a user's own dialects, preferred to the shipped ones.
        vocabulary: the shipped ones.
    """

    def __init__(self, extra: Sequence[Dialect] = (), vocabulary: Vocabulary | None = None) -> None:
        vocabulary = vocabulary or shipped()
        self._dialects = [*extra, *vocabulary.dialects]
        self._steering = list(vocabulary.control_flow)
        self._interrupts = list(vocabulary.interrupts)
        sources = [s for d in self._dialects for group in d.fields.values() for s in group]
        conditions = [d.when for d in self._dialects] + [s.when for s in sources]
        patterns = {p for c in conditions for p in c.scope}
        self._scopes = frozenset(p for p in patterns if not p.endswith("*"))
        self._starts = tuple(sorted((p[:-1] for p in patterns if p.endswith("*")), key=len, reverse=True))
        in_conditions = {k for c in conditions for k in (*c.has, *c.lacks, *c.equals)}
        self._keys = sorted({s.key for s in sources if s.key} | in_conditions)
        self._resource_keys = sorted({s.resource for s in sources if s.resource})
        self._event_keys = [(s.event, d.when.scope) for d in self._dialects for g in d.fields.values() for s in g if s.event]
        self._paths: dict[str, set[str]] = defaultdict(set)
        for source in sources:
            if source.json_path:
                self._paths[ex.column(source)].add(source.json_path)
        self._fields = lru_cache(maxsize=PLANS)(self._compile)
        self._tokens, self._rules = _token_columns(), self._rule_columns()

    def __call__(self, spans: pl.DataFrame) -> pl.DataFrame:
        """What each span says of itself.

        Args:
            spans: a frame of at least the columns RECEIVED.

        Returns:
            A frame of the columns READINGS, row by row the same spans. `CostUsd` and `PriceSource` are left to the pricer.
        """
        return self.said(self.widen(spans)).with_columns(**self._tokens).select(self._rules)  # lazily it takes thrice as long

    @property
    def keys(self) -> frozenset[str]:
        """Every span attribute that some dialect reads, or looks at to know whether it is meant."""
        return frozenset(self._keys)

    def said(self, wide: pl.DataFrame) -> pl.DataFrame:
        """What `widen` returns, with a column `_field` for each field: what the dialects say, before the rules."""
        return wide.with_columns(**self._fields_of(wide))

    def widen(self, spans: pl.DataFrame) -> pl.DataFrame:
        """Attributes that some dialect asks for as columns beside the span's own."""
        attributes = columns_of(spans["SpanAttributes"], self._keys, "@")
        resources = columns_of(spans["ResourceAttributes"], self._resource_keys, "$")
        scopes = self.scopes(spans)
        asked = {key for key, of in self._event_keys if not of or any(ex.scope_matches(s, of) for s in scopes)}
        events = [_of_events(spans, key).alias(ex.event(key)) for key in sorted(asked)]
        columns = {s.name: s for s in (*attributes, *resources, *events)}
        parsed = [c for name, paths in self._paths.items() if name in columns for c in json_columns(columns[name], sorted(paths))]
        own = [c for c in spans.columns if c in READINGS and c not in {"SpanAttributes", "ResourceAttributes"}]
        return spans.select(*own, _raised(spans)).with_columns(*columns.values(), *parsed)

    def scopes(self, spans: pl.DataFrame) -> frozenset[str]:
        """Of the scopes of a batch what tells them apart: the name, the start (with a `*`) that some dialect asks for, else `*`.

        So there are few of them, and short ones, whatever senders call theirs: plans are kept under them.
        """
        return frozenset(self._asked_of(scope) for scope in spans["ScopeName"].unique().to_list())

    def _asked_of(self, scope: str) -> str:
        if scope in self._scopes:
            return scope
        if not scope.startswith(self._starts):
            return "*"
        return next(start for start in self._starts if scope.startswith(start)) + "*"

    def spoken(self, columns: Collection[str], scopes: Collection[str]) -> Iterator[Spoken]:
        """The sources that may say something in a batch of these columns and `scopes`; of each field the preferred ones first."""
        for dialect in self._dialects:
            applies = ex.condition(dialect.when, columns, scopes)
            if applies is None:
                continue
            for field, sources in dialect.fields.items():
                for source, value in _sources(sources, applies, columns, scopes):
                    yield Spoken(field, dialect.dialect, source, value)

    def _fields_of(self, wide: pl.DataFrame) -> dict[str, pl.Expr]:
        return self._fields(frozenset(wide.columns), self.scopes(wide))

    def _compile(self, columns: frozenset[str], scopes: frozenset[str]) -> dict[str, pl.Expr]:
        """Each field as an expression over the columns of a batch."""
        found: dict[str, list[Spoken]] = defaultdict(list)
        for spoken in self.spoken(columns, scopes):
            found[spoken.field].append(spoken)
        names = [*get_args(Text), *get_args(Flag), *COUNTS, "temperature", "reported_cost_usd"]
        fields = {f"_{name}": _first(name, [s.value for s in found.get(name, ())]) for name in names}
        dialects = [
            pl.when(pl.any_horizontal(s.value.is_not_null() for s in group)).then(pl.lit(dialect))
            for dialect, group in groupby(found["operation"], key=attrgetter("dialect"))
        ]
        return fields | {"Dialect": pl.coalesce(*dialects, pl.lit(""))}

    def _rule_columns(self) -> list[pl.Expr]:
        """From fields to readings, the columns READINGS: the rules that hold in every dialect."""
        raised = pl.coalesce("_error_type", "_raised").fill_null("").str.extract(r"(\w+)\W*$", 1).fill_null("")
        steering = raised.is_in(self._steering)
        error = (pl.col("StatusCode") == "Error") | pl.col("_error_type").is_not_null()
        operation = UNDERSTOOD.fill_null("")
        ruled = dict(
            Operation=operation,
            AgentName=_or_else("agent_name"),
            AgentId=_or_else("agent_id"),
            NodeName=_or_else("node_name"),
            Provider=pl.col("_provider").fill_null("").str.to_lowercase(),
            ErrorType=_or_else("error_type"),
            Owner=pl.col("_owner").fill_null(""),
            IsAgent=pl.coalesce("_is_agent", operation == "invoke_agent") & (operation == "invoke_agent"),
            OwnerOpens=pl.col("_owner_opens").fill_null(value=False) & (operation != ""),
            NameOnTop=pl.when(operation != "").then("_name_on_top").fill_null(""),
            OwnerLasts=pl.col("_owner_lasts").fill_null(value=False) & (operation != ""),
            IsOuter=pl.col("_is_outer").fill_null(value=False) & operation.is_in(MODEL_CALLS),
            TotalsInclude=pl.col("_totals_include").fill_null(value=False),
            IsInterrupt=raised.is_in(self._interrupts),
            IsFailure=(error & ~steering) | pl.col("_said_failure").fill_null(value=False),
            FailsTask=pl.col("_fails_task").fill_null(value=False),
            FailsAbove=pl.col("_fails_above").fill_null(value=False),
            SaidSuccess=pl.col("_said_success"),
            CostUsd=pl.lit(None),
            PriceSource=pl.lit(""),
            Input=pl.col("_input").fill_null("").str.head(EXCERPT),
            Output=pl.col("_output").fill_null("").str.head(EXCERPT),
            **{column: pl.col(field).fill_null("") for field, column in _PLAIN.items()},
            **{column: pl.col(field) for field, column in _NUMBERS.items()},
        )
        return [ruled.get(name, pl.col(name)).cast(dtype).alias(name) for name, dtype in READINGS.items()]


UNDERSTOOD = pl.when(~pl.col("_ignored").fill_null(value=False)).then("_operation")
"""The operation; null where there is none, or the span is to be ignored."""
OR_ELSE = {
    "agent_name": ("the owner", pl.col("_owner")),
    "agent_id": ("the agent's name", pl.coalesce("_agent_name", "_owner")),
    "node_name": ("the span's name", pl.when(UNDERSTOOD != "").then("SpanName")),
    "error_type": ("the exception event", pl.when(pl.col("StatusCode") == "Error").then("_raised")),
}
"""What stands in for a field that no dialect says, and what that is called."""


def _or_else(field: str) -> pl.Expr:
    return pl.coalesce(f"_{field}", OR_ELSE[field][1]).fill_null("")


_PLAIN = {
    "_request_model": "RequestModel",
    "_response_model": "ResponseModel",
    "_response_id": "ResponseId",
    "_conversation_id": "ConversationId",
    "_user_id": "UserId",
    "_workflow_name": "WorkflowName",
    "_task_name": "TaskName",
    "_external_id": "ExternalId",
    "_category": "Category",
    "_agent_type": "AgentType",
    "_department": "Department",
    "_capabilities": "Capabilities",
    "_decision_id": "DecisionId",
    "_resource_agent": "ResourceAgent",
}
_NUMBERS = {
    "_complexity": "Complexity",
    "_files_created": "FilesCreated",
    "_files_modified": "FilesModified",
    "_temperature": "Temperature",
    "_reported_cost_usd": "ReportedCostUsd",
}


def _of_events(spans: pl.DataFrame, key: str) -> pl.Series:
    """An attribute of each span's events: of the last one that has it; null without one."""
    found = spans["Events.Attributes"].list.eval(pl.element().map.get(key)).list.drop_nulls().list.last()
    return found.cast(STRING)


def _raised(spans: pl.DataFrame) -> pl.Series:
    """The class of the last exception event of each span; null without one."""
    return _of_events(spans, "exception.type").alias("_raised")


def _sources(
    sources: Sequence[Source], applies: pl.Expr, columns: Collection[str], scopes: Collection[str]
) -> Iterator[tuple[Source, pl.Expr]]:
    for source in sources:
        said = ex.value(source, columns)
        narrowed = ex.TRUE if source.when == Condition() else ex.condition(source.when, columns, scopes)
        if said is not None and narrowed is not None:
            mask = narrowed if applies is ex.TRUE else applies if narrowed is ex.TRUE else applies & narrowed
            yield source, said if mask is ex.TRUE else pl.when(mask).then(said)


def _first(field: FieldName | str, expressions: Sequence[pl.Expr]) -> pl.Expr:
    """The first value that is there, in the field's type."""
    text = pl.coalesce(*expressions) if expressions else pl.lit(None, dtype=STRING)
    if field in {"files_created", "files_modified"}:
        return ex.how_many(text, COUNTS[field])
    if field.endswith("_tokens"):
        number = ex.whole_number(text, COUNTS[field])
        return pl.when(number <= MOST_TOKENS).then(number)
    if field in COUNTS:
        return ex.whole_number(text, COUNTS[field])
    if field in {"temperature", "reported_cost_usd"}:
        return ex.finite(text)
    return ex.truth(text) if field in get_args(Flag) else text


def _token_columns() -> dict[str, pl.Expr]:
    """`InputTokens` includes cached and cache-write tokens, `OutputTokens` reasoning: dialects that say them apart are added up.

    A part that is larger than its whole was certainly said apart; and one by which the total exceeds input and output.
    """
    cached, written, reasoning = "_cached_input_tokens", "_cache_write_tokens", "_reasoning_tokens"
    parts = pl.col(cached).fill_null(0) + pl.col(written).fill_null(0)
    thoughts = pl.col(reasoning).fill_null(0)
    apart = pl.col("_cached_apart").fill_null(value=False) | (parts > pl.col("_input_tokens"))
    thought = pl.col("_reasoning_apart").fill_null(value=False) | (thoughts > pl.col("_output_tokens"))
    whole = pl.col("_input_tokens") + pl.when(apart).then(parts).otherwise(0)
    whole += pl.col("_output_tokens") + pl.when(thought).then(thoughts).otherwise(0)
    rest = pl.col("_total_tokens").cast(pl.Int64) - whole.cast(pl.Int64)
    apart |= (rest == parts) | (rest == parts + thoughts)
    thought |= (rest != parts) & ((rest == thoughts) | (rest == parts + thoughts))
    return {
        "InputTokens": pl.col("_input_tokens") + pl.when(apart).then(parts).otherwise(0),
        "OutputTokens": pl.col("_output_tokens") + pl.when(thought).then(thoughts).otherwise(0),
        "CachedInputTokens": pl.col(cached),
        "CacheWriteTokens": pl.col(written),
        "ReasoningTokens": pl.col(reasoning),
    }
