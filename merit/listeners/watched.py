"""What files say, read again when they change. A file that cannot be read leaves what it said before in use."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from processors.errors import MeritError

Value = TypeVar("Value")
Seen = tuple[tuple[int, ...] | None, ...]

LOOK_SECONDS = 1.0

log = logging.getLogger(__name__)


class Watched(Generic[Value]):
    """The value that `read` makes of `files`, at most a second old.

    Args:
        files: looked at, without reading them, when the value is asked for; at most every `look_seconds`.
        read: makes the value; raises a MeritError that says what is wrong with which file.

    Raises:
        MeritError: `read` did; only the first time, later it is logged and the value before stays.
    """

    def __init__(self, files: Sequence[Path], read: Callable[[], Value], look_seconds: float = LOOK_SECONDS) -> None:
        self._files, self._read, self._every = files, read, look_seconds
        self._guard = threading.Lock()
        self._seen, self._value = self._looks(), read()
        self._next = time.monotonic() + look_seconds

    def current(self) -> Value:
        """The value."""
        with self._guard:
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + self._every
                self._look()
            return self._value

    def _look(self) -> None:
        seen = self._looks()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._value = self._read()
            log.info("read again: %s", ", ".join(str(file) for file in self._files))
        except MeritError as error:
            log.error("%s; what was there before stays in use", error)

    def _looks(self) -> Seen:
        return tuple(_look_of(file) for file in self._files)


def _look_of(file: Path) -> tuple[int, ...] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino  # who may read it is none of its contents
