"""Why a span was read as it was: for each field the source that said it.

The sources are those of the hot path, evaluated once more and one by one (`Conventions.spoken`): slower, and only for
whoever asks. `merit explain` shows what comes out.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence

import polars as pl

from processors.conventions import expressions as ex
from processors.conventions.grammar import Condition, Source
from processors.conventions.read import OR_ELSE, Conventions, Spoken
from processors.frames import STRING, Columns

PROVENANCE: Columns = {
    "row": pl.UInt32(),
    "field": STRING,
    "value": STRING,
    "source": STRING,
    "said": STRING,
    "dialect": STRING,
}
"""`row` of the span; the grammar's `field`; its `value` as text; the `source` in words; what stands there (`said`), before
anything was done with it; the `dialect` that knew, empty where a rule of all dialects stood in."""


def provenance(conventions: Conventions, spans: pl.DataFrame) -> pl.DataFrame:
    """Which source said each field of each span; columns PROVENANCE, in order of the rows.

    Args:
        conventions: the reader whose reading is explained.
        spans: columns RECEIVED, as they were read.
    """
    wide = conventions.widen(spans)
    sources: dict[str, list[Spoken]] = defaultdict(list)
    for spoken in conventions.spoken(wide.columns, conventions.scopes(wide)):
        sources[spoken.field].append(spoken)
    said = conventions.said(wide).with_row_index("row")
    parts = [_of_field(said, field, group) for field, group in sources.items()]
    parts += [_stand_in(said, field, name, value) for field, (name, value) in OR_ELSE.items()]
    return pl.concat([pl.DataFrame(schema=dict(PROVENANCE)), *parts]).sort("row", maintain_order=True)


def _of_field(wide: pl.DataFrame, field: str, sources: Sequence[Spoken]) -> pl.DataFrame:
    """The first of `sources` that has a value, for each span that has one."""
    present = [s.value.is_not_null() for s in sources]
    told = wide.select(
        "row",
        field=pl.lit(field),
        value=pl.coalesce(s.value for s in sources),
        which=pl.coalesce(pl.when(there).then(pl.lit(i, dtype=pl.UInt32)) for i, there in enumerate(present)),
        said=pl.coalesce(
            pl.when(there).then(_unchanged(s.source, wide.columns)) for there, s in zip(present, sources, strict=True)
        ),
    ).filter(pl.col("which").is_not_null())
    words = pl.DataFrame(
        {"which": range(len(sources)), "source": [place(s.source) for s in sources], "dialect": [s.dialect for s in sources]},
        schema={"which": pl.UInt32, "source": pl.String, "dialect": pl.String},
    )
    return told.join(words, on="which", maintain_order="left").select(PROVENANCE.keys())


def _stand_in(wide: pl.DataFrame, field: str, name: str, value: pl.Expr) -> pl.DataFrame:
    """What stands in for a field that no dialect says."""
    told = wide.select(
        "row", field=pl.lit(field), value=value.cast(STRING), source=pl.lit(name), dialect=pl.lit(""), own=f"_{field}"
    )
    stands = told.filter(pl.col("own").is_null() & pl.col("value").is_not_null())
    return stands.with_columns(said="value").select(PROVENANCE.keys())


def _unchanged(source: Source, columns: Collection[str]) -> pl.Expr:
    """What stands at the source, before it is extracted or translated."""
    found = ex.value(source.model_copy(update={"extract": None, "translate": {}, "otherwise": None}), columns)
    assert found is not None, "a source that spoke has a column"
    return found


def place(source: Source) -> str:
    """A source in words: `metadata, JSON lc_agent_name`; `span name, where the span is a root`."""
    if source.value is not None:
        where = "constant"
    elif source.span:
        where = f"{source.span} of the {'span' if source.span == 'name' else 'instrumentation'}"
    else:
        where = source.key or (f"event attribute {source.event}" if source.event else f"resource {source.resource}")
    path = f", JSON {source.json_path}" if source.json_path else ""
    when = condition(source.when)
    return where + path + (f", where {when}" if when else "")


def condition(when: Condition) -> str:
    """A condition in words; empty if it always holds."""
    parts = [f"the scope is {' or '.join(when.scope)}"] if when.scope else []
    parts += [f"the name matches {when.name}"] if when.name else []
    parts += [f"there is {key}" for key in when.has] + [f"there is no {key}" for key in when.lacks]
    parts += [f"{key} is {' or '.join(values)}" for key, values in when.equals.items()]
    parts += [] if when.root is None else [f"the span {'is a root' if when.root else 'has a parent'}"]
    return " and ".join(parts)
