"""The columns of `otel_traces` from the flat Arrow arrays of a batch."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from receiver.attributes import Integers, capped_pairs, maps
from receiver.batch import Batch
from receiver.hexadecimal import hex_texts
from receiver.limits import Limits

KINDS = pa.array(["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"])
CODES = pa.array(["Unset", "Ok", "Error"])
NO_PARENT = "0" * 16
TIME = pa.timestamp("ns", "UTC")


def span_columns(batch: Batch, limits: Limits, admitted: npt.NDArray[np.bool_]) -> pa.Table:
    """What each span says itself, and how many attributes were lost of it and of what it inherits.

    Attributes of a scope join those of its `admitted` spans only: what is rejected need not be blown up.
    """
    spans = batch.spans
    own = capped_pairs(spans.field("attributes"), limits)
    pairs, scope_pairs = own.pairs, batch.scope_attributes.pairs
    if len(scope_pairs.rows):
        pairs = scope_pairs.repeated(np.where(admitted, batch.scope, -1)).before(pairs)
    events, events_dropped = _events(spans.field("events"), limits)
    links, links_dropped = _links(spans.field("links"), limits)
    parents = hex_texts(spans.field("parent_span_id"))
    status = spans.field("status")
    columns = {
        "Timestamp": _times(spans.field("start_time_unix_nano")),
        "TraceId": hex_texts(spans.field("trace_id")),
        "SpanId": hex_texts(spans.field("span_id")),
        "ParentSpanId": pc.if_else(pc.equal(parents, NO_PARENT), "", parents),
        "TraceState": spans.field("trace_state"),
        "SpanName": spans.field("name"),
        "SpanKind": _words(KINDS, spans.field("kind")),
        "SpanAttributes": maps(pairs),
        "Duration": pa.array(_durations(spans)),
        "StatusCode": _words(CODES, status.field("code")),
        "StatusMessage": status.field("message"),
        **events,
        **links,
        "DroppedAttributes": _dropped_in_all(batch, own.dropped + events_dropped + links_dropped),
    }
    return pa.table(columns)


def inherited_columns(batch: Batch, resource: Integers, scope: Integers) -> pa.Table:
    """What spans have of the resources and scopes in these rows."""
    attributes = maps(batch.resource_attributes.pairs)
    services = pc.map_lookup(attributes, pa.scalar("service.name"), "last").fill_null("")
    resources, scopes = pa.array(resource), pa.array(scope)
    columns = {
        "ServiceName": services.take(resources),
        "ResourceAttributes": attributes.take(resources),
        "ScopeName": batch.scopes.field("name").take(scopes),
        "ScopeVersion": batch.scopes.field("version").take(scopes),
    }
    return pa.table(columns)


def _events(lists: pa.ListArray, limits: Limits) -> tuple[dict[str, pa.Array], Integers]:
    events = lists.flatten()
    attributes = capped_pairs(events.field("attributes"), limits)
    columns = {
        "Events.Timestamp": _as_lists(lists, _times(events.field("time_unix_nano"))),
        "Events.Name": _as_lists(lists, events.field("name")),
        "Events.Attributes": _as_lists(lists, maps(attributes.pairs)),
    }
    return columns, _summed(lists, _sent_dropped(events) + attributes.dropped)


def _links(lists: pa.ListArray, limits: Limits) -> tuple[dict[str, pa.Array], Integers]:
    links = lists.flatten()
    attributes = capped_pairs(links.field("attributes"), limits)
    columns = {
        "Links.TraceId": _as_lists(lists, hex_texts(links.field("trace_id"))),
        "Links.SpanId": _as_lists(lists, hex_texts(links.field("span_id"))),
        "Links.TraceState": _as_lists(lists, links.field("trace_state")),
        "Links.Attributes": _as_lists(lists, maps(attributes.pairs)),
    }
    return columns, _summed(lists, _sent_dropped(links) + attributes.dropped)


def _as_lists(lists: pa.ListArray, elements: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(lists.offsets, elements)


def _summed(lists: pa.ListArray, counts: Integers) -> Integers:
    """The sum of `counts` over the elements of each list."""
    ends = np.concatenate([[0], np.cumsum(counts)])[lists.offsets.to_numpy()]
    sums: Integers = np.diff(ends).astype(np.int64)
    return sums


def _sent_dropped(column: pa.StructArray) -> Integers:
    counts: Integers = column.field("dropped_attributes_count").to_numpy().astype(np.int64)
    return counts


def _dropped_in_all(batch: Batch, of_spans: Integers) -> pa.Array:
    resources = _sent_dropped(batch.resources) + batch.resource_attributes.dropped
    scopes = _sent_dropped(batch.scopes) + batch.scope_attributes.dropped
    total = _sent_dropped(batch.spans) + of_spans + resources[batch.resource] + scopes[batch.scope]
    return pa.array(np.minimum(total, 2**32 - 1).astype(np.uint32))


def _times(column: pa.Array) -> pa.Array:
    """Nanoseconds since 1970 as times; what lies beyond the year 2262, the last that 64 bits hold, is brought back to it."""
    nanoseconds = np.minimum(column.to_numpy(), np.uint64(2**63 - 1)).astype(np.int64)
    return pa.array(nanoseconds).view(TIME)


def _durations(spans: pa.StructArray) -> npt.NDArray[np.uint64]:
    """Nanoseconds from start to end, 0 where the end comes first."""
    start, end = spans.field("start_time_unix_nano").to_numpy(), spans.field("end_time_unix_nano").to_numpy()
    return np.where(end > start, end - start, np.uint64(0))


def _words(words: pa.StringArray, numbers: pa.Array) -> pa.StringArray:
    """The word for each enum number; a number that is none yet gets the first word."""
    values = numbers.to_numpy()
    return words.take(pa.array(np.where((values >= 0) & (values < len(words)), values, 0)))
