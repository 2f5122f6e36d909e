"""`merit serve` while its ClickHouse server is away: what comes is taken and kept, and whoever asks is told."""

import json
import signal
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.merit.processes import Server, serving
from tests.receiver.builders import attributes, body, span
from tests.running import eventually

AWAY = {"MERIT_EXPORTERS__CLICKHOUSE__DSN": "clickhouse://me:hunter2@127.0.0.1:1/merit"}


def post(url: str, content: bytes, kind: str) -> int:
    """The status of an answer."""
    with urlopen(Request(url, content, {"Content-Type": kind}), timeout=10) as reply:
        return reply.status


def refused(server: Server, path: str) -> dict:
    """The problem document of a question that cannot be answered."""
    with pytest.raises(HTTPError) as caught:
        server.get(path)
    problem: dict = json.loads(caught.value.read())
    assert caught.value.code == 503
    return problem


def test_merit_starts_and_takes_what_comes_while_its_server_is_away(tmp_path: Path) -> None:
    with serving(tmp_path, **AWAY) as server:
        otlp, api = server.find(r"OTLP/HTTP on (http://[^/]+)/"), server.find(r"API on (http://[^/]+)/")

        sent = post(
            f"{otlp}/v1/traces", body(span(attributes=attributes({"gen_ai.operation.name": "chat"}))), "application/x-protobuf"
        )
        rated = post(f"{api}/v1/tasks/{'a' * 32}/feedback", b'{"rating": 5}', "application/json")

        assert (sent, rated) == (200, 202)
        assert server.get("/healthz") == {"status": "ok"}
        eventually(lambda: "spans wait for the store" in refused(server, "/readyz")["parts"]["journal"])
        assert refused(server, "/readyz")["parts"]["store"] == "does not answer"
        assert "try again" in refused(server, "/v1/rankings")["detail"]
        assert "merit_journal_entries 2.0" in server.text("/metrics")
        assert server.end(signal.SIGTERM) == 0
    assert "2 entries" in server.log.splitlines()[-2]
    assert sum("cannot run" in line for line in server.lines) == 1, server.log
    assert "hunter2" not in server.log
    assert "Traceback" not in server.log
    with serving(tmp_path, **AWAY) as server:
        assert "2 entries of" in server.log
