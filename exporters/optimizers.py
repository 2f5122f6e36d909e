"""Runs what makes agents better: a command, or a program behind a webhook. No shell is ever used."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Any

from exporters.notifications.carriers import post
from processors.errors import Rejected, Unavailable
from processors.optimizations.settings import Optimizer

POLL_SECONDS = 0.2
GRACE_SECONDS = 5.0
MOST_BYTES = 4_000
"""Of what a program says, the end is kept."""
WEBHOOK_SECONDS = 30.0


def run(optimizer: Optimizer, said: Mapping[str, Any], now: datetime, stopping: Callable[[], bool]) -> str:
    """Have an agent made better; what the program said.

    Args:
        optimizer: how.
        said: the request, with its `key`.
        now: what time it is.
        stopping: whether Merit is about to stop: then a command is ended.

    Raises:
        Rejected: it has failed, and would again.
        Unavailable: it perhaps began, or could not begin; to be told again under the same key.
    """
    if optimizer.webhook:
        post(optimizer.webhook, said, str(said["key"]), WEBHOOK_SECONDS, now)
        return "the webhook has taken it"
    return run_command(optimizer, said, stopping)


def run_command(optimizer: Optimizer, said: Mapping[str, Any], stopping: Callable[[], bool]) -> str:
    """Run a command to its end, in a session of its own, so that it can be ended with all that it has started."""
    with TemporaryFile() as told, TemporaryFile() as out, TemporaryFile() as err:
        told.write(json.dumps(said, ensure_ascii=False).encode())
        told.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator's own command, from the settings
                optimizer.command, stdin=told, stdout=out, stderr=err, start_new_session=True
            )
        except OSError as error:
            raise Rejected(f"{optimizer.command[0]} cannot be run: {error.strerror or type(error).__name__}") from None
        code = wait(process, optimizer.timeout_seconds, stopping)
        if code:
            raise Rejected(f"{optimizer.command[0]} ended with {code}: {end_of(err) or end_of(out) or 'it said nothing'}")
        return end_of(out)


def wait(process: subprocess.Popen[bytes], seconds: float, stopping: Callable[[], bool]) -> int:
    """The exit code of a process. It is ended, with Rejected if it takes too long, with Unavailable if Merit is to stop."""
    deadline = time.monotonic() + seconds
    while (code := process.poll()) is None:
        if stopping():
            end(process)
            raise Unavailable("Merit was stopped while it ran")
        if time.monotonic() >= deadline:
            end(process)
            raise Rejected(f"took longer than {seconds:g} s and was ended")
        time.sleep(POLL_SECONDS)
    return code


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it has started: first asked, then forced."""
    for how in (signal.SIGTERM, signal.SIGKILL):  # whoever it has started may outlive it
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    process.wait()


def end_of(file: IO[bytes]) -> str:
    """The end of what was written to a file."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - MOST_BYTES, 0))
    return file.read().decode("utf-8", "replace").replace("\x00", " ").strip()
