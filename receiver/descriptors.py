"""OTLP's messages as `ptars` can hold them: protobuf wire bytes in, one Arrow record batch out.

`ptars` derives an Arrow type from a message type, so it cannot hold `AnyValue`, which contains itself. Copies of the
official descriptors in a private pool get round this: there the recursive fields are `bytes`, which has the same wire
type, so that the same bytes decode and only the few nested values are left to be parsed on their own.

`ptars` also descends into groups, an old form of messages that OTLP has none of, however many are in each other: some 100,000,
a byte each, are more than a thread's stack holds, which ends the process. A request with many bytes that could begin one is
read by protobuf's own parser first, which allows 100 levels (15 and 60 µs to look for them in 0.2 MB and to read 1.3 MB).

Numbers that nobody reads are removed from the copies; `ptars` skips what it does not know. Texts nobody reads stay,
because invalid UTF-8 in them must be noticed.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import ptars
import pyarrow as pa
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from processors.errors import Malformed

FILES = (
    common_pb2,
    resource_pb2,
    trace_pb2,
    trace_service_pb2,
    logs_pb2,
    logs_service_pb2,
    metrics_pb2,
    metrics_service_pb2,
)
RECURSIVE = {"AnyValue": {"array_value", "kvlist_value"}}
UNREAD = {
    "AnyValue": {"string_value_strindex"},
    "KeyValue": {"key_strindex"},
    "Span": {"flags", "dropped_events_count", "dropped_links_count"},
    "Link": {"flags"},
    "ExponentialHistogramDataPoint": {"zero_threshold"},
}

MOST_GROUPS = 16_384
"""Bytes that could begin a group, in a request that need not be looked into: as many levels take some 1.2 MB of stack."""
WIRE_TYPE, GROUP_BEGINS = 7, 3
"""The bits of a field's first byte that say how it is written, and a group's (https://protobuf.dev/programming-guides/encoding/)."""


class Wire:
    """Turns requests of one signal into a record batch of one row a request, whose only column holds the resources.

    Args:
        request: the official message, for instance `ExportTraceServiceRequest`.
    """

    def __init__(self, request: type[Message]) -> None:
        self._name = request.DESCRIPTOR.name
        adapted = _pool(_readable).FindMessageTypeByName(request.DESCRIPTOR.full_name)
        self._bones = GetMessageClass(_pool(_bony).FindMessageTypeByName(request.DESCRIPTOR.full_name))
        self._handlers = ptars.HandlerPool([adapted.file], ptars.PtarsConfig(enum_repr="int32"))
        self._handler = self._handlers.get_for_message(adapted)

    def columns(self, requests: Sequence[bytes]) -> pa.ListArray:
        """The `resource_spans`, `resource_logs` or `resource_metrics` of each request.

        Raises:
            Malformed: one of them is no such request, or holds invalid UTF-8.
        """
        try:
            for request in filter(_may_be_deep, requests):
                self._bones.FromString(request)
            return self._handler.list_to_record_batch(list(requests)).column(0)
        except (ValueError, DecodeError) as error:
            raise Malformed(f"the body is no OTLP {self._name}: {error}") from error


def _may_be_deep(request: bytes) -> bool:
    """Whether groups in it could be more deeply in each other than a stack holds; texts may look so."""
    if len(request) <= MOST_GROUPS:
        return False
    wire_types = np.frombuffer(request, np.uint8) & WIRE_TYPE
    return bool(np.count_nonzero(wire_types == GROUP_BEGINS) > MOST_GROUPS)


@cache
def _pool(adapt: Callable[[DescriptorProto], None]) -> DescriptorPool:
    """The official descriptors, each message after `adapt`."""
    pool = DescriptorPool()
    for module in FILES:
        file = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            adapt(message)
        pool.Add(file)
    return pool


def _bony(message: DescriptorProto) -> None:
    """Leave nothing of a message but the messages in it: those are what is descended into."""
    _readable(message)
    kept = [field for field in message.field if field.type == FieldDescriptorProto.TYPE_MESSAGE]
    for nested in message.nested_type:
        _bony(nested)
    for field in kept:
        field.ClearField("oneof_index")
        field.ClearField("proto3_optional")
    del message.oneof_decl[:]
    del message.field[:]
    message.field.extend(kept)


def _readable(message: DescriptorProto) -> None:
    for nested in message.nested_type:
        _readable(nested)
    kept = [field for field in message.field if field.name not in UNREAD.get(message.name, ())]
    for field in kept:
        if field.name in RECURSIVE.get(message.name, ()):
            field.type = FieldDescriptorProto.TYPE_BYTES
            field.ClearField("type_name")
    del message.field[:]
    message.field.extend(kept)
