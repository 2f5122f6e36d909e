"""Trouble, through the whole program: what its senders see meanwhile, and what is stored and derived afterwards."""

import json
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import grpc
import httpx
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from tests.merit.driven import Driven, driven
from tests.merit.processes import Server, serving
from tests.merit.sending import EXPORT, counted, log_of, trace_of
from tests.receiver.builders import body
from tests.running import eventually

FAST = {"MERIT_PROCESSORS__ASSEMBLE__QUIET_SECONDS": "0.2", "MERIT_JOBS__SWEEP__INTERVAL_SECONDS": "1"}
SMALL_JOURNAL = {"MERIT_RECEIVERS__JOURNAL__MAX_MIB": "1"}
RANDOM = Random(3)


def a_trace(prompt: str = "") -> tuple[bytes, set[str]]:
    """A request with a trace of an agent, and the ids of its spans."""
    trace = RANDOM.randbytes(16)
    spans = trace_of(trace, RANDOM, prompt)
    return body(*spans), {trace.hex() + each.span_id.hex() for each in spans}


def post(server: Server, content: bytes, path: str = "/v1/traces") -> httpx.Response:
    url = server.find(r"OTLP/HTTP on (http://[^/]+)/") + path
    return httpx.post(url, content=content, headers={"content-type": "application/x-protobuf"}, timeout=30)


def refused_by_grpc(server: Server, content: bytes) -> tuple[grpc.StatusCode, float, str]:
    """The code, how long to wait, and the words of a refusal."""
    with pytest.raises(grpc.RpcError) as caught, grpc.insecure_channel(server.find(r"OTLP/gRPC on (\S+)")) as channel:
        channel.unary_unary(EXPORT)(content, timeout=30)
    status, info = Status.FromString(dict(caught.value.trailing_metadata() or ())["grpc-status-details-bin"]), RetryInfo()
    assert status.details[0].Unpack(info)
    return caught.value.code(), info.retry_delay.ToTimedelta().total_seconds(), status.message


def ready(server: Server) -> dict[str, Any]:
    """What /readyz says, well or not."""
    said: dict[str, Any] = httpx.get(server.find(r"API on (http://[^/]+)/") + "/readyz", timeout=30).json()
    return said


def stored(merit: Driven) -> set[str]:
    return {row[0] for row in merit.sql("SELECT concat(TraceId, SpanId) FROM otel_traces FINAL")}


def tasks(merit: Driven) -> int:
    """How many have succeeded."""
    return int(merit.sql("SELECT count() FROM tasks FINAL WHERE status = 'succeeded'")[0][0])


def until_refused(send: Callable[[bytes], httpx.Response], prompt: str) -> tuple[set[str], httpx.Response]:
    """Send until there is no room; what was acknowledged, and the refusal."""
    acknowledged: set[str] = set()
    for _ in range(200):
        request, ids = a_trace(prompt)
        answer = send(request)
        if answer.status_code != 200:
            return acknowledged, answer
        acknowledged |= ids
    raise AssertionError("never refused")


def test_one_table_in_trouble_holds_up_no_other(tmp_path: Path) -> None:
    with driven(tmp_path, **FAST) as merit:
        merit.sql("RENAME TABLE otel_logs TO hidden")
        request, ids = a_trace()

        assert post(merit.server, log_of("kept"), "/v1/logs").status_code == 200
        assert post(merit.server, request).status_code == 200

        eventually(lambda: tasks(merit) == 1)
        assert stored(merit) == ids
        eventually(lambda: ready(merit.server)["parts"]["journal"] == "logs wait for the store")
        merit.sql("RENAME TABLE hidden TO otel_logs")
        eventually(lambda: ready(merit.server)["status"] == "ok")
        assert merit.sql("SELECT Body FROM otel_logs") == [["kept"]]


def test_a_store_that_hangs_keeps_no_sender_waiting_and_gets_everything_once(tmp_path: Path) -> None:
    with driven(tmp_path, **FAST) as merit:
        merit.sql("CREATE MATERIALIZED VIEW slow ENGINE = Null AS SELECT sleep(3) FROM otel_traces")
        sent = [a_trace() for _ in range(20)]

        answers = [post(merit.server, request) for request, _ in sent]
        assert {answer.status_code for answer in answers} == {200}
        assert max(answer.elapsed.total_seconds() for answer in answers) < 2.5  # nobody waits for an insert

        eventually(lambda: tasks(merit) == len(sent), 60)
        assert merit.sql("SELECT count() FROM otel_traces") == [[sum(len(ids) for _, ids in sent)]]


def test_a_full_journal_says_when_to_come_back_and_loses_nothing(tmp_path: Path) -> None:
    prompt = RANDOM.randbytes(15_000).hex()
    with driven(tmp_path, **FAST, **SMALL_JOURNAL) as merit:
        merit.sql("RENAME TABLE otel_traces TO hidden")

        acknowledged, refusal = until_refused(lambda request: post(merit.server, request), prompt)

        assert (refusal.status_code, refusal.headers["retry-after"]) == (429, "5")
        assert refused_by_grpc(merit.server, a_trace(2 * prompt)[0])[:2] == (grpc.StatusCode.RESOURCE_EXHAUSTED, 5.0)
        merit.sql("RENAME TABLE hidden TO otel_traces")
        eventually(lambda: stored(merit) == acknowledged)
        request, ids = a_trace()
        assert post(merit.server, request).status_code == 200
        eventually(lambda: stored(merit) == acknowledged | ids)
        assert merit.sql("SELECT count() FROM otel_traces") == [[len(acknowledged | ids)]]


def test_a_full_disk_is_told_and_what_was_acknowledged_before_and_after_is_there(tmp_path: Path) -> None:
    prompt = RANDOM.randbytes(15_000).hex()
    with serving(tmp_path, **FAST) as server:
        before, ids = a_trace()
        assert post(server, before).status_code == 200
        limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1 << 14, limits[1]))

        acknowledged, refusal = until_refused(lambda request: post(server, request), prompt)

        assert refusal.status_code in (429, 503)
        assert int(refusal.headers["retry-after"]) >= 1
        code, seconds, words = refused_by_grpc(server, a_trace(prompt)[0])
        assert code in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)
        assert seconds >= 1
        assert str(tmp_path) not in words + refusal.text
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
        after, more = a_trace()
        eventually(lambda: post(server, after).status_code == 200)
        want = ids | acknowledged | more
        eventually(lambda: ready(server)["status"] == "ok", 60)
        assert server.end(signal.SIGTERM) == 0
    found = counted(tmp_path)["spans"]
    assert want <= set(found)
    assert len(found) == len(set(found))


def test_a_clock_that_jumps_backwards_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with driven(tmp_path, **FAST) as merit:
        first, ids = a_trace()
        assert post(merit.server, first).status_code == 200
        merit.tick(-7200)
        second, more = a_trace()
        assert post(merit.server, second).status_code == 200

        eventually(lambda: tasks(merit) == 2)
        again = post(merit.server, first)

        assert (again.status_code, again.content) == (200, b"")
        assert stored(merit) == ids | more
        merit.tick(7200)
        third, most = a_trace()
        assert post(merit.server, third).status_code == 200
        eventually(lambda: tasks(merit) == 3)
        assert merit.sql("SELECT count() FROM otel_traces") == [[len(ids | more | most)]]
        assert json.dumps(ready(merit.server)["parts"]).count("ok") >= 4
