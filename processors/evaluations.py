"""What somebody's judgement of a task is, as a row, and how it finds its task.

`target` is what the sender named: a task id, an external id, a trace id, a span as `<trace_id>-<span_id>`, or a model's
response as `gen_ai.response.id=<id>`. `task_id` is empty until that is known to be a task: judgements may come before what
they judge. A judgement of one step carries its `span_id`. `criterion` is empty for a score of the whole; stars are a
`rating` from 1 to 5 besides, and a `score` of (rating − 1) / 4.

`evaluation_id` says whose word it is (of an idempotency key, else of the evaluator) and what about (the task, else the
target; the step; the criterion). So a second word of the same evaluator about the same replaces the first. When a task is
found for a target that goes by another name, the second part changes: what was said of a task under its different names,
before it was there and after, becomes one row, of which the newest counts. Under a key there is a third part, of all that
was said: another request under the same key is known by it.
"""

from datetime import timedelta
from hashlib import blake2b

import numpy as np
import polars as pl

from processors import tree
from processors.frames import MILLIS, MONEY, STRING, TIME, Columns, conform

EVALUATIONS: Columns = {
    "evaluation_id": STRING,
    "target": STRING,
    "task_id": STRING,
    "trace_id": STRING,
    "span_id": STRING,
    "evaluator": STRING,
    "evaluator_type": STRING,
    "criterion": STRING,
    "score": pl.Float64(),
    "rating": pl.Float64(),
    "comment": STRING,
    "user_id": STRING,
    "model": STRING,
    "cost_usd": MONEY,
    "source": STRING,
    "evaluated_at": TIME,
    "received_at": MILLIS,
    "version": pl.UInt64(),
    "is_deleted": pl.UInt8(),
}
"""One criterion scored by one evaluator. `evaluator_type`: user, peer, llm or code; `source`: api, import, otlp or judge;
`model` and `cost_usd`: of the judge's own call; `version`: milliseconds of `received_at`."""

HOMES: Columns = {"target": STRING, "task_id": STRING, "trace_id": STRING, "node": STRING}
"""The tasks that a target turned out to mean; `node` is the step of it that is meant, empty for the whole."""

WAITING = timedelta(days=7)
"""How long a judgement waits for its task; after that it is reported and never scored."""
WHOSE = 33
"""Characters of an `evaluation_id` that say whose word it is; those that say what about are one fewer."""
RESPONSE = "gen_ai.response.id="
"""Before the id of a model's response where nothing else says what was judged."""
IS_SPAN = r"^([0-9a-f]{32})-([0-9a-f]{16})$"
IS_TRACE = r"^[0-9a-f]{32}$"


def plain_criterion(name: pl.Expr) -> pl.Expr:
    """A criterion under one name, whoever spells it: `IntentResolution`, `intent-resolution` are `intent_resolution`."""
    words = name.str.replace_all(r"([a-z0-9])([A-Z])", "${1}_${2}").str.replace_all(r"[\s\-_]+", "_")
    return words.str.strip_chars("_").str.to_lowercase()


def plain_target(target: pl.Expr) -> pl.Expr:
    """What the sender named, hexadecimal ids in lower case."""
    lower = target.str.to_lowercase()
    return pl.when(lower.str.contains(IS_SPAN) | lower.str.contains(IS_TRACE)).then(lower).otherwise(target)


def evaluator_voice() -> pl.Expr:
    """Whose word a row is, if its sender did not say it by an idempotency key."""
    return pl.concat_str(pl.lit("of"), "evaluator_type", "evaluator", separator="\0")


def identified(rows: pl.DataFrame, voice: pl.Expr, request: str = "") -> pl.DataFrame:
    """`rows` with their `evaluation_id`.

    Args:
        rows: the columns EVALUATIONS but for `evaluation_id`.
        voice: whose word each is, as text.
        request: all that was said under an idempotency key, as text.
    """
    whose = digests(rows.select(voice).to_series(), 16)
    third = "-" + blake2b(request.encode(), digest_size=8).hexdigest() if request else ""
    return rows.with_columns(pl.concat_str(whose, pl.lit("-"), _about(rows), pl.lit(third)).alias("evaluation_id"))


