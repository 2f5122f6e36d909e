"""Evaluations that come inside spans and log records: frame in, evaluations out.

What is read, and where it is laid down:

- the event `gen_ai.evaluation.result`, as an event of a span or as a log record: OpenTelemetry's GenAI conventions
  (open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-events.md). It belongs to the span that is judged, else
  carries that one's `gen_ai.response.id`. In practice it is often an event of the evaluation's own span: of a span whose
  operation is `evaluate` the response, else the link, else the span above is meant. What libraries say besides is read
  where they agree: who judged (Pydantic Evals, `_otel_emit.py`; AgentCore), of what kind (Microsoft, `human_evaluation`),
  on which scale and in which direction (Microsoft's `internal_properties`).
- `annotations.<n>.annotation.*` and `evaluations.<n>.evaluation.*` on a span or for its trace: OpenInference
  (Arize-ai/openinference, spec/annotations.md); `eval.<name>.*`, as Phoenix and Arize name the columns of their evaluations.
- spans of evaluators (OpenInference's kind EVALUATOR, Langfuse's type evaluator) that carry their verdict as metadata or
  as their output, a number or a JSON object.
- `langfuse.score.<name>` on a span. Langfuse itself takes scores by its own API only; this is how pipelines without its SDK
  write them (langfuse, discussion 14652).

A score counts if it lies within 0 and 1, or on a scale that is said; labels such as `pass` and `fail` stand in for one.
Everything else is left out and counted: a score whose scale nobody knows would say anything.
"""

from datetime import datetime
from typing import NamedTuple

import polars as pl

from processors.evaluations import EVALUATIONS, RESPONSE, evaluator_voice, identified, plain_criterion
from processors.frames import STRING, TIME, Columns, conform, empty
from processors.versions import to_the_millisecond, version_at

EVENT = "gen_ai.evaluation.result"

CLAIMS: Columns = {
    "trace_id": STRING,
    "span_id": STRING,
    "response_id": STRING,
    "at": TIME,
    "name": STRING,
    "score": STRING,
    "label": STRING,
    "explanation": STRING,
    "evaluator": STRING,
    "kind": STRING,
    "model": STRING,
    "low": STRING,
    "high": STRING,
    "direction": STRING,
    "failed": STRING,
}
"""What somebody claims of a span (of a trace where `span_id` is empty), as said: null where nothing is."""

KEYS = {
    "name": ["gen_ai.evaluation.name"],
    "score": ["gen_ai.evaluation.score.value"],
    "label": ["gen_ai.evaluation.score.label"],
    "explanation": ["gen_ai.evaluation.explanation"],
    "response_id": ["gen_ai.response.id"],
    "evaluator": [
        "merit.evaluation.evaluator",
        "gen_ai.evaluation.evaluator.name",
        "gen_ai.evaluation.evaluator.id",
        "gen_ai.evaluation.evaluator",
    ],
    "kind": [
        "merit.evaluation.evaluator_type",
        "gen_ai.evaluation.evaluator.type",
        "gen_ai.evaluation.method",
        "microsoft.gen_ai.evaluation.actor.type",
    ],
    "model": ["gen_ai.response.model", "gen_ai.request.model"],
    "low": ["merit.evaluation.min", "internal_properties.gen_ai.evaluation.min_value"],
    "high": ["merit.evaluation.max", "internal_properties.gen_ai.evaluation.max_value"],
    "direction": ["internal_properties.gen_ai.evaluation.desirable_direction"],
    "failed": ["error.type"],
}
"""Attributes of the event by what they say, the preferred first."""
IN_JSON = {
    "evaluator": ("gen_ai.evaluation.evaluator.source", "$.name"),
    "low": ("internal_properties", "$['gen_ai.evaluation.min_value']"),
    "high": ("internal_properties", "$['gen_ai.evaluation.max_value']"),
    "direction": ("internal_properties", "$['gen_ai.evaluation.desirable_direction']"),
}
"""The same inside attributes that hold JSON, after those."""

