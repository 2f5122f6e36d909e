"""Runs `merit` as its users do: a process of its own, in a folder of its own, on free ports."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]

FREE_PORTS = {
    "MERIT_RECEIVERS__OTLP__GRPC__ENDPOINT": "127.0.0.1:0",
    "MERIT_RECEIVERS__OTLP__HTTP__ENDPOINT": "127.0.0.1:0",
    "MERIT_QUERY_API__ENDPOINT": "127.0.0.1:0",
}

SERVE = ("-m", "merit", "serve")
WAIT_SECONDS = 60


def environment(**more: str) -> dict[str, str]:
    """The variables of a process that finds this checkout, and no settings but those in `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MERIT_")}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **more}


def merit(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "merit", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(**environ), capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )


class Server:
    """A running `merit serve`; what it logs is collected as it comes."""

    def __init__(self, folder: Path, command: Sequence[str] = SERVE, **environ: str) -> None:
        self.lines: list[str] = []
        self._ready = threading.Event()
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env=environment(**(FREE_PORTS | environ)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            if "ready: data" in line:
                self._ready.set()
        self._ready.set()

    @property
    def log(self) -> str:
        """Everything logged so far."""
        return "\n".join(self.lines)

    @property
    def is_ready(self) -> bool:
        """Whether it has said that it is ready, or has ended."""
        return self._ready.is_set()

    def wait_until_ready(self) -> None:
        """Return when the process says that it is ready."""
        assert self._ready.wait(WAIT_SECONDS), self.log
        assert self.process.poll() is None, self.log

    def find(self, pattern: str) -> str:
        """The first group of `pattern` in the log."""
        found = re.search(pattern, self.log)
        assert found, self.log
        return found[1]

    def get(self, path: str) -> Any:
        """An answer of its API."""
        return json.loads(self.text(path))

    def text(self, path: str) -> str:
        """An answer of its API, as it came."""
        with urlopen(self.find(r"API on (http://[^/]+)/") + path, timeout=10) as reply:
            said: bytes = reply.read()
        return said.decode()

    def end(self, number: int) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(WAIT_SECONDS)
        self._reader.join(5)
        return code

    def kill(self) -> None:
        """End it if it is still there, and close what connects to it."""
        self.process.kill()
        self.process.wait()
        self._reader.join(5)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe
            pipe.close()


@contextmanager
def serving(folder: Path, **environ: str) -> Iterator[Server]:
    """A `merit serve` that is ready, killed at the end if it is still there."""
    server = Server(folder, **environ)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.kill()
