"""Gives back what glibc keeps of memory that was freed.

Requests, journal and frames come and go by the megabyte in many threads. glibc (mallopt(3), malloc_trim(3)) returns only what is
free at the end of an arena, so that after a while holes make a quarter of all that a busy Merit takes. To look for them costs
some 10 ms of CPU, so it is done only while the process grows or shrinks. The engine, polars and Arrow have allocators of
their own, which do so themselves.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

EVERY_SECONDS = 2.0
CHANGED_BYTES = 32 << 20
"""A process that has grown or shrunk by less since memory was last given back is left alone."""


class GivingBack:
    """Gives memory back every few seconds, in a thread of its own, from `start` to `stop`.

    Args:
        trim: gives back what can be; as glibc does it unless said, and nothing is done where there is no glibc.
        resident: what the process takes, in bytes; as Linux says it.
        seconds: between two looks.
    """

    def __init__(
        self,
        trim: Callable[[], object] | None = None,
        resident: Callable[[], int] | None = None,
        seconds: float = EVERY_SECONDS,
    ) -> None:
        self._trim, self._resident, self._seconds = trim or trim_of_glibc(), resident or resident_bytes, seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="merit-memory", daemon=True)

    def start(self) -> None:
        """Begin, where there is a way to."""
        if self._trim:
            self._thread.start()

    def stop(self) -> None:
        """End. Safe to call twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        assert self._trim
        left = 0
        while not self._stopping.wait(self._seconds):
            if abs(self._resident() - left) > CHANGED_BYTES:
                self._trim()
                left = self._resident()


def trim_of_glibc() -> Callable[[], object] | None:
    """`malloc_trim(0)`; None on systems without it."""
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            trim = ctypes.CDLL(None).malloc_trim
            trim.argtypes = [ctypes.c_size_t]
            return lambda: trim(0)
    return None


def resident_bytes() -> int:
    """What this process has in memory (proc_pid_statm(5))."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