ON_SPANS = (
    r"^(?P<of>(?:trace\.)?(?:annotations|evaluations)\.\d+)\.(?:annotation|evaluation)\."
    r"(?P<field>name|score|label|explanation|annotator_kind|identifier)$"
)
NAMED = r"^eval\.(?P<of>.+)\.(?P<field>score|label|explanation)$"
LANGFUSE = r"^(?P<field>langfuse)\.score\.(?P<of>.+)$"
ANY_ON_SPANS = r"^(?:trace\.)?(?:annotations|evaluations)\.\d+\.|^eval\..+\.(?:score|label|explanation)$|^langfuse\.score\."

FIELDS = ("name", "score", "label", "explanation", "annotator_kind", "identifier", "langfuse")
ENDED = pl.col("Timestamp") + pl.duration(nanoseconds=pl.col("Duration"))

TYPES = {
    **dict.fromkeys(("user", "human", "end_user", "annotator"), "user"),
    **dict.fromkeys(("llm", "llm_judge", "llm_as_judge", "llm_as_a_judge", "model", "ai"), "llm"),
    **dict.fromkeys(("peer", "agent"), "peer"),
    **dict.fromkeys(("code", "deterministic", "heuristic", "rule"), "code"),
}
LABELS = {
    **dict.fromkeys(("pass", "passed", "true", "yes", "correct", "success", "1"), 1.0),
    **dict.fromkeys(("fail", "failed", "false", "no", "incorrect", "failure", "0"), 0.0),
}


class Said(NamedTuple):
    """Evaluations, columns EVALUATIONS, that still look for their task; and how many could not be taken."""

    rows: pl.DataFrame
    rejected: int


NOTHING = Said(empty(EVALUATIONS), 0)


def of_spans(received: pl.DataFrame, readings: pl.DataFrame, now: datetime) -> Said:
    """What spans say of how good something was. A batch in which none does costs a look at event names and keys.

    Args:
        received: columns RECEIVED.
        readings: the same spans as conventions have read them; of their columns `Operation` and `Output` are used.
        now: when they came.
    """
    spans = received.with_columns(readings.select("Operation", "Output"))
    claims = [*_events(spans), *_attributes(spans), *_evaluators(spans)]
    return _taken(pl.concat(claims), now) if claims else NOTHING


def of_logs(logs: pl.DataFrame) -> Said:
    """What log records, columns LOGS, say of how good something was; they came at their `IngestedAt`."""
    named = (pl.col("EventName") == EVENT) | (pl.col("LogAttributes").map.get("event.name") == EVENT)
    found = logs.filter(named.fill_null(value=False))
    if found.is_empty():
        return NOTHING
    said = found.with_columns(said="LogAttributes", at="Timestamp", **_ids("TraceId", "SpanId"))
    came: datetime = found["IngestedAt"].max()  # type: ignore[assignment]  # a column of times that is not empty
    return _taken(_of_event(said), came)


def _events(spans: pl.DataFrame) -> list[pl.DataFrame]:
    """Claims of span events."""
    found = spans.filter(pl.col("Events.Name").list.contains(EVENT))
    if found.is_empty():
        return []
    lists = ["Events.Timestamp", "Events.Name", "Events.Attributes"]
    events = found.explode(lists).filter(pl.col("Events.Name") == EVENT)
    said = events.with_columns(**_judged(), at="Events.Timestamp", said="Events.Attributes")
    claims = _of_event(said)
    # On the evaluation's own span a response says more exactly what was judged than the span above does.
    return [claims.with_columns(span_id=pl.when(_by_response(said)).then(pl.lit("")).otherwise("span_id"))]


def _by_response(said: pl.DataFrame) -> pl.Series:
    own = (pl.col("Operation") == "evaluate") & pl.col("said").map.get("gen_ai.response.id").is_not_null()
    return said.select(own).to_series()


