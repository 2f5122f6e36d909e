"""The bound on what waits: every byte that came in and is not answered yet is counted here, whoever holds it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from processors.errors import NoRoom

READ_SECONDS = 30
"""A request gives up its place when its body has not come by then."""


class Room:
    """Counts bytes up to `max_bytes`; says `NoRoom` at once when a taker would go beyond."""

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._taken = 0
        self._guard = threading.Lock()

    def take(self, size: int) -> None:
        """Count `size` more bytes; raises NoRoom if they do not fit."""
        with self._guard:
            if self._taken + size > self._max:
                raise NoRoom(f"over {self._max >> 20} MiB of requests wait to be stored: send this one again later")
            self._taken += size

    def give(self, size: int) -> None:
        """Count `size` bytes less."""
        with self._guard:
            self._taken -= size


class Held:
    """The part of a room that one request holds while its body comes in; given back on leaving."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0

    def take(self, size: int) -> None:
        """Hold `size` more bytes; raises NoRoom if they do not fit."""
        self._room.take(size)
        self._size += size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._room.give(self._size)
        self._size = 0


class Crowd:
    """Counts requests under way, up to `most`, before their bodies are read; says `NoRoom` at once to one more.

    For one event loop.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a request until it is answered; raises NoRoom if there are too many."""
        if self._inside >= self._most:
            raise NoRoom(f"{self._most} requests are under way already: send this one again later")
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
