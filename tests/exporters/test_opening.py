"""A ClickHouse server that is away when Merit starts: nobody waits for it, and nobody sees half of its tables."""

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from exporters.opening import Opening
from exporters.settings import ClickHouseSettings
from exporters.store import Store
from processors.errors import Rejected, Unavailable
from tests.merit.processes import ROOT, environment
from tests.running import eventually


class Refusing(BaseHTTPRequestHandler):
    """Answers every query as a ClickHouse that will not work."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        """Answer with an error of ClickHouse's."""
        self.asked.append(self.path)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        text = b"Code: 516. DB::Exception: default: Authentication failed. (AUTHENTICATION_FAILED)"
        self.send_response(403)
        self.send_header("X-ClickHouse-Exception-Code", "516")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def refusing() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def server_at(port: int) -> Store:
    return Store(ClickHouseSettings.model_validate({"dsn": f"clickhouse://me:hunter2@127.0.0.1:{port}/merit"}))


def test_a_server_that_is_away_is_waited_for_in_the_background(caplog: pytest.LogCaptureFixture) -> None:
    store = server_at(1)
    opening = Opening(store, pause_seconds=0.05)
    opening.start()
    try:
        with pytest.raises(Unavailable, match="has not answered yet"):
            store.ping()
    finally:
        opening.stop()
        opening.stop()

    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said == [
        "the store is not there yet; what comes waits in the journal: open the store at 127.0.0.1:1: Connection refused"
    ]


def test_what_a_server_says_instead_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with refusing() as port:
        opening = Opening(server_at(port), pause_seconds=0.05)
        opening.start()
        eventually(lambda: len(Refusing.asked) > 3)
        opening.stop()

    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1
    assert "Authentication failed" in said[0]
    assert "hunter2" not in said[0]


def test_a_server_that_cannot_be_used_is_told_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    class Newer:
        """Away at first; then its schema is one that this Merit does not know."""

        is_server, opened = True, 0

        def refuse(self) -> None: ...

        def close(self) -> None: ...

        def open(self) -> None:
            self.opened += 1
            raise Unavailable("away") if self.opened == 1 else Rejected("the database has schema 99")

    store = Newer()
    opening = Opening(store, pause_seconds=0.02)  # type: ignore[arg-type]
    opening.start()
    eventually(lambda: store.opened > 4)
    opening.stop()

    said = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [(one.getMessage(), str(one.exc_info and one.exc_info[1])) for one in said] == [
        ("the store cannot be used; what comes waits in the journal", "the database has schema 99")
    ]


def test_a_server_that_says_nothing_holds_up_neither_start_nor_stop(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel takes connections, and nobody answers
        store = server_at(silent.getsockname()[1])
        opening = Opening(store, first_seconds=0.1)
        began = time.monotonic()
        opening.start()
        with pytest.raises(Unavailable, match="has not answered yet"):
            store.ping()
        opening.stop()

    assert time.monotonic() - began < 5
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "the store is not there yet; what comes waits in the journal: the server says nothing"
    ]


def test_an_embedded_store_that_cannot_be_opened_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    opening = Opening(Store(ClickHouseSettings.model_validate({"dsn": f"chdb://{tmp_path}/file"})))

    with pytest.raises(Unavailable):
        opening.start()
    opening.stop()


REFUSED = """
import sys
from exporters.opening import Opening
from exporters.settings import ClickHouseSettings
from exporters.store import Store
from processors.errors import Unavailable
store = Store(ClickHouseSettings.model_validate({"dsn": f"chdb://{sys.argv[1]}"}))
store.refuse()
try:
    store.ping()
except Unavailable as error:
    print(error)
store.open()
print(store.query("SELECT count() FROM nodes").item())
store.close()
"""


def test_a_store_is_refused_until_its_tables_are_there(tmp_path: Path) -> None:
    """In a process of its own, for there is one engine to a process."""
    ran = subprocess.run(
        [sys.executable, "-c", REFUSED, str(tmp_path)], cwd=ROOT, env=environment(), capture_output=True, text=True
    )

    assert (ran.stdout, ran.returncode) == ("the store has not answered yet\n0\n", 0), ran.stderr