def _judged() -> dict[str, pl.Expr]:
    """Ids of the span that is judged: of an evaluator's span the one that it links to, else the one above; else itself."""
    own = pl.col("Operation") == "evaluate"
    linked = own & (pl.col("Links.SpanId").list.len() > 0)
    trace_id = pl.when(linked).then(pl.col("Links.TraceId").list.first()).otherwise("TraceId")
    above = pl.when(own).then("ParentSpanId").otherwise("SpanId")
    span_id = pl.when(linked).then(pl.col("Links.SpanId").list.first()).otherwise(above)
    return {"trace_id": trace_id, "span_id": span_id}


def _ids(trace_id: str, span_id: str) -> dict[str, pl.Expr]:
    return {"trace_id": pl.col(trace_id), "span_id": pl.col(span_id)}


def _of_event(said: pl.DataFrame) -> pl.DataFrame:
    """Claims of events; `said` has their attributes, their time `at`, and the ids of what is judged."""
    attributes = pl.col("said").map
    fields = {name: [attributes.get(key) for key in keys] for name, keys in KEYS.items()}
    for name, (key, path) in IN_JSON.items():
        fields[name].append(attributes.get(key).str.json_path_match(path))
    fields["evaluator"] += [pl.col(name).replace("", None) for name in ("ScopeName", "ServiceName")]
    values = {name: pl.coalesce(*sources).cast(STRING) for name, sources in fields.items()}
    return conform(said.select("trace_id", "span_id", "at", **values), CLAIMS)


def _attributes(spans: pl.DataFrame) -> list[pl.DataFrame]:
    """Claims of span attributes: one for each group of attributes that belong together."""
    entries = spans["SpanAttributes"].map.entries()
    flat = entries.explode(empty_as_null=False, keep_nulls=False)
    # Senders repeat themselves: of their keys few are different.
    if flat.is_empty() or not flat.struct.field("key").unique().str.contains(ANY_ON_SPANS).any():
        return []
    key = pl.element().struct.field("key")
    spans = spans.with_columns(entry=entries.list.filter(key.str.contains(ANY_ON_SPANS))).filter(pl.col("entry").list.len() > 0)
    each = spans.with_row_index("row").select("row", "entry", **_judged(), at=ENDED).explode("entry").unnest("entry")
    forms = [pl.col("key").str.extract_groups(form) for form in (ON_SPANS, NAMED, LANGFUSE)]
    of, field = (pl.coalesce(*(form.struct.field(name) for form in forms)) for name in ("of", "field"))
    each = each.with_columns(of=of, field=field, form=pl.col("key").str.extract(r"^([a-z]+)\.")).filter(
        pl.col("of").is_not_null()
    )
    values = {name: pl.col("value").filter(pl.col("field") == name).first() for name in FIELDS}
    claims = each.group_by("row", "trace_id", "span_id", "at", "form", "of", maintain_order=True).agg(**values)
    score, kind = pl.coalesce("score", "langfuse"), pl.col("annotator_kind")
    claims = claims.with_columns(
        span_id=pl.when(pl.col("form") == "trace").then(pl.lit("")).otherwise("span_id"),
        name=pl.when(pl.col("form").is_in(["eval", "langfuse"])).then("of").otherwise("name"),
        evaluator=pl.coalesce("identifier", kind.str.to_lowercase(), "form"),
        score=score,
        kind=kind,
    )
    return [_claims(claims)]


def _evaluators(spans: pl.DataFrame) -> list[pl.DataFrame]:
    """Claims of evaluators' spans that say their verdict neither by an event nor by an annotation."""
    own = (pl.col("Operation") == "evaluate") & ~pl.col("Events.Name").list.contains(EVENT)
    found = spans.filter(own)
    if found.is_empty():
        return []
    attributes, metadata = pl.col("SpanAttributes").map, pl.col("SpanAttributes").map.get("metadata")
    whole = pl.col("Output").cast(pl.Float64, strict=False)
    values = {
        field: pl.coalesce(attributes.get(f"metadata.{field}"), metadata.str.json_path_match(f"$.{field}"), _in_output(field))
        for field in ("score", "label", "explanation")
    }
    name = pl.coalesce(attributes.get("metadata.evaluator_name"), metadata.str.json_path_match("$.evaluator_name"), "SpanName")
    score = pl.coalesce(values["score"], pl.when(whole.is_not_null()).then("Output"))
    said = found.select(**_judged(), **values | {"score": score}, name=name, evaluator=name, at=ENDED)
    verdicts = said.filter(pl.col("score").is_not_null() | pl.col("label").is_not_null())
    return [_claims(verdicts)] if verdicts.height else []


