"""The live stream over real connections."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import yaml
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from exporters.store import Store
from merit.listeners.doors import Tokens
from merit.settings import Settings
from processors.access import Entrance
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from query_api.web.live import Live
from query_api.web.server import ApiServer
from tests.builders import Clock
from tests.doors import token
from tests.query_api.build import NOW
from tests.query_api.web.test_live import events


class Serving:
    """A server with a stream, and what is published on it."""

    def __init__(self, store: Store, entrance: Entrance, live: Live, **stream: Any) -> None:
        settings = QueryApiSettings.model_validate({"endpoint": "127.0.0.1:0", "stream": stream})
        self.live = live
        app = create_app(store, store.insert, settings, lambda: NOW, Condition(), entrance=entrance, live=live)
        self.server = ApiServer(app, settings)

    def listen(self, question: str = "", **headers: str) -> "Listening":
        """Read server-sent events."""
        return Listening(f"{self.server.url}/v1/stream{question}", headers)

    def socket(self, question: str = "", **more: Any) -> ClientConnection:
        """Open a WebSocket."""
        return connect(f"{self.server.url}/v1/stream{question}".replace("http", "ws", 1), **more)


class Listening:
    """A reader of server-sent events, as simple as they are."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._answering = httpx.stream("GET", url, headers=headers, timeout=10)
        self.answer = self._answering.__enter__()
        self._lines = self.answer.iter_lines()

    def next(self) -> dict[str, Any]:
        """The next event; heartbeats are passed over."""
        told: dict[str, Any] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "data":
                told = json.loads(value)
            if not line and told:
                return told
        raise EOFError

    def close(self) -> None:
        """Go."""
        self._answering.__exit__(None, None, None)


@contextmanager
def serving(store: Store, entrance: Entrance | None = None, most: int = 50_000, **stream: Any) -> Iterator[Serving]:
    """A server that is stopped as Merit stops it."""
    serving = Serving(store, entrance or Entrance(), Live(Clock(), most), **stream)
    serving.server.start()
    try:
        yield serving
    finally:
        serving.live.close()
        serving.server.stop()


@pytest.fixture
def merit(store: Store) -> Iterator[Serving]:
    with serving(store, heartbeat_seconds=0.2) as running:
        yield running


def kinds(said: str | bytes) -> list[str]:
    return [one["type"] for one in json.loads(said)["events"]]


def test_events_are_told_as_they_happen(merit: Serving) -> None:
    reader = merit.listen()
    assert reader.answer.headers["content-type"].startswith("text/event-stream")
    assert reader.next()["type"] == "stream.opened"
    merit.live.publish(events(2))

    assert [reader.next()["id"], reader.next()["id"]] == [str(merit.live.last - 1), str(merit.live.last)]
    reader.close()


def test_silence_is_filled_with_comments(merit: Serving) -> None:
    with httpx.stream("GET", f"{merit.server.url}/v1/stream", timeout=10) as answer:
        assert any(line.startswith(":") for line in answer.iter_lines())


def test_a_websocket_is_told_the_same(merit: Serving) -> None:
    with merit.socket() as reader:
        assert kinds(reader.recv(timeout=5)) == ["stream.opened"]
        merit.live.publish(events(2))
        assert kinds(reader.recv(timeout=5)) == ["task.finished"] * 2


def test_a_reader_gets_what_it_asks_for_alone(merit: Serving) -> None:
    question = "?type=alert.fired&type=alert.resolved&severity=critical&agent_id=a"
    reader = merit.listen(question)
    with merit.socket(question) as other:
        reader.next(), other.recv(timeout=5)
        merit.live.publish(events(5))
        merit.live.publish(events(1, "alert.fired", severity="warning"))
        merit.live.publish(events(1, "alert.fired", severity="critical"))

        assert reader.next()["id"] == str(merit.live.last)
        assert json.loads(other.recv(timeout=5))["events"][0]["id"] == str(merit.live.last)
    reader.close()


def test_a_reader_that_comes_back_misses_nothing(merit: Serving) -> None:
    merit.live.publish(events(3))
    seen = str(merit.live.last - 2)

    by_header = merit.listen(**{"Last-Event-ID": seen})
    by_question = merit.listen(f"?last_event_id={seen}")
    both = merit.listen("?last_event_id=1", **{"Last-Event-ID": seen})
    for reader in (by_header, by_question, both):
        assert [reader.next()["type"] for _ in range(3)] == ["stream.opened", "task.finished", "task.finished"]
        reader.close()
    with merit.socket(f"?last_event_id={seen}") as socket_:
        assert kinds(socket_.recv(timeout=5)) == ["stream.opened"]
        assert kinds(socket_.recv(timeout=5)) == ["task.finished"] * 2


@pytest.mark.parametrize("seen", ["1", "99999999999999999", "x", "9" * 30])
def test_a_reader_that_comes_back_too_late_is_told_and_gets_what_is_left(merit: Serving, seen: str) -> None:
    merit.live.publish(events(2))
    reader = merit.listen(**{"Last-Event-ID": seen})

    assert [reader.next()["type"] for _ in range(3)] == ["stream.missed", "task.finished", "task.finished"]
    reader.close()


@pytest.mark.parametrize(("question", "word"), [("?typ=task.finished", "did you mean type?"), ("?type=x", "'task.running'")])
def test_a_wrong_question_is_refused_with_what_to_change(merit: Serving, question: str, word: str) -> None:
    assert word in httpx.get(f"{merit.server.url}/v1/stream{question}").json()["detail"]
    with merit.socket(question) as reader, pytest.raises(ConnectionClosed) as closed:
        reader.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert word in closed.value.rcvd.reason


