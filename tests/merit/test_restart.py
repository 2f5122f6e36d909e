"""What was acknowledged is derived after a kill in the middle, on a machine in any time zone."""

import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from merit.clock import now
from merit.demo.traffic import Providers, over_grpc, send
from tests.merit.processes import WAIT_SECONDS, Server, serving


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "Asia/Kolkata"])
def test_after_a_kill_the_next_start_derives_what_was_acknowledged(tmp_path: Path, zone: str) -> None:
    with serving(tmp_path, TZ=zone, MERIT_JOBS__ENABLED="false") as first:
        tasks = send_some(first)
        first.process.kill()
        first.process.wait()

    with serving(tmp_path, TZ=zone, MERIT_JOBS__SWEEP__INTERVAL_SECONDS="2") as second:
        found = wait_for_tasks(second, len(tasks))

    assert sorted(row["task_id"] for row in found) == sorted(tasks)


def send_some(server: Server) -> list[str]:
    """The ids of the tasks whose spans the server has acknowledged."""
    providers = Providers(lambda: over_grpc(server.find(r"OTLP/gRPC on (\S+)")))
    tasks = [task for each in send(providers, 10, now(), Random(5)) for task in each]
    providers.shutdown()
    return tasks


def wait_for_tasks(server: Server, count: int) -> list[Any]:
    """The tasks, once there are so many."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        found: list[Any] = server.get("/v1/tasks?limit=1000")["tasks"]
        if len(found) >= count and all(row["status"] != "running" for row in found):
            return found
        assert time.monotonic() < deadline, f"{len(found)} of {count}\n{server.log}"
        time.sleep(0.2)
