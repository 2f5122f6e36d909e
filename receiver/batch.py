"""What protobuf nests, laid flat: requests hold resources, these hold scopes, these hold records.

The children of nested Arrow lists are flat already; the lists' offsets say which parent each has. A missing message
(a span without status, say) is a null whose fields hold protobuf's defaults, so fields are read without looking.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from receiver.attributes import Capped, Integers, capped_pairs
from receiver.limits import Limits

PAIR_BYTES = 32
"""What an attribute takes beside its texts: where each of the two lies."""


class Parents(NamedTuple):
    """Resources or scopes: what they say, the schema that they speak, and their attributes."""

    said: pa.StructArray
    schema_urls: pa.StringArray
    attributes: Capped


class Batch(NamedTuple):
    """The records of several requests; for each the row of its resource, scope and request, and the bytes it inherits."""

    resources: Parents
    scopes: Parents
    records: pa.StructArray
    resource: Integers
    scope: Integers
    request: Integers
    inherited: Integers

    def below(self, records: pa.StructArray, row: Integers, inherited: Integers) -> "Batch":
        """`records` that lie inside the records of this batch, each in that of its `row`, which it inherits as well."""
        return self._replace(
            records=records,
            resource=self.resource[row],
            scope=self.scope[row],
            request=self.request[row],
            inherited=(self.inherited + inherited)[row],
        )


def flatten(described: pa.ListArray, scopes: str, records: str, limits: Limits) -> Batch:
    """Lay out what `Wire.columns` returns.

    Args:
        described: for each request its resources.
        scopes: name of their field that holds the scopes.
        records: name of the scopes' field that holds the records.
        limits: how many attributes of resources and scopes are taken, and how long.

    Raises:
        Malformed: a nested attribute value is.
    """
    outer, request_of_resource = children(described)
    inner, resource_of_scope = children(outer.field(scopes))
    found, scope = children(inner.field(records))
    resource = resource_of_scope[scope]
    of_resources = _parents(outer, "resource", limits)
    of_scopes = _parents(inner, "scope", limits)
    names = text_bytes(of_scopes.said.field("name")) + text_bytes(of_scopes.said.field("version"))
    inherited = _bytes(of_resources)[resource] + (_bytes(of_scopes) + names)[scope]
    return Batch(of_resources, of_scopes, found, resource, scope, request_of_resource[resource], inherited)


def children(lists: pa.ListArray) -> tuple[pa.StructArray, Integers]:
    """The elements of all lists, and the row of the list that each is in."""
    return lists.flatten(), np.repeat(np.arange(len(lists)), np.diff(lists.offsets.to_numpy()))


def text_bytes(texts: pa.StringArray) -> Integers:
    """How long each text is."""
    lengths: Integers = pc.binary_length(texts).to_numpy().astype(np.int64)
    return lengths


def _parents(holders: pa.StructArray, name: str, limits: Limits) -> Parents:
    said = holders.field(name)
    return Parents(said, holders.field("schema_url"), capped_pairs(said.field("attributes"), limits))


def _bytes(parents: Parents) -> Integers:
    """What the attributes and the schema of each take in memory: attributes without a text are not for nothing."""
    pairs = parents.attributes.pairs
    sizes = PAIR_BYTES + text_bytes(pairs.keys) + text_bytes(pairs.texts)
    maps: Integers = np.bincount(pairs.rows, weights=sizes, minlength=pairs.length).astype(np.int64)
    return maps + text_bytes(parents.schema_urls)