def test_there_are_no_more_readers_than_allowed_and_room_when_one_goes(store: Store) -> None:
    with serving(store, readers=1, heartbeat_seconds=0.1) as merit:
        first = merit.listen()
        first.next()
        refused = httpx.get(f"{merit.server.url}/v1/stream")
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        with pytest.raises(InvalidStatus) as denied:
            merit.socket()
        assert denied.value.response.status_code == 503
        first.close()
        again = wait_for_room(merit)
        assert again.next()["type"] == "stream.opened"
        again.close()


def wait_for_room(merit: Serving) -> Listening:
    deadline = time.monotonic() + 10
    while merit.live.readers:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return merit.listen()


def asleep(merit: Serving) -> socket.socket:
    """A reader that asks and does not read."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect(("127.0.0.1", merit.server.port))
    reader.sendall(f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{merit.server.port}\r\n\r\n".encode())
    return reader


def test_one_that_sleeps_is_dropped_with_a_word_and_holds_up_nobody(store: Store) -> None:
    with serving(store, most=200) as merit:
        sleeper, reader = asleep(merit), merit.listen()
        reader.next()
        late, long = [], json.dumps({"type": "task.finished", "name": "x" * 150_000})
        for _ in range(30):  # 9 MB: more than the kernel keeps for the sleeper
            merit.live.publish(events(2, event=long))
            begin = time.monotonic()
            reader.next(), reader.next()
            late.append(time.monotonic() - begin)
        for _ in range(120):
            merit.live.publish(events(2))
        assert sorted(late)[-3] < 2
        reader.close()

        said = b""
        sleeper.settimeout(10)
        while portion := sleeper.recv(1 << 20):
            said = (said + portion)[-2_000:]
        assert b"event: stream.dropped" in said
        sleeper.close()


def test_many_readers_are_told_in_time_while_one_sleeps(store: Store) -> None:
    with serving(store) as merit:
        sleeper = asleep(merit)
        with ThreadPoolExecutor(30) as pool:
            readers = list(pool.map(lambda _: merit.listen(), range(30)))
            for reader in readers:
                reader.next()
            begin = time.monotonic()
            for _ in range(100):
                merit.live.publish(events())
            lasts = list(pool.map(lambda reader: [reader.next() for _ in range(100)][-1]["id"], readers))
            took = time.monotonic() - begin
            list(pool.map(Listening.close, readers))
        assert set(lasts) == {str(merit.live.last)}
        assert took < 5
        sleeper.close()


def test_stopping_ends_open_streams_and_says_so(store: Store) -> None:
    with serving(store) as merit:
        reader, sleeper = merit.listen(), asleep(merit)
        with merit.socket() as other:
            reader.next(), other.recv(timeout=5)
            begin = time.monotonic()
            merit.live.close()
            merit.server.stop()

            assert time.monotonic() - begin < 4
            assert reader.next()["type"] == "stream.closed"
            assert kinds(other.recv(timeout=5)) == ["stream.closed"]
            with pytest.raises(ConnectionClosed) as closed:
                other.recv(timeout=5)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
        reader.close()
        sleeper.close()


def test_without_a_token_that_may_read_nobody_listens(store: Store) -> None:
    (may, line), (may_not, other) = token("read"), token("ingest", name="agents")
    with guarded(store, [line, other]) as merit:
        for shown, status in (("", 401), (may_not, 403)):
            headers = {"Authorization": f"Bearer {shown}"} if shown else {}
            assert httpx.get(f"{merit.server.url}/v1/stream", headers=headers).status_code == status
            with pytest.raises(InvalidStatus) as denied:
                merit.socket(additional_headers=headers)
            assert denied.value.response.status_code == status
        reader = merit.listen(Authorization=f"Bearer {may}")
        assert reader.next()["type"] == "stream.opened"
        reader.close()
        with merit.socket(additional_headers={"Authorization": f"Bearer {may}"}) as opened:
            assert kinds(opened.recv(timeout=5)) == ["stream.opened"]


def test_a_page_shows_its_token_as_a_subprotocol(store: Store) -> None:
    may, line = token("read")
    with guarded(store, [line]) as merit:
        with merit.socket(subprotocols=["merit.stream", f"merit.bearer.{may}"]) as opened:
            assert opened.subprotocol == "merit.stream"
            assert kinds(opened.recv(timeout=5)) == ["stream.opened"]
        with pytest.raises(InvalidStatus):
            merit.socket(subprotocols=["merit.stream", "merit.bearer.merit_wrong"])


@contextmanager
def guarded(store: Store, lines: list[str]) -> Iterator[Serving]:
    """A server that asks for tokens."""
    tokens = Settings.model_validate({"auth": {"tokens": [yaml.safe_load(line)[0] for line in lines]}}).auth
    with serving(store, Entrance(Tokens(tokens)), heartbeat_seconds=0.1) as running:
        yield running


@pytest.mark.parametrize(("origin", "status"), [("https://evil.example", 403), ("http://127.0.0.1:1", 403)])
def test_no_page_of_another_origin_opens_a_websocket(merit: Serving, origin: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as denied:
        merit.socket(origin=origin)

    assert denied.value.response.status_code == status


def test_a_page_of_this_origin_does(merit: Serving) -> None:
    with merit.socket(origin=merit.server.url) as opened:
        assert kinds(opened.recv(timeout=5)) == ["stream.opened"]