def placed(rows: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    """The rows whose target is known, one for each task that it means; columns EVALUATIONS.

    Args:
        rows: identified rows without a task.
        homes: columns HOMES; of a target that means several tasks several rows.
    """
    found = rows.drop("task_id", "trace_id").join(homes, on="target", how="inner", maintain_order="left")
    found = found.with_columns(span_id=pl.when(pl.col("node") != "").then("node").otherwise("span_id"))
    return conform(_renamed(found), EVALUATIONS)


def unplaced(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as they were before their task was found, that they may look for it again; columns EVALUATIONS."""
    node = pl.col("target").str.ends_with(pl.concat_str(pl.lit("-"), "span_id")) & (pl.col("span_id") != "")
    step = pl.when(node).then(pl.lit("")).otherwise("span_id").alias("span_id")
    bare = rows.with_columns(step, task_id=pl.lit(""), trace_id=pl.lit(""))
    return conform(_renamed(bare), EVALUATIONS)


def replaced(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """The rows to store when `before` have been placed as `after`: those, and the end of what now goes by another id.

    All are one version later than `before`, so that they win over it, and lose against whatever was said since.
    """
    named = before.filter(pl.col("target").is_in(after["target"].unique().implode()))
    gone = named.join(after, on="evaluation_id", how="anti").with_columns(is_deleted=pl.lit(1, dtype=pl.UInt8))
    return pl.concat([after, gone]).with_columns(pl.col("version") + 1)


def above(spans: pl.DataFrame, known: pl.DataFrame, tops: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """Where spans belong that are no step themselves: to the task of the nearest step above, else to the trace's top tasks.

    Args:
        spans: every span of the traces: `TraceId, SpanId, ParentSpanId`.
        known: the tasks of their steps: `trace_id, span_id, task_id`.
        tops: `trace_id, task_id` of the tasks at the top of each trace.
        wanted: `trace_id, span_id` of the spans that are looked for.

    Returns:
        Columns HOMES.
    """
    spans = spans.unique(["TraceId", "SpanId"], keep="first", maintain_order=True)
    ids = {"trace_id": "TraceId", "span_id": "SpanId"}
    steps = known.rename(ids).unique(["TraceId", "SpanId"])
    task = spans.join(steps, on=["TraceId", "SpanId"], how="left", maintain_order="left")["task_id"]
    nearest = tree.at_or_above(tree.plant(spans).parent, task.is_not_null().to_numpy())
    owner = task.gather(pl.Series(np.where(nearest == tree.NONE, 0, nearest)))
    owner = owner.zip_with(pl.Series(nearest != tree.NONE), pl.Series([None], dtype=STRING))
    found = spans.with_columns(task_id=owner).join(wanted.select("trace_id", "span_id").rename(ids), on=["TraceId", "SpanId"])
    under = found.filter(pl.col("task_id").is_not_null())
    loose = found.filter(pl.col("task_id").is_null()).drop("task_id").join(tops.rename({"trace_id": "TraceId"}), on="TraceId")
    both = pl.concat([under, loose.select(under.columns)])
    target = pl.concat_str("TraceId", "SpanId", separator="-")
    return conform(both.select(pl.all(), target=target, trace_id="TraceId", node=pl.lit("")), HOMES)


def digests(texts: pl.Series, size: int) -> pl.Series:
    """A digest of `size` bytes of each text, in hex: the same for ever, for ids are made of it."""
    hashes = [blake2b(text.encode(), digest_size=size).hexdigest() for text in texts]
    return pl.Series(texts.name, hashes, dtype=STRING)


def _renamed(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows under the id that they have by what they are about now."""
    whose, third = pl.col("evaluation_id").str.head(WHOSE), pl.col("evaluation_id").str.slice(2 * WHOSE - 1)
    return rows.with_columns(pl.concat_str(whose, _about(rows), third).alias("evaluation_id"))


def _about(rows: pl.DataFrame) -> pl.Series:
    subject = pl.when(pl.col("task_id") != "").then("task_id").otherwise("target")
    return digests(rows.select(about=pl.concat_str(subject, "span_id", "criterion", separator="\0")).to_series(), 16)
