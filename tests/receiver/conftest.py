"""A running receiver on ports of the system's choice, whose journal is a list."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from processors.errors import NoRoom
from receiver.decode import SPANS
from receiver.reading import Outcome
from receiver.receipts import Receipt
from receiver.server import Receiver
from receiver.settings import ReceiverSettings
from tests.receiver.builders import NOW


class Shelf:
    """Keeps frames in memory, or raises what it is told to."""

    def __init__(self) -> None:
        self.receipts: dict[bytes, Outcome] = {}
        self.kept: list[Mapping[str, pl.DataFrame]] = []
        self.error: Exception | None = None
        self.full: NoRoom | None = None
        self.go = threading.Event()
        self.go.set()
        self.called = threading.Event()

    def known(self, digest: bytes) -> Outcome | None:
        return self.receipts.get(digest)

    def refuse_if_full(self) -> None:
        if self.full:
            raise self.full

    def keep(self, frames: Mapping[str, pl.DataFrame], receipts: Sequence[Receipt] = ()) -> None:
        self.called.set()
        assert self.go.wait(30)
        if self.error:
            raise self.error
        self.kept.append(frames)
        self.receipts.update(receipts)

    def of(self, kind: str) -> list[pl.DataFrame]:
        """The frames of a kind of row."""
        return [frames[kind] for frames in self.kept if kind in frames]

    @property
    def frames(self) -> list[pl.DataFrame]:
        """The frames of spans."""
        return self.of(SPANS)

    @property
    def names(self) -> list[str]:
        """The names of all spans stored, sorted."""
        return sorted(name for frame in self.frames for name in frame["SpanName"])


def receiver_settings(**otlp: object) -> ReceiverSettings:
    """Any free ports, and one MiB a request so that tests need not send much."""
    free = {"endpoint": "127.0.0.1:0"}
    return ReceiverSettings.model_validate(
        {"otlp": {"grpc": free, "http": free, "max_request_mib": 1, "max_waiting_mib": 4} | otlp}
    )


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def receiver(shelf: Shelf) -> Iterator[Receiver]:
    running = Receiver(receiver_settings(), shelf, lambda: NOW, grace=timedelta(seconds=5))
    running.start()
    yield running
    shelf.go.set()
    running.stop()


@pytest.fixture
def present_receiver(shelf: Shelf) -> Iterator[Receiver]:
    """One whose clock goes, for senders that stamp their own spans."""
    running = Receiver(receiver_settings(), shelf, lambda: datetime.now(UTC), grace=timedelta(seconds=5))
    running.start()
    yield running
    running.stop()
