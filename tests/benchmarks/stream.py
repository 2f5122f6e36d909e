"""How late are events? 200 readers at 100 events/s each, one asleep:

python -m tests.benchmarks.stream [readers] [seconds] [websocket]

The server is a thread of this process, as in Merit; the readers are another process, so that they do not wait for each other.
"""

import asyncio
import fcntl
import json
import re
import socket
import struct
import subprocess
import sys
import termios
import time
from typing import NamedTuple

import polars as pl

from exporters.settings import ClickHouseSettings
from exporters.store import Store
from merit.clock import now
from processors.events import EVENTS
from processors.frames import conform
from query_api.settings import QueryApiSettings
from query_api.web.app import create_app
from query_api.web.health import Condition
from query_api.web.live import Live
from query_api.web.server import ApiServer

PER_SECOND = 100
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bWVyaXQgbWVyaXQgbWVyaQ==\r\n"
)
SENT = re.compile(rb'"sent": ([0-9.]+)')


class Reader(NamedTuple):
    """How many events one has read, and how late the oldest of each portion was, in seconds."""

    late: list[float]
    counts: list[int]


def asking(port: int, *, is_websocket: bool) -> bytes:
    """The request of a reader."""
    return f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{UPGRADE if is_websocket else ''}\r\n".encode()


async def read(port: int, seconds: float, found: Reader, *, is_websocket: bool) -> None:
    """Read events until the end; how late they are, by the clock of this machine. Looks at bytes alone, for it is to keep up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(asking(port, is_websocket=is_websocket))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        portion = await asyncio.wait_for(reader.read(1 << 20), 5)
        if first := SENT.search(portion):
            found.late.append(time.time() - float(first[1]))
            found.counts.append(portion.count(b'"sent"'))
    writer.close()


async def readers(port: int, count: int, seconds: float, *, is_websocket: bool) -> None:
    """`count` that read and one that never does; print what they saw."""
    found = [Reader([], []) for _ in range(count)]
    asleep = sleeper(port, is_websocket=is_websocket)
    await asyncio.gather(*(read(port, seconds, each, is_websocket=is_websocket) for each in found))
    every = sorted(one for each in found for one in each.late)
    events = [sum(each.counts) for each in found]
    p50, p99, worst = (f"{every[min(int(len(every) * share), len(every) - 1)] * 1e3:.0f} ms" for share in (0.5, 0.99, 1))
    print(f"{count} readers of {min(events)} to {max(events)} events each; late by p50 {p50}, p99 {p99}, at the most {worst}")
    print(f"the one asleep has {waiting(asleep)} events before it, and the server holds no more for it")


def sleeper(port: int, *, is_websocket: bool) -> socket.socket:
    """A reader that never reads, with so small a buffer that the server soon cannot write to it."""
    asleep = socket.socket()
    asleep.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asleep.connect(("127.0.0.1", port))
    asleep.sendall(asking(port, is_websocket=is_websocket))
    return asleep


def waiting(asleep: socket.socket) -> int:
    """How many events the kernel has taken for it: what was written before it could take no more."""
    asleep.settimeout(0)
    held = struct.unpack("I", fcntl.ioctl(asleep, termios.FIONREAD, b"0000"))[0]
    return asleep.recv(held).count(b'"sent"') if held else 0


def event() -> pl.DataFrame:
    told = json.dumps({"type": "task.finished", "sent": time.time(), "name": "x" * 400})
    return conform(
        pl.DataFrame([{"type": "task.finished", "agent_id": "a", "category": "", "severity": "", "event": told}]), EVENTS
    )


def main() -> None:
    """Serve, have it read, publish."""
    count, seconds, *form = *sys.argv[1:], *("200", "10")[len(sys.argv) - 1 :]
    live, settings = Live(now), QueryApiSettings(endpoint="127.0.0.1:0")
    store = Store(ClickHouseSettings())
    server = ApiServer(create_app(store, store.insert, settings, now, Condition(), live=live), settings)
    server.start()
    other = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.stream", "read", str(server.port), count, seconds, *form])
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
        asyncio.run(readers(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), is_websocket="websocket" in sys.argv))
    else:
        main()
