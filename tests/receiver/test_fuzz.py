"""Whatever bytes come, each request gets an answer of its own, and never that the fault is ours.

Inputs are what real frameworks sent, spoilt: bytes changed, cut, repeated, put together. `FUZZ_EXAMPLES` says how many; `make
fuzz` says many.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from google.protobuf.json_format import MessageToJson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processors.errors import Rejected
from processors.redact.redactor import Redactor
from receiver.inflate import inflate
from receiver.limits import Limits
from receiver.otlp_json import to_protobuf
from receiver.reading import read
from receiver.server import Receiver
from receiver.signals import SIGNALS, Signal
from tests.golden.truth import runs
from tests.receiver.conftest import Shelf, receiver_settings
from tests.receiver.signal_builders import logs_body, metric, metrics_body, point, record

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
BOUNDS = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
NOW = datetime(2027, 1, 1, tzinfo=UTC)
LIMITS = Limits(retention=timedelta(days=100_000))
LARGEST = 200_000

GOLDEN = [body for run in runs()[::7] for body in run.payloads[:2] if len(body) < LARGEST]
SENT = {"traces": GOLDEN, "logs": [logs_body(record(), record())], "metrics": [metrics_body(metric(point()))]}
EDITS = st.lists(
    st.tuples(st.integers(0, LARGEST), st.integers(0, 255), st.sampled_from(["set", "cut", "insert", "repeat"])), max_size=6
)
SIGNAL = st.sampled_from(SIGNALS)


def spoilt(body: bytes, edits: list[tuple[int, int, str]]) -> bytes:
    """`body` with bytes changed, inserted, cut off or repeated."""
    made = bytearray(body)
    for place, byte, how in edits:
        at = place % (len(made) + 1)
        if how == "set" and at < len(made):
            made[at] = byte
        elif how == "insert":
            made.insert(at, byte)
        elif how == "cut":
            del made[at : at + byte + 1]
        else:
            made[at:at] = made[at : at + byte]
    return bytes(made)


@st.composite
def bodies(draw: st.DrawFn, signal: Signal) -> bytes:
    """A request of `signal`, mostly spoilt."""
    return spoilt(draw(st.sampled_from(SENT[signal.name]) | st.binary(max_size=64)), draw(EDITS))


@BOUNDS
@given(st.data(), SIGNAL)
def test_spoilt_protobuf_is_read_or_refused_and_harms_no_neighbour(data: st.DataObject, signal: Signal) -> None:
    good = SENT[signal.name][0]
    request = data.draw(bodies(signal))

    frames, outcomes, *_ = read(signal.reading, [good, request, good], LIMITS, NOW)
    alone = read(signal.reading, [good], LIMITS, NOW)

    assert [outcomes[0], outcomes[2]] == [alone.outcomes[0]] * 2
    for frame in frames.values():
        assert Redactor()(frame).height == frame.height


@BOUNDS
@given(st.data(), SIGNAL)
def test_spoilt_json_is_read_or_refused(data: st.DataObject, signal: Signal) -> None:
    text = MessageToJson(signal.request.FromString(data.draw(st.sampled_from(SENT[signal.name])))).encode()

    with suppress(Rejected):
        to_protobuf(spoilt(text, data.draw(EDITS)), signal)


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["resourceSpans", "scopeSpans", "spans", "traceId", "spanId", "attributes", "key", "value", "stringValue", "arrayValue",
         "values", "kvlistValue", "events", "links", "status", "resourceLogs", "logRecords", "body", "resourceMetrics", "metrics",
         "gauge", "dataPoints", "startTimeUnixNano"]
    ), inner, max_size=4),
    max_leaves=30,
)  # fmt: skip


@BOUNDS
@given(JSONS, SIGNAL)
def test_json_of_any_shape_is_read_or_refused(document: object, signal: Signal) -> None:
    with suppress(Rejected):
        read(signal.reading, [to_protobuf(json.dumps(document).encode(), signal)], LIMITS, NOW)


@BOUNDS
@given(st.binary(max_size=300), EDITS, st.sampled_from(["gzip", "deflate"]))
def test_spoilt_compression_is_undone_or_refused_within_its_bound(
    body: bytes, edits: list[tuple[int, int, str]], coding: str
) -> None:
    packed = gzip.compress(body) if coding == "gzip" else zlib.compress(body)
    with suppress(Rejected):
        assert len(inflate(spoilt(packed, edits), coding, 1000)) <= 1000


@pytest.fixture(scope="module")
def door() -> Iterator[tuple[str, Shelf]]:
    """A receiver that listens."""
    shelf = Shelf()
    running = Receiver(receiver_settings(), shelf, lambda: NOW, redact=Redactor())
    running.start()
    yield f"http://127.0.0.1:{running.http_port}", shelf
    running.stop()


@BOUNDS
@given(st.data(), SIGNAL, st.sampled_from(["identity", "gzip", "deflate", "br", "gzip, gzip"]), st.booleans())
def test_over_http_nothing_is_answered_as_our_fault(
    door: tuple[str, Shelf], data: st.DataObject, signal: Signal, coding: str, as_json: bool
) -> None:
    body, kind = data.draw(bodies(signal)), "application/x-protobuf"
    if as_json:
        kind = "application/json"
        body = spoilt(MessageToJson(signal.request.FromString(SENT[signal.name][0])).encode(), data.draw(EDITS))
    packed = {"gzip": gzip.compress, "deflate": zlib.compress}.get(coding, bytes)(body)
    packed = spoilt(packed, data.draw(st.just([]) | EDITS))

    answer = httpx.post(f"{door[0]}{signal.path}", content=packed, headers={"content-type": kind, "content-encoding": coding})

    assert answer.status_code in (200, 400, 413, 415)
    assert "Traceback" not in answer.text
    assert "/receiver/" not in answer.text
