"""The other processes: started here, and ended by their own handles whatever happens."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from typing import Any

from tests.benchmarks.sender import Order, Sent
from tests.merit.processes import ROOT, environment

PROCESSES = 2
"""Sender processes at most: more would only take turns with the server on a small machine."""
GRACE_SECONDS = 150
"""What senders may take beyond their time: starting, and sending again what was refused."""


@contextmanager
def child(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m tests.benchmarks.MODULE`; killed at the end if it is still there."""
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@contextmanager
def bare_server() -> Iterator[tuple[str, int]]:
    """Where a server that does nothing listens, and its process id."""
    with child("bare_server") as process:
        assert process.stdout
        yield f"127.0.0.1:{int(process.stdout.readline())}", process.pid


def send(order: Order) -> Sent:
    """Carry out `order` in processes of their own; what they sent together."""
    processes = min(PROCESSES, order.connections)
    orders = [
        replace(order, connections=share, rate=order.rate * share / order.connections, seed=order.seed + 1_000 * number)
        for number in range(processes)
        if (share := (order.connections + number) // processes)
    ]
    with ExitStack() as stack:
        started = [stack.enter_context(child("sender", json.dumps(asdict(one)))) for one in orders]
        answers = [process.communicate(timeout=order.seconds + GRACE_SECONDS)[0] for process in started]
    return together([Sent(**json.loads(answer)) for answer in answers])


def together(parts: list[Sent]) -> Sent:
    """Sums; the time from the first beginning to the last end."""
    sums: dict[str, Any] = {
        name: sum(getattr(part, name) for part in parts)
        for name in ("spans", "sets", "requests", "retries", "refused", "cpu_seconds")
    }
    latencies = [seconds for part in parts for seconds in part.latencies]
    return Sent(**sums, began=min(p.began for p in parts), ended=max(p.ended for p in parts), latencies=latencies)


def look_into(folder: str) -> dict[str, Any]:
    """What the store in `folder` holds, once nobody else has it."""
    with child("contents", folder) as process:
        found: dict[str, Any] = json.loads(process.communicate(timeout=120)[0])
    return found
