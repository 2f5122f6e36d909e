"""The API over real HTTP."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from websockets.sync.client import connect

from exporters.store import Store
from processors.errors import Unavailable
from processors.idle_connections import closing_idle
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from query_api.web.live import Live
from query_api.web.server import ApiServer, listen
from tests.query_api.build import NOW, node, put, task, trace_of

ANY_PORT = QueryApiSettings(endpoint="127.0.0.1:0")


@pytest.fixture
def server(tables: Store) -> Iterator[ApiServer]:
    server = ApiServer(create_app(tables, tables.insert, ANY_PORT, lambda: NOW, Condition()), ANY_PORT)
    server.start()
    yield server
    server.stop()


def test_ids_with_slashes_survive_the_wire(server: ApiServer, tables: Store) -> None:
    put(tables, "tasks", [task(1, agent_id="finance/eu", external_id="50%/é")])
    put(tables, "nodes", [node(1, agent_id="finance/eu")])
    assert httpx.get(f"{server.url}/v1/agents/finance%2Feu").json()["agent_id"] == "finance/eu"
    assert httpx.get(f"{server.url}/v1/agents/finance%2feu/nodes").json()["nodes"][0]["calls"] == 1
    assert httpx.get(f"{server.url}/v1/tasks/50%25%2F%C3%A9").json()["trace_id"] == trace_of(1)
    assert httpx.get(f"{server.url}/v1/agents/finance/eu").status_code == 404


def test_many_ask_at_the_same_time(server: ApiServer, tables: Store) -> None:
    put(tables, "tasks", [task(n) for n in range(50)])
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: httpx.get(f"{server.url}/v1/tasks?limit=1000", timeout=30), range(48)))
    assert {(answer.status_code, len(answer.json()["tasks"])) for answer in answers} == {(200, 50)}


def test_a_taken_port_is_said(server: ApiServer, tables: Store) -> None:
    settings = QueryApiSettings(endpoint=f"127.0.0.1:{server.port}")
    with pytest.raises(Unavailable, match=rf"query_api.endpoint 127.0.0.1:{server.port} cannot be bound .*in use"):
        ApiServer(create_app(tables, tables.insert, settings, lambda: NOW, Condition()), settings).start()


def test_stopping_is_safe_twice_and_frees_the_port(tables: Store) -> None:
    server = ApiServer(create_app(tables, tables.insert, ANY_PORT, lambda: NOW, Condition()), ANY_PORT)
    server.stop()
    server.start()
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    server.stop()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)


def test_the_second_part_of_an_answer_waits_for_no_acknowledgement_of_the_first() -> None:
    with listen(ANY_PORT) as listener, socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.fixture
def impatient(tables: Store) -> Iterator[ApiServer]:
    app = create_app(tables, tables.insert, ANY_PORT, lambda: NOW, Condition(), live=Live(lambda: NOW))
    server = ApiServer(app, ANY_PORT.model_copy(update={"max_connections": 3}), http=closing_idle(0.2))
    server.start()
    yield server
    server.stop()


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    return b"".join(iter(lambda: connection.recv(4096), b""))


START = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
HANDSHAKE = START.replace(b"/healthz", b"/v1/stream") + b"Connection: Upgrade\r\nUpgrade: websocket\r\nCookie: " + b"x" * 9_000
"""Longer than the WebSocket library reads a line."""


@pytest.mark.parametrize(
    "sent",
    [b"", START, START + b"\r\n" + START, HANDSHAKE + b"\r\n\r\n"],
    ids=["nothing", "half", "half after a whole one", "a handshake that cannot be read"],
)
def test_a_connection_whose_headers_do_not_come_is_closed_and_leaves_room_for_others(impatient: ApiServer, sent: bytes) -> None:
    idle = [socket.create_connection(("127.0.0.1", impatient.port), timeout=30) for _ in range(3)]
    for one in idle:
        one.sendall(sent)
    for one in idle:
        everything(one)
        one.close()
    assert httpx.get(f"{impatient.url}/healthz").status_code == 200


def test_a_websocket_that_is_over_is_looked_at_no_more(impatient: ApiServer, caplog: pytest.LogCaptureFixture) -> None:
    with connect(f"ws://127.0.0.1:{impatient.port}/v1/stream"):
        pass
    for _ in range(3):  # the time that one that is idle has goes by
        with socket.create_connection(("127.0.0.1", impatient.port), timeout=30) as idle:
            assert idle.recv(4096) == b""
    assert [one.message for one in caplog.records if one.name == "asyncio"] == []


def test_a_websocket_and_a_stream_are_not_idle(impatient: ApiServer) -> None:
    at = ("127.0.0.1", impatient.port)
    with connect(f"ws://127.0.0.1:{impatient.port}/v1/stream") as heard, socket.create_connection(at, timeout=30) as streamed:
        streamed.sendall(START.replace(b"/healthz", b"/v1/stream") + b"\r\n")
        assert streamed.recv(4096).startswith(b"HTTP/1.1 200")
        for _ in range(3):  # the time that one that is idle has goes by
            with socket.create_connection(at, timeout=30) as idle:
                assert idle.recv(4096) == b""
        assert heard.ping().wait(30)
        streamed.settimeout(0.1)
        with pytest.raises(TimeoutError):  # it is open, and nothing comes
            everything(streamed)
