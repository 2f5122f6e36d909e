"""Starting says what is in the way; stopping answers what is under way."""

import gc
import multiprocessing
import threading
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta

import grpc
import httpx
import polars as pl
import pytest
from google.protobuf.json_format import MessageToJson

from processors.errors import NoRoom, Unavailable
from receiver.receipts import Receipt
from receiver.server import Receiver
from tests.receiver.builders import NOW, attributes, body, request, span
from tests.receiver.conftest import Shelf, receiver_settings

PROTOBUF = {"Content-Type": "application/x-protobuf"}
TRACE = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_taken_port_is_named_with_the_setting_to_change(receiver, shelf, protocol):
    taken = f"127.0.0.1:{getattr(receiver, f'{protocol}_port')}"
    second = Receiver(receiver_settings(**{protocol: {"endpoint": taken}}), shelf, lambda: NOW)
    with pytest.raises(Unavailable, match=rf"{taken}.*receivers\.otlp\.{protocol}\.endpoint"):
        second.start()
    second.stop()


def test_a_request_under_way_is_answered_before_the_receiver_stops(receiver, shelf):
    shelf.go.clear()
    url = f"http://127.0.0.1:{receiver.http_port}/v1/traces"
    answers = []
    sender = threading.Thread(target=lambda: answers.append(httpx.post(url, content=body(span()), headers=PROTOBUF)))
    sender.start()
    assert shelf.called.wait(10)
    stopper = threading.Thread(target=receiver.stop)
    stopper.start()
    shelf.go.set()
    sender.join(10)
    stopper.join(10)
    assert answers[0].status_code == 200
    assert shelf.names == ["chat"]


def test_after_stopping_both_ports_are_free_and_stopping_again_is_harmless(shelf):
    receiver = Receiver(receiver_settings(), shelf, lambda: NOW, grace=timedelta(seconds=2))
    receiver.start()
    ports = {"grpc": receiver.grpc_port, "http": receiver.http_port}
    receiver.stop()
    receiver.stop()
    again = Receiver(
        receiver_settings(**{name: {"endpoint": f"127.0.0.1:{port}"} for name, port in ports.items()}), shelf, lambda: NOW
    )
    again.start()
    again.stop()


def test_a_receiver_that_was_never_started_can_be_stopped(shelf):
    Receiver(receiver_settings(), shelf, lambda: NOW).stop()


def test_both_protocols_share_one_store(receiver, shelf):
    httpx.post(f"http://127.0.0.1:{receiver.http_port}/v1/traces", content=body(span(name="over http")), headers=PROTOBUF)
    with grpc.insecure_channel(f"127.0.0.1:{receiver.grpc_port}") as channel:
        channel.unary_unary(TRACE)(body(span(name="over grpc")), timeout=10)
    assert shelf.names == ["over grpc", "over http"]


@contextmanager
def left_in_memory() -> Iterator[list[int]]:
    """What Python has taken meanwhile and not given back, without the cyclic garbage collector."""
    found: list[int] = []
    gc.disable()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        yield found
        found.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
        gc.enable()


def send_ones_of_600_kb(protocol: str, port: int, numbers: range, *, are_wrong: bool) -> None:
    """Send them one after the other."""
    for number in numbers:
        text = f"{number:08}" * 75_000
        good = request(span(number, attributes=attributes({"prompt": text})))
        made = text.encode() if are_wrong else good.SerializeToString()
        if protocol == "http":
            httpx.post(f"http://127.0.0.1:{port}/v1/traces", content=made, headers=PROTOBUF)
        elif protocol == "http, JSON":
            document = made if are_wrong else MessageToJson(good).encode()
            httpx.post(f"http://127.0.0.1:{port}/v1/traces", content=document, headers={"Content-Type": "application/json"})
        else:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, suppress(grpc.RpcError):
                channel.unary_unary(TRACE)(made, timeout=10)


@pytest.mark.parametrize("protocol", ["grpc", "http", "http, JSON"])
@pytest.mark.parametrize("outcome", ["accepted", "rejected", "unavailable", "full"])
def test_a_request_that_was_answered_leaves_memory_at_once(protocol, outcome):
    """Requests are large and objects of Python few, so that its garbage collector comes seldom."""
    receiver = Receiver(receiver_settings(), Sieve(outcome), lambda: NOW)
    receiver.start()
    port = receiver.grpc_port if protocol == "grpc" else receiver.http_port
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as other:

        def send(numbers: range) -> None:
            other.submit(send_ones_of_600_kb, protocol, port, numbers, are_wrong=outcome == "rejected").result(30)

        send(range(5))
        with left_in_memory() as left:
            send(range(5, 35))
    receiver.stop()

    assert left[0] < 300_000  # not one of them; what gRPC itself leaves of one that is refused is some 5 KB


class Sieve(Shelf):
    """Keeps nothing, and says why if it should not."""

    def __init__(self, outcome: str) -> None:
        super().__init__()
        self._outcome = outcome

    def refuse_if_full(self) -> None:
        if self._outcome == "full":
            raise NoRoom("too much waits")

    def keep(self, _frames: Mapping[str, pl.DataFrame], _receipts: Sequence[Receipt] = ()) -> None:
        if self._outcome == "unavailable":
            raise Unavailable("the disk is away")
