"""What an evaluation's target means: the tasks that go by a task id, a trace id, an external id, a span or a response.

The API asks when an evaluation comes, the job `match` asks again for those whose task was not there yet.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import polars as pl

from processors.evaluations import HOMES, IS_SPAN, IS_TRACE, RESPONSE, above
from processors.frames import STRING, conform, empty
from query_api.asking.filters import bound
from query_api.asking.questions import Ask

AT_ONCE = 1_000
"""Ids bound into one question."""
TRACES_AT_ONCE = 100
"""Traces whose spans are read together."""
MOST_TASKS = 100
"""Tasks that one target may mean. An id that more tasks share names none of them."""
MOST_ROWS = 1_000_000
"""Spans of the traces of one question."""
EARLIER = timedelta(days=1)
"""A response may be this much older than its evaluation."""


def homes(ask: Ask, targets: pl.Series) -> pl.DataFrame:
    """The tasks that each of `targets` means, by what every task is called: columns HOMES. Most cost one question or two."""
    wanted = targets.unique(maintain_order=True).alias("target")
    found = pl.concat([_spans(ask, wanted), _traces(ask, wanted)])
    rest = wanted.filter(~wanted.is_in(found["target"].implode()) & ~wanted.str.starts_with(RESPONSE))
    return few(pl.concat([found, _external_ids(ask, rest)]))


def late_homes(ask: Ask, targets: pl.Series, since: datetime) -> pl.DataFrame:
    """`homes`, and what takes reading spans: of responses, and of spans that are no step themselves.

    Args:
        ask: puts the questions.
        targets: of evaluations that are pending.
        since: when the oldest of them was made.
    """
    wanted = targets.unique(maintain_order=True).alias("target")
    responses = _responses(ask, wanted.filter(wanted.str.starts_with(RESPONSE)), since - EARLIER)
    named = pl.concat([wanted, responses["span"]])
    found = homes(ask, named)
    found = pl.concat([found, _by_tree(ask, named.filter(~named.is_in(found["target"].implode())))])
    answered = responses.join(found, left_on="span", right_on="target").drop("span")
    return few(pl.concat([found, conform(answered, HOMES)]))


def few(found: pl.DataFrame) -> pl.DataFrame:
    """Without targets that too many tasks share: an id on everything is a mistake, and no judgement of everything."""
    return found.filter(pl.len().over("target") <= MOST_TASKS)


def _parts(wanted: pl.Series, pattern: str) -> pl.DataFrame:
    """`target`, and its `trace_id` and `span_id`, of those that are of `pattern`."""
    spans = wanted.filter(wanted.str.contains(pattern))
    return pl.DataFrame({"target": spans, "trace_id": spans.str.head(32), "span_id": spans.str.slice(33)})


def _spans(ask: Ask, wanted: pl.Series) -> pl.DataFrame:
    parts = _parts(wanted, IS_SPAN)
    found = [
        part.join(ask("homes_of_spans", {**ids, "limit": MOST_ROWS}, MOST_ROWS), on=["trace_id", "span_id"])
        for part in parts.iter_slices(AT_ONCE)
        if (ids := {name: part[name].unique().to_list() for name in ("trace_id", "span_id")})
    ]
    both = pl.concat([empty(HOMES), *(conform(frame, HOMES) for frame in found)])
    return both.sort("node").unique("target", keep="first", maintain_order=True)


def _traces(ask: Ask, wanted: pl.Series) -> pl.DataFrame:
    found = [_tops(ask, ids) for ids in _slices(wanted.filter(wanted.str.contains(IS_TRACE)))]
    return pl.concat([empty(HOMES), *(conform(f.with_columns(target="trace_id", node=pl.lit("")), HOMES) for f in found)])


def _tops(ask: Ask, trace_ids: list[str]) -> pl.DataFrame:
    return ask("homes_of_traces", {"trace_id": trace_ids, "limit": MOST_ROWS}, MOST_ROWS)


def _external_ids(ask: Ask, wanted: pl.Series) -> pl.DataFrame:
    found = [
        ask("homes_of_external_ids", {"external_id": ids, "limit": MOST_ROWS}, MOST_ROWS)
        for ids in _slices(wanted.filter(wanted != ""))
    ]
    return pl.concat([empty(HOMES), *(conform(f.with_columns(target="external_id", node=pl.lit("")), HOMES) for f in found)])


def _responses(ask: Ask, wanted: pl.Series, since: datetime) -> pl.DataFrame:
    """`target` and `span`, as a target, of responses that were received."""
    found = [
        ask("spans_of_responses", {"response_id": ids, "since": bound(since), "limit": AT_ONCE}, AT_ONCE)
        for ids in _slices(wanted.str.strip_prefix(RESPONSE))
    ]
    target, span = pl.concat_str(pl.lit(RESPONSE), "response_id"), pl.concat_str("trace_id", "span_id", separator="-")
    nothing = pl.DataFrame(schema={"target": STRING, "span": STRING})
    return pl.concat([nothing, *(frame.select(target=target, span=span) for frame in found)])


def _by_tree(ask: Ask, wanted: pl.Series) -> pl.DataFrame:
    """Spans that are no step, in traces that have ended."""
    parts = _parts(wanted, IS_SPAN)
    found = [empty(HOMES)]
    for ids in _slices(parts["trace_id"].unique(maintain_order=True), TRACES_AT_ONCE):
        spans = ask("spans_of_ended_traces", {"trace_id": ids, "limit": MOST_ROWS}, MOST_ROWS)
        if spans.height:
            steps = ask("steps_of_traces", {"trace_id": ids, "limit": MOST_ROWS}, MOST_ROWS)
            found.append(above(spans, steps, _tops(ask, ids), parts.filter(pl.col("trace_id").is_in(ids))))
    return pl.concat(found)


def _slices(ids: pl.Series, size: int = AT_ONCE) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield ids.slice(start, size).to_list()
