"""What the columns of all signals are made with: times, words, lists, counts, and what records have of their parents."""

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from receiver.attributes import Integers, maps
from receiver.batch import Batch

TIME = pa.timestamp("ns", "UTC")


def inherited_columns(batch: Batch, resource: Integers, scope: Integers, wanted: Collection[str]) -> dict[str, pa.Array]:
    """What records have of the resources and scopes in these rows, as far as it is wanted."""
    resources, scopes = batch.resources, batch.scopes
    attributes = maps(resources.attributes.pairs)
    of_resource = {
        "ServiceName": pc.map_lookup(attributes, pa.scalar("service.name"), "last").fill_null(""),
        "ResourceAttributes": attributes,
        "ResourceSchemaUrl": resources.schema_urls,
    }
    of_scope = {
        "ScopeName": scopes.said.field("name"),
        "ScopeVersion": scopes.said.field("version"),
        "ScopeAttributes": maps(scopes.attributes.pairs),
        "ScopeDroppedAttrCount": counts(sent_dropped(scopes.said) + scopes.attributes.dropped),
        "ScopeSchemaUrl": scopes.schema_urls,
    }
    taken = ((of_resource, pa.array(resource)), (of_scope, pa.array(scope)))
    return {name: column.take(rows) for columns, rows in taken for name, column in columns.items() if name in wanted}


def dropped_in_all(batch: Batch, of_records: Integers) -> pa.Array:
    """How many attributes were lost of each record (so many are known), of its resource and of its scope."""
    resources = sent_dropped(batch.resources.said) + batch.resources.attributes.dropped
    scopes = sent_dropped(batch.scopes.said) + batch.scopes.attributes.dropped
    return counts(of_records + resources[batch.resource] + scopes[batch.scope])


def sent_dropped(column: pa.StructArray) -> Integers:
    """How many attributes the sender says it dropped."""
    said: Integers = column.field("dropped_attributes_count").to_numpy().astype(np.int64)
    return said


def counts(numbers: Integers) -> pa.Array:
    """As UInt32; what is beyond stays at its largest."""
    return pa.array(np.minimum(numbers, 2**32 - 1).astype(np.uint32))


def times(column: pa.Array) -> pa.Array:
    """Nanoseconds since 1970 as times; what lies beyond the year 2262, the last that 64 bits hold, is brought back to it."""
    nanoseconds = np.minimum(column.to_numpy(), np.uint64(2**63 - 1)).astype(np.int64)
    return pa.array(nanoseconds).view(TIME)


def words(of: pa.StringArray, numbers: pa.Array) -> pa.StringArray:
    """The word for each enum number; a number that is none yet gets the first word."""
    values = numbers.to_numpy()
    return of.take(pa.array(np.where((values >= 0) & (values < len(of)), values, 0)))


def as_lists(lists: pa.ListArray, elements: pa.Array) -> pa.ListArray:
    """`elements` in lists as long as those of `lists`."""
    return pa.ListArray.from_arrays(lists.offsets, elements)


def summed(lists: pa.ListArray, numbers: Integers) -> Integers:
    """The sum of `numbers` over the elements of each list."""
    ends = np.concatenate([[0], np.cumsum(numbers)])[lists.offsets.to_numpy()]
    sums: Integers = np.diff(ends).astype(np.int64)
    return sums