def _in_output(field: str) -> pl.Expr:
    """A field of the output, if that is a JSON object."""
    return pl.when(pl.col("Output").str.starts_with("{")).then(pl.col("Output")).str.json_path_match(f"$.{field}")


def _claims(said: pl.DataFrame) -> pl.DataFrame:
    missing = {name: pl.lit(None, dtype=dtype) for name, dtype in CLAIMS.items() if name not in said.columns}
    return conform(said.with_columns(**missing), CLAIMS)


def _taken(claims: pl.DataFrame, now: datetime) -> Said:
    """The claims that are evaluations, as such; and how many are none."""
    number = {name: pl.col(name).cast(pl.Float64, strict=False) for name in ("score", "low", "high")}
    label = pl.col("label").str.strip_chars().str.to_lowercase().replace_strict(LABELS, default=None, return_dtype=pl.Float64)
    spread = (number["high"] - number["low"]).replace(0, None)
    scaled = pl.coalesce((number["score"] - number["low"]) / spread, number["score"])
    score = pl.when(pl.col("direction").str.starts_with("decrease")).then(1 - scaled).otherwise(scaled)
    # A number that is on no known scale is no score, whatever the label beside it says.
    scored = claims.with_columns(score=pl.when(pl.col("score").is_null()).then(label).otherwise(score), target=_target())
    good = scored.filter(
        pl.col("score").is_between(0, 1) & (pl.col("target") != "") & (pl.col("failed").is_null() | pl.col("label").is_not_null())
    )
    return Said(_rows(good, now), claims.height - good.height)


def _target() -> pl.Expr:
    """What is judged, as a target: a span, else a response, else a trace; empty if nothing says so."""
    span, trace = (pl.col(name).fill_null("") for name in ("span_id", "trace_id"))
    response = pl.col("response_id").fill_null("")
    return (
        pl.when((span != "") & (trace != ""))
        .then(pl.concat_str(trace, span, separator="-"))
        .when(response != "")
        .then(pl.concat_str(pl.lit(RESPONSE), response.str.head(1024)))
        .otherwise(trace)
    )


def _rows(claims: pl.DataFrame, now: datetime) -> pl.DataFrame:
    kind = pl.col("kind").str.to_lowercase().replace_strict(TYPES, default=None, return_dtype=STRING)
    kind = pl.coalesce(kind, pl.when(pl.col("model").is_not_null()).then(pl.lit("llm")), pl.lit("code"))
    evaluator = pl.col("evaluator").fill_null("").str.head(256)
    received_at = to_the_millisecond(now)
    rows = claims.select(
        "target",
        "score",
        task_id=pl.lit(""),
        trace_id=pl.lit(""),
        span_id=pl.lit(""),
        evaluator=evaluator,
        evaluator_type=kind,
        criterion=plain_criterion(pl.col("name").fill_null("").str.head(128)),
        rating=pl.lit(None),
        comment=pl.col("explanation").fill_null("").str.head(65_536),
        user_id=pl.when(kind == "user").then(evaluator).otherwise(pl.lit("")),
        model=pl.col("model").fill_null("").str.head(256),
        cost_usd=pl.lit(None),
        source=pl.lit("otlp"),
        evaluated_at="at",
        received_at=pl.lit(received_at),
        version=pl.lit(version_at(received_at)),
        is_deleted=pl.lit(0),
    )
    return conform(identified(rows, evaluator_voice()), EVALUATIONS).unique("evaluation_id", keep="last", maintain_order=True)
