"""OTLP/HTTP as its clients see it."""

import gzip
import json
import socket
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta

import httpx
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from processors.errors import Unavailable
from processors.idle_connections import closing_idle
from receiver.http_server import http_server, listen
from tests.receiver.builders import INVALID_UTF8, START_NS, body, span
from tests.receiver.signal_builders import logs_body, record

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
DOCUMENT = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {"spans": [{"traceId": "01" * 16, "spanId": "02" * 8, "name": "json", "startTimeUnixNano": str(START_NS)}]}
            ]
        }
    ]
}
GOOD = body(span(name="good"))


@pytest.fixture
def client(receiver):
    with httpx.Client(base_url=f"http://127.0.0.1:{receiver.http_port}", timeout=30) as opened:
        yield opened


def post(client, content, headers=PROTOBUF, path="/v1/traces", **more):
    return client.post(path, content=content, headers={**headers, **more})


def told(answer):
    """The google.rpc.Status in an answer, in the encoding that it says it has."""
    if answer.headers["content-type"] == "application/x-protobuf":
        return Status.FromString(answer.content).message
    assert answer.headers["content-type"] == "application/json"
    return answer.json()["message"]


def test_protobuf_is_stored_and_answered_in_protobuf(client, shelf):
    answer = post(client, GOOD)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "application/x-protobuf", b"")
    assert shelf.names == ["good"]


def test_json_is_stored_and_answered_in_json(client, shelf):
    answer = post(client, json.dumps(DOCUMENT), {"Content-Type": "application/json; charset=utf-8"})
    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (200, "application/json", {})
    assert shelf.frames[0]["TraceId"].to_list() == ["01" * 16]


def test_an_empty_body_is_a_valid_empty_request(client, shelf):
    assert post(client, b"").status_code == 200
    assert post(client, b"{}", JSON).json() == {}
    assert shelf.frames == []


@pytest.mark.parametrize("compression", list(Compression))
def test_the_sdks_exporter_is_understood(present_receiver, shelf, compression):
    endpoint = f"http://127.0.0.1:{present_receiver.http_port}/v1/traces"
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint, compression=compression)))
    provider.get_tracer("my.library").start_span("outer").end()
    provider.shutdown()
    assert shelf.names == ["outer"]


def raw_deflate(content):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


CODINGS = {"gzip": gzip.compress, "deflate": zlib.compress, "DEFLATE": raw_deflate, "identity": bytes}


