"""How late are events? 200 readers at 100 events/s each, one asleep: python -m tests.benchmarks.stream [readers] [seconds].

The server is a thread of this process, as in Merit; the readers are another process, so that they do not wait for each other.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from typing import NamedTuple

import polars as pl

from exporters.settings import ClickHouseSettings
from exporters.store import Store
from merit.clock import now
from processors.events import EVENTS
from processors.frames import conform
from query_api.app import create_app
from query_api.health import Condition
from query_api.live import Live
from query_api.server import ApiServer
from query_api.settings import QueryApiSettings

PER_SECOND = 100
SENT = re.compile(rb'"sent": ([0-9.]+)')


class Reader(NamedTuple):
    """How many events one has read, and how late the oldest of each portion was, in seconds."""

    late: list[float]
    counts: list[int]


async def read(port: int, seconds: float, found: Reader) -> None:
    """Read events until the end; how late they are, by the clock of this machine. Looks at bytes alone, for it is to keep up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        portion = await asyncio.wait_for(reader.read(1 << 20), 5)
        if first := SENT.search(portion):
            found.late.append(time.time() - float(first[1]))
            found.counts.append(portion.count(b'"sent"'))
    writer.close()


async def readers(port: int, count: int, seconds: float) -> None:
    """`count` that read and one that never does; print what they saw."""
    found = [Reader([], []) for _ in range(count)]
    asleep = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    asleep[1].write(f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    await asyncio.gather(*(read(port, seconds, each) for each in found))
    every = sorted(one for each in found for one in each.late)
    events = [sum(each.counts) for each in found]
    p50, p99, worst = (f"{every[min(int(len(every) * share), len(every) - 1)] * 1e3:.0f} ms" for share in (0.5, 0.99, 1))
    print(f"{count} readers of {min(events)} to {max(events)} events each; late by p50 {p50}, p99 {p99}, at the most {worst}")


def event() -> pl.DataFrame:
    told = json.dumps({"type": "task.finished", "sent": time.time(), "name": "x" * 400})
    return conform(
        pl.DataFrame([{"type": "task.finished", "agent_id": "a", "category": "", "severity": "", "event": told}]), EVENTS
    )


def main() -> None:
    """Serve, have it read, publish."""
    count, seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 200, float(sys.argv[2]) if len(sys.argv) > 2 else 10
    live, settings = Live(now), QueryApiSettings(endpoint="127.0.0.1:0")
    store = Store(ClickHouseSettings())
    server = ApiServer(create_app(store, store.insert, settings, now, Condition(), live=live), settings)
    server.start()
    other = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.stream", "read", str(server.port), str(count), str(seconds)]
    )
    begin, cpu, sent = time.monotonic(), time.process_time(), 0
    while other.poll() is None:
        live.publish(event())
        sent += 1
        time.sleep(max(0.0, begin + sent / PER_SECOND - time.monotonic()))
    took = time.monotonic() - begin
    print(f"{sent / took:.0f} events/s published; {(time.process_time() - cpu) / took:.2f} cores on the server's side")
    begin = time.monotonic()
    live.close()
    server.stop()
    print(f"stopped in {time.monotonic() - begin:.1f} s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["read"]:
        asyncio.run(readers(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
    else:
        main()
