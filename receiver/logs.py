"""OTLP log records to a frame of `LOGS` columns."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from processors.frames import empty
from processors.signal_frames import LOGS
from receiver.admit import log_rules, moments_of
from receiver.attributes import Integers, capped_pairs, capped_texts, maps, value_texts
from receiver.batch import Batch, flatten
from receiver.columns import dropped_in_all, sent_dropped, times
from receiver.descriptors import Wire
from receiver.hexadecimal import hex_texts
from receiver.limits import Limits
from receiver.reading import Part, Reading

Nanoseconds = npt.NDArray[np.uint64]

MOST_SEVERE = 24
"""The highest severity number that OTLP knows."""


def log_columns(batch: Batch, limits: Limits, _admitted: npt.NDArray[np.bool_]) -> dict[str, pa.Array]:
    """What each record says itself. A body that is too long is cut like an attribute, and counted with them."""
    records = batch.records
    own = capped_pairs(records.field("attributes"), limits)
    body, cut = capped_texts(value_texts(records.field("body")), limits.max_attribute_bytes)
    dropped = sent_dropped(records) + own.dropped
    dropped[cut] += 1
    moments, observed = moments_of(records), records.field("observed_time_unix_nano")
    return {
        "Timestamp": times(pa.array(moments)),
        "TraceId": _ids(records.field("trace_id"), 16),
        "SpanId": _ids(records.field("span_id"), 8),
        "TraceFlags": pa.array((records.field("flags").to_numpy() & 0xFF).astype(np.uint8)),
        "SeverityText": records.field("severity_text"),
        "SeverityNumber": _severities(records.field("severity_number")),
        "Body": body,
        "LogAttributes": maps(own.pairs),
        "EventName": records.field("event_name"),
        "DroppedAttributes": dropped_in_all(batch, dropped),
        "ObservedTimestamp": times(observed),
        "Occurrence": _occurrences(batch.request, moments, observed.to_numpy()),
    }


def _ids(column: pa.BinaryArray, size: int) -> pa.StringArray:
    """In hex; one of zeros is none."""
    texts = hex_texts(column)
    return pc.if_else(pc.equal(texts, "0" * (2 * size)), "", texts)


def _severities(numbers: pa.Array) -> pa.Array:
    """As UInt8; 0, unspecified, where OTLP knows no such number."""
    values = numbers.to_numpy()
    return pa.array(np.where((values >= 0) & (values <= MOST_SEVERE), values, 0).astype(np.uint8))


def _occurrences(request: Integers, moments: Nanoseconds, observed: Nanoseconds) -> pa.Array:
    """Of the records of one request with the same two times the how-manieth each is.

    By position alone and not by what the records say, which redaction may yet make equal.
    """
    order = np.lexsort((observed, moments, request))
    repeats = np.zeros(len(order), bool)
    repeats[1:] = np.all([column[order][1:] == column[order][:-1] for column in (request, moments, observed)], axis=0)
    places = np.arange(len(order))
    firsts = np.maximum.accumulate(np.where(repeats, 0, places))
    numbers = np.empty(len(order), np.uint32)
    numbers[order] = places - firsts
    return pa.array(numbers)


def _logs(columns: pa.ListArray, limits: Limits) -> dict[str, Part]:
    return {"logs": Part(flatten(columns, "scope_logs", "log_records", limits), log_rules, log_columns)}


READING = Reading(Wire(ExportLogsServiceRequest), _logs, {"logs": empty(LOGS)})