@pytest.mark.parametrize("coding", CODINGS)
def test_content_encodings_are_undone(client, shelf, coding):
    assert post(client, CODINGS[coding](GOOD), **{"Content-Encoding": coding}).status_code == 200
    assert shelf.names == ["good"]


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(GOOD)[:-9], gzip.compress(GOOD) + b"more", gzip.compress(GOOD) * 2],
    ids=["no gzip", "cut", "rest", "two members"],
)
def test_broken_gzip_is_a_bad_request(client, content):
    answer = post(client, content, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert "gzip" in told(answer)


def test_unknown_types_and_codings_get_415_and_are_told_what_is_known(client, shelf):
    by_type = post(client, GOOD, {"Content-Type": "text/plain"})
    without = client.post("/v1/traces", content=GOOD)
    by_coding = post(client, GOOD, **{"Content-Encoding": "br"})
    assert [by_type.status_code, without.status_code, by_coding.status_code] == [415] * 3
    assert told(by_type) == "content type 'text/plain' is not supported: send application/x-protobuf or application/json"
    assert by_coding.headers["accept-encoding"] == "gzip, deflate, identity"
    assert shelf.frames == []


MALFORMED = {
    "malformed protobuf": (b"\xff" * 9, PROTOBUF),
    "invalid UTF-8": (INVALID_UTF8, PROTOBUF),
    "malformed JSON": (b'{"resourceSpans": [', JSON),
    "JSON nested without end": (b"[" * 200_000, JSON),
    "protobuf called JSON": (GOOD, JSON),
}


@pytest.mark.parametrize(("content", "headers"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_gets_400_in_its_encoding_while_a_good_one_is_stored(client, shelf, content, headers):
    good = threading.Thread(target=post, args=(client, GOOD))
    good.start()
    answer = post(client, content, headers)
    good.join()
    assert (answer.status_code, answer.headers["content-type"]) == (400, headers["Content-Type"])
    assert told(answer)
    assert "Traceback" not in answer.text
    assert shelf.names == ["good"]


def test_wrong_spans_are_told_as_a_partial_success(client, shelf):
    sent = body(span(name="good"), span(2, name="no id", span_id=b""), span(3, name="old", start_time_unix_nano=1))
    partial = ExportTraceServiceResponse.FromString(post(client, sent).content).partial_success
    assert partial.rejected_spans == 2
    assert "span_id is 0 bytes long; send 8 bytes" in partial.error_message
    assert "older than the 30 days" in partial.error_message
    assert shelf.names == ["good"]


def test_a_body_of_100_mib_gets_413_and_costs_no_room(client, shelf):
    chunk = bytes(1 << 20)
    announced = post(client, chunk * 100)
    assert announced.status_code == 413
    assert told(announced) == "the body is over 1 MiB: send less at once, or raise receivers.otlp.max_request_mib"
    assert post(client, (chunk for _ in range(10))).status_code == 413
    assert post(client, GOOD).status_code == 200
    assert shelf.names == ["good"]


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_a_bomb_gets_413(client, shelf, pack):
    bomb = pack(bytes(200 << 20))
    answer = post(client, bomb, **{"Content-Encoding": "gzip" if pack is gzip.compress else "deflate"})
    assert answer.status_code == 413
    assert answer.elapsed < timedelta(seconds=5)
    assert shelf.frames == []


def test_a_content_length_that_lies_harms_nobody(receiver, client, shelf):
    head = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", receiver.http_port)) as liar:
        liar.sendall(head + GOOD)
        liar.shutdown(socket.SHUT_WR)
        liar.recv(1000)
    assert post(client, GOOD).status_code == 200
    assert shelf.names == ["good"]


def test_an_unknown_path_gets_404_and_another_method_405(client):
    for path in ("/", "/v1/trace", "/v1/traces/"):
        answer = post(client, GOOD, path=path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/x-protobuf")
        assert "send OTLP to /v1/traces" in told(answer)
    answer = client.get("/v1/traces")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_store_that_is_away_gets_503_with_retry_after(client, shelf):
    shelf.error = Unavailable("the store is away", retry_after=timedelta(seconds=4.2))
    answer = post(client, GOOD)
    assert (answer.status_code, answer.headers["retry-after"], told(answer)) == (503, "5", "the store is away")


def test_no_room_gets_429_with_retry_after_at_once(client, shelf):
    shelf.go.clear()
    large = body(span(), resource={"x": "y" * 900_000})
    with ThreadPoolExecutor(5) as senders:
        sent = [senders.submit(post, client, large) for _ in range(5)]  # four of them fit at most
        refused = next(as_completed(sent, timeout=10)).result()
        shelf.go.set()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert "send this one again later" in told(refused)
    assert 200 in [answer.result().status_code for answer in sent]


def test_a_fault_of_ours_is_told_without_its_cause(client, shelf):
    shelf.error = ZeroDivisionError("secret")
    answer = post(client, json.dumps(DOCUMENT), JSON)
    assert (answer.status_code, told(answer)) == (503, "internal error: send this request again later")


def test_logs_and_metrics_are_kept_in_either_encoding(client, shelf):
    assert post(client, logs_body(record("a")), path="/v1/logs").content == b""
    point_of = {"asInt": "1", "timeUnixNano": str(START_NS)}
    document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": [point_of]}}]}]}]}
    assert post(client, json.dumps(document), JSON, path="/v1/metrics").json() == {}
    assert shelf.of("logs")[0]["Body"].to_list() == ["a"]
    assert shelf.of("gauge")[0]["MetricName"].to_list() == ["m"]


def test_of_logs_and_metrics_that_are_wrong_the_number_and_the_reason_are_told_in_either_encoding(client):
    partial = ExportLogsServiceResponse.FromString(post(client, logs_body(record(span_id=b"x")), path="/v1/logs").content)
    assert partial.partial_success.rejected_log_records == 1
    document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": [{"asInt": "1"}]}}]}]}]}
    answer = post(client, json.dumps(document), JSON, path="/v1/metrics").json()
    assert answer["partialSuccess"]["rejectedDataPoints"] == "1"
    assert "has no time; set time_unix_nano" in answer["partialSuccess"]["errorMessage"]


def test_the_second_part_of_an_answer_waits_for_no_acknowledgement_of_the_first():
    with listen("127.0.0.1:0") as listener, socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.fixture
def impatient():
    """The address of a server for three, which waits for headers for a fifth of a second, and answers with the body that came."""

    async def echo(request):
        return PlainTextResponse(await request.body())

    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    server = http_server(app, timedelta(seconds=1), max_connections=3, http=closing_idle(0.2))
    with listen("127.0.0.1:0") as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield listener.getsockname()
        server.should_exit = True
        thread.join()


def everything(connection):
    """What comes until the other side closes."""
    return b"".join(iter(lambda: connection.recv(4096), b""))


@pytest.mark.parametrize("sent", [b"", b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"], ids=["nothing", "half"])
def test_a_connection_whose_headers_do_not_come_is_closed_and_leaves_room_for_others(impatient, sent):
    idle = [socket.create_connection(impatient, timeout=30) for _ in range(3)]
    for one in idle:
        one.sendall(sent)
    for one in idle:
        assert everything(one) == b""
        one.close()
    assert httpx.post("http://{}:{}/".format(*impatient), content=b"hello").text == "hello"


def test_a_connection_whose_body_is_slow_is_not_idle(impatient):
    with socket.create_connection(impatient, timeout=30) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\na")
        with socket.create_connection(impatient, timeout=30) as idle:
            assert everything(idle) == b""
        slow.sendall(b"b")
        assert everything(slow).endswith(b"\r\n\r\nab")
