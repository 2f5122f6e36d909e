"""The columns of `otel_traces` from the flat Arrow arrays of a batch."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from receiver.attributes import Integers, capped_pairs, maps
from receiver.batch import Batch
from receiver.columns import as_lists, dropped_in_all, sent_dropped, summed, times, words
from receiver.hexadecimal import hex_texts
from receiver.limits import Limits

KINDS = pa.array(["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"])
CODES = pa.array(["Unset", "Ok", "Error"])
NO_PARENT = "0" * 16


def span_columns(batch: Batch, limits: Limits, admitted: npt.NDArray[np.bool_]) -> dict[str, pa.Array]:
    """What each span says itself, and how many attributes were lost of it and of what it inherits.

    Attributes of a scope join those of its `admitted` spans only: what is rejected need not be blown up.
    """
    spans = batch.records
    own = capped_pairs(spans.field("attributes"), limits)
    pairs, scope_pairs = own.pairs, batch.scopes.attributes.pairs
    if len(scope_pairs.rows):
        pairs = scope_pairs.repeated(np.where(admitted, batch.scope, -1)).before(pairs)
    events, events_dropped = _events(spans.field("events"), limits)
    links, links_dropped = _links(spans.field("links"), limits)
    parents = hex_texts(spans.field("parent_span_id"))
    status = spans.field("status")
    return {
        "Timestamp": times(spans.field("start_time_unix_nano")),
        "TraceId": hex_texts(spans.field("trace_id")),
        "SpanId": hex_texts(spans.field("span_id")),
        "ParentSpanId": pc.if_else(pc.equal(parents, NO_PARENT), "", parents),
        "TraceState": spans.field("trace_state"),
        "SpanName": spans.field("name"),
        "SpanKind": words(KINDS, spans.field("kind")),
        "SpanAttributes": maps(pairs),
        "Duration": pa.array(_durations(spans)),
        "StatusCode": words(CODES, status.field("code")),
        "StatusMessage": status.field("message"),
        **events,
        **links,
        "DroppedAttributes": dropped_in_all(batch, sent_dropped(spans) + own.dropped + events_dropped + links_dropped),
    }


def _events(lists: pa.ListArray, limits: Limits) -> tuple[dict[str, pa.Array], Integers]:
    events = lists.flatten()
    attributes = capped_pairs(events.field("attributes"), limits)
    columns = {
        "Events.Timestamp": as_lists(lists, times(events.field("time_unix_nano"))),
        "Events.Name": as_lists(lists, events.field("name")),
        "Events.Attributes": as_lists(lists, maps(attributes.pairs)),
    }
    return columns, summed(lists, sent_dropped(events) + attributes.dropped)


def _links(lists: pa.ListArray, limits: Limits) -> tuple[dict[str, pa.Array], Integers]:
    links = lists.flatten()
    attributes = capped_pairs(links.field("attributes"), limits)
    columns = {
        "Links.TraceId": as_lists(lists, hex_texts(links.field("trace_id"))),
        "Links.SpanId": as_lists(lists, hex_texts(links.field("span_id"))),
        "Links.TraceState": as_lists(lists, links.field("trace_state")),
        "Links.Attributes": as_lists(lists, maps(attributes.pairs)),
    }
    return columns, summed(lists, sent_dropped(links) + attributes.dropped)


def _durations(spans: pa.StructArray) -> npt.NDArray[np.uint64]:
    """Nanoseconds from start to end, 0 where the end comes first."""
    start, end = spans.field("start_time_unix_nano").to_numpy(), spans.field("end_time_unix_nano").to_numpy()
    return np.where(end > start, end - start, np.uint64(0))
