"""What protobuf nests, laid flat: requests hold resources, these hold scopes, these hold spans.

The children of nested Arrow lists are flat already; the lists' offsets say which parent each has. A missing message
(a span without status, say) is a null whose fields hold protobuf's defaults, so fields are read without looking.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from receiver.attributes import Capped, Integers, capped_pairs
from receiver.limits import Limits


class Batch(NamedTuple):
    """Resources, scopes and spans of several requests; for each span the row of its resource, scope and request."""

    resources: pa.StructArray
    scopes: pa.StructArray
    spans: pa.StructArray
    resource: Integers
    scope: Integers
    request: Integers
    resource_attributes: Capped
    scope_attributes: Capped


def flatten(resource_spans: pa.ListArray, limits: Limits) -> Batch:
    """Lay out what `Wire.columns` returns; raises Malformed if a nested attribute value is."""
    described, request_of_resource = children(resource_spans)
    scoped, resource_of_scope = children(described.field("scope_spans"))
    spans, scope = children(scoped.field("spans"))
    resource = resource_of_scope[scope]
    resources, scopes = described.field("resource"), scoped.field("scope")
    return Batch(
        resources,
        scopes,
        spans,
        resource,
        scope,
        request_of_resource[resource],
        capped_pairs(resources.field("attributes"), limits),
        capped_pairs(scopes.field("attributes"), limits),
    )


def children(lists: pa.ListArray) -> tuple[pa.StructArray, Integers]:
    """The elements of all lists, and the row of the list that each is in."""
    return lists.flatten(), np.repeat(np.arange(len(lists)), np.diff(lists.offsets.to_numpy()))


def inherited_bytes(batch: Batch, requests: int) -> Integers:
    """For each request the bytes that its spans inherit from resources and scopes, repeated on every span."""
    resources = _map_bytes(batch.resource_attributes)
    scopes = _map_bytes(batch.scope_attributes) + _text_bytes(batch.scopes, "name") + _text_bytes(batch.scopes, "version")
    each = resources[batch.resource] + scopes[batch.scope]
    return np.bincount(batch.request, weights=each, minlength=requests).astype(np.int64)


def _map_bytes(attributes: Capped) -> Integers:
    pairs = attributes.pairs
    sizes = pc.add(pc.binary_length(pairs.keys), pc.binary_length(pairs.texts)).to_numpy()
    return np.bincount(pairs.rows, weights=sizes, minlength=pairs.length).astype(np.int64)


def _text_bytes(column: pa.StructArray, name: str) -> Integers:
    lengths: Integers = pc.binary_length(column.field(name)).to_numpy().astype(np.int64)
    return lengths
