"""OTLP's messages as `ptars` can hold them: protobuf wire bytes in, one Arrow record batch out.

`ptars` derives an Arrow type from a message type, so it cannot hold `AnyValue`, which contains itself. Copies of the
official descriptors in a private pool get round this: there the recursive fields are `bytes`, which has the same wire
type, so that the same bytes decode and only the few nested values are left to be parsed on their own.

Numbers that nobody reads are removed from the copies; `ptars` skips what it does not know. Texts nobody reads stay,
because invalid UTF-8 in them must be noticed.
"""

from collections.abc import Sequence
from functools import cache

import ptars
import pyarrow as pa
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
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


class Wire:
    """Turns requests of one signal into a record batch of one row a request, whose only column holds the resources.

    Args:
        request: the official message, for instance `ExportTraceServiceRequest`.
    """

    def __init__(self, request: type[Message]) -> None:
        self._name = request.DESCRIPTOR.name
        adapted = _pool().FindMessageTypeByName(request.DESCRIPTOR.full_name)
        self._handlers = ptars.HandlerPool([adapted.file], ptars.PtarsConfig(enum_repr="int32"))
        self._handler = self._handlers.get_for_message(adapted)

    def columns(self, requests: Sequence[bytes]) -> pa.ListArray:
        """The `resource_spans`, `resource_logs` or `resource_metrics` of each request.

        Raises:
            Malformed: one of them is no such request, or holds invalid UTF-8.
        """
        try:
            return self._handler.list_to_record_batch(list(requests)).column(0)
        except ValueError as error:
            raise Malformed(f"the body is no OTLP {self._name}: {error}") from error


@cache
def _pool() -> DescriptorPool:
    pool = DescriptorPool()
    for module in FILES:
        file = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            _adapt(message)
        pool.Add(file)
    return pool


def _adapt(message: DescriptorProto) -> None:
    for nested in message.nested_type:
        _adapt(nested)
    kept = [field for field in message.field if field.name not in UNREAD.get(message.name, ())]
    for field in kept:
        if field.name in RECURSIVE.get(message.name, ()):
            field.type = FieldDescriptorProto.TYPE_BYTES
            field.ClearField("type_name")
    del message.field[:]
    message.field.extend(kept)
