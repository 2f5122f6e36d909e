"""How much is taken at once, over real connections: what is too much is told to come back, or cut and counted."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from datetime import timedelta

import grpc
import httpx
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from receiver.server import Receiver
from tests.receiver.builders import NOW, attributes, body, span
from tests.receiver.conftest import Shelf, receiver_settings
from tests.running import eventually

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
OWN = [("grpc.use_local_subchannel_pool", 1)]
"""Else all channels of a process share one connection."""
LIMITS = {"max_concurrent_requests": 2, "max_connections": 3, "max_attributes": 4, "max_attribute_bytes": 1024}


@pytest.fixture(scope="module")
def small() -> Iterator[Receiver]:
    shelf = Shelf()
    running = Receiver(receiver_settings(**LIMITS), shelf, lambda: NOW, grace=timedelta(seconds=2))
    running.shelf = shelf  # type: ignore[attr-defined]
    running.start()
    yield running
    running.stop()


@pytest.fixture
def shelf(small: Receiver) -> Shelf:
    kept: Shelf = small.shelf  # type: ignore[attr-defined]
    kept.kept.clear()
    kept.receipts.clear()
    kept.go.set()
    kept.called.clear()
    return kept


def export(small: Receiver, content: bytes, channel: grpc.Channel | None = None) -> bytes:
    with channel or grpc.insecure_channel(f"127.0.0.1:{small.grpc_port}", options=OWN) as opened:
        answer: bytes = opened.unary_unary(EXPORT)(content, timeout=20)
        return answer


def post(small: Receiver, content: bytes) -> httpx.Response:
    return httpx.post(f"http://127.0.0.1:{small.http_port}/v1/traces", content=content, headers=PROTOBUF, timeout=20)


def test_one_request_more_than_may_be_under_way_is_told_to_come_back(small: Receiver, shelf: Shelf) -> None:
    shelf.go.clear()
    with ThreadPoolExecutor(3) as senders:
        sent = [senders.submit(post, small, body(span(number))) for number in range(1, 4)]
        first = next(as_completed(sent, timeout=10)).result()
        with pytest.raises(grpc.RpcError) as caught:
            export(small, body(span(4)))
        shelf.go.set()
        assert sorted(each.result().status_code for each in sent) == [200, 200, 429]

    told = Status.FromString(dict(caught.value.trailing_metadata() or ())["grpc-status-details-bin"])
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert told.details[0].Is(RetryInfo.DESCRIPTOR)
    assert (first.status_code, first.headers["retry-after"]) == (429, "1")
    assert told.message == "2 requests are under way already: send this one again later"
    assert post(small, body(span(6))).status_code == 200


@pytest.mark.usefixtures("shelf")
def test_one_connection_more_than_there_may_be_is_refused_until_another_is_closed(small: Receiver) -> None:
    with ExitStack() as open_ones:
        for _ in range(3):
            open_ones.enter_context(socket.create_connection(("127.0.0.1", small.http_port)))
            channel = open_ones.enter_context(grpc.insecure_channel(f"127.0.0.1:{small.grpc_port}", options=OWN))
            channel.unary_unary(EXPORT)(body(), timeout=20)
        eventually(lambda: post(small, body(span())).status_code == 503)
        with pytest.raises(grpc.RpcError) as caught:
            export(small, body(span()))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    eventually(lambda: post(small, body(span(1))).status_code == 200)
    export(small, body(span(2)))


@pytest.mark.parametrize("send", [export, post])
def test_attributes_that_are_too_many_or_too_long_are_cut_and_counted(small: Receiver, shelf: Shelf, send) -> None:
    said = {f"key {number}": "x" for number in range(6)} | {"key 0": "é" * 1000}

    send(small, body(span(attributes=attributes(said), dropped_attributes_count=10), resource={"service.name": "s" * 2000}))

    (frame,) = shelf.frames
    row = frame.row(0, named=True)
    kept = dict(row["SpanAttributes"])
    assert sorted(kept) == ["key 0", "key 1", "key 2", "key 3"]
    assert (len(kept["key 0"].encode()), len(row["ServiceName"])) == (1024, 1024)
    assert row["DroppedAttributes"] == 10 + 2 + 1 + 1
