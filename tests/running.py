"""A real `merit serve` in a process of its own, on a fresh folder and free ports."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

Found = TypeVar("Found")
READY = re.compile(r"ready: OTLP/gRPC on (\S+).*ready: OTLP/HTTP on (http://[^/\s]+).*ready: API on (http://[^/\s]+)", re.DOTALL)


@dataclass(frozen=True)
class Running:
    """Where it listens."""

    grpc: str
    http: str
    api: str

    def get(self, path: str) -> Any:
        """The answer of the API."""
        return httpx.get(f"{self.api}{path}", timeout=10).raise_for_status().json()


@contextmanager
def serving(folder: Path) -> Iterator[Running]:
    """Start `merit serve`, wait until it is ready, stop it afterwards and see that it stops by itself."""
    log = folder / "merit.log"
    free = "127.0.0.1:0"
    said = {
        "MERIT_EXPORTERS__CLICKHOUSE__DSN": f"chdb://{folder}/data",
        "MERIT_RECEIVERS__OTLP__GRPC__ENDPOINT": free,
        "MERIT_RECEIVERS__OTLP__HTTP__ENDPOINT": free,
        "MERIT_QUERY_API__ENDPOINT": free,
        "MERIT_PROCESSORS__ASSEMBLE__QUIET_SECONDS": "0.2",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "merit", "serve"], cwd=Path(__file__).parent.parent, env=os.environ | said, stderr=output
        )
    try:
        yield Running(*eventually(lambda: whereabouts(process, log)))
    finally:
        process.terminate()
        code = process.wait(30)
    assert code == 0, log.read_text()


def whereabouts(process: subprocess.Popen[bytes], log: Path) -> tuple[str, ...] | None:
    """What its log says of where it listens; fails at once, with the log, if the process has ended."""
    assert process.poll() is None, log.read_text()
    ready = READY.search(log.read_text())
    return ready and ready.groups()


def eventually(look: Callable[[], Found | None], seconds: float = 30) -> Found:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not seen within {seconds} s"
        time.sleep(0.1)
    return found
